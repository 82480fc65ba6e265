"""Bookings whose time to pay is over: cancelled with reason `expired`, their seats given back.

The database's clock decides, as it does for the holds below. A sweep every few seconds does it for all; reading a
booking does it for one, so nobody ever sees a pending booking that is over.
"""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from sqlalchemy import func, select

from farebox.accounts import SYSTEM, Actor
from farebox.bookings.errors import BookingNotFound, IllegalTransition
from farebox.bookings.events import BookingCancelled
from farebox.bookings.models import BookingItemRow, BookingRow
from farebox.bookings.states import UNPAID, BookingStatus, CancelReason, move
from farebox.core.db import UnitOfWork
from farebox.inventory import HoldNotFound, lock_holds, release
from farebox.pricing import release_promotion

BATCH = 100


async def expire_bookings(work: UnitOfWork, *, limit: int = BATCH) -> int:
    """Expire the bookings that are due, the oldest first; those that somebody works on now are left for the next time.

    Returns:
        How many; fewer than `limit` means none is left.
    """
    due = await work.session.scalars(
        select(BookingRow.id)
        .where(BookingRow.expires_at <= func.clock_timestamp())
        .order_by(BookingRow.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = due.all()
    await lock_holds(work, await holds_of(work, ids))
    for booking_id in ids:
        await expire_booking(work, booking_id)
    return len(ids)


async def expire_if_due(work: UnitOfWork, booking_id: UUID) -> bool:
    """Expire one booking if its time is over and nobody works on it now; whether that was done."""
    due = await work.session.scalar(
        select(BookingRow.id)
        .where(BookingRow.id == booking_id, BookingRow.expires_at <= func.clock_timestamp())
        .with_for_update(skip_locked=True)
    )
    if due is None:
        return False
    await expire_booking(work, booking_id)
    return True


async def expire_booking(work: UnitOfWork, booking_id: UUID, *, actor: Actor = SYSTEM) -> None:
    """End an unpaid booking as if its time were over, whatever the clock says.

    Raises:
        BookingNotFound: no such booking.
        IllegalTransition: it is not waiting for money any more.
    """
    await end_unpaid_booking(work, booking_id, actor=actor, reason=CancelReason.EXPIRED)


async def end_unpaid_booking(
    work: UnitOfWork, booking_id: UUID, *, actor: Actor, reason: CancelReason, note: str = ""
) -> None:
    """Cancel a booking that waits for money, and give its seats back.

    Raises:
        BookingNotFound: no such booking.
        IllegalTransition: it does not wait for money (any more).
    """
    found = await work.session.execute(
        select(BookingRow.status, BookingRow.reference, BookingRow.promotion_id, BookingRow.contact_email_index)
        .where(BookingRow.id == booking_id)
        .with_for_update()
    )
    booking = found.one_or_none()
    if booking is None:
        raise BookingNotFound
    if booking.status not in UNPAID:
        raise IllegalTransition(booking_status=booking.status)
    await move(
        work,
        booking_id,
        BookingStatus.CANCELLED,
        source=BookingStatus(booking.status),
        actor=actor,
        reason=reason,
        facts={"note": note} if note else None,
        columns={"reason": reason, "cancelled_at": work.now, "expires_at": None},
    )
    await release_holds(work, booking_id)
    if booking.promotion_id is not None:
        await release_promotion(work, booking.promotion_id, person=booking.contact_email_index)
    work.publish(BookingCancelled(booking_id=booking_id, reference=booking.reference, reason=reason))


async def release_holds(work: UnitOfWork, booking_id: UUID) -> None:
    """Give back all seats that a booking has."""
    holds = await holds_of(work, [booking_id])
    await lock_holds(work, holds)
    for hold_id in holds:
        with suppress(HoldNotFound):  # nothing is left of it, and so there is nothing to give back
            await release(work, hold_id)


async def holds_of(work: UnitOfWork, booking_ids: Sequence[UUID]) -> list[UUID]:
    """The holds of bookings, sorted: everybody locks them in this order. Those of items given up are not theirs."""
    holds = await work.session.scalars(
        select(BookingItemRow.hold_id)
        .where(BookingItemRow.booking_id.in_(booking_ids), BookingItemRow.ended_as.is_(None))
        .distinct()
    )
    return sorted(holds)
