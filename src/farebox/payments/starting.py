"""Beginning a payment: seats are kept, then the provider is asked, then its answer is written down.

Three steps and two units of work, so that no network call happens inside a transaction. A process that dies in between
leaves a pending payment; beginning again with the same method goes on with it, under the same id for the provider.
Beginning with another method makes the earlier checkouts superfluous: they are closed as soon as they are looked at
(`reconciling`).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import (
    Booking,
    BookingExpired,
    BookingStatus,
    CancelReason,
    IllegalTransition,
    get_booking,
    get_change,
    payment_failed,
    start_processing,
)
from farebox.core.db import Database, UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.core.rows import Selection, new_row, updated
from farebox.core.settings import Settings
from farebox.payments.due import KEPT, due_for
from farebox.payments.errors import NothingToPay, NotPayable, ProviderUnavailable
from farebox.payments.models import PaymentRow
from farebox.payments.providers import PaymentOrder, PaymentProvider, Providers, Started
from farebox.payments.queries import PAYMENT, find_offer, time_before
from farebox.payments.states import FIRST_CHECK, PaymentStatus, move, moving
from farebox.payments.views import PaymentView, payment_view

LONGEST_URL = 2000

RUNNING: Final = (PaymentStatus.PENDING, PaymentStatus.PROCESSING)

_RUNNING: Final = Selection(
    PaymentRow,
    "WHERE booking_id = $1 AND change_id IS NOT DISTINCT FROM $2::uuid AND method = $3 AND status = ANY ($4::text[])"
    " ORDER BY created_at DESC",
)


@dataclass(frozen=True, slots=True)
class _Opened:
    payment: PaymentView
    provider: PaymentProvider
    order: PaymentOrder


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be paid: for a booking, or for a change of one; until when its seats are kept."""

    booking: Booking
    change_id: UUID | None
    amount: Money
    expires_at: datetime

    @property
    def purpose(self) -> str:
        return "change" if self.change_id else "booking"


async def start_payment(
    database: Database,
    booking_id: UUID,
    *,
    method: str,
    return_url: str = "",
    change_id: UUID | None = None,
    actor: Actor,
    providers: Providers,
    settings: Settings,
) -> PaymentView:
    """Open a checkout for what is due of a booking, or of a change of it; seats are kept for the payment window.

    Begun again with the same method while its outcome is not known, it is the same payment.

    Args:
        database: this command has its own units of work, since it asks the provider between them.
        return_url: where the traveller goes afterwards: a path of this site, or an http(s) address.
        change_id: the change that waits for this money; the booking itself is paid then.

    Raises:
        BookingNotFound, ChangeNotFound: no such booking for this actor, no such change.
        BookingExpired: its time is over.
        NotPayable: it does not wait for money.
        NothingToPay: nothing is due.
        UnknownMethod: nobody offers this method for its currency.
        ProviderUnavailable: the provider did not take the order; the booking waits for another attempt.
        Invalid: `return_url` is not one.
    """
    async with database.begin() as work:
        work.expect([KEPT.about(booking_id), _RUNNING.about(booking_id, change_id, method, RUNNING)])
        booking = await get_booking(work, booking_id, actor=actor, lock=True, with_holds=True)
        begins_in = time_before(booking, work.now) if change_id is None else timedelta()
        provider, offer = find_offer(method, booking.total.currency, providers, begins_in=begins_in)
        target = checked_return_url(return_url or f"/bookings/{booking_id}", settings)
        takes = offer.takes_seconds
        due = await what_is_due(work, booking, change_id, actor=actor, settings=settings, takes_seconds=takes)
        opened = await _open(work, due, provider, method, target)
    if opened.payment.status is PaymentStatus.PROCESSING:
        return opened.payment
    try:
        started = await opened.provider.start(opened.order)
    except ProviderUnavailable:
        async with database.begin() as work:
            await _give_up(work, opened.payment)
        raise
    async with database.begin() as work:
        return await note_started(work, opened.payment.id, started)


async def what_is_due(
    work: UnitOfWork,
    booking: Booking,
    change_id: UUID | None,
    *,
    actor: Actor,
    settings: Settings,
    takes_seconds: int = 0,
) -> Due:
    """What is to be paid now; the booking is locked, and its seats are kept for the payment window.

    Args:
        takes_seconds: the window, where this way of paying takes longer.

    Raises:
        BookingExpired, NotPayable, NothingToPay, ChangeNotFound: see `start_payment`.
    """
    if change_id is not None:
        return await _due_for_change(work, booking, change_id)
    return await _due_for_booking(work, booking, actor, settings, takes_seconds)


