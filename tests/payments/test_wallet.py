"""Wallets: money in, money out, never below zero, and a statement of it."""

import asyncio

import pypdfium2
import pytest
from msgspec import structs
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from tests.bookings.shows import Box, scalar
from tests.counting import counted_statements
from tests.payments.till import paid
from tests.payments.wallets import fill_wallet
from tests.people import Somebody, make_person, open_session_of

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import Booking, BookingStatus
from farebox.core.errors import Invalid
from farebox.core.money import Money
from farebox.payments import (
    NoWallet,
    PaymentStatus,
    ProviderUnavailable,
    UnknownMethod,
    WalletTooSmall,
    cancel_booking,
    find_wallet,
    list_transactions,
    list_wallets,
    pay_from_wallet,
    start_top_up,
    verify_ledger,
)
from farebox.payments.adapters.bank import BankAccount, BankTransfer
from farebox.payments.wallet import open_wallet, take
from farebox.payments.winding_up import wind_up


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.fixture
async def person(till, secrets):
    return await make_person(till.database, secrets)


async def balance(till, person: Somebody, currency: str = "EUR") -> int:
    async with till.database.begin() as work:
        wallet = await find_wallet(work, currency, actor=person.actor)
    return wallet.balance.minor if wallet else 0


async def booked_by(box: Box, person: Somebody, units: tuple[int, ...] = (0,)) -> Booking:
    show = await box.show(begins_in=3 * 86_400)
    return await box.book(person.actor, await box.hold(person.actor, show, units))


async def pay(till, booking: Booking, person: Somebody):
    async with till.database.begin() as work:
        return await pay_from_wallet(
            work, booking.id, actor=person.actor, signer=till.box.secrets, settings=till.box.settings
        )


async def statement(till, person: Somebody) -> list[tuple[str, int, int]]:
    async with till.database.begin() as work:
        found, total = await list_transactions(work, "EUR", actor=person.actor)
    assert total == len(found)
    return [(each.kind, each.amount.minor, each.balance.minor) for each in found]


def assert_books_are_right(till) -> None:
    for verdict in verify_ledger(till.database.direct_dsn):
        assert not verdict.broken, verdict


# --- money in


async def test_a_top_up_is_in_the_wallet_once_the_provider_says_that_it_came(till, person):
    payment = await start_top_up(
        till.database,
        eur(5000),
        method="sandbox",
        actor=person.actor,
        providers=till.providers,
        settings=till.box.settings,
    )
    assert (payment.status, payment.booking_id, payment.amount) == (PaymentStatus.PROCESSING, None, eur(5000))
    assert payment.return_url == f"{till.box.settings.base_url}/account/wallet"
    assert await balance(till, person) == 0
    await till.deliver(paid(payment))
    assert await balance(till, person) == 5000
    await till.deliver(paid(payment))  # told again
    assert await statement(till, person) == [("top-up", 5000, 5000)]
    assert_books_are_right(till)


async def test_nobody_puts_in_more_at_a_time_than_the_shop_takes(till, person):
    settings = structs.replace(till.box.settings, max_top_up=5000)
    asked = {"method": "sandbox", "actor": person.actor, "providers": till.providers, "settings": settings}
    await start_top_up(till.database, eur(5000), **asked)
    with pytest.raises(Invalid) as refused:
        await start_top_up(till.database, eur(5001), **asked)
    [error] = refused.value.errors
    assert (error.code, error.text()) == ("too-large", "At most €50.00 can be put in at a time.")


async def test_a_top_up_begun_again_is_the_same_payment(till, person):
    asked = {"method": "sandbox", "actor": person.actor, "providers": till.providers, "settings": till.box.settings}
    first = await start_top_up(till.database, eur(5000), **asked)
    assert (await start_top_up(till.database, eur(5000), **asked)).id == first.id
    assert (await start_top_up(till.database, eur(4000), **asked)).id != first.id


async def test_another_amount_is_credited_as_it_came_and_another_currency_goes_back(till, person):
    await fill_wallet(till.database, person, eur(5000), received=eur(4900))
    assert await balance(till, person) == 4900
    payment = await start_top_up(
        till.database,
        eur(2000),
        method="sandbox",
        actor=person.actor,
        providers=till.providers,
        settings=till.box.settings,
    )
    await till.deliver(paid(payment, currency="USD"))
    assert await balance(till, person) == 4900
    assert await till.make_refunds() == 1
    assert_books_are_right(till)


