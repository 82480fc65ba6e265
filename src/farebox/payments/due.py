"""What is still to be paid of a booking, where money comes in parts, and which account it comes to."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from farebox.bookings import Booking
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.payments import ledger
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


async def paid_through(work: UnitOfWork, payment_id: UUID) -> int:
    """Minor units of the payment's currency that have come through one payment so far."""
    return (
        await work.session.scalar(
            select(func.coalesce(func.sum(ChargeRow.amount_minor), 0))
            .join(PaymentRow, PaymentRow.id == ChargeRow.payment_id)
            .where(PaymentRow.id == payment_id, ChargeRow.currency == PaymentRow.currency)
        )
        or 0
    )


def source_of(payment: PaymentRow) -> str:
    """The ledger's account that money paid for a booking came to, or out of."""
    return ledger.clearing(payment.provider) if payment.wallet_id is None else ledger.wallet(payment.wallet_id)
