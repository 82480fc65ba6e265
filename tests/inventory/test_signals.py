"""Whoever watches a run is told of every change on it, after it has been committed and never otherwise."""

import pytest
from tests.inventory.kernel import TERMS, open_run, run_clock_out, want

from farebox.inventory import (
    UnitsTaken,
    confirm,
    extend,
    rearm,
    reclaim,
    release,
    release_units,
    sweep,
    take,
    transfer,
)

AN, BO = "guest:an", "guest:bo"


@pytest.fixture
def told(database):
    """What was signalled, one set for each unit of work."""
    told: list[set[str]] = []
    database.deliver_signals_to(lambda topics: told.append(set(topics)))
    return told


async def test_each_command_tells_of_its_runs(database, told):
    out, back, spare = await open_run(database), await open_run(database), await open_run(database)
    both = {f"run:{out}", f"run:{back}"}
    async with database.begin() as work:
        hold = await take(work, [*want(out, 0), *want(back, 0)], owner=AN, terms=TERMS)
        assert told == []

    async def tells(command, topics):
        told.clear()
        async with database.begin() as work:
            answer = await command(work)
        assert told == ([topics] if topics else [])
        return answer

    await tells(lambda work: extend(work, hold.id, owner=AN, terms=TERMS), both)
    await tells(lambda work: rearm(work, hold.id, seconds=3000), both)
    hold = await tells(
        lambda work: take(work, [*want(spare, 0), *want(out, [1, 2])], owner=AN, terms=TERMS, replaces=hold.id),
        {*both, f"run:{spare}"},
    )
    await tells(lambda work: transfer(work, hold.id, owner=BO), {f"run:{out}", f"run:{spare}"})
    await tells(lambda work: release_units(work, hold.id, want(out, 1)), {f"run:{out}"})
    await tells(lambda work: confirm(work, hold.id), {f"run:{out}", f"run:{spare}"})
    await tells(lambda work: confirm(work, hold.id), None)
    await tells(lambda work: release(work, hold.id), {f"run:{out}", f"run:{spare}"})
    await tells(lambda work: release(work, hold.id), None)

    async def take_and_lose_time(work):
        lapsed = await take(work, want(back, 1), owner=AN, terms=TERMS)
        await run_clock_out(work, lapsed)
        return lapsed

    lapsed = await tells(take_and_lose_time, {f"run:{back}"})
    await tells(sweep, {f"run:{back}"})
    await tells(sweep, None)
    await tells(lambda work: reclaim(work, lapsed.id), {f"run:{back}"})


async def test_what_was_refused_or_rolled_back_tells_nobody(database, told):
    run = await open_run(database)
    async with database.begin() as work:
        await take(work, want(run, 0), owner=AN, terms=TERMS)
    told.clear()
    async with database.begin() as work:
        with pytest.raises(UnitsTaken):
            await take(work, want(run, [0, 1]), owner=BO, terms=TERMS)
    work = database.open()
    await take(work, want(run, 1), owner=BO, terms=TERMS)
    await work.abandon()
    assert told == []
