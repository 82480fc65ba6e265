"""The next edition of a feed: what is free follows it, what is sold or held stays as it was sold."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.timetable.feeds import ROUTES, STOP_TIMES, STOPS, small_feed, stop_times, trips

from farebox.core.db import Database
from farebox.inventory import HoldTerms, Want, claims_on, confirm, release, take
from farebox.timetable import DepartureNotFound, OnSale, get_departure, get_sites, list_runs, segment

TERMS = HoldTerms(ttl_seconds=900, max_extensions=2, max_total_seconds=2700)
# From tomorrow on, so that no run is under way whatever time it is now; and the same days if midnight comes meanwhile.
TODAY = datetime.now(UTC).date()
DAYS = OnSale(5, today=TODAY)
COMING = f"""service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
daily,1,1,1,1,1,1,1,{TODAY + timedelta(days=1):%Y%m%d},21991231
"""
LATER = STOP_TIMES.replace("T1,10:00:00,10:05:00", "T1,10:20:00,10:25:00")
SHORTER = stop_times(T1=["A 08:00", "C 10:00", "D 11:00"])


@pytest.fixture
async def database(database_url_module: str) -> AsyncIterator[Database]:
    """At the present time, since holds run by the server's clock."""
    database = Database(database_url_module)
    yield database
    async with database.begin() as work:
        await work.execute("TRUNCATE feed, operator, place, seat_plan, inventory, claim, hold CASCADE")
    await database.dispose()


def edition(**files: str) -> dict[str, str]:
    return small_feed(**({"calendar": COMING} | files))


def without(table: str, *ids: str) -> str:
    """A file of a feed without the rows that begin with these ids."""
    return "".join(line for line in table.splitlines(keepends=True) if line.split(",")[0] not in ids)


async def departures(database: Database, *, after_days: int = 1):
    """The departures from a day after tomorrow on, which are all still to be boarded."""
    first = TODAY + timedelta(days=after_days)
    async with database.begin() as work:
        cursor = await work.execute("SELECT id FROM departure WHERE service_date >= %s ORDER BY base_at, id", [first])
        return [await get_departure(work, row[0]) for row in await cursor.fetchall()]


async def hold(database: Database, departure, unit: int, first: int = 0, end: int = 1):
    async with database.begin() as work:
        want = Want(departure.inventory_id, (unit,), first, end)
        return await take(work, [want], owner="guest:1", terms=TERMS)


async def test_the_same_edition_again_changes_nothing(importer, database, rows):
    await importer(edition(), on_sale=DAYS)
    everything = "SELECT id::text, inventory_id, journey_id::text, base_at FROM departure ORDER BY 1"
    before = await rows(everything)
    report = await importer(edition(), on_sale=DAYS)
    assert await rows(everything) == before
    assert report.counts["departures put on sale"] == 0
    assert "departures taken back" not in report.counts
    assert await rows("SELECT count(*) FROM journey") == [1]
    assert await rows("SELECT count(*) FROM inventory") == [len(before)]


async def test_free_departures_follow_the_new_edition_under_their_old_ids(importer, database, rows):
    await importer(edition(), on_sale=DAYS)
    before = await departures(database)
    report = await importer(edition(stop_times=LATER), on_sale=DAYS)
    after = await departures(database)
    assert [d.id for d in after] == [d.id for d in before]
    assert all(d.calls[2].departure - d.calls[0].departure == timedelta(hours=2, minutes=25) for d in after)
    assert report.counts["departures taken back"] == report.counts["departures put on sale"] >= 4
    assert report.findings == []
    assert await rows("SELECT count(*) FROM journey WHERE is_current") == [1]
    coming = report.counts["departures put on sale"]
    assert await rows("SELECT count(*) FROM inventory") == [max(coming, len(await rows("SELECT id FROM departure")))]


@pytest.mark.parametrize("sold", [False, True])
async def test_a_departure_with_a_seat_held_or_sold_stays_as_it_is(importer, database, rows, sold):
    await importer(edition(), on_sale=DAYS)
    free, kept, *_ = await departures(database)
    held = await hold(database, kept, 7, 1, 3)
    if sold:
        async with database.begin() as work:
            await confirm(work, held.id)
    report = await importer(edition(stop_times=SHORTER), on_sale=DAYS)
    async with database.begin() as work:
        assert await get_departure(work, kept.id) == kept
        assert [(c.unit, c.slot) for c in await claims_on(work, kept.inventory_id, 0, 3)] == [(7, 1), (7, 2)]
        assert [c.stop_name for c in (await get_departure(work, free.id)).calls] == ["Aberg ZOB", "Cestadt", "Dehausen"]
    assert [(f.kind, f.count, f.example) for f in report.findings] == [
        ("departure-kept", 1, f"T1 on {kept.service_date}")
    ]
    assert await rows("SELECT count(*), count(*) FILTER (WHERE is_current) FROM journey") == [(2, 1)]


