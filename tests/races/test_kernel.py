"""Many buyers, few seats, real connections. And the same race without the guard, to show that the race is real."""

import asyncio
import random
from collections import Counter

import pytest
from psycopg import AsyncConnection
from tests.inventory.kernel import TERMS, age, open_run, seconds_left, want

from farebox.core.ids import new_id
from farebox.inventory import (
    Hold,
    HoldExpired,
    HoldLost,
    UnitsTaken,
    claims_on,
    confirm,
    extend,
    get_hold,
    lock_holds,
    reclaim,
    release,
    sweep,
    take,
)

BUYERS = 50


@pytest.fixture
def market(open_database):
    """A database with a connection for each buyer."""
    return open_database(pool_size=BUYERS)


async def together(*attempts):
    """Run all at once, none before every one is ready; their answers, refusals among them."""
    gate = asyncio.Barrier(len(attempts))

    async def run(attempt):
        await gate.wait()
        return await attempt()

    return await asyncio.gather(*(run(attempt) for attempt in attempts), return_exceptions=True)


async def buy(database, wants, owner, **more):
    async with database.begin() as work:
        await work.execute("SELECT 1")
        return await take(work, wants, owner=owner, terms=TERMS, **more)


def only(answers, *kinds):
    """Nothing else went wrong."""
    unexpected = [answer for answer in answers if isinstance(answer, BaseException) and not isinstance(answer, kinds)]
    assert unexpected == []
    return [answer for answer in answers if not isinstance(answer, BaseException)]


async def test_fifty_buyers_of_one_seat_make_one_winner(market):
    for _ in range(5):
        run = await open_run(market, units=1, slots=3)
        wish = want(run, 0, 0, 3)
        answers = await together(*(lambda n=n, wish=wish: buy(market, wish, f"guest:{n}") for n in range(BUYERS)))
        [winner] = only(answers, UnitsTaken)
        assert all(refusal.lost == [(run, 0)] for refusal in answers if isinstance(refusal, UnitsTaken))
        async with market.begin() as work:
            assert {claim.hold_id for claim in await claims_on(work, run, 0, 3)} == {winner.id}


async def test_fifty_buyers_of_ten_seats_make_ten_winners(market):
    """Each wants one seat for the whole run, five want the same: exactly one of each five wins."""
    run = await open_run(market, units=10, slots=4)
    answers = await together(*(lambda n=n: buy(market, want(run, n % 10), f"guest:{n}") for n in range(BUYERS)))
    winners = only(answers, UnitsTaken)
    assert sorted(hold.claims[0].units[0] for hold in winners) == list(range(10))


async def test_overlapping_stretches_of_several_seats_never_share_a_leg(market):
    """Random parties on random stretches. What is sold is exactly what the winners asked for, each leg once."""
    chance = random.Random(20)
    for _ in range(4):
        run = await open_run(market, units=6, slots=6)
        wishes = []
        for _ in range(BUYERS):
            first, end = sorted(chance.sample(range(7), 2))
            wishes.append(want(run, chance.sample(range(6), chance.randint(1, 3)), first, end))
        answers = await together(
            *(lambda n=n, wish=wish: buy(market, wish, f"guest:{n}") for n, wish in enumerate(wishes))
        )
        winners = only(answers, UnitsTaken)
        asked = Counter(
            (unit, slot)
            for hold in winners
            for part in hold.claims
            for unit in part.units
            for slot in range(part.first_slot, part.end_slot)
        )
        assert set(asked.values()) == {1}
        async with market.begin() as work:
            assert {(c.unit, c.slot) for c in await claims_on(work, run, 0, 6)} == set(asked)
            # nobody lost to nobody: every refused wish meets a winner's claim
            for answer, wish in zip(answers, wishes, strict=True):
                if isinstance(answer, UnitsTaken):
                    for _, unit in answer.lost:
                        assert any((unit, slot) in asked for slot in range(wish[0].first_slot, wish[0].end_slot))


