"""Stripe's adapter, over HTTP against a double of Stripe's checkout, with messages that Stripe's library signs."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from stripe.params.checkout import SessionCreateParams
from tests.payments.adapters.loopback import Asked, answering
from tests.payments.adapters.stripe_double import KEY, WEBHOOK_SECRET, StripeDouble, signed

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
from farebox.payments.adapters.stripe import SLOW, Stripe
from farebox.payments.adapters.stripe_amounts import CURRENCIES, from_stripe, to_stripe


@pytest.fixture
def far() -> Iterator[StripeDouble]:
    double = StripeDouble()
    with answering(double.answer) as double.url:
        yield double


@pytest.fixture
async def adapter(far: StripeDouble) -> AsyncIterator[Stripe]:
    stripe = Stripe(secret_key=KEY, webhook_secret=WEBHOOK_SECRET, api_url=far.url)
    yield stripe
    await stripe.dispose()


def order(**facts: Any) -> PaymentOrder:
    known: dict[str, Any] = {
        "payment_id": new_id(),
        "reference": "BUS20261120K7QM2X",
        "amount": Money(1350, "EUR"),
        "method": "card",
        "return_url": "https://tickets.example/bookings/1?x=ă",
        "expires_in_seconds": 1200,
        "language": "vi",
    }
    return PaymentOrder(**(known | facts))


def running(asked: PaymentOrder, session_id: str) -> RunningPayment:
    return RunningPayment(asked.payment_id, session_id, asked.amount, asked.method)


def owed(charge: str, minor: int, **facts: Any) -> RefundOrder:
    known: dict[str, Any] = {
        "refund_id": new_id(),
        "payment_external_id": "cs_test_1",
        "charge_external_id": charge,
        "amount": Money(minor, "EUR"),
        "reason": "cancelled",
    }
    return RefundOrder(**(known | facts))


async def begun(adapter: Stripe, **facts: Any) -> RunningPayment:
    asked = order(**facts)
    return running(asked, (await adapter.start(asked)).external_id)


async def heard(adapter: Stripe, far: StripeDouble) -> list[tuple[Any, ...]]:
    events = [await adapter.parse_webhook(headers, body) for headers, body in far.send()]
    return [(event.kind, event.charge_id, event.amount_minor) for event in events]


# Amounts


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(1350, "EUR"), 1350),
        (Money(250_000, "VND"), 250_000),
        (Money(500, "JPY"), 500),
        (Money(5, "ISK"), 500),
        (Money(3, "UGX"), 300),
        (Money(1045, "HUF"), 1045),
        (Money(80_000, "TWD"), 80_000),
        (Money(5120, "KWD"), 5120),
        (Money(500, "MGA"), 5),
    ],
)
def test_amounts_are_written_as_stripe_writes_them(money, written):
    assert to_stripe(money) == written
    assert from_stripe(written, money.currency.lower()) == money


@pytest.mark.parametrize("money", [Money(5124, "KWD"), Money(1, "BHD"), Money(20, "MGA")])
def test_what_stripe_cannot_charge_is_refused(money):
    with pytest.raises(ValueError, match="cannot charge"):
        to_stripe(money)


def test_amounts_that_are_none_are_not_believed():
    with pytest.raises(ValueError, match="550 is no amount of ISK"):
        from_stripe(550, "isk")


def test_whole_amounts_of_every_currency_come_back_as_they_went():
    for currency in CURRENCIES.split():
        whole = Money.parse("120", currency)
        assert from_stripe(to_stripe(whole), currency.lower()) == whole


def test_it_is_offered_for_what_stripe_takes(adapter):
    assert [method.code for method in adapter.methods("VND")] == ["card"]
    assert adapter.methods("IQD") == adapter.methods("XTS") == []


# Beginning


async def test_a_page_is_opened_for_the_amount_and_names_our_payment(adapter, far):
    asked = order()
    started = await adapter.start(asked)
    session = far.sessions[started.external_id]
    assert started.checkout_url == f"{far.url}/c/pay/{started.external_id}"
    assert (session["amount_total"], session["currency"]) == (1350, "eur")
    assert session["metadata"] == {"farebox_payment": str(asked.payment_id), "reference": asked.reference}
    assert session["_of_intent"] == session["metadata"]
    assert session["success_url"] == asked.return_url
    assert session["payment_method_types"] == ["card", "link"]
    assert 3540 < session["expires_at"] - time.time() < 3610


@pytest.mark.parametrize("currency", ["ISK", "KWD", "VND"])
async def test_a_page_in_a_currency_without_hundredths(adapter, far, currency):
    await adapter.start(order(amount=Money(60_000, currency)))
    assert far.sessions["cs_test_1"]["amount_total"] == (6_000_000 if currency == "ISK" else 60_000)


async def test_a_language_that_stripe_does_not_speak_is_left_to_the_browser(adapter, far):
    assert (await adapter.start(order(language="gsw"))).external_id == "cs_test_1"


async def test_the_same_order_opens_one_page(adapter, far):
    asked = order()
    first = await adapter.start(asked)
    later = replace(asked, expires_in_seconds=1140)
    assert await adapter.start(later) == first
    assert len(far.sessions) == 1


async def test_who_is_to_return_elsewhere_gets_another_page(adapter, far):
    asked = order()
    await adapter.start(asked)
    second = await adapter.start(replace(asked, return_url="https://tickets.example/elsewhere"))
    assert (second.external_id, len(far.sessions)) == ("cs_test_2", 2)


def test_the_slow_ways_of_paying_are_called_as_stripe_calls_them():
    known = str(SessionCreateParams.__annotations__["excluded_payment_method_types"])
    assert [method for method in SLOW.split() if f"'{method}'" not in known.replace('"', "'")] == []


async def test_a_page_lives_as_long_as_a_booking_that_waits_for_hours(adapter, far):
    await adapter.start(order(expires_in_seconds=7200))
    assert abs(far.sessions["cs_test_1"]["expires_at"] - time.time() - 7200) < 60


@pytest.mark.parametrize("amount", [Money(10, "EUR"), Money(5125, "KWD"), Money(1350, "XTS")])
async def test_an_amount_that_stripe_does_not_take_is_refused(adapter, amount):
    with pytest.raises(OrderRefused):
        await adapter.start(order(amount=amount))


@pytest.mark.parametrize(
    "answer",
    [
        (401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key"}}),
        (429, {"error": {"type": "invalid_request_error", "code": "rate_limit"}}),
        (200, b"<html>"),
    ],
)
async def test_a_stripe_that_cannot_now_is_unavailable(adapter, far, answer):
    far.says = answer
    with pytest.raises(ProviderUnavailable) as caught:
        await adapter.start(order())
    assert not isinstance(caught.value, OrderRefused)


async def test_a_fault_that_passes_is_not_noticed(far: StripeDouble) -> None:
    far.says = (500, {"error": {"type": "api_error"}})

    def recover(asked: Asked) -> tuple[int, object]:
        said = far.answer(asked)
        far.says = None
        return said

    with answering(recover) as url:
        patient = Stripe(secret_key=KEY, webhook_secret=WEBHOOK_SECRET, api_url=url)
        assert (await patient.start(order())).external_id == "cs_test_1"
        await patient.dispose()


# Messages


async def test_a_payment_is_one_charge_whoever_tells_it(adapter, far):
    payment = await begun(adapter)
    far.pay(payment.external_id)
    events = [await adapter.parse_webhook(headers, body) for headers, body in far.send()]
    [fetched] = await adapter.fetch(payment)
    for event in (*events, fetched):
        assert (event.kind, event.payment_id, event.charge_id) == ("paid", payment.payment_id, "pi_1")
        assert (event.amount_minor, event.currency) == (1350, "EUR")
    assert len({event.external_id for event in (*events, fetched)}) == 3
    assert await adapter.fetch(payment) == [fetched]


async def test_a_declined_card_is_not_the_end(adapter, far):
    payment = await begun(adapter)
    far.decline(payment.external_id)
    assert await heard(adapter, far) == [("other", "", 0)]
    assert await adapter.fetch(payment) == []
    far.pay(payment.external_id)
    assert await heard(adapter, far) == [("paid", "pi_1", 1350)] * 2


@pytest.mark.parametrize("is_paid", [True, False])
async def test_a_bank_is_waited_for(adapter, far, is_paid):
    payment = await begun(adapter)
    far.pay(payment.external_id, by_bank=True)
    assert await heard(adapter, far) == [("other", "", 0)]
    assert await adapter.fetch(payment) == []
    far.settle(payment.external_id, is_paid=is_paid)
    expected = ("paid", "pi_1", 1350) if is_paid else ("failed", "", 0)
    assert await heard(adapter, far) == [expected]
    [fetched] = await adapter.fetch(payment)
    assert (fetched.kind, fetched.charge_id, fetched.amount_minor) == expected
    assert fetched.failure == ("" if is_paid else "payment_intent_failed")


async def test_a_page_that_was_closed_cannot_be_paid(adapter, far):
    payment = await begun(adapter)
    await adapter.close(payment)
    await adapter.close(payment)
    [(headers, body)] = far.send()
    told = await adapter.parse_webhook(headers, body)
    [fetched] = await adapter.fetch(payment)
    for event in (told, fetched):
        assert (event.kind, event.payment_id, event.failure) == ("failed", payment.payment_id, "expired")


async def test_a_page_that_is_paid_stays_paid_when_it_is_closed(adapter, far):
    payment = await begun(adapter)
    far.pay(payment.external_id)
    await adapter.close(payment)
    assert [event.kind for event in await adapter.fetch(payment)] == ["paid"]


async def test_a_page_that_stripe_does_not_know_is_asked_for_again(adapter, far):
    with pytest.raises(ProviderUnavailable):
        await adapter.fetch(running(order(), "cs_test_9"))


async def test_a_checkout_of_another_business_on_the_account_does_not_concern_us(adapter, far):
    payment = await begun(adapter)
    for row in (far.sessions[payment.external_id], far.sessions[payment.external_id]["_of_intent"]):
        row.pop("metadata", None)
        row.pop("farebox_payment", None)
    far.pay(payment.external_id)
    assert await heard(adapter, far) == [("other", "", 0)] * 2


async def test_only_what_stripe_signed_within_five_minutes_is_believed(adapter, far):
    payment = await begun(adapter)
    far.pay(payment.external_id)
    event = far.events[0]
    good, body = signed(event)
    header = good["stripe-signature"]
    at, signature = header.split(",")
    for headers, sent in (
        ({}, body),
        ({"stripe-signature": ""}, body),
        ({"stripe-signature": at}, body),
        ({"stripe-signature": signature}, body),
        ({"stripe-signature": f"t=x,{signature}"}, body),
        ({"stripe-signature": f"t={'9' * 5000},{signature}"}, body),
        ({"stripe-signature": f"{at},v1=é"}, body),
        ({"stripe-signature": f"{at},v0={signature[3:]}"}, body),
        ({"stripe-signature": f"t={int(at[2:]) + 1},{signature}"}, body),
        (good, body.replace(b"1350", b"9999")),
        (good, b"\xff\xfe"),
        signed(event, "whsec_other"),
        signed(event, at=int(time.time()) - 302),
    ):
        with pytest.raises(BadSignature):
            await adapter.parse_webhook(headers, sent)
    rotated = {"stripe-signature": f"{at},v1={'0' * 64},{signature}"}  # while a secret is replaced there are two
    assert (await adapter.parse_webhook(rotated, body)).kind == "paid"
    assert (await adapter.parse_webhook(*signed(event, at=int(time.time()) - 295))).kind == "paid"


async def test_stripes_own_signature_of_a_known_message():
    """By the scheme that Stripe documents, computed with OpenSSL and not with the library under test."""
    body = b'{"id":"evt_1","object":"event","type":"customer.created","data":{"object":{}}}'
    signature = "099585ffa0cd20aa0c7b99a4deb4be2e7e4fdf9a5e9d03456e0819be75ec79dc"
    adapter = Stripe(secret_key=KEY, webhook_secret="whsec_test_secret", api_url="http://127.0.0.1:1")
    with time_machine.travel(1_790_000_000, tick=False):
        event = await adapter.parse_webhook({"stripe-signature": f"t=1790000000,v1={signature}"}, body)
    assert (event.external_id, event.kind) == ("evt_1", "other")
    await adapter.dispose()


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"id": "evt_1", "type": "checkout.session.completed", "data": {}},
        {"id": "evt_1", "type": "checkout.session.completed", "data": {"object": {"id": 5}}},
        {"id": "evt_1", "type": "refund.updated", "data": {"object": {"id": "re_1", "amount": "many"}}},
        {
            "id": "evt_1",
            "type": "refund.updated",
            "data": {"object": {"id": "re_1", "amount": 550, "currency": "isk", "status": "succeeded"}},
        },
    ],
)
async def test_a_signed_message_that_makes_no_sense_is_refused(adapter, event):
    with pytest.raises(UnreadableWebhook):
        await adapter.parse_webhook(*signed(event))


# Money on its way back


async def paid(adapter: Stripe, far: StripeDouble) -> RunningPayment:
    payment = await begun(adapter)
    far.pay(payment.external_id)
    far.events.clear()
    return payment


async def test_a_refund_is_made_once_however_often_it_is_asked_for(adapter, far):
    payment = await paid(adapter, far)
    asked = owed("pi_1", 350)
    first = await adapter.refund(asked)
    far.answers.clear()  # a day later, Stripe has forgotten the key
    assert await adapter.refund(asked) == first
    assert (first.external_id, first.is_final) == ("re_1", True)
    assert [row["amount"] for row in far.refunds.values()] == [350]
    created, charge = [await adapter.parse_webhook(headers, body) for headers, body in far.send()]
    assert (created.kind, created.refund_id, created.refund_external_id) == ("refunded", asked.refund_id, "re_1")
    assert (created.charge_id, created.amount_minor, charge.kind) == ("pi_1", 350, "other")
    assert [event.kind for event in await adapter.fetch(payment)] == ["paid", "refunded"]


async def test_parts_are_given_back_until_nothing_is_left(adapter, far):
    await paid(adapter, far)
    for part in (350, 1000):
        await adapter.refund(owed("pi_1", part))
    with pytest.raises(RefundRefused):
        await adapter.refund(owed("pi_1", 1))
    assert sum(row["amount"] for row in far.refunds.values()) == 1350


async def test_more_than_was_paid_is_refused(adapter, far):
    await paid(adapter, far)
    with pytest.raises(RefundRefused):
        await adapter.refund(owed("pi_1", 1351))
    assert far.refunds == {}


@pytest.mark.parametrize(("end", "kind"), [("succeeded", "refunded"), ("failed", "refund-failed")])
async def test_a_refund_on_its_way_is_followed_to_its_end(adapter, far, end, kind):
    payment = await paid(adapter, far)
    far.refund_status = "pending"
    asked = owed("pi_1", 350)
    answer = await adapter.refund(asked)
    assert not answer.is_final
    assert await heard(adapter, far) == [("other", "pi_1", 350), ("other", "", 0)]
    assert [event.kind for event in await adapter.fetch(payment)] == ["paid"]
    far.end_refund(answer.external_id, end)
    [(headers, body)] = far.send()
    told = await adapter.parse_webhook(headers, body)
    _, fetched = await adapter.fetch(payment)
    for event in (told, fetched):
        assert (event.kind, event.refund_id, event.charge_id) == (kind, asked.refund_id, "pi_1")
    assert told.failure == ("expired_or_canceled_card" if end == "failed" else "")
    if end == "failed":
        with pytest.raises(RefundRefused):
            await adapter.refund(asked)


async def test_a_refund_whose_answer_makes_no_sense_is_asked_for_again(adapter, far):
    """It may have been made: to call it refused would pay it back twice."""
    await paid(adapter, far)

    def garble(asked: Asked) -> tuple[int, object]:
        said: tuple[int, object] = far.answer(asked)
        return (200, {"object": "refund", "id": "re_1"}) if asked.method == "POST" else said

    with answering(garble) as url:
        other = Stripe(secret_key=KEY, webhook_secret=WEBHOOK_SECRET, api_url=url)
        asked = owed("pi_1", 350)
        with pytest.raises(ProviderUnavailable):
            await other.refund(asked)
        await other.dispose()
    assert (await adapter.refund(asked)).external_id == "re_1"
    assert len(far.refunds) == 1


async def test_a_reason_of_any_length_is_taken(adapter, far):
    await paid(adapter, far)
    await adapter.refund(owed("pi_1", 350, reason="x" * 2000))
    assert far.refunds["re_1"]["metadata"]["reason"] == "x" * 500


async def test_an_amount_that_makes_no_sense_is_not_believed(adapter, far):
    payment = await begun(adapter, amount=Money(600, "ISK"))
    far.sessions[payment.external_id]["amount_total"] = 60_050
    far.pay(payment.external_id)
    with pytest.raises(ProviderUnavailable):
        await adapter.fetch(payment)


async def test_an_account_without_money_gives_it_back_later(adapter, far):
    await paid(adapter, far)
    far.says = (400, {"error": {"type": "invalid_request_error", "code": "balance_insufficient"}})
    with pytest.raises(ProviderUnavailable):
        await adapter.refund(owed("pi_1", 350))


async def test_a_charge_that_a_bank_took_back_is_not_refunded_too(adapter, far):
    await paid(adapter, far)
    far.dispute("pi_1")
    with pytest.raises(RefundRefused):
        await adapter.refund(owed("pi_1", 350))


@pytest.mark.parametrize(("end", "kind"), [("won", "dispute-won"), ("lost", "dispute-lost")])
async def test_a_dispute_is_told_and_how_it_ended(adapter, far, end, kind):
    payment = await paid(adapter, far)
    dispute = far.dispute("pi_1")
    assert await heard(adapter, far) == [("disputed", "pi_1", 1350)]
    assert [event.kind for event in await adapter.fetch(payment)] == ["paid", "disputed"]
    far.close_dispute(dispute, end)
    assert await heard(adapter, far) == [(kind, "pi_1", 1350)]


async def test_a_question_of_the_bank_takes_no_money(adapter, far):
    await paid(adapter, far)
    far.close_dispute(far.dispute("pi_1", "warning_needs_response"), "warning_closed")
    assert await heard(adapter, far) == [("other", "pi_1", 1350)] * 2


def test_nothing_secret_is_in_representations(adapter):
    assert KEY not in repr(adapter)
    assert WEBHOOK_SECRET not in repr(vars(adapter)["_client"])