async def test_without_the_guard_the_seat_would_be_lost(importer, database, rows, monkeypatch):
    """The control: had the inventory not been asked, the departure with a seat held would be gone."""

    async def close_all(work, inventory_ids):
        await work.execute("DELETE FROM inventory WHERE id = ANY(%s)", [inventory_ids])
        return inventory_ids

    monkeypatch.setattr("farebox.timetable.departures.close_inventories", close_all)
    await importer(edition(), on_sale=DAYS)
    _, kept, *_ = await departures(database)
    await hold(database, kept, 7)
    await importer(edition(stop_times=SHORTER), on_sale=DAYS)
    async with database.begin() as work:
        assert (await get_departure(work, kept.id)).inventory_id != kept.inventory_id


async def test_once_the_hold_is_gone_the_next_edition_renews_the_departure(importer, database, rows):
    await importer(edition(), on_sale=DAYS)
    _, kept, *_ = await departures(database)
    held = await hold(database, kept, 7)
    await importer(edition(stop_times=SHORTER), on_sale=DAYS)
    async with database.begin() as work:
        await release(work, held.id)
    report = await importer(edition(stop_times=SHORTER), on_sale=DAYS)
    assert report.findings == []
    assert report.counts["departures taken back"] == report.counts["departures put on sale"] == 1
    async with database.begin() as work:
        assert len((await get_departure(work, kept.id)).calls) == 3
    assert await rows("SELECT count(*) FROM journey WHERE NOT is_current AND NOT EXISTS"
                      " (SELECT FROM departure d WHERE d.journey_id = journey.id)") == [0]  # fmt: skip


async def test_what_the_new_edition_no_longer_has_is_gone_unless_somebody_has_a_seat(importer, database, rows):
    both = edition(
        trips=trips("T1", "T2"),
        routes=ROUTES + "S,HL,H2,,3\n",
        stop_times=STOP_TIMES + "T2,12:00:00,12:00:00,B,1\nT2,13:00:00,13:00:00,C,2\n",
    )
    await importer(both, on_sale=DAYS)
    found = await departures(database)
    free, kept = [d for d in found if len(d.calls) == 4][:2]
    await hold(database, kept, 0)
    only_t2 = edition(
        trips=trips("T2"),
        stops=without(STOPS, "A", "D"),
        stop_times=stop_times(T2=["B 12:00", "C 13:00"]),
    )
    await importer(only_t2, on_sale=DAYS)
    async with database.begin() as work:
        with pytest.raises(DepartureNotFound):
            await get_departure(work, free.id)
        assert [c.stop_name for c in (await get_departure(work, kept.id)).calls] == [c.stop_name for c in kept.calls]
    assert await rows("SELECT name FROM line") == ["H1"]
    assert await rows("SELECT source_id FROM stop ORDER BY 1") == ["A", "B", "C", "D"], "sold calls keep their stops"
    assert await rows("SELECT source_id FROM journey WHERE is_current") == ["T2"]


async def test_stops_lines_and_places_that_nobody_needs_are_taken_away(importer, database, rows):
    stops = STOPS.replace("stop_lon\n", "stop_lon,location_type,parent_station\n").replace("8.00\n", "8.00,,S\n")
    await importer(edition(stops=stops + "S,Aberg,50,8,1,\n", routes=ROUTES + "S,HL,H2,,3\n"), on_sale=OnSale(0))
    assert await rows("SELECT count(*) FROM stop") == [5]
    await importer(edition(stops=without(STOPS, "A"), stop_times=stop_times(T1=["B 09:00", "C 09:30"])))
    assert await rows("SELECT source_id FROM stop ORDER BY 1") == ["B", "C", "D"]
    assert await rows("SELECT name FROM place ORDER BY 1") == ["Bedorf", "Cestadt", "Dehausen"]
    assert await rows("SELECT name FROM line") == ["H1"]


async def test_a_day_taken_out_of_the_calendar_goes_and_a_seat_on_it_keeps_it(importer, database):
    await importer(edition(), on_sale=DAYS)
    free, kept, *_ = await departures(database)
    await hold(database, kept, 3)
    removed = "".join(f"daily,{d.service_date:%Y%m%d},2\n" for d in (free, kept))
    report = await importer(edition(calendar_dates="service_id,date,exception_type\n" + removed), on_sale=DAYS)
    assert report.counts["departures taken back"] == 1
    assert report.count_of("departure-kept") == 1
    async with database.begin() as work:
        assert await get_departure(work, kept.id) == kept
        with pytest.raises(DepartureNotFound):
            await get_departure(work, free.id)


