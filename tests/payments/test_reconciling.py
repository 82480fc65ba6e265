"""What providers' messages did not tell is asked for; what nobody wants to be paid any more is closed."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from tests.bookings.shows import scalar
from tests.payments.till import declined, paid

from farebox.accounts import SYSTEM
from farebox.bookings import BookingStatus, cancel_booking, expire_booking
from farebox.core.ids import new_id
from farebox.payments import NotPayable, PaymentStatus, ProviderUnavailable, check_payment, check_payments
from farebox.payments.reconciling import LONGEST_PAUSE
from farebox.payments.winding_up import wind_up

CONFIRMED, PENDING, PROCESSING = BookingStatus.CONFIRMED, BookingStatus.PENDING, BookingStatus.PAYMENT_PROCESSING


async def let_check(till, *, later=timedelta()):
    """The time to look has come, `later` than now."""
    async with till.database.begin() as work:
        query = "UPDATE payment SET next_check_at = now(), updated_at = updated_at - %s WHERE next_check_at IS NOT NULL"
        await work.execute(query, (later,))
    return await check_payments(till.database, providers=till.providers, signer=till.box.secrets)


async def ask(till, payment, **more):
    await check_payment(till.database, payment.id, providers=till.providers, signer=till.box.secrets, **more)


async def pause(till):
    """How long until the provider is asked again; `None`: never."""
    return await scalar(till.database, "SELECT next_check_at - checked_at FROM payment")


async def test_nobody_is_asked_before_two_minutes(till):
    _, _, _, payment = await till.paying()
    assert await check_payments(till.database, providers=till.providers, signer=till.box.secrets) == 0
    query = "SELECT next_check_at - created_at FROM payment"
    assert await scalar(till.database, query) == timedelta(minutes=2)
    assert await let_check(till) == 1
    [asked] = till.bank.asked
    assert (asked.payment_id, asked.external_id, asked.amount) == (payment.id, f"sandbox_{payment.id}", payment.amount)


async def test_money_whose_message_was_lost_is_found_and_counts_once(till):
    booking, _, _, payment = await till.paying()
    await till.play(payment, "silent")
    assert (await till.booking(booking)).status is PROCESSING
    await let_check(till)
    assert (await till.booking(booking)).status is CONFIRMED
    assert await scalar(till.database, "SELECT next_check_at - completed_at FROM payment") == timedelta(days=1)
    assert [await let_check(till), await let_check(till)] == [1, 0]  # once more
    await ask(till, payment)
    assert await till.charges() == [("applied", 1350, 0)]
    assert await till.inbox() == ["applied"]
    assert await till.tickets() == 1


async def test_a_message_and_the_answer_to_a_question_are_the_same(till):
    booking, _, _, payment = await till.paying()
    message = paid(payment)
    await till.bank.do(message)
    await ask(till, payment)
    await till.deliver(message)
    assert await till.inbox() == ["applied"]
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}


async def test_a_second_charge_whose_message_was_lost_is_found_after_a_day_and_goes_back(till):
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment))
    await till.bank.do(paid(payment, charge="another"))
    await let_check(till)
    assert await till.charges() == [("applied", 1350, 0), ("duplicate", 1350, 1350)]
    assert (await till.booking(booking)).status is CONFIRMED


async def test_a_decline_whose_message_was_lost_lets_the_booking_wait_again(till):
    booking, _, _, payment = await till.paying()
    await till.bank.do(declined(payment))
    await let_check(till)
    assert (await till.booking(booking)).status is PENDING
    await till.bank.do(paid(payment))  # on the same page, after all
    await let_check(till)
    assert (await till.booking(booking)).status is CONFIRMED


async def test_the_money_of_who_has_agreed_is_asked_for(till):
    booking, _, _, payment = await till.paying()
    await till.play(payment, "approved")
    assert till.told() == ["payment.approved"]  # a job reacts to it
    await ask(till, payment)
    assert (await till.booking(booking)).status is CONFIRMED
    assert await till.inbox() == ["approved", "applied"]


async def test_the_pauses_grow_until_nothing_can_come_any_more(till):
    booking, _, _, _ = await till.paying()
    pauses = []
    for _ in range(9):
        await let_check(till)
        pauses.append(await pause(till))
    assert pauses == [timedelta(minutes=2 * 2**n) for n in range(8)] + [LONGEST_PAUSE]
    async with till.database.begin() as work:
        await expire_booking(work, booking.id)
    await let_check(till)
    assert await pause(till) == LONGEST_PAUSE  # money may be on its way
    await let_check(till, later=timedelta(hours=19))
    assert await pause(till) is None


@pytest.mark.parametrize("how", ["expired", "cancelled"])
async def test_the_checkout_of_a_booking_that_has_ended_is_closed(till, how):
    booking, actor, _, payment = await till.paying()
    async with till.database.begin() as work:
        await (expire_booking(work, booking.id) if how == "expired" else cancel_booking(work, booking.id, actor=actor))
    async with till.database.begin() as work:
        await wind_up(work, booking.id)  # the job that reacts to the end
    assert await check_payments(till.database, providers=till.providers, signer=till.box.secrets) == 1
    assert [each.payment_id for each in till.bank.closed] == [payment.id]
    ended = await till.payment(payment)
    assert (ended.status, ended.failure) == (PaymentStatus.FAILED, "booking-over")
    with pytest.raises(NotPayable):
        await till.play(payment, "succeeded")


async def test_who_was_declined_and_agrees_after_the_booking_has_ended_pays_nothing(till):
    booking, actor, _, payment = await till.paying()
    await till.deliver(declined(payment))
    async with till.database.begin() as work:
        await cancel_booking(work, booking.id, actor=actor)
    await till.play(payment, "approved")
    await ask(till, payment)
    assert await till.charges() == []
    assert [each.payment_id for each in till.bank.closed] == [payment.id]


async def test_money_that_was_faster_than_the_closing_goes_back(till):
    booking, _, _, payment = await till.paying()
    await till.play(payment, "silent")
    async with till.database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM)
    await let_check(till)
    assert await till.charges() == [("unwanted", 1350, 1350)]
    assert (await till.payment(payment)).status is PaymentStatus.COMPLETED


async def test_the_checkout_that_was_superseded_is_closed_and_the_other_stays_open(till):
    booking, actor, _, first = await till.paying()
    await till.deliver(paid(first, amount=1000))  # a part; so the next payment is another one
    second = await till.start(booking, actor)
    assert await check_payments(till.database, providers=till.providers, signer=till.box.secrets) == 1
    assert [each.payment_id for each in till.bank.closed] == [first.id]
    closed = await till.payment(first)
    assert (closed.status, closed.failure) == (PaymentStatus.FAILED, "superseded")
    assert (await till.payment(second)).status is PaymentStatus.PROCESSING
    assert (await till.booking(booking)).status is PROCESSING
    await till.deliver(paid(second))
    assert (await till.booking(booking)).status is CONFIRMED


async def test_a_provider_that_does_not_answer_is_asked_later(till):
    _, _, _, payment = await till.paying()
    till.bank.is_down = True
    assert await let_check(till) == 1
    assert await pause(till) == timedelta(minutes=2)
    assert (await till.payment(payment)).status is PaymentStatus.PROCESSING


async def test_who_waits_has_the_provider_asked_at_most_every_few_seconds(till):
    _, _, _, payment = await till.paying()
    for _ in range(3):
        await ask(till, payment)
    assert len(till.bank.asked) == 1
    async with till.database.begin() as work:
        await work.execute("UPDATE payment SET checked_at = checked_at - interval '6 seconds'")
    await ask(till, payment)
    assert len(till.bank.asked) == 2


async def test_who_waits_is_not_kept_waiting(till, monkeypatch):
    _, _, _, payment = await till.paying()

    async def never(payment):
        await asyncio.Event().wait()

    monkeypatch.setattr(till.bank, "fetch", never)
    with pytest.raises(ProviderUnavailable):
        await ask(till, payment, timeout_seconds=0.01)
    assert (await till.payment(payment)).status is PaymentStatus.PROCESSING


async def test_a_payment_that_the_provider_never_heard_of_is_not_asked_about(till, database):
    """The process died before the provider's answer was written down."""
    await till.paying()
    async with database.begin() as work:
        await work.execute("UPDATE payment SET external_id = NULL")
    assert await let_check(till) == 1
    assert till.bank.asked == []


async def test_a_payment_that_is_not_there_is_not_asked_about(till):
    await check_payment(till.database, new_id(), providers=till.providers, signer=till.box.secrets)
    assert till.bank.asked == []


async def test_what_the_provider_says_is_kept_as_its_messages_are(till, database):
    _, _, _, payment = await till.paying()
    await till.play(payment, "silent")
    await let_check(till)
    body = msgspec.json.decode(await scalar(database, "SELECT body FROM payment_event"))
    assert (body["kind"], body["charge_id"], body["amount_minor"]) == ("paid", f"ch_{payment.id}", 1350)
