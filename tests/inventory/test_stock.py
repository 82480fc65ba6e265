"""Fungible stock: the same rules as for units, but a quantity instead of names, alone or beside units in one hold."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.errors import CheckViolation
from tests.counting import counted_statements
from tests.inventory.kernel import (
    TERMS,
    age,
    claim_count,
    database_clock,
    open_run,
    run_clock_out,
    seconds_left,
    value,
    want,
)
from tests.waiting import until_somebody_waits

from farebox.core.ids import new_id
from farebox.inventory import (
    Amount,
    HoldConflict,
    HoldExpired,
    HoldLost,
    HoldTerms,
    InventorySpec,
    NotOnSale,
    StockGone,
    StockInUse,
    UnitsTaken,
    UnknownUnits,
    availability,
    close_inventories,
    confirm,
    extend,
    find_live_hold,
    get_hold,
    lock_holds,
    open_inventories,
    rearm,
    reclaim,
    release,
    release_units,
    set_stock,
    stock_left,
    sweep,
    take,
    transfer,
)

AN, BO = "guest:an", "guest:bo"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def run(database):
    """Ten pieces in each of four slots, and no units."""
    return await open_run(database, units=0, capacity=10)


@pytest.fixture
async def hold(database, run):
    """Four pieces on all slots, An's, just taken."""
    async with database.begin() as work:
        return await take(work, [], amounts=some(run, 4), owner=AN, terms=TERMS)


def some(run: int, quantity: int, first: int = 0, end: int = 4) -> list[Amount]:
    return [Amount(run, quantity, first, end)]


async def left(work, run: int) -> list[int]:
    return await stock_left(work, [(run, slot, slot + 1) for slot in range(4)])


async def taken(work) -> list[int]:
    """What the counters say, slot by slot, overdue portions included."""
    counters: list[int] = await value(work, "SELECT array_agg(taken ORDER BY inventory_id, slot) FROM capacity")
    return counters


async def portions(work):
    cursor = await work.execute("SELECT quantity, first_slot, end_slot FROM portion ORDER BY 1, 2, 3")
    return await cursor.fetchall()


async def test_stock_is_held_on_its_slots_for_its_time(database, run):
    async with database.begin() as work:
        hold = await take(work, [], amounts=some(run, 4, 1, 3), owner=AN, terms=TERMS)
        assert (hold.state, hold.claims, hold.amounts) == ("held", (), (Amount(run, 4, 1, 3),))
        assert await get_hold(work, hold.id, owner=AN) == hold
        assert await find_live_hold(work, owner=AN, inventory_id=run) == hold
        assert await left(work, run) == [10, 6, 6, 10]
        assert await stock_left(work, [(run, 0, 4), (run, 0, 1), (run + 1, 0, 1), (run, 3, 5)]) == [6, 10, 0, 0]
        assert await availability(work, [(run, 0, 4)]) == [0]
        assert seconds_left(hold, hold.first_taken_at) == timedelta(seconds=900)


async def test_the_last_piece_is_sold_and_no_more(database, run):
    async with database.begin() as work:
        await take(work, [], amounts=some(run, 10, 0, 2), owner=AN, terms=TERMS)
        await take(work, [], amounts=some(run, 10, 2, 4), owner=BO, terms=TERMS)
        assert await left(work, run) == [0, 0, 0, 0]
        with pytest.raises(StockGone) as refusal:
            await take(work, [], amounts=some(run, 1, 1, 2), owner=BO, terms=TERMS)
    assert refusal.value.short == [(run, 0)]


async def test_too_little_says_how_much_is_left_and_keeps_nothing(database, run, hold):
    other = await open_run(database, units=0, capacity=3)
    async with database.begin() as work:
        await take(work, [], amounts=some(run, 1, 2, 3), owner=BO, terms=TERMS)
        before = await portions(work)
        lost_id = new_id()
        with pytest.raises(StockGone) as refusal:
            await take(work, [], amounts=[*some(run, 6), *some(other, 3)], owner=BO, terms=TERMS, hold_id=lost_id)
        assert refusal.value.short == [(run, 5)]
        assert "5" in refusal.value.text()
        with pytest.raises(StockGone) as refusal:
            await take(work, [], amounts=[*some(run, 7, 0, 2), *some(other, 4)], owner=BO, terms=TERMS)
        assert refusal.value.short == [(run, 6), (other, 3)]
        assert await portions(work) == before
        assert await taken(work) == [4, 4, 5, 4, 0, 0, 0, 0]


