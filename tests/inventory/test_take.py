"""Taking units: all or nothing, on every leg by itself, over runs, in place of an older hold."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.inventory.kernel import (
    TERMS,
    age,
    claim_count,
    database_clock,
    open_run,
    run_clock_out,
    seconds_left,
    want,
)

from farebox.core.ids import new_id
from farebox.inventory import (
    HoldConflict,
    HoldTerms,
    NotOnSale,
    UnitsTaken,
    UnknownUnits,
    Want,
    availability,
    claims_on,
    extend,
    find_hold,
    find_live_hold,
    get_hold,
    take,
)

AN, BO = "guest:an", "guest:bo"


async def test_a_hold_has_its_units_on_its_slots_for_its_time(database):
    run = await open_run(database)
    async with database.begin() as work:
        hold = await take(work, want(run, [0, 2], 1, 3), owner=AN, terms=TERMS)
        claims = await claims_on(work, run, 0, 4)
    assert [(c.unit, c.slot) for c in claims] == [(0, 1), (0, 2), (2, 1), (2, 2)]
    assert {(c.owner, c.hold_id, c.state, c.expires_at) for c in claims} == {(AN, hold.id, "held", hold.expires_at)}
    assert seconds_left(hold, hold.first_taken_at) == timedelta(seconds=900)
    assert (hold.state, hold.owner, hold.extensions, hold.extensions_left) == ("held", AN, 0, 2)
    async with database.begin() as work:
        assert await get_hold(work, hold.id, owner=AN) == hold


async def test_a_unit_taken_to_b_is_free_from_b(database):
    run = await open_run(database)
    async with database.begin() as work:
        await take(work, want(run, 0, 0, 2), owner=AN, terms=TERMS)
        await take(work, want(run, 0, 2, 4), owner=BO, terms=TERMS)
        assert [c.owner for c in await claims_on(work, run, 0, 4)] == [AN, AN, BO, BO]


async def test_one_lost_leg_loses_all_and_names_the_unit(database):
    run = await open_run(database)
    async with database.begin() as work:
        await take(work, want(run, 1, 3, 4), owner=AN, terms=TERMS)
    with pytest.raises(UnitsTaken) as refusal:
        async with database.begin() as work:
            await take(work, want(run, [0, 1, 2]), owner=BO, terms=TERMS)
    assert refusal.value.lost == [(run, 1)]
    async with database.begin() as work:
        assert await claim_count(work) == 1


async def test_a_lost_request_leaves_nothing_even_when_the_unit_of_work_goes_on(database):
    run = await open_run(database)
    async with database.begin() as work:
        await take(work, want(run, 1), owner=AN, terms=TERMS)
    lost_id = new_id()
    async with database.begin() as work:
        with pytest.raises(UnitsTaken):
            await take(work, want(run, [0, 1]), owner=BO, terms=TERMS, hold_id=lost_id)
        kept = await take(work, want(run, 2), owner=BO, terms=TERMS)
    async with database.begin() as work:
        assert {c.unit for c in await claims_on(work, run, 0, 4)} == {1, 2}
        assert await find_hold(work, lost_id) is None
        assert await find_hold(work, kept.id) == kept


async def test_several_runs_are_taken_together_or_not_at_all(database):
    out, back = await open_run(database), await open_run(database)
    both = [*want(out, [0, 1], 1, 3), *want(back, [3], 0, 1)]
    async with database.begin() as work:
        hold = await take(work, both, owner=AN, terms=TERMS)
        assert hold.claims == tuple(both)
        assert await availability(work, [(out, 0, 4), (back, 0, 4), (back, 1, 4)]) == [2, 3, 4]
    with pytest.raises(UnitsTaken) as refusal:
        async with database.begin() as work:
            await take(work, [*want(out, 3), *want(back, [2, 3])], owner=BO, terms=TERMS)
    assert refusal.value.lost == [(back, 3)]
    async with database.begin() as work:
        assert await availability(work, [(out, 0, 4), (back, 0, 4)]) == [2, 3]


async def test_a_claim_is_overtaken_as_soon_as_its_time_is_over_without_a_sweep(database):
    run = await open_run(database)
    async with database.begin() as work:
        old = await take(work, want(run, 0), owner=AN, terms=TERMS)
        await run_clock_out(work, old)
    async with database.begin() as work:
        new = await take(work, want(run, [0, 1], 2, 4), owner=BO, terms=TERMS)
        assert [(c.unit, c.slot, c.hold_id) for c in await claims_on(work, run, 0, 4)] == [
            (unit, slot, new.id) for unit in (0, 1) for slot in (2, 3)
        ]
        assert (await get_hold(work, old.id)).state == "expired"


async def test_a_transaction_that_began_earlier_still_sees_the_clock_move(database):
    """With now(), the start of the transaction, both would be wrong: what has run out, and how long a hold lasts."""
    run = await open_run(database)
    async with database.begin() as waiting:
        await waiting.execute("SELECT 1")
        async with database.begin() as work:
            short = HoldTerms(ttl_seconds=1, max_extensions=0, max_total_seconds=1)
            hold = await take(work, want(run, 0), owner=AN, terms=short)
        await waiting.execute("SELECT pg_sleep(1.02)")
        before = await database_clock(waiting)
        mine = await take(waiting, want(run, 0), owner=BO, terms=short)
        assert seconds_left(hold, mine.first_taken_at) < timedelta(0)
        assert seconds_left(mine, before) >= timedelta(seconds=1)


@pytest.mark.parametrize(
    "wrong",
    [
        (4, 0, 4), (-1, 0, 4), (0, -1, 4), (0, 0, 5), (0, 2, 2), (0, 3, 1), (40_000, 0, 4), (0, 0, 40_000),
    ],
)  # fmt: skip
async def test_units_and_slots_that_the_run_does_not_have_are_refused(database, wrong):
    run = await open_run(database)
    unit, first, end = wrong
    async with database.begin() as work:
        with pytest.raises(UnknownUnits):
            await take(work, want(run, [0, unit], first, end), owner=AN, terms=TERMS)
        assert await claim_count(work) == 0


async def test_a_run_that_does_not_exist_and_an_empty_wish_are_refused(database):
    run = await open_run(database)
    async with database.begin() as work:
        for wrong in ([], want(run + 1, 0), want(-1, 0), want(2**63, 0), [Want(run, (), 0, 4)]):
            with pytest.raises(UnknownUnits):
                await take(work, wrong, owner=AN, terms=TERMS)


async def test_the_sales_window_is_kept(database):
    now, hour = datetime.now(UTC), timedelta(hours=1)
    early = await open_run(database, sales_open_at=now + hour)
    late = await open_run(database, sales_close_at=now - hour)
    on_sale = await open_run(database, sales_open_at=now - hour, sales_close_at=now + hour)
    async with database.begin() as work:
        for closed in (early, late):
            with pytest.raises(NotOnSale):
                await take(work, [*want(on_sale, 0), *want(closed, 0)], owner=AN, terms=TERMS)
        await take(work, want(on_sale, 0), owner=AN, terms=TERMS)


async def test_the_same_request_sent_again_changes_nothing(database):
    run = await open_run(database)
    hold_id = new_id()
    async with database.begin() as work:
        first = await take(work, want(run, [0, 1]), owner=AN, terms=TERMS, hold_id=hold_id)
    async with database.begin() as work:
        again = await take(work, want(run, [0, 1]), owner=AN, terms=TERMS, hold_id=hold_id)
        assert again == first
        assert await claim_count(work) == 8


async def test_an_id_used_for_something_else_is_refused(database):
    run = await open_run(database)
    hold_id = new_id()
    async with database.begin() as work:
        await take(work, want(run, [0, 1]), owner=AN, terms=TERMS, hold_id=hold_id)
    async with database.begin() as work:
        for wants, owner in ((want(run, [0, 2]), AN), (want(run, [3]), AN), (want(run, [0, 1]), BO)):
            with pytest.raises(HoldConflict):
                await take(work, wants, owner=owner, terms=TERMS, hold_id=hold_id)
        assert {c.unit for c in await claims_on(work, run, 0, 4)} == {0, 1}


async def test_a_new_choice_replaces_the_old_one(database):
    run = await open_run(database)
    async with database.begin() as work:
        old = await take(work, want(run, [0, 1], 0, 3), owner=AN, terms=TERMS)
    async with database.begin() as work:
        new = await take(work, want(run, [1, 2], 1, 4), owner=AN, terms=TERMS, replaces=old.id)
        claims = await claims_on(work, run, 0, 4)
        assert [(c.unit, c.slot, c.hold_id) for c in claims] == [(u, s, new.id) for u in (1, 2) for s in (1, 2, 3)]
        assert (await get_hold(work, old.id)).state == "released"
        assert await find_live_hold(work, owner=AN, inventory_id=run) == new
        assert new.first_taken_at == old.first_taken_at


async def test_a_new_choice_gives_no_more_time(database):
    run = await open_run(database)
    async with database.begin() as work:
        hold = await take(work, want(run, 0), owner=AN, terms=TERMS)
    for unit in (1, 2, 0):
        async with database.begin() as work:
            await age(work, hold.id, timedelta(minutes=4))
            old = await get_hold(work, hold.id)
            hold = await take(work, want(run, unit), owner=AN, terms=TERMS, replaces=old.id)
            assert (hold.expires_at, hold.extensions_left) == (old.expires_at, 2)
            assert {claim.expires_at for claim in await claims_on(work, run, 0, 4)} == {old.expires_at}
    async with database.begin() as work:
        assert timedelta(minutes=2) < seconds_left(hold, await database_clock(work)) < timedelta(minutes=3)
        extended = await extend(work, hold.id, owner=AN, terms=TERMS)
        assert timedelta(minutes=14) < seconds_left(extended, await database_clock(work)) < timedelta(minutes=15)
        again = await take(work, want(run, 1), owner=AN, terms=TERMS, replaces=extended.id)
        assert (again.expires_at, again.extensions_left) == (extended.expires_at, 1)


async def test_a_new_choice_that_loses_leaves_the_old_one_whole(database):
    run = await open_run(database)
    async with database.begin() as work:
        old = await take(work, want(run, [0, 1]), owner=AN, terms=TERMS)
        await take(work, want(run, 2), owner=BO, terms=TERMS)
    async with database.begin() as work:
        with pytest.raises(UnitsTaken) as refusal:
            await take(work, want(run, [1, 2, 3]), owner=AN, terms=TERMS, replaces=old.id)
    assert refusal.value.lost == [(run, 2)]
    async with database.begin() as work:
        assert await get_hold(work, old.id) == old
        assert {c.unit for c in await claims_on(work, run, 0, 4) if c.hold_id == old.id} == {0, 1}


async def test_choosing_again_and_extending_does_not_outlive_the_longest_time(database):
    run = await open_run(database)
    async with database.begin() as work:
        terms = HoldTerms(ttl_seconds=900, max_extensions=9, max_total_seconds=2700)
        hold = await take(work, want(run, 0), owner=AN, terms=terms)
        for unit in (1, 2, 3):
            await age(work, hold.id, timedelta(minutes=10))
            hold = await take(work, want(run, unit), owner=AN, terms=terms, replaces=hold.id)
            hold = await extend(work, hold.id, owner=AN, terms=terms)
        await age(work, hold.id, timedelta(minutes=10))
        hold = await take(work, want(run, 0), owner=AN, terms=terms, replaces=hold.id)
        left = seconds_left(hold, hold.first_taken_at)
        assert left == timedelta(minutes=45)
        assert timedelta(minutes=4) < seconds_left(hold, await database_clock(work)) < timedelta(minutes=5)
        assert hold.extensions_left == 0


async def test_only_ones_own_running_hold_is_replaced(database):
    run = await open_run(database)
    async with database.begin() as work:
        theirs = await take(work, want(run, 0), owner=BO, terms=TERMS)
        with pytest.raises(UnitsTaken):
            await take(work, want(run, 0), owner=AN, terms=TERMS, replaces=theirs.id)
        mine = await take(work, want(run, 1), owner=AN, terms=TERMS, replaces=theirs.id)
        assert await get_hold(work, theirs.id) == theirs
        await run_clock_out(work, mine)
        fresh = await take(work, want(run, 1), owner=AN, terms=TERMS, replaces=mine.id)
        assert fresh.first_taken_at > mine.first_taken_at
        assert (await take(work, want(run, 2), owner=AN, terms=TERMS, replaces=new_id())).extensions_left == 2


async def test_replacing_ones_own_gives_up_whatever_one_has_on_these_runs(database):
    out, back, other = await open_run(database), await open_run(database), await open_run(database)
    async with database.begin() as work:
        there = await take(work, want(out, 0), owner=AN, terms=TERMS)
        await extend(work, there.id, owner=AN, terms=TERMS)
        await age(work, there.id, timedelta(minutes=5))
        there = await get_hold(work, there.id)
        home = await take(work, want(back, 0), owner=AN, terms=TERMS)
        elsewhere = await take(work, want(other, 0), owner=AN, terms=TERMS)
        theirs = await take(work, want(out, 3), owner=BO, terms=TERMS)
    async with database.begin() as work:
        wish = [*want(back, [0, 1], 1, 3), *want(out, [0, 2])]
        new = await take(work, wish, owner=AN, terms=TERMS, replaces_own=True)
        assert [(await get_hold(work, old.id)).state for old in (there, home)] == ["released", "released"]
        assert await get_hold(work, elsewhere.id) == elsewhere
        assert await get_hold(work, theirs.id) == theirs
        assert (new.expires_at, new.first_taken_at, new.extensions) == (there.expires_at, there.first_taken_at, 1)
        assert await availability(work, [(out, 0, 4), (back, 0, 4), (back, 0, 1)]) == [1, 2, 4]


async def test_replacing_ones_own_leaves_it_whole_when_the_new_cannot_be_had(database):
    run = await open_run(database)
    async with database.begin() as work:
        old = await take(work, want(run, [0, 1]), owner=AN, terms=TERMS)
        await take(work, want(run, 2), owner=BO, terms=TERMS)
        with pytest.raises(UnitsTaken):
            await take(work, want(run, [1, 2]), owner=AN, terms=TERMS, replaces_own=True)
        assert await get_hold(work, old.id) == old
        assert {c.unit for c in await claims_on(work, run, 0, 4) if c.hold_id == old.id} == {0, 1}


async def test_the_same_request_that_replaces_ones_own_can_be_sent_again(database):
    run = await open_run(database)
    first_id, second_id = new_id(), new_id()
    async with database.begin() as work:
        await take(work, want(run, 0), owner=AN, terms=TERMS, hold_id=first_id, replaces_own=True)
        second = await take(work, want(run, 1), owner=AN, terms=TERMS, hold_id=second_id, replaces_own=True)
    async with database.begin() as work:
        again = await take(work, want(run, 1), owner=AN, terms=TERMS, hold_id=second_id, replaces_own=True)
        assert again == second
        with pytest.raises(HoldConflict):
            await take(work, want(run, 0), owner=AN, terms=TERMS, hold_id=first_id, replaces_own=True)
        assert await get_hold(work, second_id) == second
        assert await claim_count(work) == 4


async def test_a_double_click_that_replaces_ones_own_ends_in_one_hold(database):
    run = await open_run(database)

    async def choose(unit):
        async with database.begin() as work:
            return await take(work, want(run, unit), owner=AN, terms=TERMS, replaces_own=True)

    holds = await asyncio.gather(*(choose(unit) for unit in (0, 1, 2, 3)))
    async with database.begin() as work:
        states = sorted([(await get_hold(work, hold.id)).state for hold in holds])
        assert states == ["held", "released", "released", "released"]
        assert await claim_count(work) == 4
