"""Money that was put into a wallet and that a bank wants back: held while it looks into it, then taken or let go."""

import asyncio

import pytest
from tests.bookings.shows import scalar
from tests.payments.test_payouts import statement
from tests.payments.test_wallet import balance, booked_by, eur, pay
from tests.payments.till import disputed
from tests.payments.wallets import fill_wallet
from tests.people import make_person, open_session_of

from farebox.accounts import SYSTEM
from farebox.bookings import CancelReason
from farebox.payments import (
    WalletTooSmall,
    balances,
    cancel_booking,
    find_wallet,
    get_payment,
    pay_out,
    settlement,
    verify_ledger,
)
from farebox.payments import wallet as wallets
from farebox.payments.events import WalletDisputed


@pytest.fixture
async def person(till, secrets):
    """With 20.00 in the wallet; afterwards the books are asked whether they are right."""
    somebody = await make_person(till.database, secrets)
    await fill_wallet(till.database, somebody, eur(2000))
    yield somebody
    assert [str(verdict) for verdict in verify_ledger(till.database.direct_dsn) if verdict.broken] == []


async def top_up(till, number=0):
    """The payment by which money was put in, the oldest first."""
    payment_id = await scalar(
        till.database,
        "SELECT id FROM payment WHERE purpose = 'top-up' ORDER BY created_at, id OFFSET %s LIMIT 1",
        number,
    )
    async with till.database.begin() as work:
        return await get_payment(work, payment_id, actor=SYSTEM)


async def purse(till, person):
    """(what is in it, what of that is held back)."""
    async with till.database.begin() as work:
        wallet = await find_wallet(work, "EUR", actor=person.actor)
    assert wallet is not None
    return wallet.balance.minor, wallet.held.minor


async def books(till):
    """The accounts that are not zero; those of wallets and operators without their names."""
    async with till.database.begin() as work:
        found = await balances(work)
    return {account.split(":")[0]: minor for (account, _), minor in found.items() if minor}


async def test_while_a_bank_wants_it_back_it_is_there_and_cannot_be_spent(till, box, person):
    await till.deliver(disputed(await top_up(till), "opened"))
    assert await purse(till, person) == (2000, 2000)
    assert await books(till) == {"disputes": 2000, "wallet": -2000}
    with pytest.raises(WalletTooSmall):
        await pay(till, await booked_by(box, person), person)
    async with till.database.begin() as work:
        with pytest.raises(WalletTooSmall):
            await pay_out(work, eur(100), actor=person.actor)
    assert await purse(till, person) == (2000, 2000)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (["opened", "opened"], [("open", "20.00", "20.00")]),
        (["opened", "won"], [("open", "20.00", "20.00"), ("won", "20.00", "20.00")]),
        (["opened", "lost", "lost"], [("open", "20.00", "20.00"), ("lost", "20.00", "20.00")]),
        (["lost"], [("lost", "20.00", "20.00")]),
    ],
)
async def test_the_owner_of_the_wallet_is_told_of_each_step_once(till, person, steps, told):
    payment = await top_up(till)
    for step in steps:
        await till.deliver(disputed(payment, step))
    of_wallet = [event for event in till.events if isinstance(event, WalletDisputed)]
    assert {event.person_id for event in of_wallet} == {person.id}
    assert [(event.step, event.amount, event.in_wallet) for event in of_wallet] == told


async def test_what_it_returns_is_free_again(till, box, person):
    payment = await top_up(till)
    for step in ("opened", "opened", "won", "won"):
        await till.deliver(disputed(payment, step))
    assert await purse(till, person) == (2000, 0)
    assert await books(till) == {"clearing": 2000, "wallet": -2000}
    await pay(till, await booked_by(box, person), person)
    assert await purse(till, person) == (650, 0)


@pytest.mark.parametrize("is_announced", [True, False])
async def test_what_it_keeps_is_taken_out_of_the_wallet(till, person, is_announced):
    payment = await top_up(till)
    if is_announced:
        await till.deliver(disputed(payment, "opened"))
    for _ in range(2):
        await till.deliver(disputed(payment, "lost"))
    assert await purse(till, person) == (0, 0)
    assert await books(till) == {}
    assert await statement(till, person) == [("dispute", -2000, 0), ("top-up", 2000, 2000)]
    assert await till.charges() == [("applied", 2000, 2000)]
    assert till.bank.refunds == []  # the bank has given it back
    assert await till.make_refunds() == 0


async def test_what_was_spent_before_is_a_loss_and_the_wallet_is_never_below_nothing(till, box, person):
    await pay(till, await booked_by(box, person), person)
    payment = await top_up(till)
    await till.deliver(disputed(payment, "opened"))
    assert await purse(till, person) == (650, 650)
    await till.deliver(disputed(payment, "lost"))
    assert await purse(till, person) == (0, 0)
    assert await books(till) == {"losses": 1350, "sales": -1350}
    await fill_wallet(till.database, person, eur(500))
    assert await purse(till, person) == (500, 0)  # what comes afterwards does not make up for it


async def test_what_comes_in_while_it_is_open_is_held_as_well(till, box, person):
    booking = await booked_by(box, person)
    await pay(till, booking, person)
    payment = await top_up(till)
    await till.deliver(disputed(payment, "opened"))
    async with till.database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM, reason=CancelReason.OPERATOR, refund_to="wallet")
    await till.make_refunds()
    assert await purse(till, person) == (2000, 2000)
    await till.deliver(disputed(payment, "lost"))
    assert await purse(till, person) == (0, 0)
    assert await books(till) == {}


