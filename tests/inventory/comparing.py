"""Whether the database says what the model says."""

from datetime import timedelta
from itertools import combinations

from tests.inventory.model import Model, keys_in, stock_in
from tests.inventory.wishes import SLOTS, UNITS

from farebox.core.db import UnitOfWork
from farebox.inventory import Amount, availability, claims_on, status, stock_left
from farebox.inventory.queries import HoldRecord
from farebox.inventory.statements import HOLDS

MINUTE = timedelta(minutes=1)

# Real time goes on while the test runs, by less than this; the model's clock moves in whole minutes only.
SLACK = timedelta(seconds=50)


async def compare(work: UnitOfWork, model: Model) -> None:
    await _compare_units(work, model)
    await _compare_stock(work, model)
    await _compare_holds(work, model)


async def _compare_units(work: UnitOfWork, model: Model) -> None:
    """Claims, counts and statuses of the runs that are open."""
    live = {key: hold for key, hold in model.claims.items() if model.is_live(key)}
    found = {}
    for run in model.runs:
        for claim in await claims_on(work, run, 0, SLOTS):
            found[claim.inventory_id, claim.unit, claim.slot] = claim.hold_id
    assert found == live

    stretches = [(run, *stretch) for run in model.runs for stretch in combinations(range(SLOTS + 1), 2)]
    free = [sum(model.is_free(run, unit, a, b) for unit in range(UNITS)) for run, a, b in stretches]
    assert await availability(work, stretches) == free

    run, first, end = stretches[model.minute % len(stretches)]
    units = await status(work, run, first, end)
    assert len(units) == UNITS - free[stretches.index((run, first, end))]
    for unit in units:
        holders = [model.holds[live[key]] for slot in range(first, end) if (key := (run, unit.unit, slot)) in live]
        states = {holder.state for holder in holders}
        worst = "blocked" if "blocked" in states else "sold" if "confirmed" in states else "held"
        assert (str(unit.state), set(unit.owners)) == (worst, {holder.owner for holder in holders})
        assert (unit.until is None) == (states != {"held"})


async def _compare_stock(work: UnitOfWork, model: Model) -> None:
    """Portions, the counters that they come to, and how much can be had."""
    stretches = [(run, *stretch) for run in model.runs for stretch in combinations(range(SLOTS + 1), 2)]
    assert await stock_left(work, stretches) == [model.left(*stretch) for stretch in stretches]
    cursor = await work.execute("SELECT inventory_id, slot, total, taken FROM capacity")
    counted = {(run, slot): (total, taken) for run, slot, total, taken in await cursor.fetchall()}
    places = [(number, slot) for number, run in model.runs.items() for slot in run.totals]
    assert counted == {place: (model.total(place), model.counted(place, live_only=False)) for place in places}
    cursor = await work.execute("SELECT hold_id, inventory_id, quantity, first_slot, end_slot FROM portion")
    found = {(hold_id, Amount(*amount)) for hold_id, *amount in await cursor.fetchall()}
    assert found == {(hold_id, portion) for hold_id, portions in model.portions.items() for portion in portions}


async def _compare_holds(work: UnitOfWork, model: Model) -> None:
    """Owner, state, clock and contents of every hold there is."""
    [[now]] = await (await work.execute("SELECT clock_timestamp()")).fetchall()
    holds = [HoldRecord(*row).view() for row in await (await work.execute(HOLDS)).fetchall()]
    assert {hold.id for hold in holds} == set(model.holds)
    for real in holds:
        hold = model.holds[real.id]
        is_over = hold.state == "held" and not model.is_running(hold)
        assert (real.state, real.owner) == ("expired" if is_over else hold.state, hold.owner)
        assert (keys_in(real.claims), stock_in(real.amounts)) == (hold.keys, hold.stock)
        if hold.state == "held":
            assert real.extensions == hold.extensions
            assert real.expires_at is not None
            expected = now + (hold.end_minute - model.minute) * MINUTE
            assert expected - SLACK <= real.expires_at <= expected
