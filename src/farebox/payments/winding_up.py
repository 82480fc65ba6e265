"""What is left to do with the money of a booking that has ended: what was kept goes back, open checkouts are closed."""

from typing import Final
from uuid import UUID

from sqlalchemy import update

from farebox.accounts import SYSTEM
from farebox.bookings import SOLD, CancelReason, get_booking
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.payments import ledger
from farebox.payments.due import list_kept
from farebox.payments.models import PaymentRow
from farebox.payments.refunds import request_refund
from farebox.payments.starting import RUNNING
from farebox.payments.states import Disposition, complete

REST_UNPAID: Final = "rest-unpaid"
"""Why a part of a price goes back that had come in time, when the rest did not."""

ENDED_UNPAID: Final = "cancelled-before-rest"
"""The same, where somebody cancelled before the rest came."""


async def wind_up(work: UnitOfWork, booking_id: UUID) -> int:
    """Give back what was kept for a booking that has ended before the rest came; how many charges that were.

    Does nothing where the rest came after all, and the booking lives again. What a payer's bank has, or may get, is
    left alone until it has decided.
    """
    booking = await get_booking(work, booking_id, actor=SYSTEM, lock=True)
    if booking.is_open or booking.status in SOLD:
        return 0
    kept = await list_kept(work, booking_id, lock=True)
    has_expired = booking.reason is CancelReason.EXPIRED
    for charge in kept:
        amount = Money(charge.amount_minor - charge.refunded_minor, charge.currency)
        charge.disposition = Disposition.LATE if has_expired else Disposition.UNWANTED
        ledger.note_promise(work, amount, booking_id=booking_id, payment_id=charge.payment_id)
        complete(work, charge.payment_id)
        why = REST_UNPAID if has_expired else ENDED_UNPAID
        await request_refund(work, charge, amount, booking_id=booking_id, reason=why)
    await work.session.execute(
        update(PaymentRow)
        .where(PaymentRow.booking_id == booking_id, PaymentRow.status.in_(RUNNING))
        .values(next_check_at=work.now)
        .execution_options(synchronize_session=False)
    )
    return len(kept)
