"""From held seats to a confirmed booking and back, through HTTP on both sides: PayOS and PayPal."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs
from tests.bookings.shows import scalar
from tests.bookings.test_api import Guest, problem_of
from tests.payments.adapters import payos_double, paypal_double
from tests.payments.adapters.loopback import answering
from tests.payments.adapters.payos_double import PayOSDouble
from tests.payments.adapters.paypal_double import PayPalDouble

from farebox.accounts import SYSTEM
from farebox.core.money import Money
from farebox.payments import check_payments, make_forgotten_refunds, refund_payment, verify_ledger

API = "/api/v1"


@pytest.fixture
def payos() -> Iterator[PayOSDouble]:
    double = PayOSDouble()
    with answering(double.answer) as double.url:
        yield double


@pytest.fixture
def paypal() -> Iterator[PayPalDouble]:
    double = PayPalDouble()
    with answering(double.answer) as double.url:
        yield double


@pytest.fixture
def settings(settings, payos, paypal):
    return structs.replace(
        settings,
        payos_client_id=payos_double.CLIENT_ID,
        payos_api_key=payos_double.API_KEY,
        payos_checksum_key=payos_double.CHECKSUM_KEY,
        payos_api_url=payos.url,
        paypal_client_id=paypal_double.CLIENT_ID,
        paypal_client_secret=paypal_double.CLIENT_SECRET,
        paypal_webhook_id=paypal_double.WEBHOOK_ID,
        paypal_api_url=paypal.url,
    )


@pytest.fixture(autouse=True)
def books(database):
    """Whatever a test does, the ledger is right afterwards."""
    yield
    assert [str(verdict) for verdict in verify_ledger(database.direct_dsn) if verdict.broken] == []


@pytest.fixture
async def guest(client, box):
    return Guest(client, box, *(await box.guest_with_token()))


async def begun(guest, show, method):
    made = await guest.book(show)
    body = {"bookingId": made["bookingId"], "method": method}
    answer = await guest.send("POST", "/payments/create", body)
    assert answer.status_code == 201, answer.text
    return made, answer.json()


async def state(guest, made):
    return (await guest.send("GET", f"/bookings/{made['bookingId']}")).json()["status"]


async def tell(client, provider, body, headers=None) -> Any:
    return await client.post(f"{API}/webhooks/payments/{provider}", content=body, headers=headers or {})


async def look(services, database) -> None:
    """What the job does some minutes later."""
    async with database.begin() as work:
        await work.execute("UPDATE payment SET next_check_at = now() WHERE next_check_at IS NOT NULL")
    await check_payments(database, providers=services.providers, signer=services.secrets)


async def charges(database):
    async with database.begin() as work:
        cursor = await work.execute("SELECT disposition, amount_minor FROM payment_charge ORDER BY received_at, id")
        return [tuple(row) for row in await cursor.fetchall()]


# --- PayOS


async def dong(box, **more):
    return await box.show(price=250_000, fee=0, currency="VND", **more)


async def test_payos_tells_of_a_transfer_and_the_booking_is_confirmed_once(box, database, client, guest, payos):
    made, payment = await begun(guest, await dong(box), "payos")
    [link] = payos.links.values()
    assert payment["checkoutUrl"] == f"https://pay.payos.vn/web/{link['id']}"
    assert payos.asked[0]["description"] == made["bookingReference"]
    body = payos.pay(link["id"], 250_000)
    answers = await asyncio.gather(*(tell(client, "payos", body) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {200}
    assert await state(guest, made) == "confirmed"
    assert await charges(database) == [("applied", 250_000)]
    assert await scalar(database, "SELECT count(*) FROM ticket") == 1


async def test_a_transfer_in_parts_is_put_together_in_whatever_order_it_is_told(
    box, database, client, guest, payos, services
):
    made, _ = await begun(guest, await dong(box), "payos")
    [link_id] = payos.links
    first, second = payos.pay(link_id, 100_000, "FT1"), payos.pay(link_id, 150_000, "FT2")
    assert (await tell(client, "payos", second)).status_code == 200
    assert await state(guest, made) == "payment_processing"
    assert (await tell(client, "payos", first)).status_code == 200
    assert await state(guest, made) == "confirmed"
    await look(services, database)
    assert await charges(database) == [("applied", 150_000), ("applied", 100_000)]


async def test_payos_is_asked_for_what_it_did_not_tell(box, database, client, guest, payos, services):
    made, _ = await begun(guest, await dong(box), "payos")
    [link_id] = payos.links
    lost = payos.pay(link_id, 250_000)
    await look(services, database)
    assert await state(guest, made) == "confirmed"
    assert (await tell(client, "payos", lost)).status_code == 200
    assert await charges(database) == [("applied", 250_000)]


async def test_a_changed_or_foreign_message_confirms_nothing(box, database, client, guest, payos):
    made, _ = await begun(guest, await dong(box), "payos")
    [link_id] = payos.links
    small = json.loads(payos.pay(link_id, 1000))
    small["data"]["amount"] = 250_000
    assert problem_of(await tell(client, "payos", json.dumps(small)), 400)["code"] == "bad-signature"
    forged = payos.message(link_id, key="another", amount=250_000, reference="FT9")
    assert problem_of(await tell(client, "payos", forged), 400)["code"] == "bad-signature"
    trial = payos.message("somebody-elses", amount=250_000, reference="FT9")  # PayOS sends one when it is set up
    assert (await tell(client, "payos", trial)).status_code == 200
    assert await state(guest, made) == "payment_processing"
    assert await charges(database) == []


async def test_what_payos_took_goes_back_by_hand(box, database, client, guest, payos, services):
    made, _ = await begun(guest, await dong(box), "payos")
    [link_id] = payos.links
    await tell(client, "payos", payos.pay(link_id, 250_000, "FT1"))
    await tell(client, "payos", payos.pay(link_id, 250_000, "FT2"))
    await make_forgotten_refunds(database, providers=services.providers, older_than_seconds=0)
    assert await charges(database) == [("applied", 250_000), ("duplicate", 250_000)]
    assert await scalar(database, "SELECT status FROM refund") == "failed"
    assert await state(guest, made) == "confirmed"


async def test_another_way_of_paying_closes_the_link(box, database, guest, payos, services):
    made, _ = await begun(guest, await dong(box), "payos")
    await guest.send("POST", "/payments/create", {"bookingId": made["bookingId"], "method": "sandbox"})
    await look(services, database)
    assert [link["status"] for link in payos.links.values()] == ["CANCELLED"]


async def test_payos_out_of_order_leaves_the_booking_to_be_paid_another_way(box, guest, payos):
    made = await guest.book(await dong(box))
    body = {"bookingId": made["bookingId"], "method": "payos"}
    payos.says = 500, {}
    assert problem_of(await guest.send("POST", "/payments/create", body), 503)["code"] == "provider-unavailable"
    payos.says = 200, {"code": "20", "desc": "the amount is too small"}
    assert problem_of(await guest.send("POST", "/payments/create", body), 422)["code"] == "order-refused"
    assert await state(guest, made) == "pending"


# --- PayPal


async def paypal_tells(client, paypal, event_type, resource, event_id="WH-1"):
    body = paypal.message(event_type, resource, event_id=event_id)
    return await tell(client, "paypal", body, paypal.sign(body))


async def test_paypal_tells_of_a_capture_and_the_booking_is_confirmed_once(
    box, database, client, guest, paypal, services
):
    made, payment = await begun(guest, await box.show(), "paypal")
    [order] = paypal.orders.values()
    assert payment["checkoutUrl"].endswith(order["id"])
    assert (await paypal_tells(client, paypal, "CHECKOUT.PAYMENT-APPROVAL.REVERSED", {})).status_code == 200
    paypal.agree(order["id"])
    assert (await paypal_tells(client, paypal, "CHECKOUT.ORDER.APPROVED", order, "WH-2")).status_code == 200
    await look(services, database)
    assert await state(guest, made) == "confirmed"
    [capture] = paypal.captures.values()
    for event_id in ("WH-3", "WH-3", "WH-4"):
        answer = await paypal_tells(client, paypal, "PAYMENT.CAPTURE.COMPLETED", capture, event_id)
        assert answer.status_code == 200
    assert await charges(database) == [("applied", 1350)]
    assert await scalar(database, "SELECT count(*) FROM ticket") == 1


async def test_coming_back_from_paypal_takes_the_money_and_confirms(box, database, guest, paypal):
    made, payment = await begun(guest, await box.show(), "paypal")
    [order_id] = paypal.orders
    body = {"paymentId": payment["paymentId"]}
    assert problem_of(await guest.send("POST", "/payments/confirm", body), 402)["code"] == "payment-required"
    paypal.agree(order_id)
    async with database.begin() as work:  # those who wait have it asked every few seconds
        await work.execute("UPDATE payment SET checked_at = checked_at - interval '1 minute'")
    assert (await guest.send("POST", "/payments/confirm", body)).json()["status"] == "completed"
    assert await state(guest, made) == "confirmed"


async def test_paypal_gives_back_once_what_was_paid(box, database, client, guest, paypal, services):
    _, payment = await begun(guest, await box.show(), "paypal")
    [order_id] = paypal.orders
    paypal.agree(order_id)
    await look(services, database)
    async with database.begin() as work:
        await refund_payment(work, UUID(payment["paymentId"]), Money(500, "EUR"), note="late", actor=SYSTEM)
    for _ in range(2):
        await make_forgotten_refunds(database, providers=services.providers, older_than_seconds=0)
    [capture] = paypal.captures.values()
    assert capture["refunded"] == 5.0
    assert await scalar(database, "SELECT status FROM refund") == "completed"
    body = {"amount": {"currency_code": "EUR", "value": "5.00"}, "status": "COMPLETED"}
    refund_id = await scalar(database, "SELECT id::text FROM refund")
    told = paypal.refund(capture["id"], custom_id=f"refund-{refund_id}", **body)
    assert (await paypal_tells(client, paypal, "PAYMENT.CAPTURE.REFUNDED", told, "WH-9")).status_code == 200
    assert await scalar(database, "SELECT count(*) FROM refund") == 1
    assert await scalar(database, "SELECT refunded_minor FROM payment_charge") == 500


async def test_money_is_not_taken_for_a_booking_that_is_over(box, database, guest, paypal, services):
    made, _ = await begun(guest, await box.show(), "paypal")
    [order_id] = paypal.orders
    cancelled = await guest.send("DELETE", f"/bookings/{made['bookingId']}")
    assert cancelled.status_code == 200, cancelled.text
    paypal.agree(order_id)
    await look(services, database)
    assert paypal.captures == {}
    assert await charges(database) == []


async def test_a_message_that_paypal_did_not_sign_confirms_nothing(box, database, client, guest, paypal):
    made, payment = await begun(guest, await box.show(), "paypal")
    amount = {"currency_code": "EUR", "value": "13.50"}
    capture = {"id": "3C67", "status": "COMPLETED", "amount": amount, "custom_id": payment["paymentId"]}
    body = paypal.message("PAYMENT.CAPTURE.COMPLETED", capture)
    headers = paypal.sign(body, webhook_id="another")
    assert problem_of(await tell(client, "paypal", body, headers), 400)["code"] == "bad-signature"
    assert await state(guest, made) == "payment_processing"
    assert (await tell(client, "paypal", body, paypal.sign(body))).status_code == 200  # control
    assert await state(guest, made) == "confirmed"
