"""The life of a booking: the one table of transitions, and the one function that moves a booking along it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from farebox.accounts import Actor
from farebox.bookings.errors import BookingNotFound, IllegalTransition
from farebox.bookings.models import BookingAuditRow, BookingRow
from farebox.core.db import UnitOfWork
from farebox.core.rows import certain, new_row, updated


class BookingStatus(StrEnum):
    PENDING = "pending"
    PAYMENT_PROCESSING = "payment_processing"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class CancelReason(StrEnum):
    """Why a booking was cancelled. `DISPUTE_LOST`: the payer's bank has taken the money back for good."""

    EXPIRED = "expired"
    CUSTOMER = "customer"
    OPERATOR = "operator"
    PAYMENT_FAILED = "payment_failed"
    DISPUTE_LOST = "dispute_lost"


TRANSITIONS: Final[Mapping[BookingStatus, frozenset[BookingStatus]]] = {
    BookingStatus.PENDING: frozenset(
        {BookingStatus.PAYMENT_PROCESSING, BookingStatus.CONFIRMED, BookingStatus.CANCELLED}
    ),
    BookingStatus.PAYMENT_PROCESSING: frozenset(
        {BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.CANCELLED}
    ),
    BookingStatus.CONFIRMED: frozenset({BookingStatus.COMPLETED, BookingStatus.CANCELLED}),
    BookingStatus.CANCELLED: frozenset({BookingStatus.REFUNDED, BookingStatus.CONFIRMED}),
    BookingStatus.COMPLETED: frozenset(),
    BookingStatus.REFUNDED: frozenset(),
}
"""From each state, where a booking may go. `cancelled -> confirmed` is for money that arrived late, while the seats
were still free: it is open to bookings that ran out, never to those that somebody cancelled (`RECLAIMABLE`)."""

UNPAID: Final = frozenset({BookingStatus.PENDING, BookingStatus.PAYMENT_PROCESSING})
"""The states in which a booking waits for money."""

SOLD: Final = frozenset({BookingStatus.CONFIRMED, BookingStatus.COMPLETED})
"""The states in which a booking's seats are its own and it has tickets."""

RECLAIMABLE: Final = frozenset({CancelReason.EXPIRED})
"""Reasons of a cancellation that money arriving late may undo."""


async def move(
    work: UnitOfWork,
    booking_id: UUID,
    target: BookingStatus,
    *,
    actor: Actor,
    reason: str,
    source: BookingStatus,
    facts: Mapping[str, Any] | None = None,
    columns: Mapping[str, Any] | None = None,
    is_locked: bool = False,
) -> None:
    """Move a booking from `source` to `target`, and write down who did it and why.

    The UPDATE itself carries the guard, so whatever a caller believes, the database moves a booking along one arrow of
    the table once.

    Args:
        columns: other columns of the row to set in the same statement.
        is_locked: the caller has read and locked it in `source`: the answer is not waited for. Were it in another one
            all the same, the transaction would fail, later and with another error.

    Raises:
        IllegalTransition: no such arrow, or the booking is not in `source` any more; `booking_status` says where it is.
        BookingNotFound: no such booking.
    """
    if target in TRANSITIONS[source]:
        values = {"status": target, "updated_at": work.now} | dict(columns or {})
        guard = "id = $1 AND status = $2"
        named: list[object] = [booking_id, source]
        if source is BookingStatus.CANCELLED and target is BookingStatus.CONFIRMED:
            guard += " AND reason = ANY ($3::text[])"
            named.append(list(RECLAIMABLE))
        if is_locked:
            work.put(certain(updated(BookingRow, values, guard, *named)))
            is_moved = True
        else:
            [moved] = await work.send([updated(BookingRow, values, guard, *named, rest="RETURNING id")])
            is_moved = bool(moved)
        if is_moved:
            record(work, booking_id, actor=actor, source=source, target=target, reason=reason, facts=facts)
            return
    status = await work.session.scalar(select(func.min(BookingRow.status)).where(BookingRow.id == booking_id))
    if status is None:
        raise BookingNotFound
    raise IllegalTransition(booking_status=status)


def record(
    work: UnitOfWork,
    booking_id: UUID,
    *,
    actor: Actor,
    source: BookingStatus | None,
    target: BookingStatus,
    reason: str,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """One line of the audit. `facts` names things and counts them; personal data does not belong there."""
    work.put(
        new_row(
            BookingAuditRow,
            booking_id=booking_id,
            at=work.now,
            actor=actor.kind if actor.id is None else f"{actor.kind}:{actor.id}",
            from_status=source,
            to_status=target,
            reason=reason,
            facts=dict(facts or {}),
        )
    )
