"""Servers that die, freeze, or lose their connections under load. What was sold stays sold, once."""

import asyncio
import signal
from collections import Counter

import psycopg
import pytest
from tests.faults.audit import audit
from tests.faults.conftest import APART, TOGETHER
from tests.faults.load import loading
from tests.faults.recovery import check_all_works
from tests.market import LEGS, begin_payment, book, lock, pay
from tests.races.conftest import TURNS, open_shop
from tests.servers import leave

WHOLE = (0, LEGS)
SERVED_SECONDS = 60
"""So soon after a fault each server gives out seats again, on any machine that runs the tests."""

MOST_CUTS = 100

TTL = 3
SHORT = {"HOLD_TTL_SECONDS": str(TTL), "BOOKING_TTL_SECONDS": str(TTL), "PAYMENT_WINDOW_SECONDS": str(TTL)}


@pytest.mark.parametrize("turn", range(TURNS))
@pytest.mark.parametrize("victim", [0, 1], ids=["together", "apart"])
async def test_a_server_killed_in_mid_batch_takes_nothing_with_it(shop, victim, turn):
    trips = [shop.trip() for _ in range(3)]
    async with loading(shop, trips) as load:
        await load.until_served(shop.servers, SERVED_SECONDS)
        await asyncio.sleep(0.5)
        shop.servers[victim].kill()
        await load.until_served([shop.servers[1 - victim]], SERVED_SECONDS)
        await asyncio.to_thread(shop.servers[victim].start_again)
        await load.until_served(shop.servers, SERVED_SECONDS)
    assert load.rude == []
    assert load.answers["lost"] > 0
    assert load.paid > 0
    assert audit(shop.dsn, acknowledged=load.acknowledged, given_up=load.given_up) == []


@pytest.mark.parametrize("turn", range(TURNS))
async def test_connections_that_are_cut_cost_requests_but_no_seat(shop, turn):
    """All of them, three times at least, while people are at work. Afterwards everything works as before."""
    trips = [shop.trip() for _ in range(3)]
    async with loading(shop, trips) as load:
        await load.until_served(shop.servers, SERVED_SECONDS)
        cuts = 0
        while cuts < 3 or not load.answers["503 unavailable"]:  # what rested when it was cut costs nobody anything
            cuts += 1
            assert cuts < MOST_CUTS
            with psycopg.connect(shop.dsn, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            await asyncio.sleep(0.3)
        await load.until_served(shop.servers, SERVED_SECONDS)
    assert load.rude == []
    assert audit(shop.dsn, acknowledged=load.acknowledged, given_up=load.given_up) == []
    await check_all_works(shop, shop.trip())
    assert audit(shop.dsn) == []


@pytest.fixture(scope="module")
def hasty(server_dsn, template, pooler):
    """Two servers; at the first, holds and bookings last for three seconds."""
    yield from open_shop(server_dsn, template, pooler, [TOGETHER | SHORT, APART])


@pytest.mark.parametrize("turn", range(TURNS))
async def test_a_server_frozen_beyond_the_time_of_its_holds_finds_them_gone(hasty, turn):
    """Its people's seats are free for others when their time is over, and what it does when it wakes up is too late."""
    frozen, awake = hasty.servers
    trip = hasty.trip()
    people = await hasty.buyers(6)
    an, binh, chi, dung = people[0], people[2], people[1], people[3]
    held = await lock(an, trip, WHOLE, ["1A"])
    unpaid = await lock(binh, trip, WHOLE, ["1B"])
    made = await book(binh, [unpaid.body])
    payment = await begin_payment(binh, made.body["bookingId"])
    assert [held.status, payment.status] == [201, 201]
    async with loading(hasty, [hasty.trip()]) as load:
        await load.until_served(hasty.servers, SERVED_SECONDS)
        frozen.signal(signal.SIGSTOP)
        try:
            extended = asyncio.create_task(an.send("PATCH", f"/seats/lock/{held.body['lockId']}/extend"))
            paid = asyncio.create_task(binh.send("POST", f"/payments/sandbox/{payment.body['paymentId']}", SUCCEEDED))
            await asyncio.sleep(TTL + 0.3)
            sold = [await buy(chi, trip, "1A"), await buy(dung, trip, "1B")]
            await load.until_served([awake], SERVED_SECONDS)
        finally:
            frozen.signal(signal.SIGCONT)
        assert (await extended).status in {409, 410}
        assert (await paid).status in {200, 409}  # the money comes too late, or the page was closed before
        await load.until_served(hasty.servers, SERVED_SECONDS)
    assert load.rude == []
    assert [await status_of(chi, sold[0]), await status_of(dung, sold[1])] == ["confirmed", "confirmed"]
    assert await status_of(binh, made.body["bookingId"]) in {"cancelled", "refunded"}
    assert hasty.sold(trip) == Counter({(seat, leg): 1 for seat in ("1A", "1B") for leg in range(LEGS)})
    assert audit(hasty.dsn, acknowledged=load.acknowledged, given_up=load.given_up) == []
    await leave(people)


SUCCEEDED = {"outcome": "succeeded"}


async def buy(client, trip, seat):
    """The id of a booking that is paid."""
    held = await lock(client, trip, WHOLE, [seat])
    assert held.status == 201, held
    made = await book(client, [held.body])
    payment = await begin_payment(client, made.body["bookingId"])
    assert (await pay(client, payment.body["paymentId"])).status == 200
    return made.body["bookingId"]


async def status_of(client, booking_id):
    return (await client.insist("GET", f"/bookings/{booking_id}")).body["status"]
