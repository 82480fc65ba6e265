"""Refunds to their end: on their way for days, refused, come back, made past us, made again another way."""

import pytest
from tests.bookings.shows import scalar
from tests.payments.till import about_refund, paid
from tests.people import make_person

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import BookingStatus, CancelReason
from farebox.core.ids import new_id
from farebox.payments import (
    NoWallet,
    PaymentStatus,
    RefundNotFound,
    cancel_booking,
    check_payments,
    list_refunds,
    list_unsettled,
    make_refund,
    note_paid_out,
    refund_again,
    verify_ledger,
)

CANCELLED, REFUNDED = BookingStatus.CANCELLED, BookingStatus.REFUNDED


async def owed(till, *, account=False):
    """A sold booking that its operator cancelled, and the refund that is owed. `account`: of a person's."""
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment))
    if account:
        person = await make_person(till.database, till.box.secrets)
        async with till.database.begin() as work:
            await work.execute("UPDATE booking SET owner = %s", (f"user:{person.id}",))
    async with till.database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM, reason=CancelReason.OPERATOR)
    till.told()
    return booking, payment, await scalar(till.database, "SELECT id FROM refund")


async def refunds(till, payment):
    async with till.database.begin() as work:
        return [(each.status, each.destination) for each in await list_refunds(work, payment.id, actor=SYSTEM)]


def is_right(till):
    return [str(verdict) for verdict in verify_ledger(till.database.dsn) if verdict.broken] == []


async def let_check(till):
    """The time to ask the provider has come."""
    async with till.database.begin() as work:
        await work.execute("UPDATE payment SET next_check_at = now() WHERE next_check_at IS NOT NULL")
    return await check_payments(till.database, providers=till.providers, signer=till.box.secrets)


async def test_a_refund_on_its_way_is_completed_by_the_providers_message(till):
    booking, payment, refund_id = await owed(till)
    till.bank.is_slow = True
    assert not await make_refund(till.database, refund_id, providers=till.providers)
    assert await refunds(till, payment) == [("pending", "origin")]
    assert not await make_refund(till.database, refund_id, providers=till.providers)
    assert len(till.bank.refunds) == 1  # asked once: the provider has it
    assert (await till.booking(booking)).status is CANCELLED
    await till.deliver(about_refund(payment, refund_id, "succeeded"))
    assert till.told() == ["payment.refunded", "booking.refunded"]
    assert await refunds(till, payment) == [("completed", "origin")]
    assert (await till.payment(payment)).status is PaymentStatus.REFUNDED
    assert await till.ledger(booking) == {}
    assert is_right(till)


async def test_a_refund_on_its_way_whose_message_is_lost_is_found_by_asking(till):
    booking, payment, refund_id = await owed(till)
    till.bank.is_slow = True
    await make_refund(till.database, refund_id, providers=till.providers)
    assert await let_check(till) == 1
    assert await refunds(till, payment) == [("pending", "origin")]  # still on its way
    await till.bank.do(about_refund(payment, refund_id, "succeeded"))
    assert await let_check(till) == 1
    assert (await till.booking(booking)).status is REFUNDED
    await let_check(till)
    assert await let_check(till) == 0  # and nobody asks any more


async def test_a_refund_that_the_provider_refuses_is_owed_still_and_told(till):
    booking, payment, refund_id = await owed(till)
    till.bank.refuses = True
    assert not await make_refund(till.database, refund_id, providers=till.providers)
    assert till.told() == ["payment.refund-failed"]
    assert await refunds(till, payment) == [("failed", "origin")]
    assert await scalar(till.database, "SELECT last_error FROM refund") == "the card is closed"
    assert await till.ledger(booking) == {"clearing": 1350, "refunds-due": -1350}
    assert await till.make_refunds() == 0  # it is not asked for again by itself
    assert is_right(till)
    async with till.database.begin() as work:  # nobody is erased to whom money is owed
        assert await list_unsettled(work, [booking.id]) == {booking.id}


async def test_a_refund_that_comes_back_later_is_owed_again(till):
    booking, payment, refund_id = await owed(till)
    assert await make_refund(till.database, refund_id, providers=till.providers)
    assert await till.ledger(booking) == {}
    till.told()
    message = about_refund(payment, refund_id)
    await till.deliver(message)
    await till.deliver(message)
    await till.deliver(about_refund(payment, refund_id))
    assert till.told() == ["payment.refund-failed"]
    assert await till.inbox() == ["applied", "refund-failed", "nothing"]
    assert await till.ledger(booking) == {"clearing": 1350, "refunds-due": -1350}
    assert is_right(till)


