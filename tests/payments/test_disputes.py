"""Chargebacks: noted while they are open, a loss when they are lost, and a cancelled booking where it has not begun."""

import pytest
from tests.bookings.shows import scalar
from tests.payments.till import about_refund, disputed, paid

from farebox.accounts import SYSTEM
from farebox.bookings import BookingStatus, CancelReason, expire_booking
from farebox.core.money import Money
from farebox.payments import RefundTooLarge, cancel_booking, due_for, give_back, verify_ledger
from farebox.payments.winding_up import wind_up

CONFIRMED, REFUNDED = BookingStatus.CONFIRMED, BookingStatus.REFUNDED


async def sold(till, **show):
    """A booking that was paid."""
    booking, actor, _, payment = await till.paying(**show)
    await till.deliver(paid(payment))
    till.told()
    return booking, actor, payment


def is_right(till):
    return [str(verdict) for verdict in verify_ledger(till.database.dsn) if verdict.broken] == []


async def dispute_of(till):
    return await scalar(till.database, "SELECT dispute FROM payment_charge")


async def test_a_dispute_is_noted_and_the_booking_stays_valid(till):
    booking, _, payment = await sold(till)
    await till.deliver(disputed(payment, "opened"))
    assert till.told() == ["payment.disputed"]
    assert await dispute_of(till) == "open"
    assert (await till.booking(booking)).status is CONFIRMED
    assert await till.tickets() == 1
    assert await till.ledger(booking) == {"disputes": 1350, "sales": -1350}
    assert is_right(till)


async def test_a_dispute_that_was_won_leaves_no_trace_in_the_books(till):
    booking, _, payment = await sold(till)
    await till.deliver(disputed(payment, "opened"))
    await till.deliver(disputed(payment, "won"))
    assert till.told() == ["payment.disputed"] * 2
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert await dispute_of(till) == "won"
    assert is_right(till)


@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_dispute_lost_before_the_trip_cancels_the_booking_and_was_its_refund(till, is_announced):
    booking, _, payment = await sold(till)
    if is_announced:
        await till.deliver(disputed(payment, "opened"))
    till.told()
    await till.deliver(disputed(payment, "lost"))
    assert till.told() == ["payment.disputed", "booking.cancelled", "booking.refunded"]
    ended = await till.booking(booking)
    assert (ended.status, ended.total, ended.reason) == (REFUNDED, Money(0, "EUR"), CancelReason.DISPUTE_LOST)
    assert await till.tickets() == 0
    assert await till.ledger(booking) == {}
    assert await till.charges() == [("applied", 1350, 1350)]
    assert till.bank.refunds == []  # the bank has given it back: nobody is paid twice
    assert await till.make_refunds() == 0
    assert is_right(till)


async def test_a_dispute_lost_after_the_trip_began_is_a_loss_and_the_booking_stays(till):
    booking, _, payment = await sold(till, begins_in=-60)
    await till.deliver(disputed(payment, "opened"))
    await till.deliver(disputed(payment, "lost"))
    assert (await till.booking(booking)).status is CONFIRMED
    assert await till.ledger(booking) == {"losses": 1350, "sales": -1350}
    assert is_right(till)


@pytest.mark.parametrize("step", ["opened", "won", "lost"])
async def test_what_a_bank_tells_twice_counts_once(till, step):
    booking, _, payment = await sold(till, begins_in=-60)
    if step == "won":
        await till.deliver(disputed(payment, "opened"))
    await till.deliver(disputed(payment, step))
    before = await till.ledger(booking)
    till.told()
    await till.deliver(disputed(payment, step))
    assert till.told() == []
    assert await till.ledger(booking) == before


async def test_a_dispute_that_nobody_opened_is_not_won(till):
    booking, _, payment = await sold(till)
    await till.deliver(disputed(payment, "won"))
    assert await dispute_of(till) is None
    assert await till.inbox() == ["applied", "nothing"]
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}


async def test_what_a_bank_has_taken_is_not_paid_back_besides(till):
    booking, _, payment = await sold(till)
    await till.deliver(disputed(payment, "opened"))
    async with till.database.begin() as work:
        with pytest.raises(RefundTooLarge):
            await give_back(work, booking.id, Money(1, "EUR"), reason="goodwill", actor=SYSTEM)
    async with till.database.begin() as work:
        cancelled = await cancel_booking(work, booking.id, actor=SYSTEM, reason=CancelReason.OPERATOR)
    assert cancelled.refund == Money(0, "EUR")
    assert till.bank.refunds == []


