"""A hold that gets something else in the place of what it has."""

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from tests.inventory.kernel import TERMS, age, claim_count, open_run, run_clock_out, value, want
from tests.waiting import until_somebody_waits

from farebox.core.ids import new_id
from farebox.inventory import (
    Amount,
    HoldExpired,
    HoldLost,
    HoldNotFound,
    StockGone,
    UnitsTaken,
    UnknownUnits,
    Want,
    availability,
    block,
    claims_on,
    confirm,
    extend,
    get_hold,
    release,
    release_units,
    stock_left,
    swap,
    sweep,
    take,
)

AN, BO = "guest:an", "guest:bo"


@pytest.fixture
async def run(database):
    return await open_run(database)


@pytest.fixture
async def hold(database, run):
    """Units 0 and 1 on slots 0 to 2, An's, just taken."""
    async with database.begin() as work:
        return await take(work, want(run, [0, 1], 0, 3), owner=AN, terms=TERMS)


async def keys_on(work, *runs):
    """(run, unit, slot) -> hold id, of everything that cannot be had."""
    return {
        (claim.inventory_id, claim.unit, claim.slot): claim.hold_id
        for run in runs
        for claim in await claims_on(work, run, 0, 4)
    }


async def test_a_held_hold_gets_other_units_and_keeps_its_id_owner_and_clock(database, run, hold):
    async with database.begin() as work:
        await age(work, hold.id, timedelta(minutes=5))
        before = await get_hold(work, hold.id)
        swapped = await swap(work, hold.id, want(run, [1, 2], 1, 4))
        assert swapped == await get_hold(work, hold.id)
        assert swapped.claims == (Want(run, (1, 2), 1, 4),)
        assert (swapped.id, swapped.owner, swapped.state) == (hold.id, AN, "held")
        assert (swapped.expires_at, swapped.first_taken_at) == (before.expires_at, before.first_taken_at)
        assert (swapped.extensions, swapped.extensions_left) == (0, 2)
        assert await keys_on(work, run) == {(run, unit, slot): hold.id for unit in (1, 2) for slot in (1, 2, 3)}
        assert {claim.expires_at for claim in await claims_on(work, run, 0, 4)} == {before.expires_at}


async def test_a_sold_hold_stays_sold(database, run, hold):
    async with database.begin() as work:
        await confirm(work, hold.id)
        swapped = await swap(work, hold.id, want(run, [3]))
        assert (swapped.state, swapped.expires_at) == ("confirmed", None)
        assert swapped == await get_hold(work, hold.id)
        assert await keys_on(work, run) == {(run, 3, slot): hold.id for slot in range(4)}
        assert {claim.expires_at for claim in await claims_on(work, run, 0, 4)} == {None}
        assert await confirm(work, hold.id) == swapped


async def test_a_hold_moves_to_another_run(database, run, hold):
    other = await open_run(database)
    async with database.begin() as work:
        await swap(work, hold.id, [*want(run, [0], 0, 3), *want(other, [2], 1, 2)])
        assert await keys_on(work, run, other) == dict.fromkeys(
            [(run, 0, 0), (run, 0, 1), (run, 0, 2), (other, 2, 1)], hold.id
        )
        await swap(work, hold.id, want(other, [2, 3], 0, 2))
        assert await availability(work, [(run, 0, 4), (other, 0, 4)]) == [4, 2]


async def test_what_is_swapped_can_go_on_like_any_hold(database, run, hold):
    async with database.begin() as work:
        await swap(work, hold.id, want(run, [2, 3]))
        assert (await extend(work, hold.id, owner=AN, terms=TERMS)).extensions == 1
        await confirm(work, hold.id)
        await release_units(work, hold.id, want(run, [2]))
        assert await keys_on(work, run) == {(run, 3, slot): hold.id for slot in range(4)}
        await release(work, hold.id)
        assert await claim_count(work) == 0


@pytest.mark.parametrize("state", ["held", "confirmed"])
async def test_a_swap_that_loses_names_what_was_lost_and_changes_nothing(database, run, hold, state):
    async with database.begin() as work:
        if state == "confirmed":
            await confirm(work, hold.id)
        theirs = await take(work, want(run, [2], 3, 4), owner=BO, terms=TERMS)
        await confirm(work, (await take(work, want(run, [3], 0, 1), owner=BO, terms=TERMS)).id)
    async with database.begin() as work:
        before, keys = await get_hold(work, hold.id), await keys_on(work, run)
        with pytest.raises(UnitsTaken) as refusal:
            await swap(work, hold.id, want(run, [1, 2, 3]))
        assert refusal.value.lost == [(run, 2), (run, 3)]
        # The unit of work goes on, and commits what it did besides.
        await release(work, theirs.id)
    async with database.begin() as work:
        assert await get_hold(work, hold.id) == before
        assert await keys_on(work, run) == {key: held for key, held in keys.items() if held != theirs.id}


