"""Hundreds of buyers at two server processes: who wins, and what those are told who do not."""

import asyncio
import itertools
import random
from collections import Counter

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.faults.audit import audit, deadlocks
from tests.market import LEGS, begin_payment, book, lock, pay
from tests.races.conftest import TURNS
from tests.races.control import LOOK_THEN_WRITE
from tests.servers import Client, leave

BUYERS = 200
WHOLE = (0, LEGS)
LONGEST_SECONDS = 20
"""No answer takes longer, on any machine that runs the tests."""

RIDES = [ride for ride in itertools.combinations(range(LEGS + 1), 2) if ride[0] != 3 and ride[1] != 1]
"""Nobody gets off at the second stop, nor on at the last but one."""


def legs(ride):
    return range(*ride)


def check(answers, *statuses):
    """Nothing but what was expected, and in time."""
    assert {answer.status for answer in answers} <= set(statuses), [a for a in answers if a.status not in statuses][:3]
    assert max(answer.seconds for answer in answers) < LONGEST_SECONDS


def check_refusal(answer, wish, sold):
    """The loser is told which of the seats were lost, and each of them was lost to a winner."""
    ride, seats = wish
    problem = answer.body
    assert problem["code"] == "seats-unavailable"
    assert problem["seats"]
    assert set(problem["seats"]) <= set(seats)
    for seat in problem["seats"]:
        assert any((seat, leg) in sold for leg in legs(ride)), f"nobody has {seat}"
        assert seat in problem["detail"]


