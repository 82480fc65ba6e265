"""What money does when it arrives: one transaction for the seats, the booking, the tickets and the ledger.

Every charge ends in one of two ways: it counts for its booking, or it goes back. There is no third.
"""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from farebox.accounts import SYSTEM
from farebox.bookings import (
    SOLD,
    Booking,
    BookingStatus,
    CancelReason,
    SeatsGone,
    confirm_booking,
    expire_booking,
    get_booking,
    payment_failed,
)
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import ledger
from farebox.payments.events import PaymentCompleted, PaymentFailed
from farebox.payments.models import ChargeRow, PaymentRow
from farebox.payments.providers import ProviderEvent
from farebox.payments.refunds import request_refund
from farebox.payments.states import Disposition, PaymentStatus, move
from farebox.ticketing import Signer, issue_tickets

WRONG_AMOUNT = "wrong-amount"
KNOWN_CHARGE = "known-charge"


async def settle(work: UnitOfWork, payment: PaymentRow, event: ProviderEvent, *, signer: Signer) -> str:
    """Do what a provider's verified message means, once, however often and however parallel it comes.

    The booking is locked first: whoever settles, cancels or expires it waits in one line.

    Returns:
        What was done, a word for the inbox: a `Disposition`, `failed`, `known-charge`, or `nothing`.
    """
    assert payment.booking_id is not None  # nothing else is paid for yet
    booking = await get_booking(work, payment.booking_id, actor=SYSTEM, lock=True, as_it_stands=True)
    if event.kind == "failed":
        return await _settle_failure(work, payment, event, booking.id)
    if event.kind == "paid":
        return await _settle_charge(work, payment, event, booking, signer)
    return "nothing"


async def _settle_failure(work: UnitOfWork, payment: PaymentRow, event: ProviderEvent, booking_id: UUID) -> str:
    if not await move(work, payment.id, PaymentStatus.FAILED, {"failure": event.failure}):
        return "nothing"
    await payment_failed(work, booking_id, actor=SYSTEM, failure=event.failure)
    work.publish(PaymentFailed(payment_id=payment.id, booking_id=booking_id, failure=event.failure))
    return "failed"


async def _settle_charge(
    work: UnitOfWork, payment: PaymentRow, event: ProviderEvent, booking: Booking, signer: Signer
) -> str:
    received = Money(event.amount_minor, event.currency)
    charge_id = await _record_charge(work, payment, event)
    if charge_id is None:
        return KNOWN_CHARGE
    disposition = await _dispose(work, payment, booking, received, signer)
    charge = await work.session.get_one(ChargeRow, charge_id)
    charge.disposition = disposition
    is_applied = disposition is Disposition.APPLIED
    ledger.note_charge(
        work,
        received,
        source=ledger.clearing(payment.provider),
        counts=is_applied,
        booking_id=booking.id,
        payment_id=payment.id,
    )
    if disposition is Disposition.MISMATCHED:
        if await move(work, payment.id, PaymentStatus.FAILED, {"failure": WRONG_AMOUNT}):
            await payment_failed(work, booking.id, actor=SYSTEM, failure=WRONG_AMOUNT)
    else:
        await move(work, payment.id, PaymentStatus.COMPLETED, {"completed_at": work.now, "failure": None})
    if is_applied:
        work.publish(
            PaymentCompleted(
                payment_id=payment.id,
                booking_id=booking.id,
                amount=str(received.amount),
                currency=received.currency,
            )
        )
    else:
        await request_refund(work, charge, received, booking_id=booking.id, reason=disposition)
    return disposition


async def _record_charge(work: UnitOfWork, payment: PaymentRow, event: ProviderEvent) -> UUID | None:
    """The charge's new row, or `None` when it is there already: the unique key decides."""
    return await work.session.scalar(
        insert(ChargeRow)
        .values(
            id=new_id(),
            payment_id=payment.id,
            provider=payment.provider,
            external_id=event.charge_id,
            amount_minor=event.amount_minor,
            currency=event.currency,
            disposition=Disposition.APPLIED,
            refunded_minor=0,
            received_at=work.now,
        )
        .on_conflict_do_nothing(index_elements=["provider", "external_id"])
        .returning(ChargeRow.id)
    )


async def _dispose(
    work: UnitOfWork, payment: PaymentRow, booking: Booking, received: Money, signer: Signer
) -> Disposition:
    """Confirm the booking if the money fits it and the seats can be had; else say why it goes back."""
    refused = _refusal(work, payment, booking, received)
    if refused:
        return refused
    try:
        confirmed = await confirm_booking(work, booking.id, actor=SYSTEM)
    except SeatsGone:
        if booking.is_open:
            await expire_booking(work, booking.id)
        return Disposition.LATE
    await issue_tickets(work, confirmed, signer=signer)
    await ledger.note_sale(work, confirmed)
    return Disposition.APPLIED


def _refusal(work: UnitOfWork, payment: PaymentRow, booking: Booking, received: Money) -> Disposition | None:
    """Why this money cannot count for this booking, if so. The booking is locked, so its state holds."""
    if booking.status in SOLD:
        return Disposition.DUPLICATE
    if booking.status is BookingStatus.REFUNDED or booking.reason not in {None, CancelReason.EXPIRED}:
        return Disposition.UNWANTED
    if received != booking.total or received != Money(payment.amount_minor, payment.currency):
        return Disposition.MISMATCHED
    if not booking.is_open and min(item.starts_at for item in booking.items) <= work.now:
        return Disposition.LATE  # the seats may be free, but it has begun
    return None
