"""Who had which seat is forgotten some days after a departure has made its last call."""

from datetime import datetime, timedelta

import pytest
from tests.timetable.conftest import NOW
from tests.timetable.feeds import small_feed

from farebox.core.db import Database
from farebox.inventory import (
    HoldTerms,
    InventorySpec,
    Want,
    claims_on,
    confirm,
    list_inventories_in_use,
    open_inventories,
    take,
)
from farebox.timetable import OnSale, forget_departures
from farebox.timetable.departures import list_ended

TERMS = HoldTerms(ttl_seconds=900, max_extensions=2, max_total_seconds=2700)


@pytest.fixture
async def ends(importer, rows) -> dict[int, datetime]:
    """Inventory -> the instant of the last call, of the departures of three days."""
    await importer(small_feed(), on_sale=OnSale(3))
    found = await rows(
        "SELECT d.inventory_id, d.base_at + max(c.arrival_s) * interval '1 second' FROM departure d"
        " JOIN call c ON c.journey_id = d.journey_id GROUP BY d.id ORDER BY d.base_at"
    )
    await rows("UPDATE inventory SET sales_close_at = NULL RETURNING id")  # theirs is long over by the server's clock
    return dict(found)


async def sell(database, inventory_ids):
    async with database.begin() as work:
        hold = await take(work, [Want(i, (0, 1), 0, 1) for i in inventory_ids], owner="booking:1", terms=TERMS)
        return await confirm(work, hold.id)


def later(database, at) -> Database:
    """The same database, looked at in another moment."""
    return Database(database.url, clock=lambda: at)


async def test_a_departure_has_ended_with_its_last_call(database, ends):
    first, second, *_ = ends
    async with database.begin() as work:
        assert await list_ended(work, list(ends), before=NOW) == []
        assert await list_ended(work, list(ends), before=ends[first]) == []
        assert await list_ended(work, list(ends), before=ends[first] + timedelta(seconds=1)) == [first]
        assert await list_ended(work, [second], before=ends[second] + timedelta(seconds=1)) == [second]
        assert await list_ended(work, [second], before=ends[second]) == []


async def test_seats_are_forgotten_so_many_days_after_the_end(database, ends, rows):
    _, second, third = ends
    hold = await sell(database, ends)
    moment = later(database, ends[second] + timedelta(days=7, seconds=1))
    assert await forget_departures(moment, days=7) == 2
    async with database.begin() as work:
        assert await list_inventories_in_use(work) == [third]
        assert [(claim.unit, claim.hold_id) for claim in await claims_on(work, third, 0, 9)] == [
            (unit, hold.id) for unit in (0, 1)
        ]
    assert await forget_departures(moment, days=7) == 0
    assert await rows("SELECT count(*) FROM departure") == [3]
    await moment.dispose()


async def test_what_no_departure_is_made_of_is_left_alone(database, ends):
    async with database.begin() as work:
        [show] = await open_inventories(work, [InventorySpec(2, 1)])
    await sell(database, [show])
    moment = later(database, NOW + timedelta(days=400))
    assert await forget_departures(moment, days=7) == 0
    async with database.begin() as work:
        assert await list_inventories_in_use(work) == [show]
    await moment.dispose()


async def test_many_are_looked_through_in_batches(database, ends, rows, monkeypatch):
    from farebox.timetable import jobs

    async def one_by_one(work, *, after):
        return await list_inventories_in_use(work, after=after, limit=1)

    monkeypatch.setattr(jobs, "list_inventories_in_use", one_by_one)
    await sell(database, ends)
    moment = later(database, max(ends.values()) + timedelta(days=8))
    assert await forget_departures(moment, days=7) == 3
    assert await rows("SELECT count(*) FROM claim") == [0]
    assert await rows("SELECT count(*) FROM hold") == [0]
    await moment.dispose()
