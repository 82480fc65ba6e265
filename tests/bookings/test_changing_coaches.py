"""Changing and booking again on coaches, from the seat lock to the ticket, through HTTP alone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.coaches.conftest import an, client, coach, services, visit
from tests.coaches.visitors import problem_of

from farebox.accounts import SYSTEM
from farebox.core.money import Money
from farebox.pricing import FareTerms, NewPromotion, SaleTerms, make_promotion, set_fare_terms

__all__ = ["an", "client", "coach", "services", "visit"]

PERSON = {"fullName": "Nguyễn Văn An", "idType": "passport", "idNumber": "C1234567", "phone": "+84 912 345 678"}
CONTACT = {"email": "an.nguyen@example.com", "phone": "+84 912 345 678"}


@pytest.fixture
async def fee(coach):
    """The operator asks 2.00 for each change, and 1.50 once for a booking."""
    async with coach.database.begin() as work:
        await set_fare_terms(
            work,
            coach.departure.operator_id,
            FareTerms(service_fee=Money(150, "EUR"), tax_rate_bp=700, is_tax_added=True),
            sale_terms={"": SaleTerms(tiers=((1, 5_000),), change_fee_minor=200)},  # the same at any hour of the day
        )


@pytest.fixture
async def code(coach):
    """A code for 20% off."""
    async with coach.database.begin() as work:
        await make_promotion(work, NewPromotion(operator_id=None, code="TWENTY", percent_bp=2000), actor=SYSTEM)
    return "TWENTY"


async def bought(visitor, *locks, **more):
    people = [PERSON | {"seatNumber": seat, "lockId": lock["lockId"]} for lock in locks for seat in lock["seatNumbers"]]
    form = {"lockIds": [lock["lockId"] for lock in locks], "passengers": people, "contact": CONTACT} | more
    made = await visitor.send("POST", "/bookings", form)
    assert made.status_code == 201, made.text
    return await paid(visitor, made.json()["bookingId"])


async def paid(visitor, booking_id, **more):
    begun = await visitor.send("POST", "/payments/create", {"bookingId": booking_id, "method": "sandbox"} | more)
    assert begun.status_code == 201, begun.text
    await visitor.send("POST", f"/payments/sandbox/{begun.json()['paymentId']}", {"outcome": "succeeded"})
    return (await visitor.send("GET", f"/bookings/{booking_id}")).json()


async def statuses(visitor, trip_id, *seats):
    numbers = ",".join(seats)
    answer = await visitor.send("GET", f"/seats/lock/{trip_id}/status?seatNumbers={numbers}")
    return [seat["status"] for seat in answer.json()["seats"]]


async def test_a_longer_ride_on_the_same_coach_is_paid_and_the_old_seat_is_free(an, fee):
    booking = await bought(an, await an.held("4A", ride="ac"))
    lock = await an.held("5A", ride="ae")
    path = f"/bookings/{booking['bookingId']}/change"
    quote = (await an.send("POST", f"{path}-quote", {"lockId": lock["lockId"]})).json()
    made = await an.send("POST", path, {"lockId": lock["lockId"], "expectedTotal": quote["totalAfter"]})
    assert made.json()["status"] == "pending"
    after = await paid(an, booking["bookingId"], changeId=made.json()["change"]["changeId"])
    [item] = after["items"]
    assert (item["seatNumbers"], item["to"]["place"]) == (["5A"], "Eich")
    assert after["total"] == quote["totalAfter"]
    assert await statuses(an, an.coach.id, "4A", "5A") == ["available", "occupied"]


async def test_a_shorter_ride_pays_back_as_much_of_what_the_fee_leaves_as_the_terms_say_now(an, fee):
    booking = await bought(an, await an.held("4A", ride="ae"))
    lock = await an.held("5A", ride="ac")
    answer = await an.send("POST", f"/bookings/{booking['bookingId']}/change", {"lockId": lock["lockId"]})
    changed = answer.json()
    assert changed["status"] == "applied"
    labels = [line["label"] for line in changed["quote"]["linesAdded"]]
    assert labels == [
        "Seat 5A",
        "Seat 5A, tax (7%)",
        "Seat 5A, change fee",
        "Seat 5A, kept of what seat 4A cost more (50% of it is paid back)",
    ]
    before, after, back = (
        Decimal(changed["quote"][name]["amount"]) for name in ("totalBefore", "totalAfter", "toRefund")
    )
    kept = Decimal(changed["quote"]["linesAdded"][-1]["amount"]["amount"])
    assert before - after == back == kept > 0
    gone = sum(Decimal(line["amount"]["amount"]) for line in changed["quote"]["linesGone"])
    added = sum(Decimal(line["amount"]["amount"]) for line in changed["quote"]["linesAdded"])
    assert before - gone + added == after
    assert changed["booking"]["total"] == changed["quote"]["totalAfter"]


@pytest.mark.parametrize(("bought_ride", "more"), [("ac", "ce"), ("ce", "ac")])
async def test_who_rides_further_keeps_the_seat(an, fee, bought_ride, more):
    booking = await bought(an, await an.held("4A", "4B", ride=bought_ride))
    lock = await an.held("4A", "4B", ride=more)
    path = f"/bookings/{booking['bookingId']}/change"
    made = (await an.send("POST", path, {"lockId": lock["lockId"]})).json()
    assert [line["label"] for line in made["quote"]["linesGone"]][::2] == ["Seat 4A", "Seat 4B"]
    after = await paid(an, booking["bookingId"], changeId=made["change"]["changeId"])
    [item] = after["items"]
    assert (item["seatNumbers"], item["from"]["place"], item["to"]["place"]) == (["4A", "4B"], "Ahorn", "Eich")
    assert after["total"] == made["quote"]["totalAfter"]
    async with an.coach.database.begin() as work:
        cursor = await work.execute(
            "SELECT count(*), count(expires_at), count(DISTINCT hold_id) FROM claim WHERE inventory_id = %s",
            (an.coach.departure.inventory_id,),
        )
        assert await cursor.fetchone() == (8, 0, 1)


async def test_one_of_two_rides_further_and_both_keep_their_seats(an, fee):
    booking = await bought(an, await an.held("4A", "4B", ride="ac"))
    lock = await an.held("4B", ride="ce")
    person = booking["items"][0]["passengers"][1]["passengerId"]
    wish = {"lockId": lock["lockId"], "passengers": [{"passengerId": person}]}
    made = (await an.send("POST", f"/bookings/{booking['bookingId']}/change", wish)).json()
    after = await paid(an, booking["bookingId"], changeId=made["change"]["changeId"])
    rides = {(item["seatNumbers"][0], item["from"]["place"], item["to"]["place"]) for item in after["items"]}
    assert rides == {("4A", "Ahorn", "Cella"), ("4B", "Ahorn", "Eich")}


async def test_another_seat_keeps_the_code_s_discount(an, code):
    booking = await bought(an, await an.held("4A", ride="ae"), promoCode=code)
    lock = await an.held("5B", ride="ae")
    answer = await an.send("POST", f"/bookings/{booking['bookingId']}/change", {"lockId": lock["lockId"]})
    assert answer.json()["status"] == "applied"
    assert answer.json()["booking"]["total"] == booking["total"]


async def test_a_cancelled_coach_is_found_again_on_the_next_day_and_booked(an, coach):
    booking = await bought(an, await an.held("4A", "4B", ride="bd"))
    async with coach.database.begin() as work:
        await work.execute("UPDATE departure SET status = 'cancelled' WHERE id = %s", (coach.id,))
    [trip] = (await an.send("POST", f"/bookings/{booking['bookingId']}/rebook")).json()["trips"]
    assert trip["tripId"] != str(coach.id)
    assert trip["seatNumbers"] == ["4A", "4B"]
    left = coach.departure.calls[1].departure + timedelta(days=1)
    assert trip["departure"] == left.isoformat()
    assert (trip["from"], trip["to"]) == (str(coach.stop("b")), str(coach.stop("d")))
    form = {"lockId": trip["lockId"], "passengers": trip["passengers"], "contact": booking["contact"]}
    made = await an.send("POST", "/bookings", form)
    assert made.status_code == 201, made.text
    assert made.json()["total"] == booking["total"]


async def test_the_same_way_on_a_day_that_is_chosen(an, coach):
    booking = await bought(an, await an.held("4A", ride="ae"))
    day = (coach.departure.calls[0].departure + timedelta(days=2)).date()
    answer = await an.send("POST", f"/bookings/{booking['bookingId']}/rebook", {"date": day.isoformat()})
    [trip] = answer.json()["trips"]
    assert trip["departure"].startswith(day.isoformat())
    far = (coach.departure.calls[0].departure + timedelta(days=300)).date().isoformat()
    answer = await an.send("POST", f"/bookings/{booking['bookingId']}/rebook", {"date": far})
    assert problem_of(answer, 404)["code"] == "nothing-found"


async def test_the_way_back_is_looked_for_after_the_way_there(an, coach):
    there = await an.held("4A", ride="ae")
    back = await an.lock(
        "4A", tripId=str(coach.return_id), **{"from": str(coach.stop("e")), "to": str(coach.stop("a"))}
    )
    booking = await bought(an, there, back.json())
    trips = (await an.send("POST", f"/bookings/{booking['bookingId']}/rebook")).json()["trips"]
    assert [trip["tripId"] for trip in trips] == [str(coach.id), str(coach.return_id)]
    assert trips[0]["arrival"] <= trips[1]["departure"]
    assert "4A" not in {seat for trip in trips for seat in trip["seatNumbers"]}