async def _due_for_booking(
    work: UnitOfWork, booking: Booking, actor: Actor, settings: Settings, takes_seconds: int
) -> Due:
    if booking.reason is CancelReason.EXPIRED and booking.status is BookingStatus.CANCELLED:
        raise BookingExpired
    if not booking.is_open:
        raise NotPayable(booking_status=booking.status)
    amount = await due_for(work, booking)
    if not amount:
        raise NothingToPay
    try:
        booking = await start_processing(
            work, booking.id, actor=actor, settings=settings, takes_seconds=takes_seconds, locked=booking
        )
    except IllegalTransition as error:
        raise NotPayable(booking_status=error.fields["booking_status"]) from None
    assert booking.expires_at is not None  # it is being paid
    return Due(booking, None, amount, booking.expires_at)


async def _due_for_change(work: UnitOfWork, booking: Booking, change_id: UUID) -> Due:
    change = await get_change(work, change_id)
    is_waiting = change.booking_id == booking.id and change.status == "pending" and change.expires_at > work.now
    if not is_waiting:
        raise NotPayable(booking_status=booking.status)
    return Due(booking, change_id, change.owed, change.expires_at)


async def _open(work: UnitOfWork, due: Due, provider: PaymentProvider, method: str, return_url: str) -> _Opened:
    row = await _find_running(work, due, method)
    if row is None:
        row = new_row(
            PaymentRow,
            id=new_id(),
            purpose=due.purpose,
            booking_id=due.booking.id,
            change_id=due.change_id,
            provider=provider.name,
            method=method,
            status=PaymentStatus.PENDING,
            amount_minor=due.amount.minor,
            currency=due.amount.currency,
            return_url=return_url,
            next_check_at=work.now + FIRST_CHECK,
            created_at=work.now,
            updated_at=work.now,
        )
        work.put(row)
    else:
        columns = {"return_url": return_url, "superseded_at": None}
        work.put(updated(PaymentRow, columns, "id = $1", row.id))
    supersede_others(work, due.booking.id, change_id=due.change_id, chosen=row.id)
    return _Opened(
        replace(payment_view(row), return_url=return_url),
        provider,
        PaymentOrder(
            payment_id=row.id,
            reference=due.booking.reference,
            amount=due.amount,
            method=method,
            return_url=return_url,
            expires_in_seconds=max(1, int((due.expires_at - work.now).total_seconds())),
            language=due.booking.language,
        ),
    )


async def _find_running(work: UnitOfWork, due: Due, method: str) -> PaymentRow | None:
    """A payment begun before for the same amount, whose outcome is not known: at most one, the booking is locked."""
    [found] = await work.send([_RUNNING.about(due.booking.id, due.change_id, method, RUNNING)])
    same = (row for row in _RUNNING.read(found) if (row.purpose, row.amount_minor) == (due.purpose, due.amount.minor))
    return next(same, None)


def supersede_others(
    work: UnitOfWork, booking_id: UUID, *, change_id: UUID | None = None, chosen: UUID | None = None
) -> None:
    """Have the checkouts that are open for the same, but for the `chosen` one, looked at now: they are to be closed."""
    values = {"superseded_at": work.now, "next_check_at": work.now}
    others = (
        "booking_id = $1 AND change_id IS NOT DISTINCT FROM $2::uuid AND status = ANY ($3::text[])"
        " AND id IS DISTINCT FROM $4::uuid"
    )
    work.put(updated(PaymentRow, values, others, booking_id, change_id, RUNNING, chosen))


async def note_started(work: UnitOfWork, payment_id: UUID, started: Started) -> PaymentView:
    """A webhook may have been faster: then the outcome stays, and only the provider's id is noted.

    It ends the transaction, unless something waits to be written in it.
    """
    columns = {
        "external_id": started.external_id,
        "checkout_url": started.checkout_url,
        "client_secret": started.client_secret,
    }
    target = PaymentStatus.PROCESSING
    [rows] = await work.send_last([moving(work, payment_id, target, columns, rest=PAYMENT.returning)])
    if not rows:
        external_id = {"external_id": started.external_id}
        work.put(updated(PaymentRow, external_id, "id = $1 AND external_id IS NULL", payment_id))
        [rows] = await work.send([PAYMENT.about(payment_id)])
    [row] = PAYMENT.read(rows)  # it was written before the provider was asked
    return payment_view(row)


async def _give_up(work: UnitOfWork, payment: PaymentView) -> None:
    assert payment.booking_id is not None  # it was opened for a booking
    await get_booking(work, payment.booking_id, actor=SYSTEM, lock=True, as_it_stands=True)
    failure = ProviderUnavailable.code
    if await move(work, payment.id, PaymentStatus.FAILED, {"failure": failure}):
        await payment_failed(work, payment.booking_id, actor=SYSTEM, failure=failure)


def checked_return_url(given: str, settings: Settings) -> str:
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
