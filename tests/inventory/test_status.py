"""Who has what on a stretch of a run."""

from datetime import timedelta

import pytest
from tests.counting import counted_statements
from tests.inventory.kernel import TERMS, age, open_run, run_clock_out, want

from farebox.inventory import UnitStatus, block, confirm, get_hold, status, take

AN, BO, CREW = "guest:an", "guest:bo", "crew"


@pytest.fixture
async def run(database):
    return await open_run(database, units=6)


async def test_a_run_on_which_nobody_has_anything_has_no_rows(database, run):
    async with database.begin() as work:
        await take(work, want(await open_run(database), [0]), owner=AN, terms=TERMS)
        assert await status(work, run, 0, 4) == []
        assert await status(work, run + 9, 0, 4) == []


async def test_held_sold_and_blocked_units_with_who_has_them_until_when(database, run):
    async with database.begin() as work:
        held = await take(work, want(run, [3, 1]), owner=AN, terms=TERMS)
        await confirm(work, (await take(work, want(run, [2]), owner=BO, terms=TERMS)).id)
        await block(work, want(run, [4]), owner=CREW)
        assert await status(work, run, 0, 4) == [
            UnitStatus(1, "held", frozenset({AN}), held.expires_at),
            UnitStatus(2, "sold", frozenset({BO}), None),
            UnitStatus(3, "held", frozenset({AN}), held.expires_at),
            UnitStatus(4, "blocked", frozenset({CREW}), None),
        ]


@pytest.mark.parametrize(("first", "end", "units"), [(0, 1, []), (0, 2, [0]), (1, 3, [0]), (2, 4, [0]), (3, 4, [])])
async def test_only_claims_on_the_stretch_count(database, run, first, end, units):
    async with database.begin() as work:
        await take(work, want(run, [0], 1, 3), owner=AN, terms=TERMS)
        assert [found.unit for found in await status(work, run, first, end)] == units


async def test_of_several_claims_on_a_stretch_the_one_most_in_the_way_decides(database, run):
    async with database.begin() as work:
        early = await take(work, want(run, [0, 1, 2], 0, 1), owner=AN, terms=TERMS)
        await age(work, early.id, timedelta(minutes=5))
        late = await take(work, want(run, [0], 1, 2), owner=BO, terms=TERMS)
        await confirm(work, (await take(work, want(run, [1, 2], 2, 3), owner=BO, terms=TERMS)).id)
        await block(work, want(run, [2], 3, 4), owner=CREW)
        early = await get_hold(work, early.id)
        assert early.expires_at is not None
        assert late.expires_at is not None
        assert early.expires_at < late.expires_at
        assert await status(work, run, 0, 4) == [
            UnitStatus(0, "held", frozenset({AN, BO}), late.expires_at),
            UnitStatus(1, "sold", frozenset({AN, BO}), None),
            UnitStatus(2, "blocked", frozenset({AN, BO, CREW}), None),
        ]
        assert await status(work, run, 0, 2) == [
            UnitStatus(0, "held", frozenset({AN, BO}), late.expires_at),
            UnitStatus(1, "held", frozenset({AN}), early.expires_at),
            UnitStatus(2, "held", frozenset({AN}), early.expires_at),
        ]


async def test_what_has_run_out_is_free_whether_swept_or_not(database, run):
    async with database.begin() as work:
        hold = await take(work, want(run, [0]), owner=AN, terms=TERMS)
        await run_clock_out(work, hold)
    async with database.begin() as work:
        assert await status(work, run, 0, 4) == []


async def test_one_statement_reads_one_range_of_the_index(database, run):
    async with database.begin() as work:
        for unit in range(6):
            await take(work, want(run, [unit]), owner=AN, terms=TERMS)
        for other in [await open_run(database, units=40, slots=40) for _ in range(4)]:
            await take(work, want(other, list(range(40)), 0, 40), owner=BO, terms=TERMS)
        await work.execute("ANALYZE claim")
        await work.execute("ANALYZE hold")
        with counted_statements() as statements:
            assert len(await status(work, run, 0, 4)) == 6
        [statement] = statements
        cursor = await work.execute("EXPLAIN " + statement, (run, 0, 4))
        plan = "\n".join(line for (line,) in await cursor.fetchall())
        assert "Index Scan using pk_claim on claim" in plan
        assert f"Index Cond: ((inventory_id = '{run}'" in plan