@pytest.mark.parametrize(
    ("amount", "asked", "refusal"),
    [
        (Money(0, "EUR"), {}, Invalid),
        (Money(-1, "EUR"), {}, Invalid),
        (Money(100, "EUR"), {"method": "shells"}, UnknownMethod),
        (Money(100, "EUR"), {"method": "bank-transfer"}, UnknownMethod),  # which nobody could note for a wallet
        (Money(100, "EUR"), {"return_url": "javascript:alert(1)"}, Invalid),
        (Money(100, "EUR"), {"actor": SYSTEM}, NoWallet),
    ],
)
async def test_what_is_no_top_up(till, person, amount, asked, refusal):
    bank = BankTransfer(BankAccount("Theatre", iban="DE89370400440532013000"), "http://127.0.0.1", hours=6)
    providers = till.providers | {"bank": bank}
    known = {"method": "sandbox", "actor": person.actor, "providers": providers, "settings": till.box.settings}
    with pytest.raises(refusal):
        await start_top_up(till.database, amount, **(known | asked))
    assert await scalar(till.database, "SELECT count(*) FROM payment") == 0


async def test_a_provider_that_does_not_answer_leaves_a_failed_top_up_and_no_money(till, person):
    till.bank.is_down = True
    with pytest.raises(ProviderUnavailable):
        await start_top_up(
            till.database,
            eur(100),
            method="sandbox",
            actor=person.actor,
            providers=till.providers,
            settings=till.box.settings,
        )
    assert await scalar(till.database, "SELECT status FROM payment") == "failed"


async def test_a_statement_is_of_one_currency_or_of_all_each_with_its_own_balance(till, person):
    await fill_wallet(till.database, person, eur(5000))
    await fill_wallet(till.database, person, Money(100_000, "VND"))
    await fill_wallet(till.database, person, eur(100))
    async with till.database.begin() as work:
        everything, total = await list_transactions(work, actor=person.actor)
        euros, of_euros = await list_transactions(work, "EUR", actor=person.actor)
    assert (total, of_euros) == (3, 2)
    assert [each.balance for each in everything] == [eur(5100), Money(100_000, "VND"), eur(5000)]
    assert euros == [everything[0], everything[2]]


# --- paying


async def test_a_booking_that_the_wallet_covers_is_confirmed_at_once(till, box, person):
    await fill_wallet(till.database, person, eur(5000))
    booking = await booked_by(box, person)
    payment = await pay(till, booking, person)
    assert (payment.status, payment.provider, payment.amount) == (PaymentStatus.COMPLETED, "wallet", eur(1350))
    assert (await till.booking(booking)).status is BookingStatus.CONFIRMED
    assert await statement(till, person) == [("payment", -1350, 3650), ("top-up", 5000, 5000)]
    assert "wallet.debited" in till.told()
    assert_books_are_right(till)


async def test_a_smaller_wallet_pays_a_part_and_another_method_the_rest(till, box, person):
    await fill_wallet(till.database, person, eur(1000))
    booking = await booked_by(box, person)
    await pay(till, booking, person)
    assert await balance(till, person) == 0
    assert (await till.booking(booking)).is_open
    rest = await till.start(booking, person.actor)
    assert rest.amount == eur(350)
    await till.deliver(paid(rest))
    assert (await till.booking(booking)).status is BookingStatus.CONFIRMED
    assert await till.charges() == [("applied", 1000, 0), ("applied", 1000, 0), ("applied", 350, 0)]
    assert_books_are_right(till)


async def test_if_the_rest_never_comes_the_part_returns_to_the_wallet(till, box, person):
    await fill_wallet(till.database, person, eur(1000))
    booking = await booked_by(box, person)
    await pay(till, booking, person)
    async with till.database.begin() as work:
        await cancel_booking(work, booking.id, actor=person.actor)
    async with till.database.begin() as work:
        assert await wind_up(work, booking.id) == 1
    assert await till.make_refunds() == 1
    assert await statement(till, person) == [("refund", 1000, 1000), ("payment", -1000, 0), ("top-up", 1000, 1000)]
    assert_books_are_right(till)


