"""What becomes of a booking after it was made."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select

from farebox.accounts import SYSTEM, Actor
from farebox.bookings.creating import contact_values, passenger_row, price_line_rows, refuse_other_total
from farebox.bookings.details import Contact, PassengerDetails, check_contact, check_passengers
from farebox.bookings.errors import BookingExpired, IllegalTransition, NotModifiable, SeatsGone
from farebox.bookings.events import BookingCompleted, BookingConfirmed, BookingRefunded
from farebox.bookings.expiry import BATCH, holds_of
from farebox.bookings.models import BookingItemRow, BookingPassengerRow, BookingRow
from farebox.bookings.queries import get_booking, get_row
from farebox.bookings.seating import check_seating, quote_items, seat_passengers, sum_of
from farebox.bookings.states import SOLD, UNPAID, BookingStatus, CancelReason, move, record
from farebox.bookings.verticals import ItemOffer, Verticals
from farebox.bookings.views import Booking
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.inventory import (
    HoldExpired,
    HoldLost,
    HoldNotFound,
    StockGone,
    UnitsTaken,
    confirm,
    get_hold,
    lock_holds,
    rearm,
    reclaim,
)


async def update_passengers(
    work: UnitOfWork,
    booking_id: UUID,
    *,
    passengers: Sequence[PassengerDetails] = (),
    contact: Contact | None = None,
    actor: Actor,
    verticals: Verticals,
    settings: Settings,
    secrets: Secrets,
    expected_total: Money | None = None,
) -> Booking:
    """Change who travels, while nothing is being paid. Free; the price is quoted anew.

    Args:
        passengers: one for each seat of the booking; none to leave the people as they are.
        contact: `None` to leave it as it is.

    Raises:
        BookingNotFound: no such booking for this actor.
        NotModifiable: it is not pending.
        Invalid: people, seats or contact, field by field.
        PriceChanged: `expected_total` is not the new total; nothing was changed.
    """
    row = await get_row(work, booking_id, actor=actor)
    if row.status != BookingStatus.PENDING:
        raise NotModifiable(booking_status=row.status)
    people, errors = check_passengers(passengers, region=settings.phone_region)
    if contact:
        contact, contact_errors = check_contact(contact, region=settings.phone_region)
        errors += contact_errors
    if errors:
        raise Invalid(errors)
    if people:
        await _reseat(work, row, people, verticals, secrets, expected_total)
    if contact:
        for column, value in contact_values(contact, secrets, region=settings.phone_region).items():
            setattr(row, column, value)
    row.updated_at = work.now
    changed = [name for name, given in (("passengers", people), ("contact", contact)) if given]
    pending = BookingStatus.PENDING
    record(work, row.id, actor=actor, source=pending, target=pending, reason="modified", facts={"changed": changed})
    await work.session.flush()
    return await get_booking(work, booking_id, actor=SYSTEM)


async def start_processing(
    work: UnitOfWork, booking_id: UUID, *, actor: Actor, settings: Settings, takes_seconds: int = 0
) -> Booking:
    """A payment begins: the seats are kept for the payment window.

    Beginning again does not keep them for ever: never past `booking_ttl_seconds` and the window from the booking's
    making.

    Args:
        takes_seconds: the window, where this way of paying takes longer than `payment_window_seconds`.

    Raises:
        BookingNotFound: no such booking for this actor.
        BookingExpired: its time is over.
        IllegalTransition: it does not wait for money.
    """
    row = await get_row(work, booking_id, actor=actor)
    status = BookingStatus(row.status)
    if status is BookingStatus.CANCELLED and row.reason == CancelReason.EXPIRED:
        raise BookingExpired
    if status not in UNPAID:
        raise IllegalTransition(booking_status=status)
    age_seconds = int((work.now - row.created_at).total_seconds())
    window_seconds = max(settings.payment_window_seconds, takes_seconds)
    seconds = max(0, min(window_seconds, settings.booking_ttl_seconds + window_seconds - age_seconds))
    ends = []
    holds = await holds_of(work, [booking_id])
    await lock_holds(work, holds)
    for hold_id in holds:
        try:
            ends.append((await rearm(work, hold_id, seconds=seconds)).expires_at)
        except (HoldExpired, HoldNotFound):
            raise BookingExpired from None
    row.expires_at = min(filter(None, ends))
    await work.session.flush()
    if status is BookingStatus.PENDING:
        target = BookingStatus.PAYMENT_PROCESSING
        await move(work, booking_id, target, source=status, actor=actor, reason="payment-started")
    return await get_booking(work, booking_id, actor=SYSTEM)


async def payment_failed(work: UnitOfWork, booking_id: UUID, *, actor: Actor, failure: str) -> None:
    """A payment came to nothing: the booking waits again, while its seats are kept.

    Does nothing where the booking does not wait for that payment any more.
    """
    row = await get_row(work, booking_id, as_it_stands=True)
    if row.status == BookingStatus.PAYMENT_PROCESSING:
        source, target = BookingStatus.PAYMENT_PROCESSING, BookingStatus.PENDING
        facts = {"failure": failure}
        await move(work, booking_id, target, source=source, actor=actor, reason="payment-failed", facts=facts)


async def confirm_booking(work: UnitOfWork, booking_id: UUID, *, actor: Actor, reason: str = "paid") -> Booking:
    """Sell the seats: for payments, once money has arrived or none is due.

    Also for a booking that ran out: its seats are taken again if they are still free. Confirming again changes nothing.

    Raises:
        SeatsGone: somebody else has at least one of them. Nothing was changed.
        IllegalTransition: it was cancelled by somebody, or is over.
        BookingNotFound: no such booking.
    """
    row = await get_row(work, booking_id, as_it_stands=True)
    status = BookingStatus(row.status)
    if status in SOLD:
        return await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
    if status is BookingStatus.CANCELLED and row.reason != CancelReason.EXPIRED:
        raise IllegalTransition(booking_status=status)
    await _sell(work, await holds_of(work, [booking_id]))
    await move(
        work,
        booking_id,
        BookingStatus.CONFIRMED,
        source=status,
        actor=actor,
        reason=reason,
        columns={"confirmed_at": work.now, "expires_at": None, "reason": None, "cancelled_at": None},
    )
    booking = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
    work.publish(
        BookingConfirmed(
            booking_id=booking.id,
            reference=booking.reference,
            total_price=str(booking.total.amount),
            currency=booking.total.currency,
        )
    )
    return booking


async def mark_refunded(work: UnitOfWork, booking_id: UUID, *, actor: Actor) -> bool:
    """All money of a cancelled booking has been given back. Whether that ended it: one that lives stays as it is."""
    row = await get_row(work, booking_id, as_it_stands=True)
    if row.status != BookingStatus.CANCELLED:
        return False
    source = BookingStatus.CANCELLED
    await move(work, booking_id, BookingStatus.REFUNDED, source=source, actor=actor, reason="refunded")
    work.publish(BookingRefunded(booking_id=booking_id, reference=row.reference))
    return True


async def complete_bookings(work: UnitOfWork, *, limit: int = BATCH) -> int:
    """Complete confirmed bookings whose last item has been used up; how many."""
    due = await work.session.execute(
        select(BookingRow.id, BookingRow.reference)
        .where(BookingRow.status == BookingStatus.CONFIRMED, BookingRow.completes_at <= func.now())
        .order_by(BookingRow.completes_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    bookings = due.all()
    for booking_id, reference in bookings:
        source = BookingStatus.CONFIRMED
        await move(work, booking_id, BookingStatus.COMPLETED, source=source, actor=SYSTEM, reason="arrived")
        work.publish(BookingCompleted(booking_id=booking_id, reference=reference))
    return len(bookings)


async def _reseat(
    work: UnitOfWork,
    row: BookingRow,
    people: Sequence[PassengerDetails],
    verticals: Verticals,
    secrets: Secrets,
    expected_total: Money | None,
) -> None:
    """Other people on the same seats, at the price that they pay."""
    items = (
        await work.session.scalars(
            select(BookingItemRow)
            .where(BookingItemRow.booking_id == row.id, BookingItemRow.ended_as.is_(None))
            .order_by(BookingItemRow.position)
        )
    ).all()
    offers = [msgspec.convert(item.offer, ItemOffer) for item in items]
    seated, errors = seat_passengers(offers, people)
    errors = errors or check_seating(offers, seated, verticals)
    if errors:
        raise Invalid(errors)
    quotes = await quote_items(work, offers, seated, verticals)
    refuse_other_total(quotes, expected_total)
    total, tax = sum_of(quotes)
    old = await work.session.execute(
        delete(BookingPassengerRow)
        .where(BookingPassengerRow.booking_id == row.id, BookingPassengerRow.ended_as.is_(None))
        .returning(BookingPassengerRow.item_id, BookingPassengerRow.unit, BookingPassengerRow.id)
    )
    ids = {(item_id, unit): passenger_id for item_id, unit, passenger_id in old}
    for person in seated:
        item = items[person.item]
        kept = ids[item.id, person.seat.unit]
        work.session.add(passenger_row(row.id, item.id, person, secrets, passenger_id=kept))
    row.price_revision += 1
    row.currency, row.total_minor, row.tax_minor = total.currency, total.minor, tax.minor
    work.session.add_all(price_line_rows(work, row, items, quotes))


async def _sell(work: UnitOfWork, hold_ids: Sequence[UUID]) -> None:
    """Confirm all holds, or, where one was lost and somebody has its seats, or was forgotten long after, none."""
    await work.execute("SAVEPOINT selling")
    try:
        for hold_id in hold_ids:
            await get_hold(work, hold_id, lock=True)
        await _confirm_or_take_again(work, hold_ids)
    except (UnitsTaken, StockGone, HoldLost, HoldNotFound):
        await work.execute("ROLLBACK TO SAVEPOINT selling")
        raise SeatsGone from None


async def _confirm_or_take_again(work: UnitOfWork, hold_ids: Sequence[UUID]) -> None:
    await work.execute("SAVEPOINT confirming")
    try:
        await lock_holds(work, hold_ids)
        for hold_id in hold_ids:
            await confirm(work, hold_id)
    except HoldLost:
        # Who takes a seat locks its run before it, and the seats in their order: none may be locked by us already.
        await work.execute("ROLLBACK TO SAVEPOINT confirming")
        for hold_id in hold_ids:
            await reclaim(work, hold_id)
