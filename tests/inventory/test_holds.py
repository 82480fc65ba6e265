"""What becomes of a hold: extended, re-armed, handed over, confirmed, given back, swept, reclaimed."""

from datetime import timedelta

import psycopg
import pytest
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

from farebox.core.ids import new_id
from farebox.inventory import (
    ExtensionLimit,
    HoldExpired,
    HoldLost,
    HoldNotFound,
    HoldTerms,
    UnitsTaken,
    UnknownUnits,
    Want,
    are_certain,
    availability,
    claims_on,
    confirm,
    extend,
    find_live_hold,
    get_hold,
    lock_own,
    rearm,
    reclaim,
    release,
    release_units,
    sweep,
    take,
    transfer,
)

AN, BO = "guest:an", "guest:bo"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def run(database):
    return await open_run(database)


@pytest.fixture
async def hold(database, run):
    """Units 0 and 1 on all slots, An's, just taken."""
    async with database.begin() as work:
        return await take(work, want(run, [0, 1]), owner=AN, terms=TERMS)


async def test_an_extension_begins_the_time_anew_for_the_hold_and_all_its_claims(database, run, hold):
    async with database.begin() as work:
        await age(work, hold.id, 10 * MINUTE)
        extended = await extend(work, hold.id, owner=AN, terms=TERMS)
        assert 14 * MINUTE < seconds_left(extended, await database_clock(work)) <= 15 * MINUTE
        assert (extended.extensions, extended.extensions_left) == (1, 1)
        assert await get_hold(work, hold.id) == extended
        assert {claim.expires_at for claim in await claims_on(work, run, 0, 4)} == {extended.expires_at}


async def test_two_extensions_and_no_more(database, hold):
    async with database.begin() as work:
        await extend(work, hold.id, owner=AN, terms=TERMS)
        twice = await extend(work, hold.id, owner=AN, terms=TERMS)
        assert twice.extensions_left == 0
        with pytest.raises(ExtensionLimit):
            await extend(work, hold.id, owner=AN, terms=TERMS)
        assert await get_hold(work, hold.id) == twice


async def test_no_extension_goes_past_the_longest_time(database, run):
    generous = HoldTerms(ttl_seconds=900, max_extensions=9, max_total_seconds=1200)
    async with database.begin() as work:
        hold = await take(work, want(run, 0), owner=AN, terms=generous)
        await age(work, hold.id, 10 * MINUTE)
        extended = await extend(work, hold.id, owner=AN, terms=generous)
        assert seconds_left(extended, extended.first_taken_at) == 20 * MINUTE
        assert extended.extensions_left == 0
        with pytest.raises(ExtensionLimit):
            await extend(work, hold.id, owner=AN, terms=generous)


async def test_an_ended_hold_cannot_be_extended(database, hold):
    async with database.begin() as work:
        await run_clock_out(work, hold)
        with pytest.raises(HoldExpired):
            await extend(work, hold.id, owner=AN, terms=TERMS)
        await sweep(work)
        with pytest.raises(HoldExpired):
            await extend(work, hold.id, owner=AN, terms=TERMS)


async def test_a_hold_whose_claim_was_overtaken_is_neither_extended_nor_rearmed(database, run, hold):
    """Even when its own row says that it is running: the claims decide."""
    async with database.begin() as work:
        await work.execute("UPDATE claim SET expires_at = clock_timestamp() WHERE unit = 1 AND slot = 2")
        await take(work, want(run, 1, 2, 3), owner=BO, terms=TERMS)
        before = await value(work, "SELECT array_agg(expires_at ORDER BY unit, slot) FROM claim")
        with pytest.raises(HoldExpired):
            await extend(work, hold.id, owner=AN, terms=TERMS)
        await work.execute("UPDATE hold SET expires_at = clock_timestamp() + interval '30 s'")
        with pytest.raises(HoldExpired):
            await rearm(work, hold.id, seconds=60)
        assert await value(work, "SELECT array_agg(expires_at ORDER BY unit, slot) FROM claim") == before


