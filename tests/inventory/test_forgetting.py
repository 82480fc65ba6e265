"""Forgetting runs that are long over, and holds that ended long ago."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from tests.inventory.kernel import TERMS, age, claim_count, open_run, run_clock_out, value, want

from farebox.core.ids import new_id
from farebox.inventory import (
    Amount,
    HoldNotFound,
    UnknownUnits,
    Want,
    availability,
    block,
    claims_on,
    confirm,
    find_hold,
    forget_holds,
    forget_inventories,
    get_hold,
    list_inventories_in_use,
    reclaim,
    release,
    stock_left,
    swap,
    sweep,
    take,
    unblock,
)

AN, BO = "guest:an", "guest:bo"
DAY = timedelta(days=1)


@pytest.fixture
async def run(database):
    """The run that is over."""
    return await open_run(database, capacity=5)


@pytest.fixture
async def later(database, run):
    """A run that is not."""
    return await open_run(database, capacity=5)


async def sell(work, wants, amounts=()):
    return await confirm(work, (await take(work, wants, amounts=amounts, owner=AN, terms=TERMS)).id)


# --- runs


async def test_runs_in_use_are_those_with_claims_or_stock(database, run, later):
    plain = [await open_run(database) for _ in range(4)]
    async with database.begin() as work:
        await sell(work, want(plain[1], [0, 2]))
        await block(work, want(plain[3], [3], 3, 4), owner="crew")
        assert await list_inventories_in_use(work) == [run, later, plain[1], plain[3]]
        assert await list_inventories_in_use(work, limit=2) == [run, later]
        assert await list_inventories_in_use(work, after=later, limit=1) == [plain[1]]
        assert await list_inventories_in_use(work, after=plain[1]) == [plain[3]]
        assert await list_inventories_in_use(work, after=plain[3]) == []


async def test_all_of_a_run_is_forgotten_and_nothing_of_another(database, run, later):
    async with database.begin() as work:
        gone = [
            await sell(work, want(run, [0]), [Amount(run, 2, 0, 4)]),
            await take(work, want(run, [1]), owner=BO, terms=TERMS),
            await block(work, want(run, [2]), owner="crew"),
        ]
        kept = await sell(work, want(later, [0]), [Amount(later, 2, 0, 4)])
    async with database.begin() as work:
        assert await forget_inventories(work, [run]) == 1
    async with database.begin() as work:
        assert [await find_hold(work, hold.id) for hold in gone] == [None] * 3
        assert await list_inventories_in_use(work) == [later]
        assert await value(work, "SELECT count(*) FROM portion") == 1
        assert await get_hold(work, kept.id) == kept
        assert {claim.hold_id for claim in await claims_on(work, later, 0, 4)} == {kept.id}
        assert await stock_left(work, [(run, 0, 4), (later, 0, 4)]) == [0, 3]
        assert await forget_inventories(work, [run]) == 1  # again, and with nothing to do


async def test_a_hold_on_another_run_as_well_goes_on_with_that(database, run, later):
    async with database.begin() as work:
        wants = [*want(later, [3], 1, 3), *want(run, [1]), *want(later, [0])]
        hold = await sell(work, wants, [Amount(run, 1, 0, 2), Amount(later, 2, 0, 2)])
        await forget_inventories(work, [run])
        kept = await get_hold(work, hold.id)
        assert (kept.state, kept.claims) == ("confirmed", (Want(later, (3,), 1, 3), Want(later, (0,), 0, 4)))
        assert kept.amounts == (Amount(later, 2, 0, 2),)
        # It is a hold like any other.
        await swap(work, hold.id, want(later, [1]), amounts=[Amount(later, 1, 0, 4)])
        assert await availability(work, [(run, 0, 4), (later, 0, 4)]) == [4, 3]
        await release(work, hold.id)
        assert await claim_count(work) == 0
        assert await stock_left(work, [(later, 0, 4)]) == [5]


async def test_what_somebody_works_on_is_left_whole_for_the_next_time(database, run, later):
    async with database.begin() as work:
        busy = await sell(work, want(run, [0]))
        await sell(work, want(run, [1]))
        await sell(work, want(later, [0]))
    async with database.begin() as other, database.begin() as work:
        await get_hold(other, busy.id, lock=True)
        assert await forget_inventories(work, [run, later]) == 1
        assert await list_inventories_in_use(work) == [run]
        assert await claim_count(work) == 8
    async with database.begin() as other, database.begin() as work:
        await take(other, want(run, [3]), owner=BO, terms=TERMS)
        assert await forget_inventories(work, [run]) == 0
        assert await claim_count(work) == 8
    async with database.begin() as work:
        assert await forget_inventories(work, [run]) == 1
        assert await claim_count(work) == 0


async def test_forgetting_and_selling_at_once_end_without_a_wait(database, run, later):
    """Whoever is first; a sale that lost finds nothing, and nothing is left of half a hold."""
    for _ in range(8):
        async with database.begin() as work:
            hold = await take(work, [*want(later, [0]), *want(run, [0])], owner=AN, terms=TERMS)

        async def pay(hold_id: UUID = hold.id) -> None:
            async with database.begin() as work:
                await confirm(work, hold_id)

        async def forget() -> int:
            async with database.begin() as work:
                return await forget_inventories(work, [run, later])

        _, forgotten = await asyncio.gather(pay(), forget(), return_exceptions=True)
        async with database.begin() as work:
            found = await find_hold(work, hold.id)
            assert await claim_count(work) == (8 if found else 0)
            assert forgotten == (0 if found else 2)
            await forget_inventories(work, [run, later])


async def test_a_forgotten_hold_is_no_hold(database, run):
    async with database.begin() as work:
        hold = await take(work, want(run, [0]), owner=AN, terms=TERMS)
        await run_clock_out(work, hold)
        await forget_inventories(work, [run])
        for command in (confirm, reclaim, release, unblock):
            with pytest.raises(HoldNotFound):
                await command(work, hold.id)


async def test_nothing_can_be_taken_of_forgotten_stock(database, run):
    async with database.begin() as work:
        await forget_inventories(work, [run])
        with pytest.raises(UnknownUnits):
            await take(work, [], amounts=[Amount(run, 1, 0, 4)], owner=AN, terms=TERMS)


async def test_watchers_are_told_of_forgotten_runs(database, run, later):
    told: list[object] = []
    async with database.begin() as work:
        await sell(work, want(run, [0]))
    database.deliver_signals_to(told.append)
    async with database.begin() as work:
        await forget_inventories(work, [run, later + 9])
    assert told == [{f"run:{run}"}]
    async with database.begin() as work:
        await forget_inventories(work, [])
        await forget_holds(work, days=0)
    assert told == [{f"run:{run}"}]


# --- holds


async def test_holds_are_forgotten_some_days_after_they_ended(database, run):
    async with database.begin() as work:
        released = await take(work, want(run, [0]), owner=AN, terms=TERMS)
        await release(work, released.id)
        given_back = await sell(work, want(run, [0]))
        await release(work, given_back.id)
        unblocked = await block(work, want(run, [0]), owner="crew")
        await unblock(work, unblocked.id)
        expired = await take(work, want(run, [0]), owner=AN, terms=TERMS)
        await run_clock_out(work, expired)
        await sweep(work)
        ended = [released, given_back, unblocked, expired]
        for hold in ended:
            await age(work, hold.id, 6 * DAY)
        assert await forget_holds(work, days=7) == 0
        for hold in ended:
            await age(work, hold.id, 2 * DAY)
        assert await forget_holds(work, days=7) == 4
        assert [await find_hold(work, hold.id) for hold in ended] == [None] * 4


async def test_what_has_not_ended_is_never_forgotten(database, run):
    async with database.begin() as work:
        kept = [
            await take(work, want(run, [0]), owner=AN, terms=TERMS),
            await sell(work, want(run, [1])),
            await block(work, want(run, [2]), owner="crew"),
        ]
        for hold in kept:
            await age(work, hold.id, 400 * DAY)
        assert await forget_holds(work, days=7) == 0
        assert [(await get_hold(work, hold.id)).state for hold in kept] == ["expired", "confirmed", "blocked"]
        # The first is over and not swept: its claims go with the sweep, and only then is it forgotten.
        assert await sweep(work) == 1
        assert await forget_holds(work, days=7) == 1
        assert await claim_count(work) == 8


async def test_so_many_at_a_time_the_oldest_first(database, run):
    async with database.begin() as work:
        holds = []
        for number in range(5):
            hold = await take(work, want(run, [0]), owner=AN, terms=TERMS, hold_id=new_id())
            await release(work, hold.id)
            await age(work, hold.id, (20 - number) * DAY)
            holds.append(hold)
        counts: list[int] = []
        while counts[-1:] != [0]:
            counts.append(await forget_holds(work, days=7, limit=2))
            if len(counts) == 1:
                assert [bool(await find_hold(work, hold.id)) for hold in holds] == [False, False, True, True, True]
        assert counts == [2, 2, 1, 0]


async def test_an_ended_hold_that_somebody_looks_at_is_left_for_the_next_time(database, run):
    async with database.begin() as work:
        hold = await take(work, want(run, [0]), owner=AN, terms=TERMS)
        await release(work, hold.id)
        await age(work, hold.id, 20 * DAY)
    async with database.begin() as other, database.begin() as work:
        await reclaim(other, hold.id)
        assert await forget_holds(work, days=7) == 0
    async with database.begin() as work:
        assert (await get_hold(work, hold.id)).state == "confirmed"