async def test_round_trips_in_opposite_order_do_not_block_each_other(market):
    """Two runs, wanted as (out, back) by some and as (back, out) by others: a deadlock if keys were not sorted."""
    out, back = await open_run(market, units=3), await open_run(market, units=3)
    there, and_back = want(out, [0, 1, 2]), want(back, [2, 1, 0])
    for _ in range(3):
        answers = await together(
            *(
                lambda n=n: buy(market, [*there, *and_back] if n % 2 else [*and_back, *there], f"guest:{n}")
                for n in range(BUYERS)
            )
        )
        [winner] = only(answers, UnitsTaken)
        async with market.begin() as work:
            await release(work, winner.id)


async def test_seats_kept_in_a_new_choice_are_never_free_in_between(market):
    """An changes the choice again and again, always keeping seat 0, while others wait for exactly that seat."""
    run = await open_run(market, units=4)
    kept = await buy(market, want(run, [0, 1]), "guest:an")
    stolen: list[Hold] = []

    async def change():
        nonlocal kept
        for turn in range(40):
            kept = await buy(market, want(run, [0, 1 + turn % 3]), "guest:an", replaces=kept.id)

    async def steal(n):
        while not done.is_set():
            try:
                stolen.append(await buy(market, want(run, 0), f"guest:{n}"))
            except UnitsTaken:
                await asyncio.sleep(0)

    done = asyncio.Event()
    thieves = [asyncio.create_task(steal(n)) for n in range(6)]
    await change()
    done.set()
    await asyncio.gather(*thieves)
    assert stolen == []
    async with market.begin() as work:
        assert {claim.hold_id for claim in await claims_on(work, run, 0, 4)} == {kept.id}


async def test_new_choices_that_cross_do_not_block_each_other(market):
    """Two travellers swap towards each other's seats and back, while others ask for all of them."""
    run = await open_run(market, units=6)
    one, two = await buy(market, want(run, [0, 5]), "guest:1"), await buy(market, want(run, [1, 4]), "guest:2")

    async def wander(hold, owner, choices):
        for units in choices:
            try:
                hold = await buy(market, want(run, units), owner, replaces=hold.id)
            except UnitsTaken:
                await asyncio.sleep(0)
        return hold

    async def ask_for_all(n):
        for _ in range(10):
            with pytest.raises(UnitsTaken):
                await buy(market, want(run, [0, 1, 2, 3, 4, 5]), f"guest:{n}")

    answers = await together(
        lambda: wander(one, "guest:1", [[5, 2], [0, 2], [3, 5]] * 8),
        lambda: wander(two, "guest:2", [[2, 4], [4, 0], [1, 3]] * 8),
        *(lambda n=n: ask_for_all(n) for n in range(3, 9)),
    )
    first, second, *others = only(answers)
    assert others == [None] * 6
    async with market.begin() as work:
        claims = await claims_on(work, run, 0, 4)
        assert {claim.hold_id for claim in claims} == {first.id, second.id}
        assert len(claims) == 16


async def test_an_extension_races_a_taker_over_a_clock_that_has_run_out(market):
    """Whoever is second is told; the seat has one owner, and the loser's hold is over for good."""
    for _ in range(15):
        run = await open_run(market, units=1)
        hold = await buy(market, want(run, 0), "guest:an")
        async with market.begin() as work:
            row = await (await work.execute("SELECT clock_timestamp() + interval '3 ms'")).fetchone()
            assert row is not None
            await age(work, hold.id, seconds_left(hold, row[0]))

        async def extend_it(hold=hold):
            async with market.begin() as work:
                return await extend(work, hold.id, owner="guest:an", terms=TERMS)

        answers = await together(
            extend_it, *(lambda n=n, run=run: buy(market, want(run, 0), f"guest:{n}") for n in "bcd")
        )
        winners = only(answers, HoldExpired, UnitsTaken)
        assert len(winners) <= 1
        async with market.begin() as work:
            assert {claim.hold_id for claim in await claims_on(work, run, 0, 4)} == {winner.id for winner in winners}