@pytest.mark.parametrize("change", ["rearm", "confirm"])
async def test_what_is_certain_of_a_locked_hold_is_not_waited_for(database, run, hold, change):
    async with database.begin() as work:
        await lock_own(work, [hold.id], owner=AN)
        assert are_certain(work, [hold.id])
        with counted_statements() as sent:
            changed = await (rearm(work, hold.id, seconds=1800) if change == "rearm" else confirm(work, hold.id))
        assert sent == []
        assert not are_certain(work, [hold.id])
        assert await get_hold(work, hold.id) == changed
        assert {claim.expires_at for claim in await claims_on(work, run, 0, 4)} == {changed.expires_at}
        if change == "rearm":
            assert timedelta(0) <= 30 * MINUTE - seconds_left(changed, await database_clock(work)) < MINUTE


async def test_a_hold_that_may_end_before_the_transaction_is_not_certain(database, hold):
    async with database.begin() as work:
        await age(work, hold.id, 14 * MINUTE)
        await lock_own(work, [hold.id], owner=AN)
        assert not are_certain(work, [hold.id])
        with counted_statements() as sent:
            rearmed = await rearm(work, hold.id, seconds=60)
        assert len(sent) == 1
        assert await get_hold(work, hold.id) == rearmed


@pytest.mark.parametrize("change", ["rearm", "confirm"])
async def test_should_it_not_be_so_all_the_same_the_transaction_fails(database, run, hold, change):
    """As nobody could have done: a claim whose clock is not its hold's, taken by somebody else."""
    async with database.begin() as work:
        await work.execute("UPDATE claim SET expires_at = clock_timestamp() WHERE unit = 1 AND slot = 2")
        await take(work, want(run, 1, 2, 3), owner=BO, terms=TERMS)
    work = database.open()
    await (rearm(work, hold.id, seconds=60) if change == "rearm" else confirm(work, hold.id))
    with pytest.raises(psycopg.errors.DivisionByZero):
        await work.commit()
    await work.abandon()
    async with database.begin() as work:
        assert await get_hold(work, hold.id) == hold


async def test_several_are_locked_at_once_in_any_order_and_only_ones_own(database, hold, run):
    async with database.begin() as work:
        other = await take(work, want(run, 2), owner=AN, terms=TERMS)
        strange = await take(work, want(run, 3), owner=BO, terms=TERMS)
    async with database.begin() as work:
        assert await lock_own(work, [other.id, hold.id], owner=AN) == [other, hold]
        for ids in ([hold.id, strange.id], [strange.id], [new_id()]):
            with pytest.raises(HoldNotFound):
                await lock_own(work, ids, owner=AN)


async def test_somebody_elses_hold_is_not_found(database, hold):
    async with database.begin() as work:
        for attempt in (
            extend(work, hold.id, owner=BO, terms=TERMS),
            release(work, hold.id, owner=BO),
            get_hold(work, hold.id, owner=BO),
        ):
            with pytest.raises(HoldNotFound):
                await attempt
        assert await get_hold(work, hold.id, owner=AN) == hold


async def test_commands_on_a_hold_that_never_was(database):
    async with database.begin() as work:
        for attempt in (
            confirm(work, new_id()),
            reclaim(work, new_id()),
            rearm(work, new_id(), seconds=1),
            release(work, new_id()),
            transfer(work, new_id(), owner=AN),
            release_units(work, new_id(), []),
        ):
            with pytest.raises(HoldNotFound):
                await attempt


async def test_rearming_gives_time_without_counting_and_never_takes_any(database, hold):
    async with database.begin() as work:
        longer = await rearm(work, hold.id, seconds=3600)
        assert 59 * MINUTE < seconds_left(longer, await database_clock(work)) <= 60 * MINUTE
        assert longer.extensions == 0
        assert await rearm(work, hold.id, seconds=5) == longer


