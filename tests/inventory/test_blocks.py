"""Units that are not for sale until they are unblocked."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.inventory.kernel import TERMS, age, claim_count, open_run, run_clock_out, want

from farebox.core.ids import new_id
from farebox.inventory import (
    HoldExpired,
    HoldLost,
    HoldNotFound,
    UnitsTaken,
    UnknownUnits,
    availability,
    block,
    claims_on,
    confirm,
    extend,
    find_hold,
    get_hold,
    rearm,
    reclaim,
    release,
    status,
    sweep,
    take,
    unblock,
)

AN, CREW = "guest:an", "crew"


@pytest.fixture
async def run(database):
    return await open_run(database)


@pytest.fixture
async def blocked(database, run):
    """Units 0 and 1 on slots 1 and 2."""
    async with database.begin() as work:
        return await block(work, want(run, [0, 1], 1, 3), owner=CREW)


async def test_a_block_has_no_end(database, run, blocked):
    async with database.begin() as work:
        assert await get_hold(work, blocked.id) == blocked
        assert (blocked.owner, blocked.state, blocked.expires_at) == (CREW, "blocked", None)
        assert (blocked.extensions_left, blocked.claims) == (0, tuple(want(run, [0, 1], 1, 3)))
        await age(work, blocked.id, timedelta(days=400))
        assert await sweep(work) == 0
        assert await availability(work, [(run, 0, 4), (run, 0, 1), (run, 1, 2)]) == [2, 4, 2]
        assert {(claim.state, claim.expires_at) for claim in await claims_on(work, run, 0, 4)} == {("blocked", None)}


async def test_nobody_gets_what_is_blocked(database, run, blocked):
    async with database.begin() as work:
        with pytest.raises(UnitsTaken) as refusal:
            await take(work, want(run, [1, 2]), owner=AN, terms=TERMS)
        assert refusal.value.lost == [(run, 1)]
        with pytest.raises(UnitsTaken):
            await block(work, want(run, [0], 2, 4), owner=CREW)
        await take(work, want(run, [0, 1], 3, 4), owner=AN, terms=TERMS)


async def test_a_block_is_never_sold(database, blocked):
    async with database.begin() as work:
        for command in (confirm, reclaim):
            with pytest.raises(HoldLost):
                await command(work, blocked.id)
        with pytest.raises(HoldExpired):
            await extend(work, blocked.id, owner=CREW, terms=TERMS)
        with pytest.raises(HoldExpired):
            await rearm(work, blocked.id, seconds=60)
        await release(work, blocked.id)
        assert await get_hold(work, blocked.id) == blocked
        assert await claim_count(work) == 4


async def test_an_unblocked_unit_is_on_sale_again_and_the_block_is_never_reclaimed(database, run, blocked):
    async with database.begin() as work:
        await unblock(work, blocked.id)
        assert (await get_hold(work, blocked.id)).state == "released"
        assert await claim_count(work) == 0
        await unblock(work, blocked.id)
        with pytest.raises(HoldLost):
            await reclaim(work, blocked.id)
        await take(work, want(run, [0]), owner=AN, terms=TERMS)
        await unblock(work, blocked.id)
        assert await availability(work, [(run, 0, 4)]) == [3]


async def test_only_a_block_is_unblocked(database, run):
    async with database.begin() as work:
        held = await take(work, want(run, [0]), owner=AN, terms=TERMS)
        sold = await take(work, want(run, [1]), owner=AN, terms=TERMS)
        await confirm(work, sold.id)
        for hold_id in (held.id, sold.id, new_id()):
            with pytest.raises(HoldNotFound):
                await unblock(work, hold_id)
        assert await availability(work, [(run, 0, 4)]) == [2]


async def test_what_somebody_has_is_not_blocked_and_a_block_that_loses_leaves_nothing(database, run):
    async with database.begin() as work:
        await take(work, want(run, [1], 0, 1), owner=AN, terms=TERMS)
        await confirm(work, (await take(work, want(run, [3], 3, 4), owner=AN, terms=TERMS)).id)
    async with database.begin() as work:
        with pytest.raises(UnitsTaken) as refusal:
            await block(work, want(run, [0, 1, 2, 3]), owner=CREW)
        assert refusal.value.lost == [(run, 1), (run, 3)]
    async with database.begin() as work:
        assert await claim_count(work) == 2
        assert await availability(work, [(run, 0, 4)]) == [2]


async def test_what_has_run_out_is_blocked_at_once(database, run):
    async with database.begin() as work:
        over = await take(work, want(run, [0]), owner=AN, terms=TERMS)
        await run_clock_out(work, over)
        blocked = await block(work, want(run, [0]), owner=CREW)
        assert {claim.hold_id for claim in await claims_on(work, run, 0, 4)} == {blocked.id}
        with pytest.raises(HoldLost):
            await confirm(work, over.id)


async def test_units_are_blocked_outside_sales_windows(database):
    now, hour = datetime.now(UTC), timedelta(hours=1)
    early = await open_run(database, sales_open_at=now + hour)
    late = await open_run(database, sales_close_at=now - hour)
    for run in (early, late):
        async with database.begin() as work:
            await block(work, want(run, [0]), owner=CREW)
            assert [(unit.unit, unit.state) for unit in await status(work, run, 0, 4)] == [(0, "blocked")]


async def test_units_that_the_run_does_not_have_are_refused(database, run):
    async with database.begin() as work:
        for wants in (want(run, [4]), want(run, [0], 0, 5), want(run + 1, [0]), []):
            with pytest.raises(UnknownUnits):
                await block(work, wants, owner=CREW)
        assert await claim_count(work) == 0


async def test_watchers_are_told_of_both(database, run):
    told: list[object] = []
    database.deliver_signals_to(told.append)
    async with database.begin() as work:
        blocked = await block(work, want(run, [0]), owner=CREW)
    async with database.begin() as work:
        await unblock(work, blocked.id)
    assert told == [{f"run:{run}"}, {f"run:{run}"}]
    async with database.begin() as work:
        await unblock(work, blocked.id)
        assert await find_hold(work, blocked.id) is not None
    assert told == [{f"run:{run}"}, {f"run:{run}"}]
