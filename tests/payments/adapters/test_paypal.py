"""PayPal, over HTTP against a double of it that checks bodies by PayPal's published schema."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.payments.adapters.loopback import answering
from tests.payments.adapters.paypal_double import (
    CERTIFICATE,
    CERTIFICATES,
    CLIENT_ID,
    CLIENT_SECRET,
    ORDER,
    WEBHOOK_ID,
    PayPalDouble,
    certificate,
)

from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import (
    BadSignature,
    OrderRefused,
    PaymentOrder,
    ProviderEvent,
    ProviderUnavailable,
    RefundOrder,
    RefundRefused,
    RunningPayment,
    UnreadableWebhook,
)
from farebox.payments.adapters.paypal import PayPal

EURO = Money(2575, "EUR")


@pytest.fixture
def far() -> Iterator[PayPalDouble]:
    double = PayPalDouble()
    with answering(double.answer) as double.url:
        yield double


@pytest.fixture
async def paypal(far: PayPalDouble) -> AsyncIterator[PayPal]:
    adapter = PayPal(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, webhook_id=WEBHOOK_ID, api_url=far.url)
    yield adapter
    await adapter.dispose()


def order(amount: Money = EURO, **facts: Any) -> PaymentOrder:
    known: dict[str, Any] = {
        "payment_id": new_id(),
        "reference": "BUS20261120K7QM2X",
        "method": "paypal",
        "return_url": "https://tickets.example/bookings/1",
        "expires_in_seconds": 1200,
        "language": "en",
    }
    return PaymentOrder(amount=amount, **(known | facts))


def refund(charge: str, amount: Money = EURO) -> RefundOrder:
    return RefundOrder(new_id(), "order", charge, amount, "cancelled")


async def begun(paypal: PayPal, amount: Money = EURO) -> RunningPayment:
    asked = order(amount)
    started = await paypal.start(asked)
    return RunningPayment(asked.payment_id, started.external_id, amount, "paypal")


async def charged(paypal: PayPal, far: PayPalDouble, amount: Money = EURO) -> str:
    """The id of a capture."""
    payment = await begun(paypal, amount)
    far.agree(payment.external_id)
    [event] = await paypal.fetch(payment)
    return event.charge_id


async def heard(paypal: PayPal, far: PayPalDouble, event_type: str, resource: dict[str, Any]) -> Any:
    body = far.message(event_type, resource)
    return await paypal.parse_webhook(far.sign(body), body)


# --- orders


async def test_an_order_names_our_payment_and_leads_to_paypals_page(paypal, far):
    asked = order()
    started = await paypal.start(asked)
    [unit] = far.created[0]["purchase_units"]
    assert unit["amount"] == {"currency_code": "EUR", "value": "25.75"}
    assert (unit["custom_id"], unit["description"]) == (str(asked.payment_id), asked.reference)
    assert started.checkout_url == f"https://www.sandbox.paypal.com/checkoutnow?token={started.external_id}"


async def test_the_schema_that_orders_are_held_to_refuses_what_paypal_refuses(paypal, far):
    await paypal.start(order())
    [good] = far.created
    [unit] = good["purchase_units"]
    assert ORDER.is_valid(good)  # control
    for bad in (
        good | {"intent": "SALE"},
        good | {"extra": 1},
        good | {"purchase_units": []},
        good | {"purchase_units": [unit | {"amount": {"value": "25.75"}}]},
        good | {"purchase_units": [unit | {"amount": {"value": "25,75", "currency_code": "EUR"}}]},
        good | {"purchase_units": [unit | {"custom_id": ""}]},
    ):
        assert not ORDER.is_valid(bad), bad


async def test_the_same_payment_is_one_order(paypal, far):
    asked = order()
    assert await paypal.start(asked) == await paypal.start(asked)
    assert len(far.orders) == 1


@pytest.mark.parametrize(
    ("amount", "value"),
    [
        (Money(1250, "JPY"), "1250"),
        (Money(125_000, "HUF"), "1250"),
        (Money(30_000, "TWD"), "300"),
        (Money(5, "USD"), "0.05"),
    ],
)
async def test_an_amount_is_written_with_the_decimals_that_paypal_knows(paypal, far, amount, value):
    await paypal.start(order(amount))
    assert far.created[0]["purchase_units"][0]["amount"] == {"currency_code": amount.currency, "value": value}


@pytest.mark.parametrize("currency", ["HUF", "TWD"])
async def test_a_part_of_a_currency_that_paypal_has_no_parts_of_is_refused_and_not_rounded(paypal, far, currency):
    with pytest.raises(OrderRefused):
        await paypal.start(order(Money(125_050, currency)))
    with pytest.raises(RefundRefused):
        await paypal.refund(refund("3C679366HH9089900", Money(50, currency)))
    assert far.asked == []


def test_it_is_not_offered_for_what_paypal_does_not_take(paypal):
    assert [method.code for method in paypal.methods("EUR")] == ["paypal"]
    assert paypal.methods("VND") == paypal.methods("KWD") == []


async def test_a_credential_is_asked_for_once_and_again_when_paypal_has_ended_it(paypal, far):
    await asyncio.gather(*(paypal.start(order()) for _ in range(4)))
    assert len(far.tokens) == 1
    far.forget_tokens()
    await paypal.start(order())
    assert len(far.tokens) == 3


async def test_a_credential_that_paypal_does_not_know_is_unavailable(far):
    other = PayPal(client_id=CLIENT_ID, client_secret="wrong", webhook_id=WEBHOOK_ID, api_url=far.url)
    with pytest.raises(ProviderUnavailable):
        await other.start(order())
    await other.dispose()


async def test_an_order_that_is_refused_is_told_from_one_that_cannot_be_taken_now(paypal, far):
    with pytest.raises(OrderRefused):
        await paypal.start(order(Money(1, "VND")))
    deaf = PayPal(client_id="", client_secret="", webhook_id="", api_url="http://127.0.0.1:9")
    with pytest.raises(ProviderUnavailable) as raised:
        await deaf.start(order())
    assert raised.type is ProviderUnavailable
    await deaf.dispose()


# --- what became of them


async def test_nothing_is_taken_before_the_payer_agrees(paypal, far):
    payment = await begun(paypal)
    assert await paypal.fetch(payment) == []
    assert far.captures == {}


async def test_money_is_taken_once_when_the_payer_has_agreed(paypal, far):
    payment = await begun(paypal)
    far.agree(payment.external_id)
    [event] = await paypal.fetch(payment)
    assert (event.kind, event.amount_minor, event.currency) == ("paid", 2575, "EUR")
    assert (event.payment_id, event.payment_external_id) == (payment.payment_id, payment.external_id)
    assert list(far.captures) == [event.charge_id]
    assert await paypal.fetch(payment) == [event]
    assert len(far.captures) == 1


async def test_two_who_ask_at_once_take_the_money_once(paypal, far):
    payment = await begun(paypal)
    far.agree(payment.external_id)
    answers = await asyncio.gather(*(paypal.fetch(payment) for _ in range(4)))
    assert len(far.captures) == 1
    assert all(answer == answers[0] for answer in answers)


async def test_an_order_that_somebody_took_the_money_for_meanwhile_is_looked_at_again(paypal, far):
    payment = await begun(paypal)
    far.agree(payment.external_id)
    await paypal.fetch(payment)
    settled = far.orders[payment.external_id]["purchase_units"]
    far.orders[payment.external_id] |= {"status": "APPROVED", "update_time": "later"}
    far.issue = "ORDER_ALREADY_CAPTURED"
    assert [event.kind for event in await paypal.fetch(payment)] == ["paid"]
    assert far.orders[payment.external_id]["purchase_units"] == settled


async def test_a_bank_that_declines_fails_the_attempt_and_a_second_try_can_be_paid(paypal, far):
    payment = await begun(paypal)
    far.agree(payment.external_id)
    far.issue = "INSTRUMENT_DECLINED"
    [first] = await paypal.fetch(payment)
    assert (first.kind, first.failure) == ("failed", "instrument_declined")
    assert await paypal.fetch(payment) == [first]
    far.agree(payment.external_id)
    [second] = await paypal.fetch(payment)
    assert second.external_id != first.external_id
    far.issue = ""
    assert [event.kind for event in await paypal.fetch(payment)] == ["paid"]


async def test_an_order_that_is_not_agreed_to_after_all_waits(paypal, far):
    payment = await begun(paypal)
    far.agree(payment.external_id)
    far.issue = "ORDER_NOT_APPROVED"
    assert await paypal.fetch(payment) == []


@pytest.mark.parametrize(
    ("status", "kinds"),
    [("PENDING", []), ("DECLINED", ["failed"]), ("REFUNDED", ["paid"]), ("PARTIALLY_REFUNDED", ["paid"])],
)
async def test_a_capture_is_money_once_it_is_completed_whatever_became_of_it(paypal, far, status, kinds):
    payment = await begun(paypal)
    far.agree(payment.external_id)
    [paid] = await paypal.fetch(payment)
    far.captures[paid.charge_id]["status"] = status
    far.orders[payment.external_id]["purchase_units"][0]["payments"] = {"captures": list(far.captures.values())}
    events = await paypal.fetch(payment)
    assert [event.kind for event in events] == kinds
    assert events != ["paid"] or events == [paid]


@pytest.mark.parametrize(
    ("status", "kinds"),
    [("COMPLETED", ["paid", "refunded"]), ("FAILED", ["paid", "refund-failed"]), ("PENDING", ["paid"])],
)
async def test_an_order_tells_the_refunds_that_were_made_of_it(paypal, far, status, kinds):
    payment = await begun(paypal)
    far.agree(payment.external_id)
    [paid] = await paypal.fetch(payment)
    ours = refund(paid.charge_id, Money(575, "EUR"))
    far.refund_status = "COMPLETED"
    await paypal.refund(ours)
    amount = {"currency_code": "EUR", "value": "1.00"}
    far.refund(paid.charge_id, id="2AB", status=status, amount=amount, custom_id=str(payment.payment_id))
    told = await paypal.fetch(payment)
    assert [event.kind for event in told] == ["paid", "refunded", *kinds[1:]]
    assert told[1:2] == [
        ProviderEvent(
            external_id="1JU08902781691411:COMPLETED",
            kind="refunded",
            payment_external_id=payment.external_id,
            charge_id=paid.charge_id,
            refund_id=ours.refund_id,
            refund_external_id="1JU08902781691411",
            amount_minor=575,
            currency="EUR",
        )
    ]
    theirs = [(each.payment_id, each.refund_id, each.charge_id, each.amount_minor) for each in told[2:]]
    assert theirs == [(payment.payment_id, None, paid.charge_id, 100)] * len(kinds[1:])
    assert await paypal.fetch(payment) == told  # under the same names, so it counts once


async def test_an_order_that_paypal_has_forgotten_or_voided_came_to_nothing(paypal, far):
    payment = await begun(paypal)
    far.orders[payment.external_id]["status"] = "VOIDED"
    assert [event.failure for event in await paypal.fetch(payment)] == ["voided"]
    far.orders.clear()
    assert [event.failure for event in await paypal.fetch(payment)] == ["expired"]


async def test_closing_needs_no_word_with_paypal(paypal, far):
    payment = await begun(paypal)
    asked = list(far.asked)
    await paypal.close(payment)
    assert far.asked == asked


# --- refunds


async def test_a_refund_is_made_once_under_our_id(paypal, far):
    capture = await charged(paypal, far)
    ours = refund(capture, Money(575, "EUR"))
    answer = await paypal.refund(ours)
    assert (answer.external_id, answer.is_final) == ("1JU08902781691411", True)
    assert await paypal.refund(ours) == answer
    assert far.captures[capture]["refunded"] == 5.75


async def test_a_refund_that_is_on_its_way_is_not_final(paypal, far):
    far.refund_status = "PENDING"
    assert not (await paypal.refund(refund(await charged(paypal, far)))).is_final


async def test_a_refund_that_failed_is_refused(paypal, far):
    far.refund_status = "FAILED"
    with pytest.raises(RefundRefused):
        await paypal.refund(refund(await charged(paypal, far)))


async def test_more_than_was_taken_is_refused(paypal, far):
    with pytest.raises(RefundRefused):
        await paypal.refund(refund(await charged(paypal, far), Money(2576, "EUR")))


@pytest.mark.parametrize(
    ("issue", "error"),
    [
        ("REFUND_TIME_LIMIT_EXCEEDED", RefundRefused),
        ("CAPTURE_FULLY_REFUNDED", RefundRefused),
        ("REFUND_FAILED_INSUFFICIENT_FUNDS", ProviderUnavailable),
        ("PENDING_CAPTURE", ProviderUnavailable),
    ],
)
async def test_what_will_never_be_is_told_from_what_may_be_later(paypal, far, issue, error):
    capture = await charged(paypal, far)
    far.issue = issue
    with pytest.raises(error):
        await paypal.refund(refund(capture))


# --- messages


async def test_agreement_asks_for_the_money_to_be_fetched(paypal, far):
    payment = await begun(paypal)
    far.agree(payment.external_id)
    event = await heard(paypal, far, "CHECKOUT.ORDER.APPROVED", far.orders[payment.external_id])
    assert (event.kind, event.payment_id) == ("approved", payment.payment_id)
    assert (event.external_id, event.payment_external_id) == ("WH-1", payment.external_id)


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        ("PAYMENT.CAPTURE.COMPLETED", "paid"),
        ("PAYMENT.CAPTURE.DENIED", "failed"),
        ("PAYMENT.CAPTURE.DECLINED", "failed"),
        ("PAYMENT.CAPTURE.PENDING", "other"),
        ("CHECKOUT.PAYMENT-APPROVAL.REVERSED", "other"),
        ("A.NEW.ONE", "other"),
    ],
)
async def test_what_is_told_of_a_capture(paypal, far, event_type, kind):
    capture = far.captures[await charged(paypal, far)]
    event = await heard(paypal, far, event_type, capture)
    assert event.kind == kind
    if kind != "other":
        assert (event.charge_id, event.amount_minor, event.currency) == (capture["id"], 2575, "EUR")
        assert str(event.payment_id) == capture["custom_id"]


async def test_what_a_message_says_of_money_is_what_asking_says(paypal, far):
    payment = await begun(paypal)
    far.agree(payment.external_id)
    [asked] = await paypal.fetch(payment)
    told = await heard(paypal, far, "PAYMENT.CAPTURE.COMPLETED", far.captures[asked.charge_id])
    assert (told.charge_id, told.payment_id, told.amount_minor) == (
        asked.charge_id,
        asked.payment_id,
        asked.amount_minor,
    )
    assert told.payment_external_id == asked.payment_external_id


@pytest.mark.parametrize(
    ("event_type", "status", "kind"),
    [
        ("PAYMENT.CAPTURE.REFUNDED", "COMPLETED", "refunded"),
        ("PAYMENT.CAPTURE.REFUNDED", "PENDING", "other"),
        ("PAYMENT.CAPTURE.REFUNDED", "FAILED", "refund-failed"),
        ("PAYMENT.REFUND.FAILED", "FAILED", "refund-failed"),
        ("PAYMENT.CAPTURE.REVERSED", "COMPLETED", "dispute-lost"),
    ],
)
async def test_what_is_told_of_money_that_goes_back(paypal, far, event_type, status, kind):
    ours = new_id()
    amount = {"currency_code": "EUR", "value": "5.75"}
    resource = far.refund("3C67", status=status, amount=amount, custom_id=f"refund-{ours}")
    event = await heard(paypal, far, event_type, resource)
    assert (event.kind, event.charge_id, event.amount_minor) == (kind, "3C67", 575)
    assert (event.refund_id, event.payment_id, event.refund_external_id) == (ours, None, "1JU08902781691411")


async def test_a_refund_made_on_paypals_own_pages_names_the_payment(paypal, far):
    payment_id = new_id()
    amount = {"currency_code": "EUR", "value": "5.75"}
    resource = far.refund("3C67", status="COMPLETED", amount=amount, custom_id=str(payment_id))
    event = await heard(paypal, far, "PAYMENT.CAPTURE.REFUNDED", resource)
    assert (event.refund_id, event.payment_id) == (None, payment_id)


async def test_a_reversal_told_by_the_capture_itself_names_it(paypal, far):
    capture = far.captures[await charged(paypal, far)] | {"status": "REVERSED"}
    event = await heard(paypal, far, "PAYMENT.CAPTURE.REVERSED", capture)
    assert (event.kind, event.charge_id, event.refund_external_id) == ("dispute-lost", capture["id"], "")


@pytest.mark.parametrize(
    ("event_type", "outcome", "kind"),
    [
        ("CREATED", None, "disputed"),
        ("UPDATED", None, "other"),
        ("RESOLVED", "RESOLVED_BUYER_FAVOUR", "dispute-lost"),
        ("RESOLVED", "ACCEPTED", "dispute-lost"),
        ("RESOLVED", "RESOLVED_SELLER_FAVOUR", "dispute-won"),
        ("RESOLVED", "CANCELED_BY_BUYER", "dispute-won"),
        ("RESOLVED", "A_NEW_ONE", "other"),
    ],
)
async def test_what_is_told_of_a_dispute(paypal, far, event_type, outcome, kind):
    payment_id = new_id()
    resource = {
        "dispute_id": "PP-D-27803",
        "disputed_transactions": [{"seller_transaction_id": "3C67", "custom": str(payment_id)}],
        "dispute_amount": {"currency_code": "EUR", "value": "25.75"},
    } | ({"dispute_outcome": {"outcome_code": outcome}} if outcome else {})
    event = await heard(paypal, far, f"CUSTOMER.DISPUTE.{event_type}", resource)
    assert event.kind == kind
    if event_type != "UPDATED":
        assert (event.charge_id, event.payment_id, event.amount_minor) == ("3C67", payment_id, 2575)


@pytest.mark.parametrize(
    ("event_type", "resource"),
    [
        ("PAYMENT.CAPTURE.COMPLETED", {}),
        ("PAYMENT.CAPTURE.COMPLETED", {"id": "1", "status": "", "amount": {"currency_code": "XXQ", "value": "1"}}),
        ("PAYMENT.CAPTURE.COMPLETED", {"id": "1", "status": "", "amount": {"currency_code": "EUR", "value": "1e9999"}}),
        ("CUSTOMER.DISPUTE.CREATED", {"dispute_id": 1}),
    ],
)
async def test_a_proved_message_of_another_form_cannot_be_read(paypal, far, event_type, resource):
    with pytest.raises(UnreadableWebhook):
        await heard(paypal, far, event_type, resource)


# --- proof


@pytest.fixture
def body(far: PayPalDouble) -> bytes:
    return far.message("PAYMENT.CAPTURE.PENDING", {"id": "3C67"})


async def test_the_certificate_is_asked_for_once(paypal, far, body):
    for _ in range(3):
        await paypal.parse_webhook(far.sign(body), body)
    assert far.asked == [("GET", CERTIFICATE)]


@pytest.mark.parametrize(
    "forge",
    [
        lambda headers: headers | {"paypal-transmission-id": "another"},
        lambda headers: headers | {"paypal-transmission-time": datetime.now(UTC).isoformat()},
        lambda headers: headers | {"paypal-transmission-time": "2026-11-20T09:00:00"},
        lambda headers: headers | {"paypal-transmission-time": "yesterday"},
        lambda headers: headers | {"paypal-transmission-sig": "!"},
        lambda headers: headers | {"paypal-transmission-sig": ""},
        lambda headers: headers | {"paypal-auth-algo": "none"},
        lambda headers: headers | {"paypal-cert-url": ""},
        lambda headers: {},
    ],
)
async def test_a_message_with_forged_headers_is_refused(paypal, far, body, forge):
    await paypal.parse_webhook(far.sign(body), body)  # control
    with pytest.raises(BadSignature):
        await paypal.parse_webhook(forge(far.sign(body)), body)


async def test_a_changed_body_is_refused(paypal, far, body):
    with pytest.raises(BadSignature):
        await paypal.parse_webhook(far.sign(body), body.replace(b"PENDING", b"DENIED!"))


async def test_a_message_to_another_webhook_is_refused(paypal, far, body):
    with pytest.raises(BadSignature):
        await paypal.parse_webhook(far.sign(body, webhook_id="1JE4291016473214C"), body)


@pytest.mark.parametrize(
    ("age", "is_taken"),
    [
        (timedelta(days=3), True),
        (timedelta(days=5), False),
        (-timedelta(minutes=1), True),
        (-timedelta(hours=1), False),
    ],
)
async def test_a_message_is_taken_for_as_long_as_paypal_sends_it_again(paypal, far, body, age, is_taken):
    headers = far.sign(body, at=datetime.now(UTC) - age)
    if is_taken:
        assert (await paypal.parse_webhook(headers, body)).kind == "other"
    else:
        with pytest.raises(BadSignature):
            await paypal.parse_webhook(headers, body)


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/v1/notifications/certs/CERT-1",
        "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/../../v2/checkout/orders",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?to=https://evil.example",
        "https://api.paypal.com/v1/notifications/certs/CERT-1#",
        "https://api.paypal.com/v1/notifications/certs/CERT-1\n",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "file:///etc/passwd",
    ],
)
async def test_nobody_but_paypal_is_asked_for_a_certificate(far, body, address, monkeypatch):
    live = PayPal(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, webhook_id=WEBHOOK_ID, api_url="https://api-m.paypal.com"
    )
    asked: list[str] = []

    async def ask(method: str, path: str, **more: Any) -> Any:
        asked.append(path)
        raise ProviderUnavailable

    monkeypatch.setattr(live._caller, "ask", ask)
    with pytest.raises(BadSignature):
        await live.parse_webhook(far.sign(body) | {"paypal-cert-url": address}, body)
    assert asked == []
    for host in ("api-m.paypal.com", "api.paypal.com"):  # control
        with pytest.raises(ProviderUnavailable):
            await live.parse_webhook(far.sign(body) | {"paypal-cert-url": f"https://{host}{CERTIFICATE}"}, body)
    assert len(asked) == 2


async def test_a_certificate_that_is_none_or_not_valid_now_proves_nothing(paypal, far, body):
    day = timedelta(days=1)
    far.certificates |= {
        f"{CERTIFICATES}CERT-old": certificate(began=2 * day, ends=-day),
        f"{CERTIFICATES}CERT-new": certificate(began=-day, ends=2 * day),
        f"{CERTIFICATES}CERT-no": b"no certificate",
    }
    for name in ("CERT-old", "CERT-new", "CERT-no", "CERT-unknown"):
        with pytest.raises(BadSignature):
            await paypal.parse_webhook(far.sign(body) | {"paypal-cert-url": f"{far.url}{CERTIFICATES}{name}"}, body)


async def test_paypal_that_does_not_answer_is_to_send_its_message_again(far, body):
    deaf = PayPal(client_id="", client_secret="", webhook_id=WEBHOOK_ID, api_url="http://127.0.0.1:9")
    headers = far.sign(body) | {"paypal-cert-url": f"http://127.0.0.1:9{CERTIFICATE}"}
    with pytest.raises(ProviderUnavailable):
        await deaf.parse_webhook(headers, body)
    await deaf.dispose()
