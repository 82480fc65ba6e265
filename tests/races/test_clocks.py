"""What happens when a clock runs out, at two servers at once: extending, paying, taking over, sweeping."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest
from tests.faults.audit import audit, deadlocks
from tests.market import LEGS, begin_payment, book, lock, pay
from tests.races.conftest import APART, TOGETHER, TURNS, assert_no_failures, open_shop
from tests.servers import Client, leave

TTL = 3
SHORT = {"HOLD_TTL_SECONDS": str(TTL), "BOOKING_TTL_SECONDS": str(TTL), "PAYMENT_WINDOW_SECONDS": str(TTL)}
WHOLE = (0, LEGS)


@pytest.fixture(scope="module")
def shop(server_dsn, template, pooler):
    for shop in open_shop(server_dsn, template, pooler, [TOGETHER | SHORT, APART]):
        yield shop
        assert_no_failures(shop)


async def until(instant, offset_seconds):
    """Sleep until so long after the end of a hold, as it was told to its owner."""
    end = datetime.fromisoformat(instant)
    await asyncio.sleep(max(0, (end - datetime.now(UTC)).total_seconds() + offset_seconds))


@pytest.mark.parametrize("turn", range(TURNS))
async def test_extending_races_taking_over_and_one_of_them_has_the_seat(shop, turn):
    """Whoever is second is told: the owner that it is over, or the others that it is taken."""
    trip, [hasty, patient] = shop.trip(), shop.servers
    people = await shop.buyers(60)
    owners, others = people[:15], people[15:]
    taken_over, extended_until = [], {}

    async def meet(number, owner):
        seat = shop.seats[number]
        rivals = [Client(patient, rival.token) for rival in others[number * 3 : number * 3 + 3]]
        for rival in rivals:
            await rival.connect()
        owner = Client(hasty, owner.token)
        held = await lock(owner, trip, WHOLE, [seat])
        assert held.status == 201
        await until(held.body["expiresAt"], 0.001 * (number - 7))
        extended, *taken = await asyncio.gather(
            owner.insist("PATCH", f"/seats/lock/{held.body['lockId']}/extend"),
            *(lock(rival, trip, WHOLE, [seat]) for rival in rivals),
        )
        assert extended.status in {200, 409, 410}, extended
        assert {answer.status for answer in taken} <= {201, 409}, taken
        winners = [answer.status for answer in (extended, *taken)]
        assert winners.count(200) + winners.count(201) <= 1
        if extended.status == 200:
            extended_until[seat] = datetime.fromisoformat(extended.body["newExpiresAt"])
        elif 201 in winners:
            taken_over.append(seat)
        await leave([owner, *rivals])

    await asyncio.gather(*(meet(number, owner) for number, owner in enumerate(owners)))
    sold = shop.sold(trip)
    running = [seat for seat, end in extended_until.items() if (seat, 0) in sold or end > datetime.now(UTC)]
    assert sold == Counter({(seat, leg): 1 for seat in taken_over + running for leg in range(LEGS)})
    await leave(people)


@pytest.mark.parametrize("turn", range(TURNS))
async def test_money_that_comes_as_the_clock_runs_out_buys_the_seats_or_goes_back(shop, turn):
    """Paying races the sweeper, the end of the booking, and others who want the seats. Never "paid but nothing"."""
    trip, [hasty, patient] = shop.trip(), shop.servers
    people = await shop.buyers(45)
    payers, others = people[:15], people[15:]

    async def meet(number, payer):
        payer = Client(hasty, payer.token)
        seat = shop.seats[number]
        held = await lock(payer, trip, WHOLE, [seat])
        made = await book(payer, [held.body])
        payment = await begin_payment(payer, made.body["bookingId"])
        assert [held.status, made.status, payment.status] == [201, 201, 201], (held, made, payment)
        rivals = [Client(patient, rival.token) for rival in others[number * 2 : number * 2 + 2]]
        booking = (await payer.insist("GET", f"/bookings/{made.body['bookingId']}")).body
        await until(booking["expiresAt"], 0.002 * (number - 7))
        paid, *taken = await asyncio.gather(
            pay(payer, payment.body["paymentId"]), *(lock(rival, trip, WHOLE, [seat]) for rival in rivals)
        )
        assert paid.status == 200, paid
        assert {answer.status for answer in taken} <= {201, 409}, taken
        booking = (await payer.insist("GET", f"/bookings/{made.body['bookingId']}")).body
        is_sold = booking["status"] == "confirmed"
        assert is_sold or booking["status"] in {"cancelled", "refunded"}
        assert is_sold + sum(answer.status == 201 for answer in taken) == 1, (booking["status"], taken)
        await leave([payer, *rivals])
        return seat

    held = await asyncio.gather(*(meet(number, payer) for number, payer in enumerate(payers)))
    assert set(shop.sold(trip).values()) == {1}
    assert {seat for seat, _ in shop.sold(trip)} <= set(held)
    await leave(people)


def test_after_all_races_the_books_are_right(shop):
    assert audit(shop.dsn) == []
    assert deadlocks(shop.dsn) == 0