async def test_units_and_stock_are_held_together_or_not_at_all(database):
    coach, room = await open_run(database, capacity=5), await open_run(database, units=0, capacity=2)
    async with database.begin() as work:
        both = await take(work, want(coach, [0, 1]), amounts=[*some(room, 1), *some(coach, 2)], owner=AN, terms=TERMS)
        assert both.amounts == (Amount(coach, 2, 0, 4), Amount(room, 1, 0, 4))
        with pytest.raises(StockGone):
            await take(work, want(coach, 2), amounts=some(room, 2), owner=BO, terms=TERMS)
        with pytest.raises(UnitsTaken):
            await take(work, want(coach, [1, 2]), amounts=some(room, 1), owner=BO, terms=TERMS)
        assert await availability(work, [(coach, 0, 4)]) == [2]
        assert await stock_left(work, [(coach, 0, 4), (room, 0, 4)]) == [3, 1]
        await confirm(work, both.id)
        await release(work, both.id)
        assert await availability(work, [(coach, 0, 4)]) == [4]
        assert await stock_left(work, [(coach, 0, 4), (room, 0, 4)]) == [5, 2]


async def test_what_is_asked_for_twice_is_added_up(database, run):
    async with database.begin() as work:
        wish = [Amount(run, 2, 0, 3), Amount(run, 1, 2, 4), Amount(run, 2, 3, 4)]
        hold = await take(work, [], amounts=wish, owner=AN, terms=TERMS)
        assert hold.amounts == (Amount(run, 2, 0, 2), Amount(run, 3, 2, 4))
        assert await left(work, run) == [8, 8, 7, 7]
        assert await take(work, [], amounts=list(hold.amounts), owner=AN, terms=TERMS, hold_id=hold.id) == hold


@pytest.mark.parametrize(
    "wrong",
    [
        (0, 0, 4), (-1, 0, 4), (2**31, 0, 4), (1, -1, 4), (1, 0, 5), (1, 2, 2), (1, 3, 1), (1, 0, 40_000),
    ],
)  # fmt: skip
async def test_amounts_that_cannot_be_are_refused(database, run, wrong):
    async with database.begin() as work:
        with pytest.raises(UnknownUnits):
            await take(work, [], amounts=[*some(run, 1), Amount(run, *wrong)], owner=AN, terms=TERMS)
        with pytest.raises(UnknownUnits):
            await take(work, [], amounts=[*some(run, 2**30)] * 3, owner=AN, terms=TERMS)
        assert await taken(work) == [0, 0, 0, 0]


async def test_a_run_without_stock_has_none_to_take(database, run):
    units_only = await open_run(database)
    async with database.begin() as work:
        for wrong in (units_only, units_only + 1):
            with pytest.raises(UnknownUnits):
                await take(work, [], amounts=[*some(run, 1), *some(wrong, 1)], owner=AN, terms=TERMS)
        with pytest.raises(UnknownUnits):
            await take(work, want(run, 0), owner=AN, terms=TERMS)
        assert await taken(work) == [0, 0, 0, 0]


async def test_the_sales_window_is_kept(database, run):
    now = datetime.now(UTC)
    closed = await open_run(database, units=0, capacity=10, sales_close_at=now - MINUTE)
    async with database.begin() as work:
        with pytest.raises(NotOnSale):
            await take(work, [], amounts=[*some(run, 1), *some(closed, 1)], owner=AN, terms=TERMS)
        hold = await take(work, [], amounts=some(run, 1), owner=AN, terms=TERMS)
        await release(work, hold.id)
        await work.execute("UPDATE inventory SET sales_close_at = clock_timestamp()")
        assert (await reclaim(work, hold.id)).state == "confirmed"


async def test_the_same_request_sent_again_changes_nothing_and_another_is_refused(database, run, hold):
    async with database.begin() as work:
        assert await take(work, [], amounts=some(run, 4), owner=AN, terms=TERMS, hold_id=hold.id) == hold
        for amounts, wants in ((some(run, 3), []), ([], want(run, 0)), (some(run, 4, 0, 3), [])):
            with pytest.raises(HoldConflict):
                await take(work, wants, amounts=amounts, owner=AN, terms=TERMS, hold_id=hold.id)
        assert await taken(work) == [4, 4, 4, 4]