async def test_rearming_revives_a_hold_that_nobody_has_overtaken(database, run, hold):
    async with database.begin() as work:
        await run_clock_out(work, hold)
        assert (await rearm(work, hold.id, seconds=900)).state == "held"
        with pytest.raises(UnitsTaken):
            await take(work, want(run, 0), owner=BO, terms=TERMS)


async def test_a_hold_handed_over_is_out_of_its_first_owners_reach(database, run, hold):
    async with database.begin() as work:
        await transfer(work, hold.id, owner="booking:1")
        assert await find_live_hold(work, owner=AN, inventory_id=run) is None
        with pytest.raises(HoldNotFound):
            await release(work, hold.id, owner=AN)
        assert {claim.owner for claim in await claims_on(work, run, 0, 4)} == {"booking:1"}


async def test_a_confirmed_hold_has_its_units_for_good(database, run, hold):
    async with database.begin() as work:
        sold = await confirm(work, hold.id)
        assert (sold.state, sold.expires_at, sold.extensions_left) == ("confirmed", None, 0)
        assert await confirm(work, hold.id) == sold
        assert await get_hold(work, hold.id) == sold
        assert {(c.state, c.expires_at) for c in await claims_on(work, run, 0, 4)} == {("confirmed", None)}
        assert await sweep(work) == 0
        with pytest.raises(UnitsTaken):
            await take(work, want(run, 0, 3, 4), owner=BO, terms=TERMS)
        for refused in (extend(work, hold.id, owner=AN, terms=TERMS), rearm(work, hold.id, seconds=9)):
            with pytest.raises(HoldExpired):
                await refused


async def test_confirming_keeps_what_ran_out_a_moment_ago_if_nobody_took_it(database, run, hold):
    async with database.begin() as work:
        await run_clock_out(work, hold)
    async with database.begin() as work:
        assert (await confirm(work, hold.id)).state == "confirmed"
        assert await availability(work, [(run, 0, 4)]) == [2]


async def test_confirming_after_one_claim_was_overtaken_is_refused_and_changes_nothing(database, run, hold):
    async with database.begin() as work:
        await run_clock_out(work, hold)
        theirs = await take(work, want(run, 1, 3, 4), owner=BO, terms=TERMS)
        with pytest.raises(HoldLost):
            await confirm(work, hold.id)
        assert [c.hold_id for c in await claims_on(work, run, 0, 4)] == [theirs.id]
        assert (await get_hold(work, hold.id)).state == "expired"


@pytest.mark.parametrize("ending", ["swept", "released"])
async def test_paid_late_what_is_still_free_is_had_after_all(database, run, hold, ending):
    async with database.begin() as work:
        if ending == "swept":
            await run_clock_out(work, hold)
            await sweep(work)
        else:
            await release(work, hold.id)
        with pytest.raises(HoldLost):
            await confirm(work, hold.id)
        sold = await reclaim(work, hold.id)
        assert (sold.id, sold.state, sold.owner, sold.claims) == (hold.id, "confirmed", AN, hold.claims)
        assert await reclaim(work, hold.id) == sold
        assert {(c.unit, c.expires_at) for c in await claims_on(work, run, 0, 4)} == {(0, None), (1, None)}


async def test_paid_late_what_somebody_has_is_refused_and_nothing_is_kept(database, run, hold):
    async with database.begin() as work:
        await run_clock_out(work, hold)
        theirs = await take(work, want(run, 1, 3, 4), owner=BO, terms=TERMS)
        with pytest.raises(UnitsTaken) as refusal:
            await reclaim(work, hold.id)
        assert refusal.value.lost == [(run, 1)]
        assert [c.hold_id for c in await claims_on(work, run, 0, 4)] == [theirs.id]
        assert (await get_hold(work, hold.id)).state == "expired"


