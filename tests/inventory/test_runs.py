"""Runs: opened and closed by the thousand, how much of them is free, who has what."""

import asyncio

import pytest
from tests.inventory.kernel import TERMS, claim_count, open_run, run_clock_out, value, want
from tests.waiting import until_somebody_waits

from farebox.inventory import (
    Amount,
    InventorySpec,
    UnknownUnits,
    availability,
    claims_on,
    close_inventories,
    confirm,
    find_live_hold,
    open_inventories,
    release,
    stock_left,
    take,
)

AN, BO = "guest:an", "guest:bo"


async def test_runs_are_opened_in_the_order_given(database):
    async with database.begin() as work:
        ids = await open_inventories(work, [InventorySpec(1 + i % 50, 1 + i % 7) for i in range(5000)])
        assert len(set(ids)) == 5000
        assert await open_inventories(work, []) == []
    async with database.begin() as work:
        cursor = await work.execute("SELECT id, units, slots FROM inventory ORDER BY id")
        rows = await cursor.fetchall()
    assert rows == sorted((number, 1 + i % 50, 1 + i % 7) for i, number in enumerate(ids))


@pytest.mark.parametrize(
    "spec",
    [InventorySpec(0, 4), InventorySpec(4, 0), InventorySpec(-1, 4, capacity=5), InventorySpec(5, 4, capacity=-1)],
)
async def test_a_run_without_places_is_refused(database, spec):
    async with database.begin() as work:
        with pytest.raises(ValueError, match="needs units or stock"):
            await open_inventories(work, [InventorySpec(1, 1), spec])
        assert await value(work, "SELECT count(*) FROM inventory") == 0


async def test_only_runs_on_which_nobody_has_anything_are_closed(database):
    free, held, sold, ran_out, given_back = [await open_run(database) for _ in range(5)]
    async with database.begin() as work:
        await take(work, want(held, 0), owner=AN, terms=TERMS)
        await confirm(work, (await take(work, want(sold, 0), owner=AN, terms=TERMS)).id)
        await run_clock_out(work, await take(work, want(ran_out, 0), owner=AN, terms=TERMS))
        await release(work, (await take(work, want(given_back, 0), owner=AN, terms=TERMS)).id)
        closed = await close_inventories(work, [free, held, sold, ran_out, given_back, 99_999])
        assert closed == [free, ran_out, given_back]
        assert await value(work, "SELECT array_agg(id ORDER BY id) FROM inventory") == [held, sold]
        assert await claim_count(work) == 8
        with pytest.raises(UnknownUnits):
            await take(work, want(free, 0), owner=AN, terms=TERMS)


async def test_closing_waits_for_a_taker_that_is_at_it(database):
    run = await open_run(database)

    async def close():
        async with database.begin() as work:
            return await close_inventories(work, [run])

    async with database.begin() as taking:
        await take(taking, want(run, 0), owner=AN, terms=TERMS)
        closing = asyncio.create_task(close())
        await until_somebody_waits(database)
        assert not closing.done()
    assert await closing == []
    async with database.begin() as work:
        assert await availability(work, [(run, 0, 4)]) == [3]


async def test_closing_waits_for_who_confirms_late_what_ran_out(database):
    run = await open_run(database, capacity=3)
    async with database.begin() as work:
        hold = await take(work, want(run, 0), amounts=[Amount(run, 1, 0, 4)], owner=AN, terms=TERMS)
        await run_clock_out(work, hold)

    async def close():
        async with database.begin() as work:
            return await close_inventories(work, [run])

    async with database.begin() as settling:
        await confirm(settling, hold.id)
        closing = asyncio.create_task(close())
        await until_somebody_waits(database)
        assert not closing.done()
    assert await closing == []
    async with database.begin() as work:
        assert await claim_count(work) == 4
        assert await stock_left(work, [(run, 0, 4)]) == [2]


async def test_availability_counts_units_free_on_the_whole_range(database):
    run = await open_run(database, units=5, slots=6)
    async with database.begin() as work:
        await take(work, want(run, 0, 0, 3), owner=AN, terms=TERMS)
        await take(work, want(run, 0, 3, 6), owner=BO, terms=TERMS)
        await confirm(work, (await take(work, want(run, [1, 2], 2, 4), owner=AN, terms=TERMS)).id)
        await run_clock_out(work, await take(work, want(run, 3), owner=BO, terms=TERMS))
        asked = [(run, 0, 6), (run, 0, 2), (run, 2, 3), (run, 4, 6), (run, 3, 4), (run + 1, 0, 6), (run, 0, 2)]
        assert await availability(work, asked) == [2, 4, 2, 4, 2, 0, 4]
        assert await availability(work, []) == []


async def test_availability_of_hundreds_of_runs_is_one_query(database, monkeypatch):
    async with database.begin() as work:
        ids = await open_inventories(work, [InventorySpec(45, 8)] * 300)
        await take(work, want(ids[7], [3, 4], 1, 2), owner=AN, terms=TERMS)
        queries = []
        execute = work.execute

        async def count(query, parameters=None):
            queries.append(query)
            return await execute(query, parameters)

        monkeypatch.setattr(work, "execute", count)
        free = await availability(work, [(number, 1, 5) for number in reversed(ids)])
    assert len(queries) == 1
    assert free == [45] * 292 + [43] + [45] * 7


async def test_claims_are_those_on_the_slots_asked_for(database):
    run, other = await open_run(database), await open_run(database)
    async with database.begin() as work:
        await take(work, [*want(run, 2, 1, 3), *want(other, 2)], owner=AN, terms=TERMS)
        await run_clock_out(work, await take(work, want(run, 1), owner=BO, terms=TERMS))
        assert [(c.unit, c.slot) for c in await claims_on(work, run, 0, 2)] == [(2, 1)]
        assert await claims_on(work, run, 3, 4) == []


async def test_ones_running_hold_is_found_by_the_run(database):
    run, other, third = await open_run(database), await open_run(database), await open_run(database)
    async with database.begin() as work:
        both = await take(work, [*want(run, 0), *want(other, 0)], owner=AN, terms=TERMS)
        assert await find_live_hold(work, owner=AN, inventory_id=run) == both
        assert await find_live_hold(work, owner=AN, inventory_id=other) == both
        assert await find_live_hold(work, owner=AN, inventory_id=third) is None
        assert await find_live_hold(work, owner=BO, inventory_id=run) is None
        await run_clock_out(work, both)
        assert await find_live_hold(work, owner=AN, inventory_id=run) is None