@pytest.mark.parametrize("how", ["by id", "one's own"])
async def test_a_new_choice_replaces_the_old_one_without_setting_it_free(database, run, hold, how):
    """Four are held and five are sold: six can be had only in the place of the four."""
    replacing = {"replaces": hold.id} if how == "by id" else {"replaces_own": True}
    async with database.begin() as work:
        await confirm(work, (await take(work, [], amounts=some(run, 4), owner=BO, terms=TERMS)).id)
        with pytest.raises(StockGone) as refusal:
            await take(work, [], amounts=some(run, 7), owner=AN, terms=TERMS, **replacing)
        assert refusal.value.short == [(run, 6)]
        assert await get_hold(work, hold.id) == hold
        new = await take(work, [], amounts=some(run, 6, 1, 4), owner=AN, terms=TERMS, **replacing)
        assert await left(work, run) == [6, 0, 0, 0]
        assert (await get_hold(work, hold.id)).state == "released"
        assert (new.expires_at, new.first_taken_at) == (hold.expires_at, hold.first_taken_at)


async def test_stock_and_units_replace_each_other(database):
    run = await open_run(database, capacity=2)
    async with database.begin() as work:
        seats = await take(work, want(run, [0, 1]), owner=AN, terms=TERMS)
        standing = await take(work, [], amounts=some(run, 2), owner=AN, terms=TERMS, replaces=seats.id)
        assert (await claim_count(work), await left(work, run)) == (0, [0, 0, 0, 0])
        await take(work, want(run, 0), owner=AN, terms=TERMS, replaces=standing.id)
        assert (await claim_count(work), await left(work, run)) == (4, [2, 2, 2, 2])


async def test_overdue_portions_are_free_at_once_and_taken_back_by_who_needs_them(database, run, hold):
    async with database.begin() as work:
        await run_clock_out(work, hold)
        assert await left(work, run) == [10, 10, 10, 10]
        await take(work, [], amounts=some(run, 6, 0, 2), owner=BO, terms=TERMS)
        assert await taken(work) == [10, 10, 4, 4], "nobody was short, so nothing was taken back"
        await take(work, [], amounts=some(run, 1, 1, 2), owner=BO, terms=TERMS)
        assert await taken(work) == [6, 7, 0, 0]
        assert await left(work, run) == [4, 3, 10, 10]
        with pytest.raises(HoldLost):
            await confirm(work, hold.id)
        assert (await get_hold(work, hold.id)).state == "expired"


async def test_only_overdue_portions_in_the_way_are_taken_back(database, run):
    async with database.begin() as work:
        early = await take(work, [], amounts=some(run, 8, 0, 2), owner=AN, terms=TERMS)
        late = await take(work, [], amounts=some(run, 2, 2, 4), owner=AN, terms=TERMS)
        for each in (early, late):
            await run_clock_out(work, each)
        await take(work, [], amounts=some(run, 5), owner=BO, terms=TERMS)
        assert await portions(work) == [(2, 2, 4), (5, 0, 4)]
        assert (await confirm(work, late.id)).state == "confirmed"
        with pytest.raises(HoldLost):
            await confirm(work, early.id)


async def test_running_portions_are_not_taken_back(database, run, hold):
    async with database.begin() as work:
        lapsed = await take(work, [], amounts=some(run, 2), owner=AN, terms=TERMS)
        await run_clock_out(work, lapsed)
        with pytest.raises(StockGone) as refusal:
            await take(work, [], amounts=some(run, 7), owner=BO, terms=TERMS)
        assert refusal.value.short == [(run, 6)]
        assert await taken(work) == [6, 6, 6, 6]
        assert (await confirm(work, lapsed.id)).state == "confirmed"


async def test_a_portion_with_seconds_left_is_not_taken_back(database, run, hold):
    async with database.begin() as work:
        await age(work, hold.id, seconds_left(hold, await database_clock(work)) - timedelta(seconds=20))
        with pytest.raises(StockGone) as refusal:
            await take(work, [], amounts=some(run, 7), owner=BO, terms=TERMS)
        assert refusal.value.short == [(run, 6)]


