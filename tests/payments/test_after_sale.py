"""Bookings given up after the sale, through HTTP: quoted, cancelled in whole or in part, and paid back."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import time_machine
from tests.bookings.shows import scalar
from tests.payments.till import paid
from tests.people import make_person, open_session_of
from tests.staff import make_operator, token_of
from tests.waiting import until_somebody_waits

from farebox.accounts import SYSTEM, open_booking_session
from farebox.bookings import (
    BookingStatus,
    NotCancellable,
    complete_bookings,
    get_booking,
)
from farebox.inventory import availability
from farebox.payments import cancel_booking, verify_ledger

API = "/api/v1"
TIERS = ((72, 10_000), (24, 8_000), (2, 5_000))
DAY = 86_400


class Traveller:
    """Somebody with a credential, asking the API."""

    def __init__(self, client: httpx.AsyncClient, token: str, actor=None) -> None:
        self.client, self.actor = client, actor
        self.headers = {"Authorization": f"Bearer {token}"}

    async def send(self, method, path, json=None):
        return await self.client.request(method, API + path, json=json, headers=self.headers)

    async def ok(self, method, path, json=None):
        answer = await self.send(method, path, json)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, method, path, json=None):
        answer = await self.send(method, path, json)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()["code"]


class Counter:
    """Sells bookings and looks after what becomes of them."""

    def __init__(self, till, client, secrets) -> None:
        self.till, self.box, self.database = till, till.box, till.database
        self.client, self.secrets = client, secrets

    async def visitor(self) -> Traveller:
        actor, token = await self.box.guest_with_token()
        return Traveller(self.client, token, actor)

    async def person(self, **columns) -> Traveller:
        person = await make_person(self.database, self.secrets, **columns)
        session = await open_session_of(person)
        return Traveller(self.client, session.token, person.actor)

    async def sold(self, who, units=(0,), *, begins_in=2 * DAY, tiers=TIERS, **show):
        programme = await self.box.show(begins_in=begins_in, tiers=tiers, **show)
        return await self.sell(who, await self.box.hold(who.actor, programme, units)), programme

    async def sell(self, who, *holds):
        booking = await self.box.book(who.actor, *holds)
        payment = await self.till.start(booking, who.actor)
        await self.till.play(payment, "succeeded")
        self.till.events.clear()
        return await self.till.booking(booking)

    async def free(self, show):
        async with self.database.begin() as work:
            return (await availability(work, [(show.inventory_id, 0, 1)]))[0]

    async def is_balanced(self):
        verdicts = await asyncio.to_thread(verify_ledger, self.database.dsn)
        return [verdict for verdict in verdicts if verdict.broken] == []

    async def told(self, type_):
        """What the events of a type say, in order."""
        async with self.database.begin() as work:
            cursor = await work.execute("SELECT data FROM outbox_event WHERE type = %s ORDER BY id", [type_])
            return [row[0] for row in await cursor.fetchall()]


@pytest.fixture
def counter(till, client, secrets):
    return Counter(till, client, secrets)


@pytest.fixture
async def visitor(counter):
    return await counter.visitor()


def people(booking):
    return [str(person.id) for person in booking.passengers]


def amounts(view):
    return view["price"]["amount"], view["refund"]["amount"], view["kept"]["amount"]


# --- quoted first


@pytest.mark.parametrize(
    ("currency", "price", "fee", "told"),
    [
        ("VND", 250_001, 10_000, ("510002", "400002", "110000")),
        ("EUR", 1_255, 100, ("26.10", "20.08", "6.02")),
        ("KWD", 12_503, 250, ("25.256", "20.004", "5.252")),
    ],
)
async def test_a_quote_tells_line_by_line_what_is_paid_back_and_changes_nothing(
    counter, visitor, currency, price, fee, told
):
    booking, show = await counter.sold(visitor, (0, 1), currency=currency, price=price, fee=fee)
    before = await visitor.ok("GET", f"/bookings/{booking.id}")
    quote = await visitor.ok("GET", f"/bookings/{booking.id}/cancellation-quote")
    assert amounts(quote) == told
    assert [(line["label"], line["seatNumber"], line["refundBp"]) for line in quote["lines"]] == [
        ("Seat A1", "A1", 8_000),
        ("Seat A2", "A2", 8_000),
        ("Service fee", None, 0),
    ]
    assert quote["whole"] is True
    assert quote["passengerIds"] == people(booking)
    assert datetime.fromisoformat(quote["until"]) == show.begins - timedelta(hours=24)
    assert await visitor.ok("GET", f"/bookings/{booking.id}") == before
    one = await visitor.ok("GET", f"/bookings/{booking.id}/cancellation-quote?passengers={people(booking)[1]}")
    assert (one["whole"], [line["seatNumber"] for line in one["lines"]]) == (False, ["A2"])


async def test_what_was_not_paid_costs_nothing_to_give_up(counter, visitor):
    show = await counter.box.show(tiers=TIERS)
    booking = await counter.box.book(visitor.actor, await counter.box.hold(visitor.actor, show, (0, 1)))
    assert amounts(await visitor.ok("GET", f"/bookings/{booking.id}/cancellation-quote")) == ("26.00", "26.00", "0.00")
    done = await visitor.ok("DELETE", f"/bookings/{booking.id}?passengers={people(booking)[0]}")
    assert (done["status"], done["total"]["amount"]) == ("pending", "13.50")
    assert done["cancellation"]["paidBack"]["amount"] == "0.00"
    assert await counter.free(show) == 3
    confirmed = await counter.till.start(booking, visitor.actor)
    await counter.till.play(confirmed, "succeeded")
    sold = await counter.till.booking(booking)
    assert (sold.status, [person.seat_number for person in sold.passengers]) == (BookingStatus.CONFIRMED, ["A2"])
    assert await counter.free(show) == 3
    assert await counter.till.tickets() == 1


async def test_people_are_changed_after_one_of_them_left(counter, visitor):
    show = await counter.box.show(tiers=TIERS)
    booking = await counter.box.book(visitor.actor, await counter.box.hold(visitor.actor, show, (0, 1)))
    await visitor.ok("DELETE", f"/bookings/{booking.id}?passengers={people(booking)[0]}")
    person = {
        "seatNumber": "A2",
        "fullName": "Lê Bình",
        "idType": "passport",
        "idNumber": "C1234567",
        "phone": "0912345678",
    }
    changed = await visitor.ok("PATCH", f"/bookings/{booking.id}", {"passengers": [person]})
    assert [each["fullName"] for each in changed["items"][0]["passengers"]] == ["Lê Bình"]
    assert len(changed["former"]) == 1


# --- cancelled


async def test_a_whole_booking_is_cancelled_and_paid_back_by_its_terms(counter, visitor):
    booking, show = await counter.sold(visitor, (0, 1))
    body = {"reason": "Ill", "expectedRefund": {"amount": "20.00", "currency": "EUR"}}
    done = await visitor.ok("PUT", f"/bookings/{booking.id}/cancel", body)
    assert (done["status"], done["reason"], done["total"]["amount"]) == ("cancelled", "customer", "6.00")
    assert amounts(done["cancellation"]) == ("26.00", "20.00", "6.00")
    assert done["cancellation"]["paidBack"] == {"amount": "20.00", "currency": "EUR"}
    assert (done["actions"]["cancel"], done["actions"]["rebook"]) == (None, True)
    assert await counter.free(show) == 4
    assert await counter.till.tickets() == 0
    assert await counter.told("booking.cancelled") == [
        {
            "bookingId": str(booking.id), "reference": booking.reference, "reason": "customer", "wasPaid": True,
            "refund": "20.00", "kept": "6.00", "withheld": "0.00", "currency": "EUR", "refundTo": "origin",
        }
    ]  # fmt: skip
    facts = await scalar(counter.database, "SELECT facts FROM booking_audit ORDER BY id DESC LIMIT 1")
    assert facts == {
        "cause": "customer", "note": "Ill", "passengers": people(booking), "refund": "20.00", "kept": "6.00",
        "withheld": "0.00", "currency": "EUR", "refund_to": "origin",
    }  # fmt: skip
    assert await counter.till.make_refunds() == 1
    assert await counter.till.charges() == [("applied", 2_600, 2_000)]
    assert await counter.is_balanced()
    read = await counter.till.booking(booking)
    assert read.status is BookingStatus.REFUNDED
    assert await visitor.refused("DELETE", f"/bookings/{booking.id}") == (409, "not-cancellable")


async def test_some_passengers_leave_and_the_others_ride(counter, visitor):
    booking, show = await counter.sold(visitor, (0, 1, 2))
    first, second, third = people(booking)
    done = await visitor.ok("DELETE", f"/bookings/{booking.id}?passengers={first},{third}&reason=Two%20are%20ill")
    assert (done["status"], done["total"]["amount"]) == ("confirmed", "18.50")
    assert done["items"][0]["seatNumbers"] == ["A2"]
    assert [(seat["passenger"]["seatNumber"], seat["endedAs"]) for seat in done["former"]] == [
        ("A1", "cancelled"),
        ("A3", "cancelled"),
    ]
    assert [(line["label"], line["amount"]["amount"]) for line in done["priceLines"]] == [
        ("Seat A2", "12.50"),
        ("Service fee", "1.00"),
        ("Kept for seat A1, cancelled", "2.50"),
        ("Kept for seat A3, cancelled", "2.50"),
    ]
    assert await counter.free(show) == 3
    assert await counter.till.tickets() == 1
    [told] = await counter.told("booking.reduced")
    assert (told["passengerIds"], told["refund"], told["kept"]) == ([first, third], "20.00", "5.00")
    assert await counter.told("booking.cancelled") == []
    # Whoever has left cannot leave again, and the last one ends it.
    assert await visitor.refused("DELETE", f"/bookings/{booking.id}?passengers={first}") == (422, "invalid")
    done = await visitor.ok("DELETE", f"/bookings/{booking.id}?passengers={second}")
    assert (done["status"], done["total"]["amount"]) == ("cancelled", "8.50")
    assert await counter.free(show) == 4
    await counter.till.make_refunds()
    assert await counter.till.charges() == [("applied", 3_850, 3_000)]
    assert await counter.is_balanced()


async def test_of_two_rides_one_is_given_up_and_the_booking_ends_with_the_other(counter, visitor):
    there = await counter.box.show(begins_in=2 * DAY, tiers=TIERS)
    back = await counter.box.show(begins_in=9 * DAY, tiers=TIERS)
    holds = [await counter.box.hold(visitor.actor, show) for show in (there, back)]
    booking = await counter.sell(visitor, *holds)
    done = await visitor.ok("DELETE", f"/bookings/{booking.id}?passengers={people(booking)[1]}")
    assert [item["tripId"] for item in done["items"]] == [str(there.id)]
    assert done["total"]["amount"] == "14.50"  # the second ride's fee is not paid back
    assert await counter.free(back) == 4
    with time_machine.travel(there.begins + timedelta(hours=3)):
        async with counter.database.begin() as work:
            await work.execute("UPDATE booking SET completes_at = completes_at - interval '3 days'")
            assert await complete_bookings(work) == 1
    ends = await scalar(counter.database, "SELECT completes_at + interval '3 days' FROM booking")
    assert ends == there.begins + timedelta(hours=2)


async def test_who_has_ridden_one_way_gives_up_the_way_back_only(counter, visitor):
    there = await counter.box.show(begins_in=2 * DAY, tiers=TIERS)
    back = await counter.box.show(begins_in=9 * DAY, tiers=TIERS)
    holds = [await counter.box.hold(visitor.actor, show) for show in (there, back)]
    booking = await counter.sell(visitor, *holds)
    async with counter.database.begin() as work:
        await work.execute("UPDATE booking_item SET starts_at = now() - interval '1 hour' WHERE position = 0")
    path = f"/bookings/{booking.id}"
    assert await visitor.refused("GET", f"{path}/cancellation-quote?passengers={people(booking)[0]}") == (
        409,
        "too-late-to-cancel",
    )
    done = await visitor.ok("DELETE", path)
    assert done["cancellation"]["passengerIds"] == [people(booking)[1]]
    assert (done["status"], len(done["items"]), done["actions"]["cancel"]) == ("confirmed", 1, None)
    assert await visitor.refused("DELETE", path) == (409, "too-late-to-cancel")


async def test_what_changed_since_the_quote_is_not_done(counter, visitor):
    booking, show = await counter.sold(visitor)
    wrong = {"expectedRefund": {"amount": "12.50", "currency": "EUR"}}
    answer = await visitor.send("PUT", f"/bookings/{booking.id}/cancel", wrong)
    assert (answer.status_code, answer.json()["code"]) == (409, "refund-changed")
    assert answer.json()["refund"] == {"amount": "10.00", "currency": "EUR"}
    assert await counter.free(show) == 3


@pytest.mark.parametrize("passengers", ["x", "", "00000000-0000-7000-8000-000000000000"])
async def test_who_is_not_on_it_cannot_be_taken_off(counter, visitor, passengers):
    booking, _ = await counter.sold(visitor)
    path = f"/bookings/{booking.id}/cancellation-quote?passengers={passengers}"
    assert await visitor.refused("GET", path) == (422, "invalid")


async def test_nothing_is_taken_out_of_a_booking_that_is_being_paid(counter, visitor):
    show = await counter.box.show(tiers=TIERS)
    booking = await counter.box.book(visitor.actor, await counter.box.hold(visitor.actor, show, (0, 1)))
    payment = await counter.till.start(booking, visitor.actor)
    path = f"/bookings/{booking.id}"
    assert await visitor.refused("DELETE", f"{path}?passengers={people(booking)[0]}") == (409, "not-cancellable")
    assert (await visitor.ok("DELETE", path))["status"] == "cancelled"  # all of it can be
    await counter.till.deliver(paid(payment))
    assert await counter.till.charges() == [("unwanted", 2_600, 2_600)]


# --- by whom


async def test_a_code_for_the_booking_cancels_it_but_not_into_a_wallet(counter, client):
    owner = await counter.person()
    booking, _ = await counter.sold(owner)
    async with counter.database.begin() as work:
        token = await open_booking_session(work, booking.id, ttl_seconds=60)
    guest = Traveller(client, token)
    path = f"/bookings/{booking.id}"
    assert await guest.refused("DELETE", f"{path}?refundTo=wallet") == (409, "no-wallet")
    assert (await guest.ok("DELETE", path))["status"] == "cancelled"


async def test_a_visitor_has_no_wallet(counter, visitor):
    booking, _ = await counter.sold(visitor)
    assert await visitor.refused("DELETE", f"/bookings/{booking.id}?refundTo=wallet") == (409, "no-wallet")


async def test_a_person_may_have_the_money_in_the_wallet(counter):
    owner = await counter.person()
    booking, _ = await counter.sold(owner)
    done = await owner.ok("DELETE", f"/bookings/{booking.id}?refundTo=wallet")
    assert done["cancellation"]["refundTo"] == "wallet"
    assert await scalar(counter.database, "SELECT array_agg(destination) FROM refund") == ["wallet"]
    await counter.till.make_refunds()
    assert await scalar(counter.database, "SELECT balance_minor FROM wallet") == 1_000
    assert await counter.is_balanced()


async def test_the_operators_staff_cancel_by_the_terms_and_in_full_where_it_is_the_cause(counter, visitor, client):
    booking, show = await counter.sold(visitor, (0, 1))
    theatre = await make_operator(counter.database, counter.secrets, "theatre")
    agent = Traveller(client, await token_of(await theatre.hire("agent")))
    admin = Traveller(client, await token_of(await theatre.hire("operator_admin")))
    path = f"/bookings/{booking.id}"
    done = await agent.ok("DELETE", f"{path}?passengers={people(booking)[0]}")
    assert done["cancellation"]["refund"]["amount"] == "10.00"
    assert (await agent.send("GET", f"{path}/operator-cancellation")).status_code == 403
    assert (await visitor.send("GET", f"{path}/operator-cancellation")).status_code == 403
    assert amounts(await admin.ok("GET", f"{path}/operator-cancellation")) == ("13.50", "13.50", "0.00")
    done = await admin.ok("POST", f"{path}/operator-cancellation", {"reason": "The coach broke down"})
    assert (done["status"], done["reason"], done["total"]["amount"]) == ("cancelled", "operator", "2.50")
    await counter.till.make_refunds()
    assert await counter.till.charges() == [("applied", 2_600, 2_350)]
    assert await counter.is_balanced()
    assert await counter.free(show) == 4


async def test_the_operator_cancels_what_has_begun(counter, visitor, client):
    booking, _ = await counter.sold(visitor)
    theatre = await make_operator(counter.database, counter.secrets, "theatre")
    admin = await theatre.hire("operator_admin")
    async with counter.database.begin() as work:
        await work.execute("UPDATE booking_item SET starts_at = now() - interval '1 hour'")
    staff = Traveller(client, await token_of(admin))
    done = await staff.ok("POST", f"/bookings/{booking.id}/operator-cancellation", {})
    assert done["cancellation"]["refund"]["amount"] == "13.50"


async def test_staff_give_up_their_own_operators_rides_only(counter, visitor, client):
    ours = await counter.box.show(begins_in=2 * DAY, tiers=TIERS)
    theirs = await counter.box.show(begins_in=2 * DAY, tiers=TIERS, operator="opera")
    holds = [await counter.box.hold(visitor.actor, show) for show in (ours, theirs)]
    booking = await counter.sell(visitor, *holds)
    opera = await make_operator(counter.database, counter.secrets, "opera")
    admin = Traveller(client, await token_of(await opera.hire("operator_admin")))
    path = f"/bookings/{booking.id}"
    assert await admin.refused("DELETE", f"{path}?passengers={people(booking)[0]}") == (422, "invalid")
    done = await admin.ok("POST", f"{path}/operator-cancellation", {})
    assert done["cancellation"]["passengerIds"] == [people(booking)[1]]
    assert await counter.free(ours) == 3
    assert await counter.is_balanced()


async def test_others_do_not_find_it(counter, visitor, client):
    booking, _ = await counter.sold(visitor)
    opera = await make_operator(counter.database, counter.secrets, "opera")
    strangers = [
        await counter.visitor(),
        Traveller(client, await token_of(await opera.hire("operator_admin"))),
    ]
    path = f"/bookings/{booking.id}"
    for stranger in strangers:
        for method, where, body in (
            ("GET", f"{path}/cancellation-quote", None),
            ("DELETE", path, None),
            ("PUT", f"{path}/cancel", {}),
        ):
            assert await stranger.refused(method, where, body) == (404, "booking-not-found")
    staff = strangers[1]
    assert await staff.refused("GET", f"{path}/operator-cancellation") == (404, "booking-not-found")
    assert await staff.refused("POST", f"{path}/operator-cancellation", {}) == (404, "booking-not-found")
    assert (await visitor.ok("GET", path))["status"] == "confirmed"


async def test_what_the_payers_bank_took_back_is_not_paid_back_again(counter, visitor):
    booking, _ = await counter.sold(visitor)
    async with counter.database.begin() as work:
        await work.execute("UPDATE payment_charge SET dispute = 'open'")
    done = await visitor.ok("DELETE", f"/bookings/{booking.id}")
    assert (done["status"], done["cancellation"]["paidBack"]["amount"]) == ("cancelled", "0.00")
    assert [told["refund"] for told in await counter.told("booking.cancelled")] == ["0.00"]


# --- at once


async def test_of_a_cancellation_and_a_payment_at_once_one_is_first_and_the_money_is_right(counter, visitor):
    show = await counter.box.show(begins_in=4 * DAY, tiers=TIERS)
    booking = await counter.box.book(visitor.actor, await counter.box.hold(visitor.actor, show))
    payment = await counter.till.start(booking, visitor.actor)
    answer, _ = await asyncio.gather(
        visitor.send("DELETE", f"/bookings/{booking.id}"), counter.till.deliver(paid(payment))
    )
    assert answer.status_code == 200
    await counter.till.make_refunds()
    ended = await counter.till.booking(booking)
    charge = await counter.till.charges()
    outcomes = {
        (BookingStatus.REFUNDED, ("unwanted", 1_350, 1_350)),  # cancelled first: what came afterwards goes back
        (BookingStatus.REFUNDED, ("applied", 1_350, 1_250)),  # paid first: cancelled by its terms, the fee is kept
    }
    assert (ended.status, charge[0]) in outcomes
    assert await counter.free(show) == 4
    assert await counter.till.tickets() == 0
    assert await counter.is_balanced()


async def test_of_many_who_cancel_at_once_one_does(counter, visitor):
    booking, show = await counter.sold(visitor, (0, 1))
    answers = await asyncio.gather(*(visitor.send("DELETE", f"/bookings/{booking.id}") for _ in range(6)))
    codes = [answer.status_code for answer in answers]
    assert sorted(codes) == [200, 409, 409, 409, 409, 409]
    assert await counter.till.charges() == [("applied", 2_600, 2_000)]
    assert await counter.free(show) == 4
    assert await counter.is_balanced()


async def test_people_who_leave_at_once_all_leave_and_each_is_paid_back_once(counter, visitor):
    booking, show = await counter.sold(visitor, (0, 1, 2, 3))
    answers = await asyncio.gather(
        *(visitor.send("DELETE", f"/bookings/{booking.id}?passengers={each}") for each in people(booking) * 2)
    )
    assert sorted(answer.status_code for answer in answers)[:4] == [200] * 4
    assert all(answer.status_code in {409, 422} for answer in answers if answer.status_code != 200)
    ended = await counter.till.booking(booking)
    assert (ended.status, ended.total.minor) == (BookingStatus.CANCELLED, 1_100)
    assert await counter.till.charges() == [("applied", 5_100, 4_000)]
    assert await counter.free(show) == 4
    assert await counter.is_balanced()


async def test_control_without_the_lock_a_seat_would_be_paid_back_twice(counter, visitor):
    """Two who read the booking before either wrote: the second must not find it as the first did."""
    booking, _ = await counter.sold(visitor)
    async with counter.database.begin() as first:
        await cancel_booking(first, booking.id, actor=SYSTEM)
        second = asyncio.create_task(_cancel(counter, booking))
        await until_somebody_waits(counter.database)
        assert not second.done()
    with pytest.raises(NotCancellable):
        await second
    assert await counter.till.charges() == [("applied", 1_350, 1_000)]


async def _cancel(counter, booking):
    async with counter.database.begin() as work:
        return await cancel_booking(work, booking.id, actor=SYSTEM)


async def test_a_booking_reads_as_it_was_when_its_cancellation_is_undone(counter, visitor):
    booking, _ = await counter.sold(visitor)
    work = counter.database.open()
    await cancel_booking(work, booking.id, actor=SYSTEM)
    await work.rollback()
    await work.close()
    async with counter.database.begin() as work:
        assert await get_booking(work, booking.id, actor=SYSTEM) == booking
    assert datetime.now(UTC) < booking.items[0].starts_at
