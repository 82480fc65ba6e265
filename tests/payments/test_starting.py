"""Beginning a payment."""

from datetime import UTC, datetime

import pytest
from tests.bookings.shows import run_out, scalar
from tests.guards import unguarded
from tests.payments.till import declined, paid

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import BookingExpired, BookingNotFound, BookingStatus, cancel_booking
from farebox.core.errors import Invalid
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.inventory import get_hold
from farebox.payments import (
    NothingToPay,
    NotPayable,
    PaymentNotFound,
    PaymentStatus,
    ProviderUnavailable,
    UnknownMethod,
    get_payment,
    list_methods,
    list_payments,
)


async def test_a_payment_opens_a_checkout_and_keeps_the_seats(till, box, database):
    booking, actor, _ = await box.booked()
    payment = await till.start(booking, actor, return_url="/thanks")
    assert (payment.status, payment.amount) == (PaymentStatus.PROCESSING, Money(1350, "EUR"))
    assert payment.checkout_url == f"{box.settings.base_url}/pay/sandbox/{payment.id}"
    assert payment.return_url == f"{box.settings.base_url}/thanks"
    [order] = till.bank.started
    assert (order.payment_id, order.reference, order.amount) == (payment.id, booking.reference, Money(1350, "EUR"))
    assert 1190 < order.expires_in_seconds <= 1200
    now = await till.booking(booking)
    assert now.status is BookingStatus.PAYMENT_PROCESSING
    async with database.begin() as work:
        assert (await get_hold(work, now.items[0].hold_id)).expires_at == now.expires_at
    assert 1190 < (now.expires_at - datetime.now(UTC)).total_seconds() <= 1200


async def test_begun_again_it_is_the_same_payment(till, box):
    booking, actor, _ = await box.booked()
    first, second = await till.start(booking, actor), await till.start(booking, actor, return_url="/elsewhere")
    assert first.id == second.id
    assert second.return_url == f"{box.settings.base_url}/elsewhere"
    assert len(till.bank.started) == 1


async def test_one_whose_process_died_while_asking_is_asked_again_under_the_same_id(till, box, database):
    booking, actor, _ = await box.booked()
    first = await till.start(booking, actor)
    async with database.begin() as work, unguarded(work, "payment"):
        await work.execute("UPDATE payment SET status = 'pending', external_id = NULL, checkout_url = NULL")
    second = await till.start(booking, actor)
    assert second == first
    assert [order.payment_id for order in till.bank.started] == [first.id, first.id]


async def test_a_provider_that_does_not_answer_leaves_the_booking_waiting(till, box):
    booking, actor, _ = await box.booked()
    till.bank.is_down = True
    with pytest.raises(ProviderUnavailable):
        await till.start(booking, actor)
    assert (await till.booking(booking)).status is BookingStatus.PENDING
    async with box.database.begin() as work:
        [failed] = await list_payments(work, booking.id, actor=actor)
    assert (failed.status, failed.failure) == (PaymentStatus.FAILED, "provider-unavailable")
    till.bank.is_down = False
    payment = await till.start(booking, actor)
    assert payment.id != failed.id
    assert payment.status is PaymentStatus.PROCESSING


async def test_no_transaction_is_open_while_the_provider_is_asked(till, box, database, monkeypatch):
    """Neither when a payment begins, nor when a refund is made: a slow provider must not keep rows or connections."""
    booking, actor, _ = await box.booked()
    open_transactions = []
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL"
        " AND pid <> pg_backend_pid()"
    )

    def watched(method):
        async def ask(order):
            open_transactions.append(await scalar(database, query))
            return await method(order)

        return ask

    monkeypatch.setattr(till.bank, "start", watched(till.bank.start))
    monkeypatch.setattr(till.bank, "refund", watched(till.bank.refund))
    payment = await till.start(booking, actor)
    await till.deliver(paid(payment))
    await till.deliver(paid(payment, charge="another"))
    await till.make_refunds()
    assert open_transactions == [0, 0]
    async with database.begin() as work:  # control: an open one would have been seen
        await work.execute("SELECT 1")
        assert await scalar(database, query) == 1


async def test_a_method_that_nobody_offers_is_unknown(till, box):
    booking, actor, _ = await box.booked()
    with pytest.raises(UnknownMethod):
        await till.start(booking, actor, method="shells")
    assert (await till.booking(booking)).status is BookingStatus.PENDING


async def test_what_is_free_is_not_paid(till, box):
    booking, actor, _ = await box.booked(price=0, fee=0)
    with pytest.raises(NothingToPay):
        await till.start(booking, actor)
    async with box.database.begin() as work:
        assert (await list_methods(work, booking.id, actor=actor, providers=till.providers)).methods == ()


async def test_what_is_over_is_not_paid(till, box, database):
    lapsed, actor, _ = await box.booked()
    await run_out(database, lapsed)
    with pytest.raises(BookingExpired):
        await till.start(lapsed, actor)
    cancelled, owner, _ = await box.booked()
    async with database.begin() as work:
        await cancel_booking(work, cancelled.id, actor=owner)
    with pytest.raises(NotPayable):
        await till.start(cancelled, owner)
    confirmed, payer, _, payment = await till.paying()
    await till.deliver(paid(payment))
    with pytest.raises(NotPayable):
        await till.start(confirmed, payer)
    async with database.begin() as work:
        assert (await list_methods(work, confirmed.id, actor=payer, providers=till.providers)).methods == ()


async def test_payments_are_for_those_who_reach_the_booking(till, box, database):
    booking, owner, _, payment = await till.paying()
    await till.deliver(declined(payment))
    second = await till.start(booking, owner)
    session = Actor("guest", new_id(), booking.id)
    other = await box.guest()
    async with database.begin() as work:
        for actor in (owner, session, SYSTEM, Actor("user", new_id(), roles=frozenset({"admin"}))):
            assert (await get_payment(work, payment.id, actor=actor)).id == payment.id
            assert [p.id for p in await list_payments(work, booking.id, actor=actor)] == [second.id, payment.id]
            found = await list_methods(work, booking.id, actor=actor, providers=till.providers)
            assert [method.code for method in found.methods] == ["sandbox"]
        with pytest.raises(PaymentNotFound):
            await get_payment(work, payment.id, actor=other)
        with pytest.raises(PaymentNotFound):
            await get_payment(work, new_id(), actor=SYSTEM)
        with pytest.raises(BookingNotFound):
            await list_payments(work, booking.id, actor=other)
        with pytest.raises(BookingNotFound):
            await list_methods(work, booking.id, actor=other, providers=till.providers)
    with pytest.raises(BookingNotFound):
        await till.start(booking, other)
    assert (await till.start(booking, session)).id == second.id


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "\nhttp://x.example",
        "http://x.example/\r\nSet-Cookie: a=b",
        "ftp://x.example",
        "https://",
        "http://[",
        "x" * 3000,
    ],
)
async def test_an_address_to_return_to_is_an_address(till, box, url):
    booking, actor, _ = await box.booked()
    with pytest.raises(Invalid) as refusal:
        await till.start(booking, actor, return_url=url)
    assert [(error.field, error.code) for error in refusal.value.errors] == [("returnUrl", "invalid-url")]
    assert (await till.booking(booking)).status is BookingStatus.PENDING


async def test_an_app_may_name_its_own_address(till, box):
    booking, actor, _ = await box.booked()
    payment = await till.start(booking, actor, return_url="https://app.example/done?x=1")
    assert payment.return_url == "https://app.example/done?x=1"