async def test_what_left_the_till_is_not_owed_again_when_its_provider_says_once_more_that_it_failed(till):
    booking, payment, refund_id = await owed(till)
    till.bank.refuses = True
    await make_refund(till.database, refund_id, providers=till.providers)
    async with till.database.begin() as work:
        await note_paid_out(work, refund_id, "slip 1", actor=SYSTEM, signer=till.box.secrets)
    till.told()
    await till.deliver(about_refund(payment, refund_id))
    assert till.told() == []
    assert await refunds(till, payment) == [("completed", "hand")]
    assert (await till.booking(booking)).status is REFUNDED
    assert is_right(till)


async def test_a_failed_refund_is_made_again_under_another_id(till):
    booking, payment, refund_id = await owed(till)
    till.bank.refuses = True
    await make_refund(till.database, refund_id, providers=till.providers)
    till.bank.refuses = False
    async with till.database.begin() as work:
        again = await refund_again(work, refund_id, to="origin", actor=SYSTEM)
    assert await refunds(till, payment) == [("replaced", "origin"), ("pending", "origin")]
    assert is_right(till)
    async with till.database.begin() as work:
        with pytest.raises(RefundNotFound):
            await refund_again(work, refund_id, to="origin", actor=SYSTEM)
    assert await till.make_refunds() == 1
    assert [order.refund_id for order in till.bank.refunds] == [refund_id, again.id]
    assert (await till.booking(booking)).status is REFUNDED
    assert await till.ledger(booking) == {}
    assert is_right(till)


async def test_a_failed_refund_can_go_into_the_travellers_wallet(till):
    booking, _, refund_id = await owed(till, account=True)
    till.bank.refuses = True
    await make_refund(till.database, refund_id, providers=till.providers)
    async with till.database.begin() as work:
        again = await refund_again(work, refund_id, to="wallet", actor=SYSTEM)
    assert await make_refund(till.database, again.id, providers={})  # nobody is asked
    assert await scalar(till.database, "SELECT balance_minor FROM wallet") == 1350
    assert await till.ledger(booking) == {"clearing": 1350, "wallet": -1350}
    assert (await till.booking(booking)).status is REFUNDED
    assert is_right(till)


async def test_a_guest_has_no_wallet_for_it(till):
    _, payment, refund_id = await owed(till)
    till.bank.refuses = True
    await make_refund(till.database, refund_id, providers=till.providers)
    async with till.database.begin() as work:
        with pytest.raises(NoWallet):
            await refund_again(work, refund_id, to="wallet", actor=SYSTEM)
    assert await refunds(till, payment) == [("failed", "origin")]


async def test_only_who_may_pay_back_makes_it_again(till):
    _, _, refund_id = await owed(till)
    till.bank.refuses = True
    await make_refund(till.database, refund_id, providers=till.providers)
    for somebody in (Actor("user", new_id()), Actor("guest", new_id())):
        async with till.database.begin() as work:
            with pytest.raises(RefundNotFound):
                await refund_again(work, refund_id, to="origin", actor=somebody)


async def test_a_refund_made_with_the_provider_itself_is_entered(till):
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment))
    message = about_refund(payment, None, "succeeded", amount=500, currency="EUR")
    await till.deliver(message)
    assert await till.inbox() == ["applied", "refunded"]
    assert await refunds(till, payment) == [("completed", "origin")]
    assert await till.make_refunds() == 0
    assert till.bank.refunds == []
    assert await till.ledger(booking) == {"clearing": 850, "receivable": 500, "sales": -1350}
    assert (await till.booking(booking)).status is BookingStatus.CONFIRMED
    assert is_right(till)


async def test_more_than_was_taken_is_not_believed_to_have_gone_back(till):
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment))
    await till.deliver(about_refund(payment, None, "succeeded", amount=1351, currency="EUR"))
    assert await till.inbox() == ["applied", "unknown-refund"]
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}


async def test_a_message_faster_than_the_answer_to_our_order_is_about_that_refund(till):
    booking, payment, _ = await owed(till)
    await till.deliver(about_refund(payment, None, "succeeded", amount=1350, currency="EUR"))
    assert await refunds(till, payment) == [("completed", "origin")]
    assert await till.ledger(booking) == {}
