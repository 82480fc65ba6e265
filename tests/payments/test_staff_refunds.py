"""Giving money back at the operator's will, at the door: who may, how much, and what the books say."""

from datetime import timedelta

import pytest
from tests.bookings.shows import scalar
from tests.payments.till import paid
from tests.staff import Employer, bearer, make_operator, token_of

from farebox.accounts import Permission
from farebox.payments import make_refund, verify_ledger

V1 = "/api/v1/payments"


@pytest.fixture
async def sold(till):
    """A booking that was paid, and the operator that sold it."""
    booking, _, show, payment = await till.paying()
    await till.deliver(paid(payment))
    till.told()
    seller = Employer(show.operator_id, "theatre", till.database, till.box.secrets)
    return booking, payment, seller


def body(payment, amount="5.00", **more):
    wanted = {"paymentId": str(payment.id), "amount": {"amount": amount, "currency": "EUR"}, "reason": "A broken seat"}
    return wanted | more


async def refunds(till):
    async with till.database.begin() as work:
        cursor = await work.execute("SELECT amount_minor, reason, actor FROM refund ORDER BY id")
        return [tuple(row) for row in await cursor.fetchall()]


async def test_an_administrator_gives_a_part_back_and_the_price_falls_by_it(client, till, sold):
    booking, payment, seller = sold
    boss = await seller.hire("operator_admin")
    answer = await client.post(f"{V1}/refund", json=body(payment), headers=bearer(await token_of(boss)))
    assert answer.status_code == 201
    [refund] = answer.json()["items"]
    assert (refund["status"], refund["to"], refund["amount"]) == (
        "pending",
        "origin",
        {"amount": "5.00", "currency": "EUR"},
    )
    assert await refunds(till) == [(500, "allowance", f"user:{boss.id}")]
    now = await till.booking(booking)
    assert (now.status.value, now.total.minor) == ("confirmed", 850)
    assert [(line.kind, line.amount.minor) for line in now.lines][-1] == ("discount", -500)
    assert await scalar(till.database, "SELECT facts->>'note' FROM booking_audit WHERE reason = 'allowance'") == (
        "A broken seat"
    )
    assert await till.make_refunds() == 1
    assert await till.ledger(booking) == {"clearing": 850, "sales": -850}
    assert [str(verdict) for verdict in verify_ledger(till.database.dsn) if verdict.broken] == []


async def test_no_more_than_is_left_is_given_back(client, till, sold):
    _, payment, seller = sold
    headers = bearer(await token_of(await seller.hire("operator_admin")))
    assert (await client.post(f"{V1}/refund", json=body(payment, "10.00"), headers=headers)).status_code == 201
    answer = await client.post(f"{V1}/refund", json=body(payment, "3.51"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "refund-too-large")
    assert answer.json()["left"] == {"amount": "3.50", "currency": "EUR"}
    assert (await client.post(f"{V1}/refund", json=body(payment, "3.50"), headers=headers)).status_code == 201
    assert [amount for amount, _, _ in await refunds(till)] == [1000, 350]


@pytest.mark.parametrize(
    "amount",
    [
        {"amount": "0.00", "currency": "EUR"},
        {"amount": "-1.00", "currency": "EUR"},
        {"amount": "5.00", "currency": "USD"},
        {"amount": "5.001", "currency": "EUR"},
        {"amount": "five", "currency": "EUR"},
    ],
)
async def test_what_is_no_amount_of_what_was_paid_is_refused(client, till, sold, amount):
    _, payment, seller = sold
    headers = bearer(await token_of(await seller.hire("operator_admin")))
    answer = await client.post(f"{V1}/refund", json=body(payment) | {"amount": amount}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert await refunds(till) == []


async def test_the_same_key_gives_back_once(client, till, sold):
    _, payment, seller = sold
    headers = bearer(await token_of(await seller.hire("operator_admin"))) | {"Idempotency-Key": "broken-seat-1"}
    answers = [await client.post(f"{V1}/refund", json=body(payment), headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert len(await refunds(till)) == 1


async def test_a_stale_session_is_asked_for_a_fresh_proof(client, till, sold):
    _, payment, seller = sold
    boss = await seller.hire("operator_admin")
    stale = await token_of(boss, proved_at=till.database.clock() - timedelta(minutes=11))
    answer = await client.post(f"{V1}/refund", json=body(payment), headers=bearer(stale))
    assert (answer.status_code, answer.json()["code"]) == (403, "step-up-required")
    assert await refunds(till) == []


async def test_others_find_no_payment_to_give_back(client, till, sold):
    _, payment, seller = sold
    elsewhere = await make_operator(till.database, till.box.secrets, "elsewhere")
    rival = bearer(await token_of(await elsewhere.hire("operator_admin")))
    answer = await client.post(f"{V1}/refund", json=body(payment), headers=rival)
    assert (answer.status_code, answer.json()["code"]) == (404, "payment-not-found")
    agent = bearer(await token_of(await seller.hire("agent")))
    assert (await client.post(f"{V1}/refund", json=body(payment), headers=agent)).status_code == 403
    screen = bearer(await seller.key(Permission.BOOKINGS_READ))
    assert (await client.post(f"{V1}/refund", json=body(payment), headers=screen)).status_code == 403
    assert await refunds(till) == []


async def test_a_failed_refund_is_listed_and_made_again(client, till, sold):
    booking, payment, seller = sold
    headers = bearer(await token_of(await seller.hire("operator_admin")))
    [refund] = (await client.post(f"{V1}/refund", json=body(payment), headers=headers)).json()["items"]
    till.bank.refuses = True
    await make_refund(till.database, await scalar(till.database, "SELECT id FROM refund"), providers=till.providers)
    listed = (await client.get(f"{V1}/{payment.id}/refunds", headers=headers)).json()["items"]
    assert [each["status"] for each in listed] == ["failed"]
    path = f"{V1}/refunds/{refund['refundId']}/again"
    assert (await client.post(path, json={"to": "wallet"}, headers=headers)).json()["code"] == "no-wallet"
    again = await client.post(path, json={}, headers=headers)
    assert (again.status_code, again.json()["status"]) == (201, "pending")
    assert (await client.post(path, json={}, headers=headers)).json()["code"] == "refund-not-found"
    till.bank.refuses = False
    assert await till.make_refunds() == 1
    assert await till.ledger(booking) == {"clearing": 850, "sales": -850}