async def cancelled_meanwhile(till):
    """A booking of two, of whom one gave up the seat while the bank looked into its payment."""
    booking, _, _, payment = await till.paying((0, 1))
    await till.deliver(paid(payment))
    await till.deliver(disputed(payment, "opened"))
    async with till.database.begin() as work:
        reason = CancelReason.OPERATOR
        seats = [booking.passengers[0].id]
        done = await cancel_booking(work, booking.id, actor=SYSTEM, reason=reason, passengers=seats)
    assert done.refund == Money(0, "EUR")  # as long as the bank has it
    return booking, payment, done.quote.refund.minor


async def test_what_was_cancelled_meanwhile_is_paid_back_once_the_dispute_is_won(till):
    booking, payment, refund = await cancelled_meanwhile(till)
    assert 0 < refund < 2600
    await till.deliver(disputed(payment, "won"))
    await till.deliver(disputed(payment, "won"))
    assert await till.charges() == [("applied", 2600, refund)]
    assert await till.make_refunds() == 1
    assert [(order.amount, order.reason) for order in till.bank.refunds] == [(Money(refund, "EUR"), "dispute-settled")]
    assert await till.ledger(booking) == {"clearing": 2600 - refund, "sales": refund - 2600}
    assert is_right(till)


async def test_what_was_cancelled_meanwhile_was_paid_back_by_the_bank_if_the_dispute_is_lost(till):
    booking, payment, refund = await cancelled_meanwhile(till)
    async with till.database.begin() as work:
        await work.execute("UPDATE booking_item SET starts_at = now() - interval '1 minute'")
    await till.deliver(disputed(payment, "lost"))
    assert await till.charges() == [("applied", 2600, refund)]
    assert await till.make_refunds() == 0
    assert await till.ledger(booking) == {"losses": 2600 - refund, "sales": refund - 2600}
    assert is_right(till)


async def test_a_booking_cancelled_meanwhile_has_had_its_refund_from_the_bank(till):
    booking, _, payment = await sold(till)
    await till.deliver(disputed(payment, "opened"))
    async with till.database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM, reason=CancelReason.OPERATOR)
    await till.deliver(disputed(payment, "lost"))
    assert (await till.booking(booking)).status is REFUNDED
    assert await till.ledger(booking) == {}
    assert await till.make_refunds() == 0
    assert is_right(till)


@pytest.mark.parametrize(("step", "status"), [("lost", "completed"), ("won", "failed")])
async def test_a_refund_that_was_refused_during_a_dispute_is_made_once_the_bank_has_given_the_money_back(
    till, step, status
):
    booking, _, payment = await sold(till)
    async with till.database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM, reason=CancelReason.OPERATOR)
    await till.deliver(disputed(payment, "opened"))
    till.bank.refuses = True
    await till.make_refunds()
    await till.deliver(disputed(payment, step))
    assert await scalar(till.database, "SELECT status FROM refund") == status
    assert await till.ledger(booking) == ({} if step == "lost" else {"clearing": 1350, "refunds-due": -1350})
    assert (await till.booking(booking)).status is (REFUNDED if step == "lost" else BookingStatus.CANCELLED)
    assert is_right(till)


async def test_a_bank_may_take_a_part_only_and_the_rest_goes_back_with_the_booking(till):
    booking, _, payment = await sold(till)
    await till.deliver(disputed(payment, "opened", amount=1000))
    assert await till.ledger(booking) == {"clearing": 350, "disputes": 1000, "sales": -1350}
    await till.deliver(disputed(payment, "lost", amount=1000))
    assert (await till.booking(booking)).status is BookingStatus.CANCELLED
    assert await till.make_refunds() == 1
    assert [order.amount for order in till.bank.refunds] == [Money(350, "EUR")]
    assert (await till.booking(booking)).status is REFUNDED
    assert await till.ledger(booking) == {}
    assert is_right(till)


