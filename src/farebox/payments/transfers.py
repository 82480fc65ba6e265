"""What the payer of a bank transfer is shown: where the money goes, how much, and by when."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from farebox.accounts import Actor
from farebox.bookings import get_booking
from farebox.core.db import UnitOfWork
from farebox.payments.adapters.bank import BankTransfer, TransferSlip, make_slip
from farebox.payments.due import due_for
from farebox.payments.errors import PaymentNotFound
from farebox.payments.providers import Providers
from farebox.payments.queries import get_payment


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer to be made.

    Attributes:
        slip: `None` when there is nothing to transfer any more: it has come, or the booking is over.
        expires_at: until when the seats wait for it.
        timezone: where the journey begins.
    """

    booking_id: UUID
    reference: str
    slip: TransferSlip | None
    expires_at: datetime | None
    timezone: str


async def get_transfer(work: UnitOfWork, payment_id: UUID, *, actor: Actor, providers: Providers) -> Transfer:
    """A payment by bank transfer: what is still due of its booking.

    Raises:
        PaymentNotFound: no such payment for this actor, or not a transfer.
    """
    payment = await get_payment(work, payment_id, actor=actor)
    provider = providers.get(payment.provider)
    if not isinstance(provider, BankTransfer) or payment.booking_id is None:
        raise PaymentNotFound
    booking = await get_booking(work, payment.booking_id, actor=actor)
    due = await due_for(work, booking)
    is_wanted = booking.is_open and payment.is_open and bool(due)
    return Transfer(
        booking_id=booking.id,
        reference=booking.reference,
        slip=make_slip(provider.account, due, booking.reference) if is_wanted else None,
        expires_at=booking.expires_at,
        timezone=booking.items[0].description.origin.timezone,
    )