async def test_another_vehicle_is_for_free_departures_only(importer, database):
    kinds = "vehicle_kind_id,agency_id,name,seat_plan,amenities\nvip,HL,VIP,limousine-9,\n"
    routes = "route_id,agency_id,route_short_name,route_type,vehicle_kind_id\nR,HL,H1,3,vip\n"
    await importer(edition(), on_sale=DAYS)
    free, kept, *_ = await departures(database)
    await hold(database, kept, 44)
    await importer(edition(vehicle_kinds=kinds, routes=routes), on_sale=DAYS)
    async with database.begin() as work:
        assert len((await get_departure(work, free.id)).seat_plan.seats) == 9
        assert len((await get_departure(work, kept.id)).seat_plan.seats) == 45


async def test_new_names_and_headsigns_are_shown_on_sold_departures_too(importer, database, rows):
    await importer(edition(), on_sale=DAYS)
    kept, *_ = await departures(database)
    await hold(database, kept, 1)
    renamed = edition(stops=STOPS.replace("Bedorf", "Bedorf Markt"), trips=trips("T1").replace("T1,", "T1,Neustadt"))
    report = await importer(renamed, on_sale=DAYS)
    assert report.findings == []
    async with database.begin() as work:
        now = await get_departure(work, kept.id)
    assert (now.calls[1].stop_name, now.headsign, now.inventory_id) == ("Bedorf Markt", "Neustadt", kept.inventory_id)
    assert await rows("SELECT count(*) FROM journey") == [1]


async def test_a_city_that_is_found_later_keeps_the_place_it_had(importer, database, rows):
    await importer(edition(), on_sale=DAYS)
    (before,) = await rows("SELECT place_id FROM stop WHERE source_id = 'A'")
    more = STOPS + 'A2,"Aberg, Markt",50.01,8.01\n'
    times = STOP_TIMES.replace("T1,08:00:00,08:00:00,A,1", "T1,07:50:00,07:50:00,A2,0\nT1,08:00:00,08:00:00,A,1")
    await importer(edition(stops=more, stop_times=times), on_sale=DAYS)
    assert await rows("SELECT DISTINCT place_id FROM stop WHERE source_id IN ('A', 'A2')") == [before]
    assert await rows("SELECT name FROM place WHERE id = (SELECT place_id FROM stop WHERE source_id = 'A2')") == [
        "Aberg"
    ]


async def test_calls_move_with_their_stop_to_another_place(importer, database, rows):
    await importer(edition(), on_sale=DAYS)
    kept, *_ = await departures(database)
    await hold(database, kept, 1)
    together = STOPS.replace("B,Bedorf,50.50,9.00", "B,Aberg Airport,50.05,8.05")
    await importer(edition(stops=together), on_sale=DAYS)
    assert await rows("SELECT count(*) FROM call c JOIN stop s ON s.id = c.stop_id WHERE c.place_id <> s.place_id") == [
        0
    ]
    (aberg,) = await rows("SELECT DISTINCT place_id FROM stop WHERE source_id IN ('A', 'B')")
    async with database.begin() as work:
        now = await get_departure(work, kept.id)
        assert segment(now, aberg, kept.calls[3].place_id).board.index == 1
        origin, destination = await get_sites(work, [aberg, kept.calls[3].place_id])
        assert (
            len(await list_runs(work, origin, destination, datetime.now(UTC), datetime.now(UTC) + timedelta(days=9)))
            >= 4
        )


async def test_departures_that_have_left_are_nobodys_to_change(importer, database, rows):
    await importer(edition(), on_sale=DAYS)
    async with database.begin() as work:
        await work.execute(
            "UPDATE departure SET base_at = base_at - interval '10 days', service_date = service_date - 10"
        )
    before = await rows("SELECT id, journey_id, inventory_id FROM departure ORDER BY id")
    report = await importer(edition(stop_times=SHORTER))
    assert report.findings == []
    assert await rows("SELECT id, journey_id, inventory_id FROM departure ORDER BY id") == before


async def test_a_cancelled_departure_does_not_come_back_with_the_next_edition(importer, database):
    await importer(edition(), on_sale=DAYS)
    cancelled, *_ = await departures(database)
    async with database.begin() as work:
        await work.execute("UPDATE departure SET status = 'cancelled' WHERE id = %s", [cancelled.id])
    await importer(edition(stop_times=SHORTER), on_sale=DAYS)
    async with database.begin() as work:
        now = await get_departure(work, cancelled.id)
    assert (now.status, now.calls) == ("cancelled", cancelled.calls)
