"""Money that goes out of a wallet again: no more than was put in, once, the way it came or by hand."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.bookings.shows import scalar
from tests.bookings.test_api import problem_of
from tests.payments.test_exchanges import agent_of
from tests.payments.test_wallet import balance, booked_by, eur, pay
from tests.payments.till import disputed
from tests.payments.wallets import fill_wallet
from tests.people import make_person, open_session_of
from tests.staff import bearer

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import CancelReason
from farebox.core.errors import Invalid
from farebox.payments import (
    NoWallet,
    PayoutTooLarge,
    RefundNotFound,
    WalletTooSmall,
    cancel_booking,
    get_payment,
    has_money,
    list_hand_refunds,
    list_transactions,
    note_paid_out,
    pay_out,
    verify_ledger,
)


@pytest.fixture
async def person(till, secrets):
    """With 30.00 in the wallet, put in twice; afterwards the books are asked whether they are right."""
    somebody = await make_person(till.database, secrets)
    for _ in range(2):
        await fill_wallet(till.database, somebody, eur(1500))
    yield somebody
    assert [str(verdict) for verdict in verify_ledger(till.database.direct_dsn) if verdict.broken] == []


async def take_out(till, person, minor):
    async with till.database.begin() as work:
        return await pay_out(work, eur(minor), actor=person.actor)


async def statement(till, person):
    async with till.database.begin() as work:
        lines, _ = await list_transactions(work, actor=person.actor)
    return [(line.kind, line.amount.minor, line.balance.minor) for line in lines]


async def owed_by_hand(till):
    async with till.database.begin(reach="*") as work:
        return await list_hand_refunds(work, actor=SYSTEM)


async def test_money_leaves_the_wallet_at_once_and_goes_back_the_way_it_came(till, person):
    left = await take_out(till, person, 2000)
    assert left.balance == eur(1000)
    assert await balance(till, person) == 1000
    assert await statement(till, person) == [
        ("payout", -500, 1000),
        ("payout", -1500, 1500),
        ("top-up", 1500, 3000),
        ("top-up", 1500, 1500),
    ]
    assert await till.charges() == [("applied", 1500, 500), ("applied", 1500, 1500)]
    assert await till.make_refunds() == 2
    assert sorted(order.amount.minor for order in till.bank.refunds) == [500, 1500]
    assert await balance(till, person) == 1000


async def test_what_is_asked_for_many_times_at_once_goes_out_as_often_as_it_is_there(till, person):
    answers = await asyncio.gather(*(take_out(till, person, 1000) for _ in range(6)), return_exceptions=True)
    assert [isinstance(answer, WalletTooSmall | PayoutTooLarge) for answer in answers].count(True) == 3
    assert await balance(till, person) == 0
    assert sum(back for _, _, back in await till.charges()) == 3000


async def test_money_that_a_booking_needs_at_the_same_time_goes_out_once(till, person):
    booking = await booked_by(till.box, person)
    answers = await asyncio.gather(pay(till, booking, person), take_out(till, person, 2500), return_exceptions=True)
    assert await balance(till, person) >= 0
    assert any(not isinstance(answer, Exception) for answer in answers)


async def test_no_more_goes_out_than_was_put_in(till, person):
    """What came back from a booking stays: it was paid in another way."""
    booking = await till.box.book(
        person.actor, await till.box.hold(person.actor, await till.box.show(begins_in=3 * 86_400))
    )
    await till.play(await till.start(booking, person.actor), "succeeded")
    async with till.database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM, reason=CancelReason.OPERATOR, refund_to="wallet")
    await till.make_refunds()
    assert await balance(till, person) == 4350
    with pytest.raises(PayoutTooLarge) as refused:
        await take_out(till, person, 3001)
    assert refused.value.fields["left"] == eur(3000)
    assert (await take_out(till, person, 3000)).balance == eur(1350)


async def test_what_a_provider_refuses_is_paid_out_by_hand_by_the_platforms_staff(till, person):
    await take_out(till, person, 1500)
    till.bank.refuses = True
    await till.make_refunds()
    [refund] = await owed_by_hand(till)
    assert (refund.booking_id, refund.amount, refund.reason, refund.is_refused) == (None, eur(1500), "payout", True)
    async with till.database.begin(reach="*") as work:
        assert await has_money(work, person.id)
    show = await till.box.show()
    async with till.database.begin(reach=(show.operator_id,)) as work:
        assert await list_hand_refunds(work, actor=agent_of(show)) == []
    for _ in range(2):
        async with till.database.begin(reach="*") as work:
            paid = await note_paid_out(work, refund.id, "slip 1", actor=SYSTEM, signer=till.box.secrets)
    assert paid.is_paid
    assert await owed_by_hand(till) == []
    assert (
        await scalar(till.database, "SELECT sum(amount_minor)::int FROM ledger_entry WHERE account = 'refunds-due'")
        == 0
    )


async def test_what_a_bank_looks_into_is_paid_out_by_nobody(till, person):
    """It may give the same money."""
    await take_out(till, person, 1500)
    till.bank.refuses = True
    await till.make_refunds()
    [refund] = await owed_by_hand(till)
    async with till.database.begin() as work:
        payment = await get_payment(work, refund.payment_id, actor=SYSTEM)
    await till.deliver(disputed(payment, "opened"))
    assert await owed_by_hand(till) == []
    with pytest.raises(RefundNotFound):
        async with till.database.begin(reach="*") as work:
            await note_paid_out(work, refund.id, "slip 1", actor=SYSTEM, signer=till.box.secrets)
    await till.deliver(disputed(payment, "won"))
    assert [each.id for each in await owed_by_hand(till)] == [refund.id]


@pytest.mark.parametrize("minor", [0, -1])
async def test_nothing_is_no_amount(till, person, minor):
    with pytest.raises(Invalid):
        await take_out(till, person, minor)


async def test_more_than_there_is_and_others_wallets_are_refused(till, person, secrets):
    with pytest.raises(WalletTooSmall):
        await take_out(till, person, 3001)
    other = await make_person(till.database, secrets, email="binh@example.com")
    with pytest.raises(WalletTooSmall):
        await take_out(till, other, 1)
    async with till.database.begin() as work:
        with pytest.raises(NoWallet):
            await pay_out(work, eur(1), actor=Actor("guest", person.id))
    assert await balance(till, person) == 3000


async def test_an_account_waits_for_what_is_on_its_way_out(till, person):
    await take_out(till, person, 3000)
    async with till.database.begin(reach="*") as work:
        assert await has_money(work, person.id)
    await till.make_refunds()
    async with till.database.begin(reach="*") as work:
        assert not await has_money(work, person.id)


async def test_what_it_would_come_to_is_asked_through_the_api_and_promises_nothing(client, till, person):
    headers = bearer((await open_session_of(person, proved_at=datetime.now(UTC) - timedelta(hours=1))).token)
    path = "/api/v1/wallet/payout-quote"
    all_of_it = (await client.get(path, params={"currency": "EUR"}, headers=headers)).json()
    assert [all_of_it[name]["amount"] for name in ("balance", "most", "amount")] == ["30.00"] * 3
    some = (await client.get(path, params={"currency": "EUR", "amount": "12.50"}, headers=headers)).json()
    assert (some["most"]["amount"], some["amount"]) == ("30.00", {"amount": "12.50", "currency": "EUR"})
    assert sum(float(part["amount"]["amount"]) for part in some["parts"]) == 12.5
    assert {part["method"] for part in some["parts"]} == {"sandbox"}
    assert datetime.fromisoformat(some["parts"][0]["putInAt"]).tzinfo is not None
    for params, status, code in (
        ({"currency": "EUR", "amount": "30.01"}, 409, "wallet-too-small"),
        ({"currency": "EUR", "amount": "0"}, 422, "invalid"),
        ({"currency": "EUR", "amount": "1.001"}, 422, "invalid"),
        ({"currency": "ABC"}, 422, "invalid"),
        ({"currency": "eur"}, 400, "invalid"),
    ):
        answer = await client.get(path, params=params, headers=headers)
        assert problem_of(answer, status)["code"] == code, params
    assert await balance(till, person) == 3000


async def test_who_has_no_wallet_of_a_currency_can_take_nothing_out_of_it(client, person):
    headers = bearer((await open_session_of(person)).token)
    told = (await client.get("/api/v1/wallet/payout-quote", params={"currency": "VND"}, headers=headers)).json()
    nothing = {"amount": "0", "currency": "VND"}
    assert told == {"balance": nothing, "most": nothing, "amount": nothing, "parts": []}


async def test_a_payout_through_the_api_is_refused_where_the_balance_is_another_than_was_shown(client, till, person):
    headers = bearer((await open_session_of(person)).token)
    body = {
        "amount": {"amount": "5.00", "currency": "EUR"},
        "expectedBalance": {"amount": "29.00", "currency": "EUR"},
    }
    answer = await client.post("/api/v1/wallet/payout", json=body, headers=headers)
    assert problem_of(answer, 409)["code"] == "refund-changed"
    assert await balance(till, person) == 3000
    body["expectedBalance"]["amount"] = "30.00"
    answer = await client.post("/api/v1/wallet/payout", json=body, headers=headers)
    assert (answer.status_code, answer.json()["balances"]) == (200, [{"amount": "25.00", "currency": "EUR"}])


async def test_it_asks_for_a_fresh_proof_at_the_door(client, till, person):
    body = {"amount": {"amount": "5.00", "currency": "EUR"}}
    stale = await open_session_of(person, proved_at=datetime.now(UTC) - timedelta(hours=1))
    answer = await client.post("/api/v1/wallet/payout", json=body, headers=bearer(stale.token))
    assert problem_of(answer, 403)["code"] == "step-up-required"
    assert await balance(till, person) == 3000
    fresh = await open_session_of(person)
    answer = await client.post("/api/v1/wallet/payout", json=body, headers=bearer(fresh.token))
    assert (answer.status_code, answer.json()["balances"]) == (200, [{"amount": "25.00", "currency": "EUR"}])
