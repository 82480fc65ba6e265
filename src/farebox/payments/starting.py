"""Beginning a payment: seats are kept, then the provider is asked, then its answer is written down.

Three steps and two units of work, so that no network call happens inside a transaction. A process that dies in between
leaves a pending payment; beginning again with the same method goes on with it, under the same id for the provider.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import (
    Booking,
    BookingExpired,
    BookingStatus,
    CancelReason,
    IllegalTransition,
    get_booking,
    payment_failed,
    start_processing,
)
from farebox.core.db import Database, UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.ids import new_id
from farebox.core.settings import Settings
from farebox.payments.errors import NothingToPay, NotPayable, ProviderUnavailable
from farebox.payments.models import PaymentRow
from farebox.payments.providers import PaymentOrder, PaymentProvider, Providers, Started
from farebox.payments.queries import provider_of
from farebox.payments.states import PaymentStatus, move
from farebox.payments.views import PaymentView, payment_view

LONGEST_URL = 2000


@dataclass(frozen=True, slots=True)
class _Opened:
    payment: PaymentView
    provider: PaymentProvider
    order: PaymentOrder


async def start_payment(
    database: Database,
    booking_id: UUID,
    *,
    method: str,
    return_url: str = "",
    actor: Actor,
    providers: Providers,
    settings: Settings,
) -> PaymentView:
    """Open a checkout for a booking; its seats are kept for the payment window.

    Begun again with the same method while its outcome is not known, it is the same payment.

    Args:
        database: this command has its own units of work, since it asks the provider between them.
        return_url: where the traveller goes afterwards: a path of this site, or an http(s) address.

    Raises:
        BookingNotFound: no such booking for this actor.
        BookingExpired: its time is over.
        NotPayable: it does not wait for money.
        NothingToPay: its total is zero.
        UnknownMethod: nobody offers this method for its currency.
        ProviderUnavailable: the provider did not take the order; the booking waits for another attempt.
        Invalid: `return_url` is not one.
    """
    async with database.begin() as work:
        opened = await _open(work, booking_id, method, return_url, actor=actor, providers=providers, settings=settings)
    if opened.payment.status is PaymentStatus.PROCESSING:
        return opened.payment
    try:
        started = await opened.provider.start(opened.order)
    except ProviderUnavailable:
        async with database.begin() as work:
            await _give_up(work, opened.payment)
        raise
    async with database.begin() as work:
        return await _note_started(work, opened.payment.id, started)


async def _open(
    work: UnitOfWork,
    booking_id: UUID,
    method: str,
    return_url: str,
    *,
    actor: Actor,
    providers: Providers,
    settings: Settings,
) -> _Opened:
    booking = await get_booking(work, booking_id, actor=actor, lock=True)
    _refuse_unpayable(booking)
    provider = provider_of(method, booking.total.currency, providers)
    target = _return_url(return_url or f"/bookings/{booking_id}", settings)
    try:
        booking = await start_processing(work, booking_id, actor=actor, settings=settings)
    except IllegalTransition as error:
        raise NotPayable(booking_status=error.fields["booking_status"]) from None
    row = await _find_running(work, booking, method)
    if row is None:
        row = PaymentRow(
            id=new_id(),
            booking_id=booking.id,
            provider=provider.name,
            method=method,
            status=PaymentStatus.PENDING,
            amount_minor=booking.total.minor,
            currency=booking.total.currency,
            return_url=target,
            created_at=work.now,
            updated_at=work.now,
        )
        work.session.add(row)
    row.return_url = target
    await work.session.flush()
    assert booking.expires_at is not None  # it is being paid
    return _Opened(
        payment_view(row),
        provider,
        PaymentOrder(
            payment_id=row.id,
            reference=booking.reference,
            amount=booking.total,
            method=method,
            return_url=target,
            expires_in_seconds=max(1, int((booking.expires_at - work.now).total_seconds())),
            language=booking.language,
        ),
    )


def _refuse_unpayable(booking: Booking) -> None:
    if booking.reason is CancelReason.EXPIRED and booking.status is BookingStatus.CANCELLED:
        raise BookingExpired
    if not booking.is_open:
        raise NotPayable(booking_status=booking.status)
    if not booking.total:
        raise NothingToPay


async def _find_running(work: UnitOfWork, booking: Booking, method: str) -> PaymentRow | None:
    """A payment begun before for the same amount, whose outcome is not known: at most one, the booking is locked."""
    return await work.session.scalar(
        select(PaymentRow)
        .where(
            PaymentRow.booking_id == booking.id,
            PaymentRow.method == method,
            PaymentRow.amount_minor == booking.total.minor,
            PaymentRow.status.in_([PaymentStatus.PENDING, PaymentStatus.PROCESSING]),
        )
        .order_by(PaymentRow.created_at.desc())
        .limit(1)
        .with_for_update()
    )


async def _note_started(work: UnitOfWork, payment_id: UUID, started: Started) -> PaymentView:
    """A webhook may have been faster: then the outcome stays, and only the provider's id is noted."""
    columns = {
        "external_id": started.external_id,
        "checkout_url": started.checkout_url,
        "client_secret": started.client_secret,
    }
    await move(work, payment_id, PaymentStatus.PROCESSING, columns)
    row = await work.session.get_one(PaymentRow, payment_id, populate_existing=True)
    if row.external_id is None:
        row.external_id = started.external_id
    return payment_view(row)


async def _give_up(work: UnitOfWork, payment: PaymentView) -> None:
    assert payment.booking_id is not None  # it was opened for a booking
    await get_booking(work, payment.booking_id, actor=SYSTEM, lock=True, as_it_stands=True)
    failure = ProviderUnavailable.code
    if await move(work, payment.id, PaymentStatus.FAILED, {"failure": failure}):
        await payment_failed(work, payment.booking_id, actor=SYSTEM, failure=failure)


def _return_url(given: str, settings: Settings) -> str:
    """An absolute address; a path is one of this site.

    Blanks and line breaks are refused: `urlsplit` leaves them out and browsers too, so what was looked at would not be
    what is kept.
    """
    if given.startswith("/") and not given.startswith(("//", "/\\")):
        given = settings.base_url.rstrip("/") + given
    try:
        parts = urlsplit(given)
    except ValueError:
        parts = urlsplit("")
    is_plain = len(given) <= LONGEST_URL and given.isprintable() and " " not in given
    if not is_plain or parts.scheme not in {"http", "https"} or not parts.hostname:
        message = N_("The address to return to must begin with http:// or https://.")
        raise Invalid([FieldError("returnUrl", "invalid-url", message)])
    return given