@pytest.mark.parametrize("turn", range(TURNS))
async def test_two_hundred_buyers_of_ten_seats_make_ten_winners(shop, turn):
    trip, seats = shop.trip(), shop.seats[:10]
    buyers = await shop.buyers(BUYERS)
    wishes = [(WHOLE, [seats[number // 20]]) for number in range(BUYERS)]
    answers = await shop.race(trip, (lock(b, trip, *wish) for b, wish in zip(buyers, wishes, strict=True)))
    check(answers, 201, 409)
    winners = [seat for answer in answers if answer.status == 201 for seat in answer.body["seatNumbers"]]
    assert sorted(winners) == sorted(seats)
    sold = shop.sold(trip)
    assert sold == Counter({(seat, leg): 1 for seat in seats for leg in legs(WHOLE)})
    for answer, wish in zip(answers, wishes, strict=True):
        if answer.status == 409:
            check_refusal(answer, wish, sold)
    await leave(buyers)


@pytest.mark.parametrize("turn", range(TURNS))
async def test_of_random_rides_on_one_coach_each_leg_is_sold_once(shop, turn):
    """What is sold is exactly what the winners asked for, and nobody loses to nobody."""
    chance = random.Random(turn)
    trip, seats = shop.trip(), shop.seats[:12]
    buyers = await shop.buyers(BUYERS)
    wishes = [(chance.choice(RIDES), chance.sample(seats, chance.randint(1, 3))) for _ in buyers]
    answers = await shop.race(trip, (lock(b, trip, *wish) for b, wish in zip(buyers, wishes, strict=True)))
    check(answers, 201, 409)
    asked: Counter[tuple[str, int]] = Counter()
    for answer, (ride, own) in zip(answers, wishes, strict=True):
        if answer.status == 201:
            assert sorted(answer.body["seatNumbers"]) == sorted(own)
            asked.update((seat, leg) for seat in own for leg in legs(ride))
    assert set(asked.values()) == {1}
    sold = shop.sold(trip)
    assert sold == asked
    for answer, wish in zip(answers, wishes, strict=True):
        if answer.status == 409:
            check_refusal(answer, wish, sold)
    await leave(buyers)


@pytest.mark.parametrize("turn", range(TURNS))
async def test_round_trips_that_cross_in_opposite_order_all_come_through(shop, turn):
    """Half hold, book and pay out and back, half back and out, while others ask for the very seats: deadlock bait."""
    out, back = shop.round_trip()
    people = await shop.buyers(36)
    travellers, rivals = people[:16], people[16:]
    all_held = asyncio.Event()
    holding = 0

    async def travel(number, client):
        seats = shop.seats[number * 2 : number * 2 + 2]
        order = [out, back] if number % 2 else [back, out]
        locks = [await lock(client, trip, WHOLE, seats) for trip in order]
        check(locks, 201)
        nonlocal holding
        holding += 1
        if holding == len(travellers):
            all_held.set()
        await all_held.wait()
        made = await book(client, [each.body for each in locks])
        check([made], 201)
        payment = await begin_payment(client, made.body["bookingId"])
        check([payment], 201)
        paid = await pay(client, payment.body["paymentId"])
        check([paid], 200)
        return (await client.insist("GET", f"/bookings/{made.body['bookingId']}")).body["status"]

    async def get_in_the_way(number, client):
        """Each seat of theirs from behind, on one trip and then on the other."""
        chance = random.Random(number + turn)
        await all_held.wait()
        return [
            await lock(client, trip, chance.choice(RIDES), chance.sample(shop.seats[:32], 5)[::-1])
            for trip in ([out, back] * 3 if number % 2 else [back, out] * 3)
        ]

    journeys = asyncio.gather(*(travel(number, client) for number, client in enumerate(travellers)))
    ways = asyncio.gather(*(get_in_the_way(number, client) for number, client in enumerate(rivals)))
    assert await journeys == ["confirmed"] * len(travellers)
    for asked in await ways:
        check(asked, 409)
        assert {answer.body["code"] for answer in asked} == {"seats-unavailable"}
    for trip in (out, back):
        assert shop.sold(trip) == Counter({(seat, leg): 1 for seat in shop.seats[:32] for leg in legs(WHOLE)})
    await leave(people)


@pytest.mark.parametrize("turn", range(TURNS))
async def test_a_payment_races_the_end_of_its_booking_and_one_of_them_wins(shop, turn):
    """The money's message comes to one server while the traveller cancels at the other."""
    trip = shop.trip()
    people = await shop.buyers(24)
    strangers = shop.servers[::-1]
    paid: list[str] = []
    ended: list[str] = []

    async def meet(number, client):
        held = await lock(client, trip, WHOLE, [shop.seats[number]])
        made = await book(client, [held.body])
        payment = await begin_payment(client, made.body["bookingId"])
        check([held, made, payment], 201)
        other = Client(strangers[number % 2], client.token)
        await other.connect()
        # as close together as can be: each is given a head start at times
        await asyncio.sleep(0.002 * (number % 5))
        first, second, third = await asyncio.gather(
            pay(client, payment.body["paymentId"]),
            other.insist("DELETE", f"/bookings/{made.body['bookingId']}"),
            people[-1 - number].insist("DELETE", f"/seats/lock/{held.body['lockId']}"),
        )
        check([first], 200)
        check([second], 200, 409)
        check([third], 404)  # the lock is the booking's now, and was never theirs
        status = (await client.insist("GET", f"/bookings/{made.body['bookingId']}")).body["status"]
        (ended if second.status == 200 else paid).append(shop.seats[number])
        assert status in ({"cancelled", "refunded"} if second.status == 200 else {"confirmed"})
        await other.close()

    await asyncio.gather(*(meet(number, client) for number, client in enumerate(people[:12])))
    assert sorted(paid + ended) == sorted(shop.seats[:12])
    assert shop.sold(trip) == Counter({(seat, leg): 1 for seat in paid for leg in legs(WHOLE)})
    await leave(people)


@pytest.mark.parametrize("turn", range(TURNS))
async def test_booking_seats_races_giving_them_back_and_one_of_them_wins(shop, turn):
    trip = shop.trip()
    people = await shop.buyers(16)
    strangers = shop.servers[::-1]
    booked = []

    async def meet(number, client):
        held = await lock(client, trip, WHOLE, [shop.seats[number]])
        other = Client(strangers[number % 2], client.token)
        await other.connect()
        made, given = await asyncio.gather(
            book(client, [held.body]), other.insist("DELETE", f"/seats/lock/{held.body['lockId']}")
        )
        check([made], 201, 404, 409, 410)
        check([given], 200, 404)
        assert (made.status == 201) != (given.status == 200)
        if made.status == 201:
            booked.append(shop.seats[number])
        await other.close()

    await asyncio.gather(*(meet(number, client) for number, client in enumerate(people)))
    assert shop.sold(trip) == Counter({(seat, leg): 1 for seat in booked for leg in legs(WHOLE)})
    await leave(people)


def test_after_all_races_the_books_are_right(shop):
    assert audit(shop.dsn) == []
    assert deadlocks(shop.dsn) == 0


async def test_control_without_the_primary_key_the_same_race_oversells(shop, server_dsn):
    """If this sold each seat once, the tests above would prove nothing. The last test, since it ruins the database."""
    # as the superuser: Farebox' own role is not allowed to do such a thing
    with psycopg.connect(
        make_conninfo(server_dsn, dbname=conninfo_to_dict(shop.dsn)["dbname"]), autocommit=True
    ) as connection:
        connection.execute(LOOK_THEN_WRITE)
    seats = shop.seats[:10]
    buyers = await shop.buyers(BUYERS + 1)
    *crowd, last = buyers
    for _ in range(5):  # on a busy machine one server may be done before the other begins, and then nothing happens
        trip = shop.trip()
        answers = await shop.race(trip, (lock(b, trip, WHOLE, [seats[n // 20]]) for n, b in enumerate(crowd)))
        if sum(answer.status == 201 for answer in answers) > len(seats):
            break
    assert max(shop.sold(trip).values()) > 1
    assert "two claims on one key" in audit(shop.dsn)[0]
    # looking is enough where nobody comes at the same time, which is why such software passes its tests
    assert (await lock(last, trip, WHOLE, [seats[0]])).status == 409
    await leave(buyers)
