"""Reading payments. Whoever reaches the booking reaches its payments; others do not find them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from farebox.accounts import Actor
from farebox.bookings import BookingNotFound, get_booking
from farebox.core.db import UnitOfWork
from farebox.payments.due import due_for
from farebox.payments.errors import PaymentNotFound, UnknownMethod
from farebox.payments.models import PaymentRow
from farebox.payments.providers import PaymentMethod, PaymentProvider, Providers
from farebox.payments.views import PaymentView, payment_view


async def get_payment(work: UnitOfWork, payment_id: UUID, *, actor: Actor) -> PaymentView:
    """Raises: PaymentNotFound: no such payment, or not for this actor."""
    row = await work.session.scalar(
        select(PaymentRow).where(PaymentRow.id == payment_id).execution_options(populate_existing=True)
    )
    if row is None or row.booking_id is None:
        raise PaymentNotFound
    try:
        await get_booking(work, row.booking_id, actor=actor, as_it_stands=True)
    except BookingNotFound:
        raise PaymentNotFound from None
    return payment_view(row)


async def list_payments(work: UnitOfWork, booking_id: UUID, *, actor: Actor) -> list[PaymentView]:
    """A booking's payments, the latest first.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
    """
    await get_booking(work, booking_id, actor=actor, as_it_stands=True)
    rows = await work.session.scalars(
        select(PaymentRow)
        .where(PaymentRow.booking_id == booking_id)
        .order_by(PaymentRow.created_at.desc(), PaymentRow.id.desc())
        .execution_options(populate_existing=True)
    )
    return [payment_view(row) for row in rows]


async def list_methods(
    work: UnitOfWork, booking_id: UUID, *, actor: Actor, providers: Providers
) -> list[PaymentMethod]:
    """The ways in which a booking can be paid; none where nothing is due.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
    """
    booking = await get_booking(work, booking_id, actor=actor)
    if not booking.is_open or not await due_for(work, booking):
        return []
    return methods_for(booking.total.currency, providers)


def methods_for(currency: str, providers: Providers) -> list[PaymentMethod]:
    """What the providers offer for a currency, in their order."""
    return [method for provider in providers.values() for method in provider.methods(currency)]


def provider_of(method: str, currency: str, providers: Providers) -> PaymentProvider:
    """Raises: UnknownMethod: nobody offers it for this currency."""
    for provider in providers.values():
        codes: Sequence[str] = [offered.code for offered in provider.methods(currency)]
        if method in codes:
            return provider
    raise UnknownMethod