async def test_a_payment_races_a_taker_a_sweep_and_a_release(market):
    """The clock has just run out when the money arrives. Either the payer has all seats, or somebody else has one."""
    for turn in range(15):
        run = await open_run(market, units=2)
        hold = await buy(market, want(run, [0, 1]), "booking:1")
        async with market.begin() as work:
            row = await (await work.execute("SELECT clock_timestamp() + interval '2 ms'")).fetchone()
            assert row is not None
            await age(work, hold.id, seconds_left(hold, row[0]))

        async def pay(hold=hold):
            async with market.begin() as work:
                try:
                    return await confirm(work, hold.id)
                except HoldLost:
                    return await reclaim(work, hold.id)

        async def sweep_it():
            async with market.begin() as work:
                return await sweep(work)

        async def give_up(hold=hold):
            async with market.begin() as work:
                await release(work, hold.id)

        rivals = [give_up] if turn % 3 == 0 else []
        answers = await together(
            pay, sweep_it, *rivals, *(lambda u=u, run=run: buy(market, want(run, u), f"guest:{u}") for u in (0, 1))
        )
        only(answers, UnitsTaken, HoldLost)
        async with market.begin() as work:
            state = (await get_hold(work, hold.id)).state
            claims = await claims_on(work, run, 0, 4)
        holders = {claim.hold_id for claim in claims}
        assert (state == "confirmed") == (hold.id in holders)
        if state == "confirmed":
            assert holders == {hold.id}
            assert len(claims) == 8
            assert all(claim.expires_at is None for claim in claims)


async def test_selling_two_holds_does_not_block_those_who_want_both(market):
    """A booking of a way back and a way out is paid while others ask for out and back: a deadlock if the second
    hold's claims were locked only when its turn comes."""
    for _ in range(6):
        out, back = await open_run(market, units=1), await open_run(market, units=1)
        holds = [await buy(market, want(back, 0), "booking:1"), await buy(market, want(out, 0), "booking:1")]

        async def pay(holds=holds):
            async with market.begin() as work:
                await lock_holds(work, [hold.id for hold in holds])
                for hold in holds:
                    await confirm(work, hold.id)
                    await work.execute("SELECT pg_sleep(0.01)")

        wish = [*want(out, 0), *want(back, 0)]
        answers = await together(pay, *(lambda n=n, wish=wish: buy(market, wish, f"guest:{n}") for n in range(10)))
        assert only(answers, UnitsTaken) == [None]
        async with market.begin() as work:
            assert {(await get_hold(work, hold.id)).state for hold in holds} == {"confirmed"}


async def check_then_insert(connection, unit, slots):
    """How a seat is sold where nobody thought of the race: look whether it is free, then write it down."""
    async with connection.transaction():
        cursor = await connection.execute(
            "SELECT count(*) FROM claim_without_key WHERE unit = %s AND slot = ANY (%s)"
            " AND (expires_at IS NULL OR expires_at > clock_timestamp())",
            (unit, slots),
        )
        if await cursor.fetchone() != (0,):
            return False
        for slot in slots:
            await connection.execute(
                "INSERT INTO claim_without_key (inventory_id, unit, slot, hold_id, expires_at)"
                " VALUES (1, %s, %s, %s, clock_timestamp() + interval '15 min')",
                (unit, slot, new_id()),
            )
    return True


async def test_control_without_the_primary_key_the_same_race_oversells(market):
    """If this did not oversell, the tests above would prove nothing."""
    async with market.begin() as work:
        await work.execute("CREATE TABLE claim_without_key AS SELECT * FROM claim")
    connections = [await AsyncConnection.connect(market.direct_dsn, autocommit=True) for _ in range(BUYERS)]
    try:
        sold = [
            answer
            for unit in range(5)
            for answer in only(
                await together(*(lambda c=c, unit=unit: check_then_insert(c, unit, [0, 1, 2]) for c in connections))
            )
        ]
    finally:
        for connection in connections:
            await connection.close()
    assert sum(sold) > 5, "five seats were not sold more than five times"
