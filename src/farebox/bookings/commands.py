"""What becomes of a booking after it was made."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from farebox.accounts import SYSTEM, Actor
from farebox.bookings.errors import BookingExpired, IllegalTransition, SeatsGone
from farebox.bookings.events import BookingCompleted, BookingConfirmed, BookingRefunded
from farebox.bookings.expiry import BATCH, holds_of
from farebox.bookings.models import BookingRow
from farebox.bookings.queries import get_booking, get_row
from farebox.bookings.states import SOLD, UNPAID, BookingStatus, CancelReason, move
from farebox.bookings.views import Booking
from farebox.core.db import UnitOfWork
from farebox.core.settings import Settings
from farebox.inventory import (
    HoldExpired,
    HoldLost,
    HoldNotFound,
    StockGone,
    UnitsTaken,
    confirm,
    get_hold,
    lock_holds,
    rearm,
    reclaim,
)
from farebox.pricing import count_promotion_again


async def start_processing(
    work: UnitOfWork, booking_id: UUID, *, actor: Actor, settings: Settings, takes_seconds: int = 0
) -> Booking:
    """A payment begins: the seats are kept for the payment window.

    Beginning again does not keep them for ever: never past `booking_ttl_seconds` and the window from the booking's
    making.

    Args:
        takes_seconds: the window, where this way of paying takes longer than `payment_window_seconds`.

    Raises:
        BookingNotFound: no such booking for this actor.
        BookingExpired: its time is over.
        IllegalTransition: it does not wait for money.
    """
    row = await get_row(work, booking_id, actor=actor)
    status = BookingStatus(row.status)
    if status is BookingStatus.CANCELLED and row.reason == CancelReason.EXPIRED:
        raise BookingExpired
    if status not in UNPAID:
        raise IllegalTransition(booking_status=status)
    age_seconds = int((work.now - row.created_at).total_seconds())
    window_seconds = max(settings.payment_window_seconds, takes_seconds)
    seconds = max(0, min(window_seconds, settings.booking_ttl_seconds + window_seconds - age_seconds))
    ends = []
    holds = await holds_of(work, [booking_id])
    await lock_holds(work, holds)
    for hold_id in holds:
        try:
            ends.append((await rearm(work, hold_id, seconds=seconds)).expires_at)
        except (HoldExpired, HoldNotFound):
            raise BookingExpired from None
    row.expires_at = min(filter(None, ends))
    await work.session.flush()
    if status is BookingStatus.PENDING:
        target = BookingStatus.PAYMENT_PROCESSING
        await move(work, booking_id, target, source=status, actor=actor, reason="payment-started")
    return await get_booking(work, booking_id, actor=SYSTEM)


async def payment_failed(work: UnitOfWork, booking_id: UUID, *, actor: Actor, failure: str) -> None:
    """A payment came to nothing: the booking waits again, while its seats are kept.

    Does nothing where the booking does not wait for that payment any more.
    """
    row = await get_row(work, booking_id, as_it_stands=True)
    if row.status == BookingStatus.PAYMENT_PROCESSING:
        source, target = BookingStatus.PAYMENT_PROCESSING, BookingStatus.PENDING
        facts = {"failure": failure}
        await move(work, booking_id, target, source=source, actor=actor, reason="payment-failed", facts=facts)


async def confirm_booking(work: UnitOfWork, booking_id: UUID, *, actor: Actor, reason: str = "paid") -> Booking:
    """Sell the seats: for payments, once money has arrived or none is due.

    Also for a booking that ran out: its seats are taken again if they are still free. Confirming again changes nothing.

    Raises:
        SeatsGone: somebody else has at least one of them. Nothing was changed.
        IllegalTransition: it was cancelled by somebody, or is over.
        BookingNotFound: no such booking.
    """
    row = await get_row(work, booking_id, as_it_stands=True)
    status = BookingStatus(row.status)
    if status in SOLD:
        return await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
    if status is BookingStatus.CANCELLED and row.reason != CancelReason.EXPIRED:
        raise IllegalTransition(booking_status=status)
    await _sell(work, await holds_of(work, [booking_id]))
    if status is BookingStatus.CANCELLED and row.promotion_id is not None:
        await count_promotion_again(work, row.promotion_id, person=row.contact_email_index)
    await move(
        work,
        booking_id,
        BookingStatus.CONFIRMED,
        source=status,
        actor=actor,
        reason=reason,
        columns={"confirmed_at": work.now, "expires_at": None, "reason": None, "cancelled_at": None},
    )
    booking = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
    work.publish(
        BookingConfirmed(
            booking_id=booking.id,
            reference=booking.reference,
            total_price=str(booking.total.amount),
            currency=booking.total.currency,
        )
    )
    return booking


async def mark_refunded(work: UnitOfWork, booking_id: UUID, *, actor: Actor) -> bool:
    """All money of a cancelled booking has been given back. Whether that ended it: one that lives stays as it is."""
    row = await get_row(work, booking_id, as_it_stands=True)
    if row.status != BookingStatus.CANCELLED:
        return False
    source = BookingStatus.CANCELLED
    await move(work, booking_id, BookingStatus.REFUNDED, source=source, actor=actor, reason="refunded")
    work.publish(BookingRefunded(booking_id=booking_id, reference=row.reference))
    return True


async def complete_bookings(work: UnitOfWork, *, limit: int = BATCH) -> int:
    """Complete confirmed bookings whose last item has been used up; how many."""
    due = await work.session.execute(
        select(BookingRow.id, BookingRow.reference)
        .where(BookingRow.status == BookingStatus.CONFIRMED, BookingRow.completes_at <= func.now())
        .order_by(BookingRow.completes_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    bookings = due.all()
    for booking_id, reference in bookings:
        source = BookingStatus.CONFIRMED
        await move(work, booking_id, BookingStatus.COMPLETED, source=source, actor=SYSTEM, reason="arrived")
        work.publish(BookingCompleted(booking_id=booking_id, reference=reference))
    return len(bookings)


async def _sell(work: UnitOfWork, hold_ids: Sequence[UUID]) -> None:
    """Confirm all holds, or, where one was lost and somebody has its seats, or was forgotten long after, none."""
    await work.execute("SAVEPOINT selling")
    try:
        for hold_id in hold_ids:
            await get_hold(work, hold_id, lock=True)
        await _confirm_or_take_again(work, hold_ids)
    except (UnitsTaken, StockGone, HoldLost, HoldNotFound):
        await work.execute("ROLLBACK TO SAVEPOINT selling")
        raise SeatsGone from None


async def _confirm_or_take_again(work: UnitOfWork, hold_ids: Sequence[UUID]) -> None:
    await work.execute("SAVEPOINT confirming")
    try:
        await lock_holds(work, hold_ids)
        for hold_id in hold_ids:
            await confirm(work, hold_id)
    except HoldLost:
        # Who takes a seat locks its run before it, and the seats in their order: none may be locked by us already.
        await work.execute("ROLLBACK TO SAVEPOINT confirming")
        for hold_id in hold_ids:
            await reclaim(work, hold_id)
