"""Razorpay's adapter, over HTTP against a double of Razorpay's payment links."""

import hashlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.payments.adapters.loopback import Asked, answering
from tests.payments.adapters.razorpay_double import (
    KEY_ID,
    KEY_SECRET,
    WEBHOOK_SECRET,
    RazorpayDouble,
    signature,
)

from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import (
    BadSignature,
    OrderRefused,
    PaymentOrder,
    ProviderUnavailable,
    RefundOrder,
    RefundRefused,
    RunningPayment,
    UnreadableWebhook,
)
from farebox.payments.adapters.razorpay import Razorpay


@pytest.fixture
def far() -> Iterator[RazorpayDouble]:
    double = RazorpayDouble()
    with answering(double.answer) as double.url:
        yield double


@pytest.fixture
async def adapter(far: RazorpayDouble) -> AsyncIterator[Razorpay]:
    razorpay = Razorpay(key_id=KEY_ID, key_secret=KEY_SECRET, webhook_secret=WEBHOOK_SECRET, api_url=far.url)
    yield razorpay
    await razorpay.dispose()


def order(**facts: Any) -> PaymentOrder:
    known: dict[str, Any] = {
        "payment_id": new_id(),
        "reference": "BUS20261120K7QM2X",
        "amount": Money(45_000, "INR"),
        "method": "razorpay",
        "return_url": "https://tickets.example/bookings/1?x=ă",
        "expires_in_seconds": 1800,
        "language": "en",
    }
    return PaymentOrder(**(known | facts))


def owed(minor: int, charge: str = "pay_1") -> RefundOrder:
    return RefundOrder(new_id(), "plink_1", charge, Money(minor, "INR"), "cancelled")


async def begun(adapter: Razorpay, **facts: Any) -> RunningPayment:
    asked = order(**facts)
    return RunningPayment(asked.payment_id, (await adapter.start(asked)).external_id, asked.amount, asked.method)


async def paid(adapter: Razorpay, far: RazorpayDouble) -> RunningPayment:
    payment = await begun(adapter)
    far.pay(payment.external_id)
    far.sent.clear()
    return payment


async def heard(adapter: Razorpay, far: RazorpayDouble) -> list[tuple[Any, ...]]:
    events = [await adapter.parse_webhook(headers, body) for headers, body in far.send()]
    return [(event.kind, event.charge_id, event.amount_minor) for event in events]


def test_it_is_offered_for_rupees_alone(adapter):
    assert [method.code for method in adapter.methods("INR")] == ["razorpay"]
    assert adapter.methods("EUR") == []


async def test_a_link_is_made_for_the_amount_in_paise_and_names_our_payment(adapter, far):
    asked = order()
    started = await adapter.start(asked)
    link = far.links[started.external_id]
    assert started.checkout_url == f"{far.url}/i/plink_1"
    assert (link["amount"], link["currency"], link["description"]) == (45_000, "INR", asked.reference)
    assert (link["reference_id"], link["notes"]) == (str(asked.payment_id), {"farebox_payment": str(asked.payment_id)})
    assert (link["callback_url"], link["notify"]) == (asked.return_url, {"sms": False, "email": False})
    assert abs(link["expire_by"] - time.time() - 1800) < 60


async def test_a_link_is_open_for_longer_than_razorpays_least(adapter, far):
    await adapter.start(order(expires_in_seconds=60))
    assert abs(far.links["plink_1"]["expire_by"] - time.time() - 1200) < 60


@pytest.mark.parametrize("filters", [True, False])
async def test_the_same_payment_has_one_link(adapter, far, filters):
    far.filters = filters
    await adapter.start(order())
    asked = order()
    first = await adapter.start(asked)
    assert await adapter.start(replace(asked, expires_in_seconds=900)) == first
    assert len(far.links) == 2


async def test_a_link_that_is_over_is_not_opened_again(adapter, far):
    asked = order()
    first = await adapter.start(asked)
    far.expire(first.external_id)
    with pytest.raises(OrderRefused):
        await adapter.start(asked)


@pytest.mark.parametrize("amount", [Money(99, "INR"), Money(45_000, "EUR")])
async def test_an_amount_that_razorpay_does_not_take_is_refused(adapter, amount):
    with pytest.raises(OrderRefused):
        await adapter.start(order(amount=amount))