async def test_a_transaction_that_began_earlier_still_sees_the_clock_move(database, run):
    short = HoldTerms(ttl_seconds=1, max_extensions=0, max_total_seconds=1)
    async with database.begin() as waiting:
        await waiting.execute("SELECT 1")
        async with database.begin() as work:
            await take(work, [], amounts=some(run, 9), owner=AN, terms=short)
        await waiting.execute("SELECT pg_sleep(1.02)")
        await take(waiting, [], amounts=some(run, 9), owner=BO, terms=short)


async def test_what_runs_out_while_a_taker_waits_for_it_is_free(database, run, hold):
    """The statement began before the end of that time, so its first look found nothing overdue."""

    async def buy():
        async with database.begin() as work:
            return await take(work, [], amounts=some(run, 10), owner=BO, terms=TERMS)

    async with database.begin() as work:
        left_over = seconds_left(hold, await database_clock(work)) - timedelta(seconds=0.3)
        await age(work, hold.id, left_over)
    async with database.begin() as busy:
        await busy.execute("SELECT FROM capacity ORDER BY slot FOR UPDATE")
        buying = asyncio.create_task(buy())
        await asyncio.sleep(0.5)
        assert not buying.done()
    assert (await buying).state == "held"


async def test_an_extension_moves_units_and_stock_alike(database):
    run = await open_run(database, capacity=10)
    async with database.begin() as work:
        hold = await take(work, want(run, 0), amounts=some(run, 4), owner=AN, terms=TERMS)
        await age(work, hold.id, 10 * MINUTE)
        extended = await extend(work, hold.id, owner=AN, terms=TERMS)
        assert 14 * MINUTE < seconds_left(extended, await database_clock(work)) <= 15 * MINUTE
        assert extended.amounts == hold.amounts
        longer = await rearm(work, hold.id, seconds=3600)
        both = "(SELECT expires_at FROM claim UNION SELECT expires_at FROM portion) AS clocks"
        assert await value(work, f"SELECT array_agg(expires_at) FROM {both}") == [longer.expires_at]


async def test_a_hold_whose_portion_was_taken_back_is_neither_extended_nor_rearmed_nor_confirmed(database):
    """Even when its own row and its claims say that it is running."""
    run = await open_run(database, capacity=10)
    async with database.begin() as work:
        hold = await take(work, want(run, 0), amounts=some(run, 4), owner=AN, terms=TERMS)
        await work.execute("UPDATE portion SET expires_at = clock_timestamp()")
        await take(work, [], amounts=some(run, 7, 3, 4), owner=BO, terms=TERMS)
        for attempt, refusal in (
            (extend(work, hold.id, owner=AN, terms=TERMS), HoldExpired),
            (rearm(work, hold.id, seconds=3600), HoldExpired),
            (confirm(work, hold.id), HoldLost),
        ):
            with pytest.raises(refusal):
                await attempt
        assert await get_hold(work, hold.id) == hold
        assert await value(work, "SELECT array_agg(DISTINCT expires_at) FROM claim") == [hold.expires_at]


async def test_confirmed_stock_is_sold_for_good(database, run, hold):
    async with database.begin() as work:
        sold = await confirm(work, hold.id)
        assert await confirm(work, hold.id) == sold
        assert await value(work, "SELECT count(*) FROM portion WHERE expires_at IS NULL") == 1
        assert await sweep(work) == 0
        with pytest.raises(StockGone):
            await take(work, [], amounts=some(run, 7), owner=BO, terms=TERMS)


async def test_confirming_keeps_what_ran_out_a_moment_ago_if_nobody_took_it(database, run, hold):
    async with database.begin() as work:
        await run_clock_out(work, hold)
        await take(work, [], amounts=some(run, 6), owner=BO, terms=TERMS)
        assert (await confirm(work, hold.id)).state == "confirmed"
        assert await left(work, run) == [0, 0, 0, 0]


@pytest.mark.parametrize("ending", ["overdue", "swept", "released"])
async def test_paid_late_what_is_still_left_is_had_after_all(database, run, hold, ending):
    async with database.begin() as work:
        if ending == "released":
            await release(work, hold.id)
        else:
            await run_clock_out(work, hold)
        if ending == "swept":
            await sweep(work)
        await take(work, [], amounts=some(run, 6), owner=BO, terms=TERMS)
        sold = await reclaim(work, hold.id)
        assert (sold.id, sold.state, sold.amounts) == (hold.id, "confirmed", hold.amounts)
        assert await taken(work) == [10, 10, 10, 10]
        assert await reclaim(work, hold.id) == sold


