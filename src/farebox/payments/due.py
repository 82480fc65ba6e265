"""What is still to be paid of a booking, where money comes in parts, and which account it comes to."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from farebox.bookings import Booking
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.core.rows import Selection
from farebox.payments import ledger
from farebox.payments.models import ChargeRow, PaymentRow
from farebox.payments.states import Disposition

KEPT: Final = Selection(
    ChargeRow,
    "JOIN payment ON payment.id = payment_charge.payment_id"
    " WHERE payment.booking_id = $1 AND payment_charge.disposition = 'kept'"
    " AND coalesce(payment_charge.dispute, 'won') = 'won'",
)
"""What is kept for a booking. What a payer's bank has taken back does not count: it is not there."""


async def due_for(work: UnitOfWork, booking: Booking) -> Money:
    """What is still to be paid before an unpaid booking is confirmed: its total less what is kept for it."""
    [kept] = await work.send([KEPT.about(booking.id)])
    return Money(max(0, booking.total.minor - sum_kept(KEPT.read(kept))), booking.total.currency)


def sum_kept(kept: Iterable[ChargeRow]) -> int:
    """What is there of charges, in minor units: less what was given back with the provider, past us."""
    return sum(charge.amount_minor - charge.refunded_minor for charge in kept)


async def list_kept(work: UnitOfWork, booking_id: UUID, *, lock: bool = False) -> Sequence[ChargeRow]:
    """The charges that wait for the rest of a booking's price, the oldest first.

    They are in the booking's currency: money in another goes back at once.
    """
    [kept] = await work.send([KEPT.about(booking_id)])
    if not kept:
        return []
    query = (
        select(ChargeRow)
        .where(ChargeRow.id.in_([charge.id for charge in KEPT.read(kept)]), ChargeRow.disposition == Disposition.KEPT)
        .order_by(ChargeRow.received_at, ChargeRow.id)
        .execution_options(populate_existing=True)
    )
    return (await work.session.scalars(query.with_for_update() if lock else query)).all()


async def paid_through(work: UnitOfWork, payment_id: UUID) -> int:
    """Minor units of the payment's currency that have come through one payment so far."""
    came = await list_came(work, [payment_id])
    return came[payment_id].minor if came else 0


async def list_came(work: UnitOfWork, payment_ids: Collection[UUID]) -> dict[UUID, Money]:
    """What has come through these payments, which the caller has read as somebody who reaches them; nothing of those
    through which nothing came. A payment may end with a part of what it was to bring, or bring it twice."""
    rows = await work.session.execute(
        select(ChargeRow.payment_id, ChargeRow.currency, func.sum(ChargeRow.amount_minor))
        .join(PaymentRow, PaymentRow.id == ChargeRow.payment_id)
        .where(ChargeRow.payment_id.in_(payment_ids), ChargeRow.currency == PaymentRow.currency)
        .group_by(ChargeRow.payment_id, ChargeRow.currency)
    )
    return {payment_id: Money(int(minor), currency) for payment_id, currency, minor in rows}


def source_of(payment: PaymentRow) -> str:
    """The ledger's account that money paid for a booking came to, or out of."""
    return ledger.clearing(payment.provider) if payment.wallet_id is None else ledger.wallet(payment.wallet_id)