async def test_what_is_cancelled_goes_back_where_it_came_from_or_into_the_wallet_by_choice(till, box, person):
    await fill_wallet(till.database, person, eur(5000))
    out_of_wallet, by_card = await booked_by(box, person), await booked_by(box, person)
    await pay(till, out_of_wallet, person)
    await till.play(await till.start(by_card, person.actor), "succeeded")
    async with till.database.begin() as work:
        await cancel_booking(work, out_of_wallet.id, actor=person.actor)
        await cancel_booking(work, by_card.id, actor=person.actor, refund_to="wallet")
    assert await till.make_refunds() == 2
    assert till.bank.refunds == []
    assert await balance(till, person) == 5000 - 1350 + 1250 + 1250  # the service fee of each is kept
    assert [kind for kind, _, _ in await statement(till, person)] == ["refund", "refund", "payment", "top-up"]
    assert_books_are_right(till)


async def test_nothing_in_the_wallet_pays_nothing(till, box, person):
    booking = await booked_by(box, person)
    with pytest.raises(WalletTooSmall):
        await pay(till, booking, person)
    await fill_wallet(till.database, person, Money(100_000, "VND"))
    with pytest.raises(WalletTooSmall):
        await pay(till, booking, person)
    assert (await till.booking(booking)).status is BookingStatus.PENDING
    assert await scalar(till.database, "SELECT count(*) FROM payment WHERE provider = 'wallet'") == 0


async def test_guests_and_codes_have_no_wallet(till, box, person):
    booking, guest, _ = await box.booked()
    with pytest.raises(NoWallet):
        async with till.database.begin() as work:
            await pay_from_wallet(work, booking.id, actor=guest, signer=box.secrets, settings=box.settings)
    async with till.database.begin() as work:
        with pytest.raises(NoWallet):
            await list_wallets(work, actor=Actor("user", person.id, booking_id=booking.id))


# --- races


async def test_twenty_who_take_from_one_wallet_at_once_take_what_is_there_and_no_more(till, person, open_database):
    await fill_wallet(till.database, person, eur(500))
    wide = open_database(pool_size=20)
    async with wide.begin() as work:
        wallet_id = await open_wallet(work, person.id, "EUR")

    async def spend() -> bool:
        try:
            async with wide.begin() as work:
                await take(work, wallet_id, eur(100))
        except WalletTooSmall:
            return False
        return True

    assert sum(await asyncio.gather(*(spend() for _ in range(20)))) == 5
    assert await balance(till, person) == 0


async def test_without_the_guard_the_last_line_is_the_tables_own(till, person):
    await fill_wallet(till.database, person, eur(100))
    async with till.database.begin() as work:
        with pytest.raises(IntegrityError):
            await work.session.execute(text("UPDATE wallet SET balance_minor = balance_minor - 200"))
        await work.rollback()
    assert await balance(till, person) == 100


async def test_two_bookings_paid_at_once_out_of_a_wallet_for_one_are_never_both_paid_from_it(till, box, person):
    await fill_wallet(till.database, person, eur(1350))
    bookings = [await booked_by(box, person), await booked_by(box, person)]
    done = await asyncio.gather(*(pay(till, booking, person) for booking in bookings), return_exceptions=True)
    assert sorted(isinstance(each, WalletTooSmall) for each in done) == [False, True]
    states = {(await till.booking(booking)).status for booking in bookings}
    assert states == {BookingStatus.CONFIRMED, BookingStatus.PENDING}
    assert await balance(till, person) == 0
    assert_books_are_right(till)


async def test_one_booking_paid_twice_at_once_is_paid_once(till, box, person):
    await fill_wallet(till.database, person, eur(5000))
    booking = await booked_by(box, person)
    done = await asyncio.gather(pay(till, booking, person), pay(till, booking, person), return_exceptions=True)
    assert sorted(isinstance(each, Exception) for each in done) == [False, True]
    assert await balance(till, person) == 3650
    assert_books_are_right(till)