async def test_a_dispute_of_a_charge_that_we_do_not_know_changes_nothing(till):
    booking, _, payment = await sold(till)
    await till.deliver(disputed(payment, "opened", charge="another"))
    assert await till.inbox() == ["applied", "unknown-charge"]
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}


# --- several disputes of one charge


async def disputes_of(till):
    async with till.database.begin() as work:
        cursor = await work.execute("SELECT external_id, step, amount_minor FROM payment_dispute ORDER BY external_id")
        return [tuple(row) for row in await cursor.fetchall()]


async def test_each_dispute_of_a_charge_has_its_own_sum_and_its_own_end(till):
    booking, _, payment = await sold(till, begins_in=-60)
    await till.deliver(disputed(payment, "opened", dispute="d1", amount=400))
    await till.deliver(disputed(payment, "opened", dispute="d2", amount=300))
    await till.deliver(disputed(payment, "opened", dispute="d2", amount=300))  # told again
    assert await till.ledger(booking) == {"clearing": 650, "disputes": 700, "sales": -1350}
    assert is_right(till)
    await till.deliver(disputed(payment, "won", dispute="d1", amount=400))
    assert await dispute_of(till) == "open"
    assert await till.ledger(booking) == {"clearing": 1050, "disputes": 300, "sales": -1350}
    assert is_right(till)
    await till.deliver(disputed(payment, "lost", dispute="d2", amount=300))
    assert await disputes_of(till) == [("d1", "won", 400), ("d2", "lost", 300)]
    assert await dispute_of(till) == "lost"
    assert await till.ledger(booking) == {"clearing": 1050, "losses": 300, "sales": -1350}
    assert is_right(till)


async def test_a_charge_that_was_won_once_may_be_disputed_again(till):
    booking, _, payment = await sold(till, begins_in=-60)
    for step in ("opened", "won"):
        await till.deliver(disputed(payment, step, dispute="d1"))
    await till.deliver(disputed(payment, "opened", dispute="d2"))
    assert await till.ledger(booking) == {"disputes": 1350, "sales": -1350}
    assert is_right(till)


async def test_what_a_lost_dispute_leaves_goes_back_when_the_last_has_ended(till):
    """The booking is cancelled with the first that is lost; of the other the bank has to say first whose it is."""
    booking, _, payment = await sold(till)
    await till.deliver(disputed(payment, "opened", dispute="d1", amount=400))
    await till.deliver(disputed(payment, "opened", dispute="d2", amount=300))
    await till.deliver(disputed(payment, "lost", dispute="d1", amount=400))
    assert (await till.booking(booking)).status is BookingStatus.CANCELLED
    assert await till.charges() == [("applied", 1350, 400)]
    assert await till.make_refunds() == 0
    assert is_right(till)
    await till.deliver(disputed(payment, "won", dispute="d2", amount=300))
    assert await till.make_refunds() == 1
    assert [order.amount for order in till.bank.refunds] == [Money(950, "EUR")]
    assert (await till.booking(booking)).status is REFUNDED
    assert await till.ledger(booking) == {}
    assert is_right(till)


async def test_a_message_that_names_no_dispute_is_about_the_one_that_is_open(till):
    booking, _, payment = await sold(till, begins_in=-60)
    await till.deliver(disputed(payment, "opened", dispute="d1"))
    await till.deliver(disputed(payment, "lost"))
    await till.deliver(disputed(payment, "lost", dispute="d1"))
    assert await disputes_of(till) == [("d1", "lost", 1350)]
    assert await till.ledger(booking) == {"losses": 1350, "sales": -1350}


async def test_a_dispute_that_was_told_without_a_name_gets_it_with_the_next_message(till):
    booking, _, payment = await sold(till, begins_in=-60)
    await till.deliver(disputed(payment, "opened"))
    await till.deliver(disputed(payment, "won", dispute="d1"))
    assert await disputes_of(till) == [("d1", "won", 1350)]
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}


# --- a part that waits for the rest


async def part_disputed(till):
    """A booking of 13.50, of which 10.00 has come, and the bank has it back."""
    booking, actor, _, payment = await till.paying()
    await till.deliver(paid(payment, charge="part", amount=1000))
    await till.deliver(disputed(payment, "opened", charge="part", amount=1000))
    return booking, actor, payment