async def test_paid_late_the_end_of_sales_plays_no_part(database, run, hold):
    async with database.begin() as work:
        await release(work, hold.id)
        await work.execute("UPDATE inventory SET sales_close_at = clock_timestamp()")
        assert (await reclaim(work, hold.id)).state == "confirmed"


async def test_what_was_sold_and_given_back_is_not_reclaimed(database, hold):
    async with database.begin() as work:
        await confirm(work, hold.id)
        await release(work, hold.id)
        with pytest.raises(HoldLost):
            await reclaim(work, hold.id)
        assert await claim_count(work) == 0


@pytest.mark.parametrize("state", ["held", "confirmed"])
async def test_releasing_gives_everything_back_once(database, run, hold, state):
    async with database.begin() as work:
        if state == "confirmed":
            await confirm(work, hold.id)
        await release(work, hold.id, owner=AN)
        assert await claim_count(work) == 0
        assert (await get_hold(work, hold.id)).state == "released"
        await take(work, want(run, 0), owner=BO, terms=TERMS)
        await release(work, hold.id, owner=AN)
        assert await claim_count(work) == 4


async def test_releasing_leaves_alone_what_somebody_has_overtaken(database, run, hold):
    async with database.begin() as work:
        await run_clock_out(work, hold)
        theirs = await take(work, want(run, 0), owner=BO, terms=TERMS)
        await release(work, hold.id)
        assert {c.hold_id for c in await claims_on(work, run, 0, 4)} == {theirs.id}


async def test_a_part_is_given_back_and_the_rest_goes_on(database, run, hold):
    async with database.begin() as work:
        await release_units(work, hold.id, want(run, 1, 1, 3))
        rest = await get_hold(work, hold.id)
        assert rest.claims == (Want(run, (0,), 0, 4), Want(run, (1,), 0, 1), Want(run, (1,), 3, 4))
        await take(work, want(run, 1, 1, 3), owner=BO, terms=TERMS)
        assert (await confirm(work, hold.id)).state == "confirmed"
        await release_units(work, hold.id, list(rest.claims))
        assert (await get_hold(work, hold.id)).state == "released"
        assert {c.owner for c in await claims_on(work, run, 0, 4)} == {BO}


async def test_only_what_the_hold_has_can_be_given_back(database, run, hold):
    async with database.begin() as work:
        with pytest.raises(UnknownUnits):
            await release_units(work, hold.id, want(run, [1, 2]))
        await release(work, hold.id)
        with pytest.raises(UnknownUnits):
            await release_units(work, hold.id, want(run, 1))


async def test_the_sweep_ends_what_is_over_and_nothing_else(database, run, hold):
    async with database.begin() as work:
        running = await take(work, want(run, 2), owner=BO, terms=TERMS)
        sold = await take(work, want(run, 3), owner=BO, terms=TERMS)
        await confirm(work, sold.id)
        await run_clock_out(work, hold)
        assert await sweep(work) == 1
        assert await sweep(work) == 0
        assert {c.hold_id for c in await claims_on(work, run, 0, 4)} == {running.id, sold.id}
        assert await claim_count(work) == 8
        assert (await get_hold(work, hold.id)).state == "expired"


async def test_the_sweep_works_in_portions(database):
    run = await open_run(database, units=5)
    async with database.begin() as work:
        for unit in range(5):
            await run_clock_out(work, await take(work, want(run, unit), owner=AN, terms=TERMS))
        assert [await sweep(work, limit=2) for _ in range(4)] == [2, 2, 1, 0]
        assert await claim_count(work) == 0


async def test_the_sweep_leaves_a_hold_to_whoever_is_working_on_it(database, hold):
    async with database.begin() as work:
        await run_clock_out(work, hold)
    async with database.begin() as settling:
        await confirm(settling, hold.id)
        async with database.begin() as work:
            assert await sweep(work) == 0
    async with database.begin() as work:
        assert (await get_hold(work, hold.id)).state == "confirmed"