async def test_what_has_run_out_elsewhere_is_taken_over(database, run, hold):
    async with database.begin() as work:
        await run_clock_out(work, await take(work, want(run, [2]), owner=BO, terms=TERMS))
        await swap(work, hold.id, want(run, [2]))
        assert await keys_on(work, run) == {(run, 2, slot): hold.id for slot in range(4)}


async def test_a_hold_whose_time_is_over_is_not_swapped(database, run, hold):
    async with database.begin() as work:
        await run_clock_out(work, hold)
        with pytest.raises(HoldExpired):
            await swap(work, hold.id, want(run, [3]))
        await sweep(work)
        with pytest.raises(HoldExpired):
            await swap(work, hold.id, want(run, [3]))
        assert await claim_count(work) == 0


async def test_what_was_given_up_or_blocks_is_not_swapped(database, run, hold):
    async with database.begin() as work:
        await release(work, hold.id)
        blocked = await block(work, want(run, [0]), owner="crew")
        for lost in (hold, blocked):
            with pytest.raises(HoldLost):
                await swap(work, lost.id, want(run, [3]))
        assert await keys_on(work, run) == {(run, 0, slot): blocked.id for slot in range(4)}


async def test_only_the_owners_hold_where_one_is_named(database, run, hold):
    async with database.begin() as work:
        for owner, hold_id in ((BO, hold.id), (None, new_id())):
            with pytest.raises(HoldNotFound):
                await swap(work, hold_id, want(run, [3]), owner=owner)
        assert (await swap(work, hold.id, want(run, [3]), owner=AN)).claims == (Want(run, (3,), 0, 4),)


@pytest.mark.parametrize("wrong", [(4, 0, 4), (-1, 0, 4), (0, -1, 4), (0, 0, 5), (0, 2, 2)])
async def test_units_and_slots_that_the_run_does_not_have_are_refused(database, run, hold, wrong):
    unit, first, end = wrong
    async with database.begin() as work:
        for wants in (want(run, [3, unit], first, end), want(run + 1, [0]), []):
            with pytest.raises(UnknownUnits):
                await swap(work, hold.id, wants)
        assert await get_hold(work, hold.id) == hold


async def test_no_sales_window_is_asked(database, hold):
    closed = await open_run(database, sales_close_at=datetime.now(UTC) - timedelta(hours=1))
    async with database.begin() as work:
        await swap(work, hold.id, want(closed, [3]))
        assert await keys_on(work, closed) == {(closed, 3, slot): hold.id for slot in range(4)}


async def test_two_swaps_to_each_others_units_both_lose_and_do_not_deadlock(database, run):
    """Each keeps what it has, since the new is taken before the old is given up."""
    async with database.begin() as work:
        first = await take(work, want(run, [0]), owner=AN, terms=TERMS)
        second = await take(work, want(run, [3]), owner=BO, terms=TERMS)

    async def change(hold_id, unit):
        async with database.begin() as work:
            await swap(work, hold_id, want(run, [unit]))

    for _ in range(5):
        answers = await asyncio.gather(change(first.id, 3), change(second.id, 0), return_exceptions=True)
        assert [getattr(answer, "lost", answer) for answer in answers] == [[(run, 3)], [(run, 0)]]
    async with database.begin() as work:
        assert set((await keys_on(work, run)).items()) == {
            ((run, unit, slot), hold.id) for unit, hold in ((0, first), (3, second)) for slot in range(4)
        }


async def test_old_and_new_are_locked_in_one_order_so_that_nobody_waits_in_a_circle(database, run):
    """A taker of units 0 and 3 has met the first of them, which a swap from 0 to 3 is about to give up."""
    async with database.begin() as work:
        hold = await take(work, want(run, [0]), owner=AN, terms=TERMS)

    async def change():
        async with database.begin() as work:
            await swap(work, hold.id, want(run, [3]))

    async with database.begin() as taker:
        await taker.execute("SELECT FROM claim WHERE unit = 0 FOR UPDATE")
        swapping = asyncio.create_task(change())
        await until_somebody_waits(database)
        await take(taker, want(run, [3]), owner=BO, terms=TERMS)
    with pytest.raises(UnitsTaken):
        await swapping