async def test_paid_late_too_little_is_left_and_nothing_is_kept(database, run, hold):
    async with database.begin() as work:
        await release(work, hold.id)
        await take(work, [], amounts=some(run, 7, 1, 2), owner=BO, terms=TERMS)
        with pytest.raises(StockGone) as refusal:
            await reclaim(work, hold.id)
        assert refusal.value.short == [(run, 3)]
        assert (await get_hold(work, hold.id)).state == "released"
        assert await taken(work) == [0, 7, 0, 0]


@pytest.mark.parametrize("state", ["held", "confirmed"])
async def test_releasing_gives_everything_back_once(database, run, hold, state):
    async with database.begin() as work:
        if state == "confirmed":
            await confirm(work, hold.id)
        await release(work, hold.id, owner=AN)
        await release(work, hold.id, owner=AN)
        assert (await taken(work), await portions(work)) == ([0, 0, 0, 0], [])


async def test_a_part_is_given_back_and_the_rest_goes_on(database, run, hold):
    async with database.begin() as work:
        await release_units(work, hold.id, [], some(run, 1, 1, 3))
        rest = await get_hold(work, hold.id)
        assert rest.amounts == (Amount(run, 4, 0, 1), Amount(run, 3, 1, 3), Amount(run, 4, 3, 4))
        assert await taken(work) == [4, 3, 3, 4]
        await confirm(work, hold.id)
        with pytest.raises(UnknownUnits):
            await release_units(work, hold.id, [], some(run, 4, 1, 2))
        await release_units(work, hold.id, [], list(rest.amounts))
        assert (await get_hold(work, hold.id)).state == "released"
        assert (await taken(work), await portions(work)) == ([0, 0, 0, 0], [])


async def test_a_part_of_a_lost_hold_given_back_takes_nothing_from_anybody(database, run, hold):
    async with database.begin() as work:
        await run_clock_out(work, hold)
        await take(work, [], amounts=some(run, 10), owner=BO, terms=TERMS)
        await release_units(work, hold.id, [], some(run, 1))
        assert (await get_hold(work, hold.id)).amounts == (Amount(run, 3, 0, 4),)
        assert await portions(work) == [(10, 0, 4)]


async def test_units_are_given_back_and_the_stock_of_the_hold_stays(database):
    run = await open_run(database, capacity=5)
    async with database.begin() as work:
        hold = await take(work, want(run, 0), amounts=some(run, 2), owner=AN, terms=TERMS)
        await release_units(work, hold.id, want(run, 0))
        rest = await get_hold(work, hold.id)
        assert (rest.state, rest.claims, rest.amounts) == ("held", (), hold.amounts)
        assert await left(work, run) == [3, 3, 3, 3]


async def test_the_sweep_gives_back_what_is_over(database, run, hold):
    async with database.begin() as work:
        running = await take(work, [], amounts=some(run, 1, 0, 2), owner=BO, terms=TERMS)
        await run_clock_out(work, hold)
        assert await sweep(work) == 1
        assert await taken(work) == [1, 1, 0, 0]
        assert [(await get_hold(work, each.id)).state for each in (hold, running)] == ["expired", "held"]


async def test_a_hold_handed_over_keeps_its_stock(database, run, hold):
    async with database.begin() as work:
        moved = await transfer(work, hold.id, owner="booking:1")
        assert (moved.owner, moved.amounts) == ("booking:1", hold.amounts)
        assert await find_live_hold(work, owner=AN, inventory_id=run) is None


async def test_the_total_of_slots_is_changed_but_never_below_what_is_taken(database, run, hold):
    async with database.begin() as work:
        await set_stock(work, [Amount(run, 4, 0, 2), Amount(run, 25, 3, 4)])
        assert await left(work, run) == [0, 0, 6, 21]
        with pytest.raises(StockInUse) as refusal:
            await set_stock(work, [Amount(run, 9, 1, 2), Amount(run, 3, 2, 3)])
        assert (refusal.value.inventory_id, refusal.value.slot, refusal.value.taken) == (run, 2, 4)
        assert await left(work, run) == [0, 0, 6, 21]
        await release(work, hold.id)
        await set_stock(work, some(run, 0))
        assert await left(work, run) == [0, 0, 0, 0]


