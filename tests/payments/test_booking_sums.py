"""What a booking's JSON tells of its money, from making it to its refund."""

from datetime import UTC, datetime

import msgspec
from tests.payments.test_api import begun, guest, play

from farebox.api.refunds import MadeRefunds
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import RefundView, make_forgotten_refunds

__all__ = ["guest"]


def eur(amount):
    return {"amount": amount, "currency": "EUR"}


async def read(guest, made):
    return (await guest.send("GET", f"/bookings/{made['bookingId']}")).json()


def money(booking):
    return booking["paid"]["amount"], booking["due"]["amount"], booking["paymentStatus"]


async def test_a_new_booking_owes_its_total(box, guest):
    made = await guest.book(await box.show())
    assert made["confirmationCode"] == made["bookingReference"]
    assert (money(made), made["payments"]) == (("0.00", "13.50", "pending"), [])
    assert await read(guest, made) == made
    assert (await guest.send("GET", "/bookings")).json()["items"] == [made]


async def test_what_came_in_parts_is_told_with_what_is_missing(box, client, guest):
    made, payment = await begun(guest, await box.show())
    assert money(await read(guest, made)) == ("0.00", "13.50", "processing")
    await play(client, payment, "partial")
    part = await read(guest, made)
    assert money(part)[:2] == ("6.75", "6.75")
    assert part["total"] == eur("13.50")
    assert [(each["paymentId"], each["method"], each["refunds"]) for each in part["payments"]] == [
        (payment["paymentId"], "sandbox", [])
    ]
    await play(client, payment, "partial")
    whole = await read(guest, made)
    assert (whole["status"], money(whole)) == ("confirmed", ("13.50", "0.00", "completed"))
    assert [each["status"] for each in whole["payments"]] == ["completed"]


async def test_an_attempt_that_came_to_nothing_is_told(box, client, guest):
    made, payment = await begun(guest, await box.show())
    await play(client, payment, "failed")
    booking = await read(guest, made)
    assert (booking["status"], money(booking)) == ("pending", ("0.00", "13.50", "failed"))
    assert booking["payments"][0]["failure"]


async def test_what_goes_back_comes_off_what_was_paid_and_the_traveller_says_why(box, client, guest, services):
    made, payment = await begun(guest, await box.show(begins_in=3 * 86_400))
    await play(client, payment, "succeeded")
    answer = await guest.send("DELETE", f"/bookings/{made['bookingId']}?reason=Ill%20at%20home")
    cancelled = answer.json()
    assert (cancelled["cancellation"]["refund"], cancelled["cancellation"]["kept"]) == (eur("12.50"), eur("1.00"))
    assert cancelled["cancellation"]["refundTo"] == "origin"
    assert (cancelled["reason"], cancelled["cancellationReason"]) == ("customer", "Ill at home")
    assert (cancelled["status"], money(cancelled)) == ("cancelled", ("13.50", "0.00", "completed"))
    assert [(each["status"], each["amount"]) for each in cancelled["payments"][0]["refunds"]] == [
        ("pending", eur("12.50"))
    ]
    await make_forgotten_refunds(services.database, providers=services.providers, older_than_seconds=-1)
    refunded = await read(guest, made)
    assert (refunded["status"], money(refunded)) == ("refunded", ("1.00", "0.00", "partially_refunded"))
    assert refunded["cancellationReason"] == "Ill at home"


async def test_one_that_nobody_paid_says_why_it_was_given_up(box, guest):
    made = await guest.book(await box.show())
    await guest.send("PUT", f"/bookings/{made['bookingId']}/cancel", {"reason": "Too early"})
    booking = await read(guest, made)
    assert (booking["cancellationReason"], money(booking)) == ("Too early", ("0.00", "0.00", "pending"))


async def test_a_free_booking_is_paid(box, guest):
    made = await guest.book(await box.show(price=0, fee=0))
    await guest.send("POST", f"/bookings/{made['bookingId']}/confirm")
    assert money(await read(guest, made)) == ("0.00", "0.00", "completed")


async def test_a_refund_that_came_back_is_owed_again(box, client, guest, services):
    made, payment = await begun(guest, await box.show(begins_in=3 * 86_400))
    await play(client, payment, "succeeded")
    await guest.send("DELETE", f"/bookings/{made['bookingId']}")
    await make_forgotten_refunds(services.database, providers=services.providers, older_than_seconds=-1)
    await play(client, payment, "refund-failed")
    booking = await read(guest, made)
    assert money(booking) == ("13.50", "0.00", "completed")
    [told] = booking["payments"]
    assert (told["status"], [each["status"] for each in told["refunds"]]) == ("completed", ["failed"])
    assert (await guest.send("GET", f"/payments/{payment['paymentId']}")).json()["status"] == "completed"


async def test_cancelled_by_put_with_the_reason_in_the_address(box, guest):
    made = await guest.book(await box.show())
    answer = await guest.send("PUT", f"/bookings/{made['bookingId']}/cancel?reason=Too%20late")
    assert answer.json()["cancellationReason"] == "Too late"


def test_a_single_refund_is_told_at_the_top_too():
    at = datetime(2026, 11, 20, tzinfo=UTC)
    ids = new_id(), new_id()
    one, other = (
        RefundView(each, ids[0], "pending", "origin", Money(500, "EUR"), "allowance", at, None) for each in ids
    )
    told = msgspec.to_builtins(MadeRefunds.of([one]))
    assert {name: told[name] for name in ("refundId", "paymentId", "status", "to", "amount")} == {
        "refundId": str(ids[0]), "paymentId": str(ids[0]), "status": "pending", "to": "origin", "amount": eur("5.00"),
    }  # fmt: skip
    assert set(msgspec.to_builtins(MadeRefunds.of([one, other]))) == {"items"}