async def test_of_a_part_only_that_is_held_and_other_money_is_spent(till, box, person):
    payment = await top_up(till)
    await till.deliver(disputed(payment, "opened", amount=600))
    assert await purse(till, person) == (2000, 600)
    await pay(till, await booked_by(box, person), person)
    assert await purse(till, person) == (650, 600)
    with pytest.raises(WalletTooSmall):
        async with till.database.begin() as work:
            await wallets.take(work, await scalar(till.database, "SELECT id FROM wallet"), eur(51))
    await till.deliver(disputed(payment, "lost", amount=600))
    assert await purse(till, person) == (50, 0)


async def test_several_disputes_hold_each_their_part_and_no_more_than_was_put_in(till, person):
    payment = await top_up(till)
    await till.deliver(disputed(payment, "opened", dispute="d1", amount=1500))
    await till.deliver(disputed(payment, "opened", dispute="d2", amount=700))
    assert await scalar(till.database, "SELECT array_agg(held_minor ORDER BY external_id) FROM payment_dispute") == [
        1500,
        500,
    ]
    await till.deliver(disputed(payment, "won", dispute="d1", amount=1500))
    assert await purse(till, person) == (2000, 500)
    await till.deliver(disputed(payment, "lost", dispute="d2", amount=700))
    assert await purse(till, person) == (1500, 0)


async def test_what_had_gone_out_again_is_not_held(till, person):
    async with till.database.begin() as work:
        await pay_out(work, eur(1200), actor=person.actor)
    await till.make_refunds()
    await fill_wallet(till.database, person, eur(1000))
    payment = await top_up(till)
    await till.deliver(disputed(payment, "opened"))
    assert await purse(till, person) == (1800, 800)
    async with till.database.begin() as work:
        with pytest.raises(WalletTooSmall):
            await pay_out(work, eur(1001), actor=person.actor)
    await till.deliver(disputed(payment, "lost"))
    assert await purse(till, person) == (1000, 0)
    assert (await books(till))["losses"] == 1200


async def test_money_in_another_currency_that_was_to_go_back_holds_nothing(till, secrets):
    other = await make_person(till.database, secrets, email="linh@example.com")
    await fill_wallet(till.database, other, eur(500))
    async with till.database.begin() as work:
        await work.execute("UPDATE payment_charge SET disposition = 'mismatched'")
    await till.deliver(disputed(await top_up(till), "opened"))
    assert await purse(till, other) == (500, 0)


@pytest.mark.parametrize("attempt", range(4))
async def test_who_spends_while_the_bank_asks_spends_before_or_not_at_all(till, box, person, attempt):
    booking, payment = await booked_by(box, person), await top_up(till)
    await asyncio.gather(pay(till, booking, person), till.deliver(disputed(payment, "opened")), return_exceptions=True)
    is_paid = (await till.booking(booking)).status == "confirmed"
    assert await purse(till, person) == ((650, 650) if is_paid else (2000, 2000))
    await till.deliver(disputed(payment, "lost"))
    assert await purse(till, person) == (0, 0)
    assert (await books(till)).get("losses", 0) == (1350 if is_paid else 0)


async def spend_while_the_bank_asks(till, box, person, monkeypatch):
    """Somebody has read their wallet and not yet taken out of it; then the bank asks, and they go on."""
    booking, payment = await booked_by(box, person), await top_up(till)
    has_read, may_go_on = asyncio.Event(), asyncio.Event()
    settled = settlement.settle

    async def settle_later(*given, **named):
        has_read.set()
        await may_go_on.wait()
        return await settled(*given, **named)

    monkeypatch.setattr("farebox.payments.wallet_paying.settle", settle_later)
    spending = asyncio.ensure_future(pay(till, booking, person))
    await has_read.wait()
    await till.deliver(disputed(payment, "opened"))
    may_go_on.set()
    await asyncio.gather(spending, return_exceptions=True)
    return spending, await till.booking(booking)


async def test_what_the_bank_asks_for_in_the_middle_of_spending_is_not_spent(till, box, person, monkeypatch):
    spending, booking = await spend_while_the_bank_asks(till, box, person, monkeypatch)
    assert isinstance(spending.exception(), WalletTooSmall)
    assert booking.status == "pending"
    assert await purse(till, person) == (2000, 2000)


async def test_control_without_the_guard_it_is_spent(till, box, person, monkeypatch):
    async def take_all_the_same(work, wallet_id, amount):
        await work.execute(
            "UPDATE wallet SET balance_minor = balance_minor - %s WHERE id = %s", (amount.minor, wallet_id)
        )

    monkeypatch.setattr("farebox.payments.wallet_paying.take", take_all_the_same)
    _, booking = await spend_while_the_bank_asks(till, box, person, monkeypatch)
    assert booking.status == "confirmed"
    assert await balance(till, person) == 650


async def test_its_owner_is_told_what_cannot_be_spent(client, till, person):
    headers = {"Authorization": f"Bearer {(await open_session_of(person)).token}"}
    assert (await client.get("/api/v1/wallet", headers=headers)).json()["held"] == []
    await till.deliver(disputed(await top_up(till), "opened", amount=600))
    told = (await client.get("/api/v1/wallet", headers=headers)).json()
    assert told["balances"] == [{"amount": "20.00", "currency": "EUR"}]
    assert told["held"] == [{"amount": "6.00", "currency": "EUR"}]