async def test_a_wallet_opened_by_many_at_once_is_one(till, person, open_database):
    wide = open_database(pool_size=10)

    async def opened():
        async with wide.begin() as work:
            return await open_wallet(work, person.id, "EUR")

    assert len(set(await asyncio.gather(*(opened() for _ in range(10))))) == 1


# --- through the API


@pytest.fixture
async def browser(client, person):
    session = await open_session_of(person)
    client.headers["Authorization"] = f"Bearer {session.token}"
    return client


async def test_a_wallet_is_filled_read_and_spent_through_the_api(browser, till, box, person):
    assert (await browser.get("/api/v1/wallet")).json() == {"balances": [], "held": []}
    body = {"amount": {"amount": "20.00", "currency": "EUR"}, "method": "sandbox", "returnUrl": "/account/wallet"}
    started = await browser.post("/api/v1/wallet/top-up", json=body)
    assert started.status_code == 201, started.text
    assert (started.json()["bookingId"], started.json()["amount"]) == (None, body["amount"])
    payment = started.json()["paymentId"]
    played = await browser.post(f"/api/v1/payments/sandbox/{payment}", json={"outcome": "succeeded"})
    assert played.status_code == 200, played.text
    assert (await browser.get("/api/v1/wallet")).json()["balances"] == [{"amount": "20.00", "currency": "EUR"}]
    booking = await booked_by(box, person)
    spent = await browser.post("/api/v1/payments/intent", json={"bookingId": str(booking.id), "method": "wallet"})
    assert (spent.status_code, spent.json()["status"]) == (201, "completed"), spent.text
    page = (await browser.get("/api/v1/wallet/transactions", params={"currency": "EUR", "limit": 1})).json()
    assert page["total"] == 2
    [latest] = page["items"]
    assert latest["amount"] == {"amount": "-13.50", "currency": "EUR"}
    assert latest["balance"] == {"amount": "6.50", "currency": "EUR"}
    assert (latest["kind"], latest["reference"]) == ("payment", booking.reference)
    again = await browser.post(
        "/api/v1/payments/intent", json={"bookingId": str((await booked_by(box, person)).id), "method": "wallet"}
    )
    assert (again.status_code, again.json()["amount"]["amount"]) == (201, "6.50")


async def test_the_receipt_of_a_top_up_is_fetched_through_the_api_by_its_owner_alone(browser, till, person, secrets):
    await fill_wallet(till.database, person, eur(2000))
    [entry] = (await browser.get("/api/v1/wallet/transactions")).json()["items"]
    path = f"/api/v1/wallet/receipts/{entry['paymentId']}/pdf"
    answer = await browser.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "private, no-store"
    number = answer.headers["content-disposition"].removeprefix('attachment; filename="').removesuffix('.pdf"')
    page = pypdfium2.PdfDocument(answer.content)[0].get_textpage().get_text_bounded()
    assert number in page
    assert "€20.00" in page
    other = await make_person(till.database, secrets, email="binh@example.com")
    headers = {"Authorization": f"Bearer {(await open_session_of(other)).token}"}
    refused = await browser.get(path, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (404, "payment-not-found")


async def test_an_empty_wallet_is_a_conflict_and_nobodys_amount_is_invalid(browser, box, person):
    booking = await booked_by(box, person)
    refused = await browser.post("/api/v1/payments/intent", json={"bookingId": str(booking.id), "method": "wallet"})
    assert (refused.status_code, refused.json()["code"]) == (409, "wallet-too-small")
    for amount in ("0", "-5.00", "1.001", "many"):
        body = {"amount": {"amount": amount, "currency": "EUR"}, "method": "sandbox"}
        refused = await browser.post("/api/v1/wallet/top-up", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid"), amount


async def test_a_statement_asks_the_database_as_often_for_twenty_lines_as_for_one(browser, till, person):
    async def asked() -> int:
        with counted_statements() as statements:
            answer = await browser.get("/api/v1/wallet/transactions", params={"currency": "EUR", "limit": 100})
        assert answer.status_code == 200
        return len(statements)

    await fill_wallet(till.database, person, eur(100))
    await asked()  # the first request of a credential asks more
    once = await asked()
    for _ in range(19):
        await fill_wallet(till.database, person, eur(100))
    assert await asked() == once