@pytest.mark.parametrize(
    "answer",
    [
        (401, {"error": {"code": "BAD_REQUEST_ERROR", "description": "Authentication failed"}}),
        (409, {"error": {"description": "Another request with the same idempotency key is still in progress."}}),
        (429, {}),
        (500, b"<html>"),
        (200, b"<html>"),
        (200, {"id": "plink_1"}),
    ],
)
async def test_a_razorpay_that_cannot_now_is_unavailable(adapter, far, answer):
    far.says = answer
    with pytest.raises(ProviderUnavailable) as caught:
        await adapter.start(order())
    assert not isinstance(caught.value, OrderRefused)


async def test_a_payment_is_one_charge_whoever_tells_it(adapter, far):
    payment = await begun(adapter)
    charge = far.pay(payment.external_id)
    events = [await adapter.parse_webhook(headers, body) for headers, body in far.send()]
    [fetched] = await adapter.fetch(payment)
    for event in (*events, fetched):
        assert (event.kind, event.payment_id, event.charge_id) == ("paid", payment.payment_id, charge)
        assert (event.amount_minor, event.currency) == (45_000, "INR")
    assert len({event.external_id for event in (*events, fetched)}) == 3


async def test_a_message_that_comes_again_is_the_same_whatever_its_unsigned_headers_say(adapter, far):
    payment = await begun(adapter)
    far.pay(payment.external_id)
    headers, body = far.send()[0]
    ids = {(await adapter.parse_webhook(headers | {"x-razorpay-event-id": name}, body)).external_id for name in "ab"}
    assert ids == {hashlib.sha256(body).hexdigest()}


async def test_a_payment_that_failed_is_not_the_end(adapter, far):
    payment = await begun(adapter)
    far.decline(payment.external_id)
    assert await heard(adapter, far) == [("other", "", 0)]
    assert await adapter.fetch(payment) == []


async def test_a_link_that_ran_out_is_told(adapter, far):
    payment = await begun(adapter)
    far.expire(payment.external_id)
    [(headers, body)] = far.send()
    told = await adapter.parse_webhook(headers, body)
    [fetched] = await adapter.fetch(payment)
    for event in (told, fetched):
        assert (event.kind, event.payment_id, event.failure) == ("failed", payment.payment_id, "expired")


async def test_a_link_that_was_closed_cannot_be_paid(adapter, far):
    payment = await begun(adapter)
    await adapter.close(payment)
    await adapter.close(payment)
    assert await heard(adapter, far) == [("failed", "", 0)]
    assert [event.failure for event in await adapter.fetch(payment)] == ["cancelled"]


async def test_a_link_that_is_paid_stays_paid_when_it_is_closed(adapter, far):
    payment = await paid(adapter, far)
    await adapter.close(payment)
    assert [event.kind for event in await adapter.fetch(payment)] == ["paid"]


async def test_a_link_that_razorpay_does_not_know_is_asked_for_again(adapter, far):
    with pytest.raises(ProviderUnavailable):
        await adapter.fetch(RunningPayment(new_id(), "plink_9", Money(1, "INR"), "razorpay"))


async def test_a_link_of_another_business_on_the_account_does_not_concern_us(adapter, far):
    payment = await begun(adapter)
    far.links[payment.external_id]["notes"] = None
    far.pay(payment.external_id)
    far.expire(payment.external_id)
    assert await heard(adapter, far) == [("other", "", 0)] * 3


async def test_only_what_razorpay_signed_is_believed(adapter, far):
    payment = await begun(adapter)
    far.pay(payment.external_id)
    headers, body = far.send()[0]
    good = headers["x-razorpay-signature"]
    for bad, sent in (
        ({}, body),
        ({"x-razorpay-signature": ""}, body),
        ({"x-razorpay-signature": good[:-1]}, body),
        ({"x-razorpay-signature": "é" + good}, body),
        (headers, body.replace(b"45000", b"99999")),
        (headers, b""),
        (signature(body, KEY_SECRET), body),
    ):
        with pytest.raises(BadSignature):
            await adapter.parse_webhook(bad, sent)
    assert (await adapter.parse_webhook(headers, body)).kind == "paid"


