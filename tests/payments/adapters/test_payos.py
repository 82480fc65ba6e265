"""PayOS, over HTTP against a double of it that checks every signature, and by PayOS's own vectors."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.payments.adapters.loopback import answering
from tests.payments.adapters.payos_double import API_KEY, CHECKSUM_KEY, CLIENT_ID, PayOSDouble, signature

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
from farebox.payments.adapters.payos import PayOS, order_code, signed_text

VECTORS = json.loads((Path(__file__).parent / "payos_vectors.json").read_text())
CASES = [pytest.param(case, id=f"{case['kind']}, {case['name']}") for case in VECTORS["cases"]]


@pytest.fixture
def far() -> Iterator[PayOSDouble]:
    double = PayOSDouble()
    with answering(double.answer) as double.url:
        yield double


@pytest.fixture
async def payos(far: PayOSDouble) -> AsyncIterator[PayOS]:
    adapter = PayOS(client_id=CLIENT_ID, api_key=API_KEY, checksum_key=CHECKSUM_KEY, api_url=far.url)
    yield adapter
    await adapter.dispose()


def order(**facts: Any) -> PaymentOrder:
    known: dict[str, Any] = {
        "payment_id": new_id(),
        "reference": "BUS20261120K7QM2X",
        "amount": Money(250_000, "VND"),
        "method": "payos",
        "return_url": "https://tickets.example/bookings/1?from=payos&x=ă",
        "expires_in_seconds": 1200,
        "language": "vi",
    }
    return PaymentOrder(**(known | facts))


def running(asked: PaymentOrder, link_id: str) -> RunningPayment:
    return RunningPayment(asked.payment_id, link_id, asked.amount, asked.method)


@pytest.mark.parametrize("case", CASES)
def test_what_is_signed_is_what_payos_signs(case):
    data = case["data"]
    if case["kind"] == "create-payment-link":
        data = {name: data[name] for name in ("amount", "cancelUrl", "description", "orderCode", "returnUrl")}
    digest = hmac.new(VECTORS["key"].encode(), signed_text(data).encode(), hashlib.sha256).hexdigest()
    assert digest == case["signature"]


def test_it_is_offered_for_dong_alone(payos):
    assert [method.code for method in payos.methods("VND")] == ["payos"]
    assert payos.methods("EUR") == []


async def test_a_link_is_opened_for_the_amount_under_the_bookings_reference(payos, far):
    asked = order()
    started = await payos.start(asked)
    [request] = far.asked
    assert (request["amount"], request["description"]) == (250_000, "BUS20261120K7QM2X")
    assert request["returnUrl"] == request["cancelUrl"] == asked.return_url
    assert abs(request["expiredAt"] - datetime.now(UTC).timestamp() - 1200) < 60
    assert started.external_id in far.links
    assert started.checkout_url == f"https://pay.payos.vn/web/{started.external_id}"


async def test_the_same_payment_opens_one_link(payos, far):
    asked = order()
    assert await payos.start(asked) == await payos.start(asked)
    assert len(far.links) == 1


async def test_a_long_reference_keeps_its_end_which_tells_it_from_others(payos, far):
    await payos.start(order(reference="LONG-PREFIX-20261120-K7QM2X-0123"))
    assert far.asked[0]["description"] == "REFIX-20261120-K7QM2X-0123"[-25:]


async def test_a_number_that_another_payment_has_is_left_to_it(payos, far):
    asked = order()
    theirs = far.add(order_code(asked.payment_id), 250_000, datetime.now(UTC) - timedelta(days=2))
    started = await payos.start(asked)
    assert started.external_id != theirs["id"]
    assert far.asked[0]["orderCode"] == order_code(asked.payment_id, 1)


async def test_a_link_that_is_over_is_followed_by_another(payos, far):
    asked = order()
    first = await payos.start(asked)
    await payos.close(running(asked, first.external_id))
    second = await payos.start(asked)
    assert second.external_id != first.external_id
    assert far.links[second.external_id]["status"] == "PENDING"


async def test_numbers_are_stable_positive_and_of_53_bits():
    ids = [new_id() for _ in range(500)]
    numbers = {order_code(payment_id, attempt) for payment_id in ids for attempt in range(3)}
    assert len(numbers) == 1500
    assert all(0 < number < 2**53 for number in numbers)
    assert order_code(ids[0]) == order_code(ids[0], 0)


async def test_an_order_that_is_refused_is_told_from_one_that_cannot_be_taken_now(payos, far):
    far.says = 200, {"code": "20", "desc": "the amount is too small"}
    with pytest.raises(OrderRefused):
        await payos.start(order())
    for status, body in ((500, {}), (429, {}), (200, b"<html>")):
        far.says = status, body
        with pytest.raises(ProviderUnavailable):
            await payos.start(order())


async def test_an_answer_that_payos_did_not_sign_is_not_believed(payos, far):
    data = {"paymentLinkId": "1", "checkoutUrl": "https://elsewhere.example"}
    for signed in (signature(data, "another-key"), "", None):
        far.says = 200, {"code": "00", "desc": "success", "data": data, "signature": signed}
        with pytest.raises(ProviderUnavailable):
            await payos.start(order())


async def test_nobody_listening_is_unavailable(payos):
    deaf = PayOS(client_id="", api_key="", checksum_key="", api_url="http://127.0.0.1:9")
    with pytest.raises(ProviderUnavailable):
        await deaf.start(order())
    await deaf.dispose()


async def test_a_message_about_a_transfer_says_which_and_how_much(payos, far):
    started = await payos.start(order())
    event = await payos.parse_webhook({}, far.pay(started.external_id, 250_000, "FT1"))
    assert (event.kind, event.amount_minor, event.currency) == ("paid", 250_000, "VND")
    assert (event.payment_id, event.payment_external_id) == (None, started.external_id)
    assert event.external_id == event.charge_id == f"{started.external_id}:FT1"


async def test_asking_brings_the_same_events_as_the_messages(payos, far):
    asked = order()
    started = await payos.start(asked)
    told = [
        await payos.parse_webhook({}, far.pay(started.external_id, amount, reference))
        for amount, reference in ((100_000, "FT1"), (150_000, "FT2"))
    ]
    assert await payos.fetch(running(asked, started.external_id)) == told


async def test_too_little_is_told_as_what_it_is(payos, far):
    asked = order()
    started = await payos.start(asked)
    assert await payos.fetch(running(asked, started.external_id)) == []
    far.pay(started.external_id, 100_000)
    [event] = await payos.fetch(running(asked, started.external_id))
    assert (event.kind, event.amount_minor) == ("paid", 100_000)


@pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED"])
async def test_a_link_that_is_over_has_failed_after_what_came(payos, far, status):
    asked = order()
    started = await payos.start(asked)
    far.pay(started.external_id, 1000)
    far.links[started.external_id]["status"] = status
    events = await payos.fetch(running(asked, started.external_id))
    assert [(event.kind, event.failure) for event in events] == [("paid", ""), ("failed", status.lower())]
    assert await payos.fetch(running(asked, started.external_id)) == events


@pytest.mark.parametrize(
    "forge",
    [
        lambda body: body.replace(b"250000", b"950000"),
        lambda body: body.replace(b'"VND"', b'"USD"'),
        lambda body: body.replace(b'"signature": "', b'"signature": "0'),
        lambda body: b"{}",
        lambda body: b"not json",
        lambda body: b"[" * 5000,
        lambda body: b"",
        lambda body: json.dumps({"data": [], "signature": signature({})}).encode(),
        lambda body: json.dumps({"data": json.loads(body)["data"]}).encode(),
    ],
)
async def test_a_message_that_payos_did_not_sign_is_refused(payos, far, forge):
    started = await payos.start(order())
    body = far.pay(started.external_id, 250_000)
    await payos.parse_webhook({}, body)  # control
    with pytest.raises(BadSignature):
        await payos.parse_webhook({}, forge(body))


async def test_a_message_signed_by_another_key_is_refused(payos, far):
    with pytest.raises(BadSignature):
        await payos.parse_webhook({}, far.message("1", key="another", amount=1, reference="FT1"))


async def test_a_member_that_payos_adds_one_day_is_signed_and_does_no_harm(payos, far):
    body = far.message("1", amount=1, reference="FT1", instalments=[{"b": None, "a": "ă"}], isNew=None)
    assert (await payos.parse_webhook({}, body)).kind == "paid"


async def test_a_signed_message_without_a_reference_cannot_be_read(payos, far):
    for data in ({"amount": 1, "reference": ""}, {"amount": 1}, {"amount": "1", "reference": "FT1"}):
        with pytest.raises(UnreadableWebhook):
            await payos.parse_webhook({}, far.message("1", **data))


@pytest.mark.parametrize("data", [{"code": "01", "amount": 5}, {"amount": 0}, {"amount": -5}])
async def test_a_transfer_that_did_not_succeed_is_none(payos, far, data):
    assert (await payos.parse_webhook({}, far.message("1", reference="FT1", **data))).kind == "other"


async def test_closing_ends_a_link_and_leaves_one_that_is_paid(payos, far):
    asked = order()
    started = await payos.start(asked)
    await payos.close(running(asked, started.external_id))
    assert far.links[started.external_id]["status"] == "CANCELLED"
    await payos.close(running(asked, started.external_id))
    for status in ("PAID", "UNDERPAID"):
        far.links[started.external_id]["status"] = status
        await payos.close(running(asked, started.external_id))
    far.links[started.external_id]["status"] = "PROCESSING"
    with pytest.raises(ProviderUnavailable):
        await payos.close(running(asked, started.external_id))


async def test_money_on_the_operators_own_account_is_not_given_back_by_payos(payos):
    refund = RefundOrder(new_id(), "link", "link:FT1", Money(1, "VND"), "cancelled")
    with pytest.raises(RefundRefused):
        await payos.refund(refund)
