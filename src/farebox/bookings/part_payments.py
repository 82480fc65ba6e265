"""Bookings that are paid in parts."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from farebox.accounts import Actor
from farebox.bookings.queries import get_row
from farebox.bookings.states import BookingStatus, move, record
from farebox.core.db import UnitOfWork

PARTIALLY_PAID: Final = "partially-paid"


async def note_part_paid(
    work: UnitOfWork, booking_id: UUID, *, actor: Actor, is_over: bool, facts: Mapping[str, Any]
) -> None:
    """A part of the price has come; the seats stay held as long as they were.

    Args:
        is_over: the payment has brought what it was to bring, so the booking waits for another one.
        facts: for the audit: amounts.
    """
    row = await get_row(work, booking_id, as_it_stands=True)
    status = BookingStatus(row.status)
    if is_over and status is BookingStatus.PAYMENT_PROCESSING:
        target = BookingStatus.PENDING
        await move(work, booking_id, target, source=status, actor=actor, reason=PARTIALLY_PAID, facts=facts)
    else:
        record(work, booking_id, actor=actor, source=status, target=status, reason=PARTIALLY_PAID, facts=facts)
