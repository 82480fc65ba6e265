"""Open returns of coach rides, from the seat lock to the ticket back, through HTTP alone."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from tests.bookings.test_changing_coaches import CONTACT, PERSON, bought, paid
from tests.coaches.conftest import an, bo, client, coach, services, visit
from tests.coaches.visitors import problem_of

from farebox.core.money import Money
from farebox.pricing import FareCell, FareTerms, PriceRule, SaleTerms, set_fare_terms

__all__ = ["an", "bo", "client", "coach", "services", "visit"]


@pytest.fixture
async def sold(coach):
    """From A to E 10.00, back 12.00, 10% less there and back; an open return for 30 days, 75% paid back."""
    first, last = coach.departure.calls[0].place_id, coach.departure.calls[-1].place_id
    async with coach.database.begin() as work:
        await set_fare_terms(
            work,
            coach.departure.operator_id,
            FareTerms(service_fee=Money(150, "EUR"), tax_rate_bp=700, child_discount_bp=5000),
            cells=[FareCell(first, last, Money(1000, "EUR")), FareCell(last, first, Money(1200, "EUR"))],
            price_rules=[PriceRule(kind="round-trip", name="Return", percent_bp=-1000)],
            sale_terms={"": SaleTerms(open_return_days=30, open_return_refund_bp=7500)},
        )


async def held_back(visitor, *seats):
    """Seats on the coach that goes back."""
    answer = await visitor.send("POST", "/seats/lock", {"tripId": str(visitor.coach.return_id), "seatNumbers": seats})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_what_it_costs_is_told_with_the_seats_held(an, bo, sold):
    lock = await an.held("4A", "4B", ride="ae")
    path = f"/seats/lock/{lock['lockId']}/open-return"
    offer = (await an.send("GET", f"{path}?passengerTypes=adult,child")).json()["offer"]
    lines = [(line["label"], line["amount"]["amount"]) for line in offer["priceLines"]]
    assert lines == [
        ("Open return", "12.00"),
        ("Open return: Return (-10%)", "-1.20"),
        ("Open return, child", "6.00"),
        ("Open return: Return (-10%)", "-0.60"),
    ]
    assert (offer["total"]["amount"], offer["from"], offer["to"], offer["refundBp"]) == ("16.20", "Eich", "Ahorn", 7500)
    arrives = an.coach.departure.calls[-1].arrival.date()
    assert datetime.fromisoformat(offer["validUntil"]).date() == arrives + timedelta(days=30)
    assert problem_of(await bo.send("GET", path), 404)["code"] == "lock-not-found"
    wrong = await an.send("GET", f"{path}?passengerTypes=adult")
    assert wrong.json()["errors"][0]["code"] == "passenger-count"


async def test_where_the_operator_sells_none_there_is_no_offer(an, coach):
    lock = await an.held("4A", ride="ae")
    assert (await an.send("GET", f"/seats/lock/{lock['lockId']}/open-return")).json() == {"offer": None}
    people = [PERSON | {"seatNumber": "4A"}]
    form = {"lockId": lock["lockId"], "passengers": people, "contact": CONTACT, "openReturn": True}
    refused = await an.send("POST", "/bookings", form)
    assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [
        ("openReturn", "open-return-not-sold")
    ]


async def test_it_is_bought_redeemed_and_rides_under_the_same_reference(an, sold):
    booking = await bought(an, await an.held("4A", ride="ae"), openReturn=True)
    [open_return] = booking["openReturns"]
    assert booking["total"]["amount"] == "22.30"  # 10.00, 1.50, 10.80
    assert open_return["paid"]["amount"] == "10.80"
    lock = await held_back(an, "7A")
    path = f"/bookings/{booking['bookingId']}/open-return"
    quote = (await an.send("POST", f"{path}-quote", {"lockId": lock["lockId"]})).json()
    assert (quote["toPay"]["amount"], quote["toRefund"]["amount"]) == ("0.00", "0.00")
    assert quote["newTrip"]["seatNumbers"] == ["7A"]
    assert [line["label"] for line in quote["linesGone"]] == [
        "Open return",
        "Open return: Return (-10%)",
    ]
    made = await an.send("POST", path, {"lockId": lock["lockId"], "expectedTotal": quote["totalAfter"]})
    assert made.json()["status"] == "applied"
    after = made.json()["booking"]
    assert after["bookingReference"] == booking["bookingReference"]
    assert [(item["from"]["place"], item["to"]["place"]) for item in after["items"]] == [
        ("Ahorn", "Eich"),
        ("Eich", "Ahorn"),
    ]
    assert (after["openReturns"], after["total"]) == ([], booking["total"])
    tickets = await an.send("GET", f"/bookings/{booking['bookingId']}/e-ticket/preview")
    assert tickets.status_code == 200
    gone = await an.send("POST", path, {"lockId": lock["lockId"]})
    assert problem_of(gone, 404)["code"] == "open-return-not-found"


async def test_a_dearer_ride_back_is_a_change_that_waits_for_its_money(an, sold, coach):
    booking = await bought(an, await an.held("4A", ride="ae"), openReturn=True)
    async with coach.database.begin() as work:
        first, last = coach.departure.calls[0].place_id, coach.departure.calls[-1].place_id
        cells = [FareCell(first, last, Money(1000, "EUR")), FareCell(last, first, Money(2000, "EUR"))]
        terms = FareTerms(service_fee=Money(150, "EUR"), tax_rate_bp=700)
        await set_fare_terms(work, coach.departure.operator_id, terms, cells=cells)
    lock = await held_back(an, "7A")
    path = f"/bookings/{booking['bookingId']}"
    made = (await an.send("POST", f"{path}/open-return", {"lockId": lock["lockId"]})).json()
    assert (made["status"], made["change"]["toPay"]["amount"]) == ("pending", "7.20")  # 18.00, for who rides both ways
    waiting = (await an.send("GET", f"{path}/change")).json()
    assert waiting == made["change"]
    after = await paid(an, booking["bookingId"], changeId=made["change"]["changeId"])
    assert (len(after["items"]), after["total"]) == (2, made["quote"]["totalAfter"])


async def test_the_way_there_is_not_the_way_back(an, sold):
    booking = await bought(an, await an.held("4A", ride="ae"), openReturn=True)
    lock = await an.held("5A", ride="ae")
    path = f"/bookings/{booking['bookingId']}/open-return"
    refused = await an.send("POST", f"{path}-quote", {"lockId": lock["lockId"]})
    assert refused.json()["errors"][0]["code"] == "other-way"


async def test_nobody_else_redeems_or_cancels_it(an, bo, sold):
    booking = await bought(an, await an.held("4A", ride="ae"), openReturn=True)
    lock = await held_back(bo, "7A")
    path = f"/bookings/{booking['bookingId']}"
    assert (
        problem_of(await bo.send("POST", f"{path}/open-return", {"lockId": lock["lockId"]}), 404)["code"]
        == "booking-not-found"
    )
    [open_return] = booking["openReturns"]
    asked = {"openReturns": [open_return["openReturnId"]]}
    assert problem_of(await bo.send("PUT", f"{path}/cancel", asked), 404)["code"] == "booking-not-found"
    other = await bought(bo, await bo.held("5A", ride="ae"), openReturn=True)
    theirs = await bo.send("PUT", f"/bookings/{other['bookingId']}/cancel", asked)
    assert problem_of(theirs, 404)["code"] == "open-return-not-found"
    assert (await an.send("GET", path)).json() == booking


async def test_it_is_given_up_after_a_quote(an, sold):
    booking = await bought(an, await an.held("4A", ride="ae"), openReturn=True)
    [open_return] = booking["openReturns"]
    path = f"/bookings/{booking['bookingId']}"
    which = open_return["openReturnId"]
    quote = (await an.send("GET", f"{path}/cancellation-quote?openReturns={which}")).json()
    assert (quote["refund"]["amount"], quote["kept"]["amount"], quote["whole"]) == ("8.10", "2.70", False)
    assert (quote["openReturnIds"], quote["passengerIds"]) == ([which], [])
    assert [line["label"] for line in quote["lines"]] == ["Open return"]
    done = await an.send("PUT", f"{path}/cancel", {"openReturns": [which], "expectedRefund": quote["refund"]})
    after = done.json()
    assert (after["status"], after["openReturns"]) == ("confirmed", [])
    assert after["priceLines"][-1]["label"] == "Kept for an open return, not used"
    total = Decimal(booking["total"]["amount"]) - Decimal("8.10")
    assert Decimal(after["total"]["amount"]) == total


async def test_before_it_is_paid_it_is_added_and_taken_out(an, sold):
    lock = await an.held("4A", ride="ae")
    form = {"lockId": lock["lockId"], "passengers": [PERSON | {"seatNumber": "4A"}], "contact": CONTACT}
    made = (await an.send("POST", "/bookings", form)).json()
    path = f"/bookings/{made['bookingId']}"
    added = (await an.send("PATCH", path, {"openReturn": True})).json()
    assert (len(added["openReturns"]), added["total"]["amount"]) == (1, "22.30")
    assert (await an.send("PATCH", path, {"openReturn": False})).json()["total"] == made["total"]