async def test_many_swaps_at_once_leave_every_hold_whole_and_wait_for_nobody_in_vain(database, run):
    """Random wishes across two runs, in any order: somebody wins or loses, but never waits in a circle."""
    random = Random(7)
    other = await open_run(database)
    async with database.begin() as work:
        holds = [
            await take(work, want(run if number % 2 else other, number // 2), owner=f"guest:{number}", terms=TERMS)
            for number in range(6)
        ]
        for hold in holds[::2]:
            await confirm(work, hold.id)

    async def change(hold_id, wants):
        async with database.begin() as work:
            await swap(work, hold_id, wants)

    def wish():
        return [
            Want(place, tuple(random.sample(range(4), random.randint(1, 2))), first, random.randint(first + 1, 4))
            for place in random.sample([run, other], random.randint(1, 2))
            for first in [random.randint(0, 3)]
        ]

    outcomes = []
    for _ in range(6):
        outcomes += await asyncio.gather(
            *(change(random.choice(holds).id, wish()) for _ in range(10)), return_exceptions=True
        )
    assert {type(outcome) for outcome in outcomes} == {type(None), UnitsTaken}
    async with database.begin() as work:
        expected = {
            (part.inventory_id, unit, slot): hold.id
            for hold in [await get_hold(work, hold.id) for hold in holds]
            for part in hold.claims
            for unit in part.units
            for slot in range(part.first_slot, part.end_slot)
        }
        assert await keys_on(work, run, other) == expected


async def test_watchers_of_what_was_left_and_of_what_was_taken_are_told(database, run, hold):
    other = await open_run(database)
    told: list[object] = []
    database.deliver_signals_to(told.append)
    async with database.begin() as work:
        await swap(work, hold.id, want(other, [0]))
        assert told == []
    assert told == [{f"run:{run}", f"run:{other}"}]
    async with database.begin() as work:
        await take(work, want(run, [0]), owner=BO, terms=TERMS)
    told.clear()
    async with database.begin() as work:
        with pytest.raises(UnitsTaken):
            await swap(work, hold.id, want(run, [0]))
    assert told == []


# --- fungible stock


@pytest.fixture
async def standing(database):
    """A run of ten standing places, of which Bo has three on the last two slots."""
    run = await open_run(database, units=4, capacity=10)
    async with database.begin() as work:
        await take(work, [], amounts=[Amount(run, 3, 2, 4)], owner=BO, terms=TERMS)
    return run


async def left(work, run):
    return await stock_left(work, [(run, slot, slot + 1) for slot in range(4)])


@pytest.mark.parametrize("state", ["held", "confirmed"])
async def test_stock_is_swapped_for_other_stock_and_what_is_in_both_counts_once(database, standing, state):
    async with database.begin() as work:
        hold = await take(work, [], amounts=[Amount(standing, 6, 0, 4)], owner=AN, terms=TERMS)
        if state == "confirmed":
            await confirm(work, hold.id)
        swapped = await swap(work, hold.id, [], amounts=[Amount(standing, 7, 1, 4)])
        assert swapped == await get_hold(work, hold.id)
        assert (swapped.state, swapped.claims, swapped.amounts) == (state, (), (Amount(standing, 7, 1, 4),))
        assert await left(work, standing) == [10, 3, 0, 0]
        clocks = await value(work, "SELECT array_agg(expires_at) FROM portion WHERE quantity = 7")
        assert clocks == [swapped.expires_at]


async def test_units_are_swapped_for_stock_and_back(database, standing):
    async with database.begin() as work:
        hold = await take(work, want(standing, [0]), owner=AN, terms=TERMS)
        swapped = await swap(work, hold.id, [], amounts=[Amount(standing, 1, 0, 4)])
        assert (swapped.claims, swapped.amounts) == ((), (Amount(standing, 1, 0, 4),))
        assert (await claim_count(work), await left(work, standing)) == (0, [9, 9, 6, 6])
        swapped = await swap(work, hold.id, want(standing, [1]), amounts=[Amount(standing, 2, 0, 1)])
        assert swapped == await get_hold(work, hold.id)
        assert (await claim_count(work), await left(work, standing)) == (4, [8, 10, 7, 7])
        await release(work, hold.id)
        assert (await claim_count(work), await left(work, standing)) == (0, [10, 10, 7, 7])


async def test_where_the_stock_is_gone_nothing_of_the_swap_remains(database, standing):
    async with database.begin() as work:
        hold = await take(work, want(standing, [0]), amounts=[Amount(standing, 2, 0, 4)], owner=AN, terms=TERMS)
    async with database.begin() as work:
        with pytest.raises(StockGone) as refusal:
            await swap(work, hold.id, want(standing, [1]), amounts=[Amount(standing, 8, 1, 3)])
        assert refusal.value.short == [(standing, 7)]
    async with database.begin() as work:
        assert await get_hold(work, hold.id) == hold
        assert await keys_on(work, standing) == {(standing, 0, slot): hold.id for slot in range(4)}
        assert await left(work, standing) == [8, 8, 5, 5]


async def test_a_swap_for_nothing_is_refused(database, standing):
    async with database.begin() as work:
        hold = await take(work, [], amounts=[Amount(standing, 2, 0, 4)], owner=AN, terms=TERMS)
        for nothing in ([], [Amount(standing, 0, 0, 4)], [Amount(standing, 1, 2, 2)]):
            with pytest.raises(UnknownUnits):
                await swap(work, hold.id, [], amounts=nothing)
        assert await get_hold(work, hold.id) == hold