async def test_razorpays_signature_of_a_known_message(adapter):
    """Computed with OpenSSL."""
    body = b'{"event":"invoice.paid","payload":{}}'
    known = {"x-razorpay-signature": "5e6562053db1e7738365d29e6b63f1063401e37db7df65be35adad7ece231f9f"}
    assert (await adapter.parse_webhook(known, body)).kind == "other"


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"event": "payment_link.paid", "payload": {}},
        {"event": "payment_link.paid", "payload": {"payment": {}}},
        {"event": "refund.processed", "payload": {"refund": {"entity": {"id": "rfnd_1", "amount": "many"}}}},
    ],
)
async def test_a_signed_message_that_makes_no_sense_is_refused(adapter, message):
    body = json.dumps(message).encode()
    with pytest.raises(UnreadableWebhook):
        await adapter.parse_webhook(signature(body), body)


async def test_a_refund_is_made_once_however_often_it_is_asked_for(adapter, far):
    payment = await paid(adapter, far)
    asked = owed(15_000)
    first = await adapter.refund(asked)
    far.keys.clear()  # Razorpay has forgotten the key
    assert await adapter.refund(asked) == first
    assert (first.external_id, first.is_final) == ("rfnd_1", True)
    assert [row["amount"] for row in far.refunds.values()] == [15_000]
    [(headers, body)] = far.send()
    told = await adapter.parse_webhook(headers, body)
    assert (told.kind, told.refund_id, told.refund_external_id) == ("refunded", asked.refund_id, "rfnd_1")
    assert (told.charge_id, told.amount_minor) == ("pay_1", 15_000)
    assert [event.kind for event in await adapter.fetch(payment)] == ["paid", "refunded"]


async def test_parts_are_given_back_until_nothing_is_left(adapter, far):
    await paid(adapter, far)
    for part in (15_000, 30_000):
        await adapter.refund(owed(part))
    with pytest.raises(RefundRefused):
        await adapter.refund(owed(100))


@pytest.mark.parametrize("asked", [owed(45_001), owed(100, "pay_9")])
async def test_more_than_was_paid_or_of_nothing_is_refused(adapter, far, asked):
    await paid(adapter, far)
    with pytest.raises(RefundRefused):
        await adapter.refund(asked)
    assert far.refunds == {}


@pytest.mark.parametrize(("end", "kind"), [("processed", "refunded"), ("failed", "refund-failed")])
async def test_a_refund_on_its_way_is_followed_to_its_end(adapter, far, end, kind):
    payment = await paid(adapter, far)
    far.refund_status = "pending"
    asked = owed(15_000)
    answer = await adapter.refund(asked)
    assert not answer.is_final
    assert await heard(adapter, far) == [("other", "pay_1", 15_000)]
    assert [event.kind for event in await adapter.fetch(payment)] == ["paid"]
    far.end_refund(answer.external_id, end)
    [(headers, body)] = far.send()
    told = await adapter.parse_webhook(headers, body)
    _, fetched = await adapter.fetch(payment)
    for event in (told, fetched):
        assert (event.kind, event.refund_id, event.charge_id) == (kind, asked.refund_id, "pay_1")
    if end == "failed":
        with pytest.raises(RefundRefused):
            await adapter.refund(asked)


async def test_an_account_without_money_gives_it_back_later(adapter, far):
    await paid(adapter, far)
    description = "Your account does not have enough balance to carry out the refund operation."

    def poor(asked: Asked) -> tuple[int, object]:
        if asked.method == "POST":
            return 400, {"error": {"code": "BAD_REQUEST_ERROR", "description": description}}
        said: tuple[int, object] = far.answer(asked)
        return said

    with answering(poor) as url:
        short = Razorpay(key_id=KEY_ID, key_secret=KEY_SECRET, webhook_secret=WEBHOOK_SECRET, api_url=url)
        with pytest.raises(ProviderUnavailable):
            await short.refund(owed(15_000))
        await short.dispose()


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("created", "disputed"),
        ("won", "dispute-won"),
        ("lost", "dispute-lost"),
        ("closed", "dispute-won"),
        ("under_review", "other"),
    ],
)
async def test_a_dispute_is_told_and_how_it_ended(adapter, far, step, kind):
    await paid(adapter, far)
    far.dispute("pay_1", step)
    [event] = await heard(adapter, far)
    assert event == (("other", "", 0) if kind == "other" else (kind, "pay_1", 45_000))
