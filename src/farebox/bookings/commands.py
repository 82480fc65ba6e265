"""What becomes of a booking after it was made."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import exists, func, select

from farebox.accounts import SYSTEM, Actor
from farebox.bookings.errors import BookingExpired, IllegalTransition, SeatsGone
from farebox.bookings.events import BookingCompleted, BookingConfirmed, BookingRefunded
from farebox.bookings.expiry import BATCH
from farebox.bookings.models import BookingRow, OpenReturnRow
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
    are_certain,
    confirm,
    get_hold,
    lock_holds,
    rearm,
    reclaim,
)
from farebox.pricing import count_promotion_again


async def start_processing(
    work: UnitOfWork,
    booking_id: UUID,
    *,
    actor: Actor,
    settings: Settings,
    takes_seconds: int = 0,
    locked: Booking | None = None,
) -> Booking:
    """A payment begins: the seats are kept for the payment window.

    Beginning again does not keep them for ever: never past `booking_ttl_seconds` and the window from the booking's
    making.

    Args:
        takes_seconds: the window, where this way of paying takes longer than `payment_window_seconds`.
        locked: the booking, where the caller has read and locked it for this actor in this unit of work.

    Raises:
        BookingNotFound: no such booking for this actor.
        BookingExpired: its time is over.
        IllegalTransition: it does not wait for money.
    """
    booking = locked or await get_booking(work, booking_id, actor=actor, lock=True)
    if booking.status is BookingStatus.CANCELLED and booking.reason is CancelReason.EXPIRED:
        raise BookingExpired
    if booking.status not in UNPAID:
        raise IllegalTransition(booking_status=booking.status)
    age_seconds = int((work.now - booking.created_at).total_seconds())
    window_seconds = max(settings.payment_window_seconds, takes_seconds)
    seconds = max(0, min(window_seconds, settings.booking_ttl_seconds + window_seconds - age_seconds))
    ends = []
    holds = booking.hold_ids
    if len(holds) > 1:
        await lock_holds(work, holds)
    for hold_id in holds:
        try:
            ends.append((await rearm(work, hold_id, seconds=seconds)).expires_at)
        except (HoldExpired, HoldNotFound):
            raise BookingExpired from None
    expires_at = min(filter(None, ends))
    if booking.status is BookingStatus.PENDING:
        source, target = BookingStatus.PENDING, BookingStatus.PAYMENT_PROCESSING
        columns = {"expires_at": expires_at}
        reason = "payment-started"
        await move(work, booking_id, target, source=source, actor=actor, reason=reason, columns=columns, is_locked=True)
    else:
        await work.execute("UPDATE booking SET expires_at = %s WHERE id = %s", (expires_at, booking_id))
    return replace(booking, status=BookingStatus.PAYMENT_PROCESSING, expires_at=expires_at)


async def payment_failed(work: UnitOfWork, booking_id: UUID, *, actor: Actor, failure: str) -> None:
    """A payment came to nothing: the booking waits again, while its seats are kept.

    Does nothing where the booking does not wait for that payment any more.
    """
    row = await get_row(work, booking_id, as_it_stands=True)
    if row.status == BookingStatus.PAYMENT_PROCESSING:
        source, target = BookingStatus.PAYMENT_PROCESSING, BookingStatus.PENDING
        facts = {"failure": failure}
        await move(work, booking_id, target, source=source, actor=actor, reason="payment-failed", facts=facts)


async def confirm_booking(
    work: UnitOfWork, booking_id: UUID, *, actor: Actor, reason: str = "paid", locked: Booking | None = None
) -> Booking:
    """Sell the seats: for payments, once money has arrived or none is due.

    Also for a booking that ran out: its seats are taken again if they are still free. Confirming again changes nothing.

    Args:
        locked: the booking as it stands, where the caller has read and locked it in this unit of work.

    Raises:
        SeatsGone: somebody else has at least one of them. Nothing was changed.
        IllegalTransition: it was cancelled by somebody, or is over.
        BookingNotFound: no such booking.
    """
    booking = locked or await get_booking(work, booking_id, actor=SYSTEM, lock=True, as_it_stands=True)
    if booking.status in SOLD:
        return booking
    is_late = booking.status is BookingStatus.CANCELLED
    if is_late and booking.reason is not CancelReason.EXPIRED:
        raise IllegalTransition(booking_status=booking.status)
    await _sell(work, booking.hold_ids)
    if is_late:
        row = await get_row(work, booking_id, as_it_stands=True)
        if row.promotion_id is not None:
            await count_promotion_again(work, row.promotion_id, person=row.contact_email_index)
    await move(
        work,
        booking_id,
        BookingStatus.CONFIRMED,
        source=booking.status,
        actor=actor,
        reason=reason,
        columns={"confirmed_at": work.now, "expires_at": None, "reason": None, "cancelled_at": None},
        is_locked=True,
    )
    work.publish(
        BookingConfirmed(
            booking_id=booking.id,
            reference=booking.reference,
            total_price=str(booking.total.amount),
            currency=booking.total.currency,
        )
    )
    return replace(
        booking,
        status=BookingStatus.CONFIRMED,
        confirmed_at=work.now,
        expires_at=None,
        reason=None,
        cancelled_at=None,
    )


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
    """Complete confirmed bookings whose last item has been used up; how many.

    Open returns that were not used are ended first, which is payments': their booking waits for that.
    """
    has_open = exists().where(OpenReturnRow.booking_id == BookingRow.id, OpenReturnRow.status == "open")
    due = await work.session.execute(
        select(BookingRow.id, BookingRow.reference)
        .where(BookingRow.status == BookingStatus.CONFIRMED, BookingRow.completes_at <= func.now(), ~has_open)
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
    if len(hold_ids) == 1 and are_certain(work, hold_ids):
        await confirm(work, *hold_ids)
        return
    work.put(("SAVEPOINT selling", ()))
    try:
        try:
            if len(hold_ids) > 1:
                await lock_holds(work, hold_ids)
            for hold_id in hold_ids:
                await confirm(work, hold_id)
        except HoldLost:
            # Who takes a seat locks its run before it, and the seats in their order: none may be locked by us already.
            await work.execute("ROLLBACK TO SAVEPOINT selling")
            for hold_id in hold_ids:
                await get_hold(work, hold_id, lock=True)
            for hold_id in hold_ids:
                await reclaim(work, hold_id)
    except (UnitsTaken, StockGone, HoldLost, HoldNotFound):
        await work.execute("ROLLBACK TO SAVEPOINT selling")
        raise SeatsGone from None
