"""What a booking still has to be paid, where money comes in parts."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from farebox.bookings import Booking
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.payments.models import ChargeRow, PaymentRow
from farebox.payments.states import Disposition


async def due_for(work: UnitOfWork, booking: Booking) -> Money:
    """What is still to be paid before an unpaid booking is confirmed: its total less what is kept for it."""
    kept = await list_kept(work, booking.id)
    held = sum(charge.amount_minor for charge in kept)
    return Money(max(0, booking.total.minor - held), booking.total.currency)


async def list_kept(work: UnitOfWork, booking_id: UUID, *, lock: bool = False) -> Sequence[ChargeRow]:
    """The charges that wait for the rest of a booking's price, the oldest first.

    They are in the booking's currency, and none of them has gone back: money in another does so at once.
    """
    query = (
        select(ChargeRow)
        .join(PaymentRow, PaymentRow.id == ChargeRow.payment_id)
        .where(PaymentRow.booking_id == booking_id, ChargeRow.disposition == Disposition.KEPT)
        .order_by(ChargeRow.received_at, ChargeRow.id)
        .execution_options(populate_existing=True)
    )
    return (await work.session.scalars(query.with_for_update(of=ChargeRow) if lock else query)).all()