async def due_of(till, booking):
    async with till.database.begin() as work:
        return (await due_for(work, await till.booking(booking))).minor


async def test_a_part_does_not_count_while_a_bank_has_it(till):
    booking, _, payment = await part_disputed(till)
    assert await due_of(till, booking) == 1350
    await till.deliver(paid(payment, charge="rest", amount=350))
    assert (await till.booking(booking)).is_open
    assert await due_of(till, booking) == 1000
    assert await till.tickets() == 0
    assert is_right(till)


@pytest.mark.parametrize("step", ["won", "lost"])
async def test_a_part_that_was_paid_another_way_meanwhile_goes_back_when_the_bank_has_decided(till, step):
    booking, actor, payment = await part_disputed(till)
    again = await till.start(booking, actor)
    assert again.amount == Money(1350, "EUR")
    await till.deliver(paid(again))
    assert (await till.booking(booking)).status is CONFIRMED
    assert is_right(till)
    await till.deliver(disputed(payment, step, charge="part", amount=1000))
    assert await till.charges() == [("duplicate", 1000, 1000), ("applied", 1350, 0)]
    assert await till.make_refunds() == (1 if step == "won" else 0)
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert (await till.booking(booking)).status is CONFIRMED
    assert is_right(till)


async def test_a_part_that_the_bank_returns_counts_again_and_may_be_the_rest(till):
    booking, _, payment = await part_disputed(till)
    await till.deliver(paid(payment, charge="rest", amount=350))
    await till.deliver(disputed(payment, "won", charge="part", amount=1000))
    assert (await till.booking(booking)).status is CONFIRMED
    assert await till.charges() == [("applied", 1000, 0), ("applied", 350, 0)]
    assert await till.tickets() == 1
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert is_right(till)


async def test_a_part_that_the_bank_keeps_was_paid_back_by_it_and_the_booking_still_waits(till):
    booking, _, payment = await part_disputed(till)
    await till.deliver(disputed(payment, "lost", charge="part", amount=600))
    assert await till.charges() == [("unwanted", 1000, 1000)]
    assert (await till.booking(booking)).is_open
    assert await due_of(till, booking) == 1350
    assert await till.ledger(booking) == {}
    assert is_right(till)


@pytest.mark.parametrize(("step", "refunds"), [("won", 1), ("lost", 0)])
async def test_a_part_that_a_bank_has_when_the_booking_ends_waits_for_its_word(till, step, refunds):
    booking, _, payment = await part_disputed(till)
    async with till.database.begin() as work:
        await expire_booking(work, booking.id)
    async with till.database.begin() as work:
        assert await wind_up(work, booking.id) == 0
    assert is_right(till)
    await till.deliver(disputed(payment, step, charge="part", amount=1000))
    assert await till.charges() == [("late", 1000, 1000)]
    assert await till.make_refunds() == refunds
    assert (await till.booking(booking)).status is REFUNDED
    assert await till.ledger(booking) == {}
    assert is_right(till)


# --- a part that somebody gave back with the provider itself


async def test_what_was_given_back_of_a_part_with_the_provider_is_due_again(till):
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment, charge="part", amount=1000))
    await till.deliver(about_refund(payment, None, "succeeded", charge="part", amount=400, currency="EUR"))
    assert await till.inbox() == ["kept", "refunded"]
    assert await due_of(till, booking) == 750
    assert await till.charges() == [("kept", 1000, 400)]
    assert await till.ledger(booking) == {"clearing": 600, "receivable": -600}
    assert is_right(till)
    await till.deliver(paid(payment, charge="rest", amount=750))
    assert (await till.booking(booking)).status is CONFIRMED
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert is_right(till)


async def test_a_part_that_was_given_back_wholly_with_the_provider_is_over(till):
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment, charge="part", amount=1000))
    await till.deliver(about_refund(payment, None, "succeeded", charge="part", amount=1000, currency="EUR"))
    assert await till.charges() == [("unwanted", 1000, 1000)]
    assert await due_of(till, booking) == 1350
    async with till.database.begin() as work:
        await expire_booking(work, booking.id)
        assert await wind_up(work, booking.id) == 0
    assert await till.ledger(booking) == {}
    assert is_right(till)