async def test_a_run_of_units_is_given_stock_later(database):
    run = await open_run(database)
    async with database.begin() as work:
        await set_stock(work, some(run, 3))
        assert await left(work, run) == [3, 3, 3, 3]
        for wrong in (some(run, 3, 0, 5), some(run + 1, 3), some(run, -1), some(run, 2**31)):
            with pytest.raises(UnknownUnits):
                await set_stock(work, wrong)
        assert await value(work, "SELECT count(*) FROM capacity") == 4


async def test_the_table_itself_keeps_more_from_being_taken_than_there_is(database, run):
    for wrong in (11, -1):
        with pytest.raises(CheckViolation):
            async with database.begin() as work:
                await work.execute("UPDATE capacity SET taken = %s", (wrong,))


async def test_only_runs_of_whose_stock_nobody_has_anything_are_closed(database):
    free, held, sold, ran_out = [await open_run(database, units=0, capacity=2) for _ in range(4)]
    async with database.begin() as work:
        await take(work, [], amounts=some(held, 1), owner=AN, terms=TERMS)
        await confirm(work, (await take(work, [], amounts=some(sold, 1), owner=AN, terms=TERMS)).id)
        await run_clock_out(work, await take(work, [], amounts=some(ran_out, 1), owner=AN, terms=TERMS))
        assert await close_inventories(work, [ran_out, sold, held, free]) == [free, ran_out]
        assert await value(work, "SELECT array_agg(DISTINCT inventory_id) FROM capacity") == [held, sold]
        assert len(await portions(work)) == 2


async def test_stock_is_opened_in_every_slot(database):
    async with database.begin() as work:
        both, units_only = await open_inventories(work, [InventorySpec(2, 3, capacity=7), InventorySpec(2, 3)])
        cursor = await work.execute("SELECT inventory_id, slot, total, taken FROM capacity ORDER BY slot")
        assert await cursor.fetchall() == [(both, slot, 7, 0) for slot in range(3)]
        assert await stock_left(work, [(both, 0, 3), (units_only, 0, 3)]) == [7, 0]
        assert await stock_left(work, []) == []


async def test_a_hold_of_units_only_asks_nothing_of_the_stock(database):
    run = await open_run(database, capacity=5)
    async with database.begin() as work:
        await work.driver()  # a transaction behind a pooler begins with a statement of its own
        with counted_statements() as asked:
            hold = await take(work, want(run, 0), owner=AN, terms=TERMS)
            assert len(asked) == 2
            await extend(work, hold.id, owner=AN, terms=TERMS)
            await confirm(work, hold.id)
        assert len(asked) == 5
        assert [query for query in asked if "portion" in query or "capacity" in query] == []


async def test_buyers_of_the_last_pieces_get_exactly_those(database, run):
    """With stays that overlap in any way, from any end, and some that have just run out."""
    async with database.begin() as work:
        for first, end in ((0, 2), (1, 3), (2, 4)):
            await run_clock_out(work, await take(work, [], amounts=some(run, 3, first, end), owner=AN, terms=TERMS))

    async def buy(number):
        async with database.begin() as work:
            try:
                first = number % 3
                end = first + 2 - number % 2
                return await take(work, [], amounts=some(run, 1, first, end), owner=f"guest:{number}", terms=TERMS)
            except StockGone:
                return None

    bought = [hold for hold in await asyncio.gather(*(buy(number) for number in range(60))) if hold]
    async with database.begin() as work:
        sold = [
            sum(hold.amounts[0].first_slot <= slot < hold.amounts[0].end_slot for hold in bought) for slot in range(4)
        ]
        assert await left(work, run) == [10 - each for each in sold]
        assert max(sold) == 10


async def test_several_holds_are_locked_before_they_are_changed(database, run, hold):
    """Somebody else waits for the stock of both, so that two who change the same holds never wait for each other."""
    other = await open_run(database, units=0, capacity=5)

    async def buy():
        async with database.begin() as work:
            return await take(work, [], amounts=[*some(run, 6), *some(other, 5)], owner=BO, terms=TERMS)

    async with database.begin() as work:
        second = await take(work, [], amounts=some(other, 3), owner=AN, terms=TERMS)
    async with database.begin() as work:
        await lock_holds(work, [second.id, hold.id])
        buying = asyncio.create_task(buy())
        await until_somebody_waits(database)
        assert not buying.done()
        await release(work, second.id)
        await release(work, hold.id)
    assert (await buying).state == "held"
