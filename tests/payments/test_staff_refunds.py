"""Giving money back at the operator's will, at the door: who may, how much, and what the books say."""

import asyncio
from datetime import timedelta

import pytest
from tests.bookings.shows import scalar
from tests.payments.till import paid
from tests.staff import Employer, bearer, make_operator, token_of

from farebox.accounts import Permission
from farebox.payments import balances, make_refund, verify_ledger

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


async def test_who_stays_after_an_allowance_and_a_cancellation_pays_no_tax_on_an_untaxed_fee(client, till):
    """Two seats at 6.25 with 0.57 of tax each, and a fee of 1.00 without: all but a cent of that is given back."""
    guest, token = await till.box.guest_with_token()
    show = await till.box.show(price=625, begins_in=3 * 86_400)
    booking = await till.box.book(guest, await till.box.hold(guest, show, (0, 1)))
    payment = await till.start(booking, guest)
    await till.deliver(paid(payment))
    boss = await Employer(show.operator_id, "theatre", till.database, till.box.secrets).hire("operator_admin")
    given = await client.post(f"{V1}/refund", json=body(payment, "13.49"), headers=bearer(await token_of(boss)))
    assert given.status_code == 201
    leaves = {"passengers": [str(booking.passengers[0].id)]}
    path = f"/api/v1/bookings/{booking.id}/cancel"
    answer = await client.put(path, json=leaves, headers=bearer(token))
    assert (answer.status_code, answer.json()["total"]["amount"]) == (200, "0.01")
    assert answer.json()["cancellation"]["paidBack"]["amount"] == "0.00"
    now = await till.booking(booking)
    assert [(line.kind, line.amount.minor, line.tax_included.minor) for line in now.lines] == [
        ("fare", 625, 57),
        ("fee", 100, 0),
        ("discount", -724, -57),
    ]
    assert await scalar(till.database, "SELECT tax_minor FROM booking WHERE id = %s", booking.id) == 0
    assert await till.make_refunds() == 1
    assert await till.ledger(booking) == {"clearing": 1, "sales": -1}
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


async def test_of_two_operators_each_gives_back_of_its_own_part_only(client, till):
    """The theatre sold 12.50 and 1.00 of fee, the opera 20.00 and 1.00; each keeps its books to itself."""
    box = till.box
    guest = await box.guest()
    theatre, opera = await box.show(), await box.show(operator="opera", price=2000)
    booking = await box.book(guest, *[await box.hold(guest, show) for show in (theatre, opera)])
    payment = await till.start(booking, guest)
    await till.deliver(paid(payment))
    sellers = [
        Employer(show.operator_id, code, till.database, box.secrets)
        for show, code in ((theatre, "theatre"), (opera, "opera"))
    ]
    bosses = [bearer(await token_of(await seller.hire("operator_admin"))) for seller in sellers]

    async def give_back(boss, amount):
        answer = await client.post(f"{V1}/refund", json=body(payment, amount), headers=boss)
        return answer.status_code, answer.json().get("left", {}).get("amount")

    assert await give_back(bosses[0], "13.51") == (422, "13.50")
    assert await give_back(bosses[0], "5.00") == (201, None)
    assert await give_back(bosses[1], "21.01") == (422, "21.00")
    assert await give_back(bosses[1], "20.00") == (201, None)
    assert await give_back(bosses[0], "8.51") == (422, "8.50")
    assert await give_back(bosses[0], "8.50") == (201, None)
    assert await give_back(bosses[1], "1.01") == (422, "1.00")
    discounts = [
        (line.item_id, line.amount.minor) for line in (await till.booking(booking)).lines if line.kind == "discount"
    ]
    first, second = (
        next(item.id for item in booking.items if item.resource_id == show.id) for show in (theatre, opera)
    )
    assert discounts == [(first, -500), (second, -2000), (first, -850)]
    assert await till.make_refunds() == 3
    async with till.database.begin() as work:
        found = await balances(work, booking_id=booking.id)
    assert {account: minor for (account, _), minor in found.items() if minor} == {
        "clearing:sandbox": 100,
        f"sales:{opera.operator_id}": -100,
    }
    assert [str(verdict) for verdict in verify_ledger(till.database.dsn) if verdict.broken] == []


async def test_operators_who_give_back_at_once_give_back_no_more_than_their_parts(client, till):
    box = till.box
    guest = await box.guest()
    shows = [await box.show(), await box.show(operator="opera")]
    booking = await box.book(guest, *[await box.hold(guest, show) for show in shows])
    payment = await till.start(booking, guest)
    await till.deliver(paid(payment))
    bosses = []
    for show, code in zip(shows, ("theatre", "opera"), strict=True):
        seller = Employer(show.operator_id, code, till.database, box.secrets)
        bosses.append(bearer(await token_of(await seller.hire("operator_admin"))))
    answers = await asyncio.gather(
        *(client.post(f"{V1}/refund", json=body(payment, "8.00"), headers=boss) for boss in bosses * 3)
    )
    assert [sorted(answer.status_code for answer in answers[of::2]) for of in (0, 1)] == [[201, 422, 422]] * 2
    assert await till.make_refunds() == 2
    assert (await till.booking(booking)).total.minor == 2700 - 1600
    assert [str(verdict) for verdict in verify_ledger(till.database.dsn) if verdict.broken] == []
