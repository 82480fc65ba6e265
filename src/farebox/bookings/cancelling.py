"""Giving seats back: all of a booking or some of its people's, after a quote of what is paid back for them.

Money is not moved here. What was paid for is cancelled through `payments.cancel_booking`, which also pays back.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from farebox.accounts import SYSTEM, Actor, Permission
from farebox.bookings.changes import drop_pending_change
from farebox.bookings.errors import (
    BookingExpired,
    NotCancellable,
    OpenReturnNotFound,
    RefundChanged,
    TooLateToCancel,
)
from farebox.bookings.events import BookingCancelled, BookingReduced
from farebox.bookings.expiry import end_unpaid_booking, release_holds
from farebox.bookings.giving_up import end_seats, free_seats
from farebox.bookings.models import BookingRow
from farebox.bookings.open_returns import end_open_returns
from farebox.bookings.policy import CancellationQuote, is_cancellable, quote_seats_given_up
from farebox.bookings.queries import get_booking, get_row
from farebox.bookings.repricing import write_revision
from farebox.bookings.states import UNPAID, BookingStatus, CancelReason, move, record
from farebox.bookings.views import Booking, Passenger
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid, NotAllowed
from farebox.core.i18n import N_
from farebox.core.money import Money
from farebox.inventory import UnknownUnits

REDUCED = "reduced"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What was cancelled: the booking before and after, what that came to, and what of it is to be paid back."""

    before: Booking
    after: Booking
    quote: CancellationQuote
    paid_back: Money


async def quote_cancellation(
    work: UnitOfWork,
    booking_id: UUID,
    *,
    actor: Actor,
    passengers: Collection[UUID] | None = None,
    open_returns: Collection[UUID] | None = None,
    reason: CancelReason = CancelReason.CUSTOMER,
) -> CancellationQuote:
    """What is paid back for a booking, or for some seats of it, if they are given up now. Changes nothing.

    Args:
        passengers: whose seats; an open return goes with the seat on the way there.
        open_returns: open returns to be given up alone. Where neither is named: all that can still be given up.
        reason: `operator` where the operator is the cause, `dispute_lost` where the payer's bank keeps the money: all
            of it is paid back.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
        NotCancellable: it is over, or being paid where only a part is to be cancelled.
        TooLateToCancel: for what was asked, or for all of it.
        NotAllowed: only the operator's staff who may give money back can name the operator as the cause.
        OpenReturnNotFound: not all open returns that were named are the booking's.
        Invalid: somebody who is not on it, or not on a ride for which the actor acts.
    """
    booking = await get_booking(work, booking_id, actor=actor)
    return _quote(work, booking, _Named(passengers, open_returns), actor=actor, reason=reason)


async def cancel_booking(
    work: UnitOfWork,
    booking_id: UUID,
    *,
    actor: Actor,
    reason: CancelReason = CancelReason.CUSTOMER,
    note: str = "",
    passengers: Collection[UUID] | None = None,
    open_returns: Collection[UUID] | None = None,
) -> Booking:
    """Cancel a booking that is not paid, or some seats of it, at no cost; the seats are free at once.

    Money that still arrives for one that was cancelled as a whole is given back.

    Args:
        note: why, in the canceller's own words; kept in the audit.
        passengers, open_returns: whose seats, and which open returns; all where neither is named.

    Raises:
        BookingNotFound: no such booking for this actor.
        NotCancellable: it is over already, paid, or being paid where only a part is to be cancelled.
        BookingExpired: its time is over.
        OpenReturnNotFound, Invalid: something or somebody that is not on it.
    """
    row = await get_row(work, booking_id, actor=actor)
    if row.status not in UNPAID:
        raise NotCancellable(booking_status=row.status)
    booking = await get_booking(work, booking_id, actor=SYSTEM)
    quote = _quote(work, booking, _Named(passengers, open_returns), actor=actor, reason=reason)
    if quote.is_whole:
        await end_unpaid_booking(work, booking_id, actor=actor, reason=reason, note=note)
    else:
        nothing = Money.zero(quote.currency)
        try:
            await _reduce(work, row, quote, _Deed(actor, reason, note, nothing, nothing))
        except UnknownUnits:
            raise BookingExpired from None
    return await get_booking(work, booking_id, actor=SYSTEM)


async def cancel_sold_booking(
    work: UnitOfWork,
    booking_id: UUID,
    *,
    actor: Actor,
    reason: CancelReason = CancelReason.CUSTOMER,
    note: str = "",
    passengers: Collection[UUID] | None = None,
    open_returns: Collection[UUID] | None = None,
    expected_refund: Money | None = None,
    refund_to: str,
    most: Money,
) -> Cancellation:
    """Give up a confirmed booking, or some seats of it, under the terms of its sale; the seats are free at once.

    For `payments.cancel_booking`, which moves the money in the same unit of work.

    Args:
        note: see `cancel_booking`; `passengers`, `open_returns`: see `quote_cancellation`.
        expected_refund: what the canceller was shown; compared, never used.
        refund_to: where the money goes, for the audit and the message.
        most: what can be paid back at all: less than was paid, where the payer's bank has taken some of it back.

    Raises:
        BookingNotFound: no such booking for this actor.
        NotCancellable, TooLateToCancel, NotAllowed, OpenReturnNotFound, Invalid: see `quote_cancellation`.
        RefundChanged: `expected_refund` is not what is paid back; nothing was changed.
    """
    row = await get_row(work, booking_id, actor=actor)
    if row.status != BookingStatus.CONFIRMED:
        raise NotCancellable(booking_status=row.status)
    before = await get_booking(work, booking_id, actor=SYSTEM)
    quote = _quote(work, before, _Named(passengers, open_returns), actor=actor, reason=reason)
    if expected_refund is not None and expected_refund != quote.refund:
        raise RefundChanged(refund=quote.refund)
    await drop_pending_change(work, row, actor=actor)
    paid_back = min(quote.refund, most)
    give_up = _end_sold if quote.is_whole else _reduce
    await give_up(work, row, quote, _Deed(actor, reason, note, paid_back, quote.refund - paid_back, refund_to))
    return Cancellation(before, await get_booking(work, booking_id, actor=SYSTEM), quote, paid_back)


@dataclass(frozen=True, slots=True)
class _Named:
    """What somebody wants to give up: seats, open returns, or, where neither is named, all that can be."""

    passengers: Collection[UUID] | None
    open_returns: Collection[UUID] | None

    @property
    def is_everything(self) -> bool:
        return self.passengers is None and self.open_returns is None


def _quote(
    work: UnitOfWork,
    booking: Booking,
    named: _Named,
    *,
    actor: Actor,
    reason: CancelReason,
) -> CancellationQuote:
    """The guard and the arithmetic of a cancellation, for the quote and for the deed alike."""
    if not booking.is_open and booking.status is not BookingStatus.CONFIRMED:
        raise NotCancellable(booking_status=booking.status)
    is_forced = reason in {CancelReason.OPERATOR, CancelReason.DISPUTE_LOST}
    reaches = _reach_of(booking, actor, is_forced=is_forced)
    in_reach = [person for item in booking.items if reaches(item.operator_id) for person in item.passengers]
    items = {item.id: item for item in booking.items}
    in_time = [
        person for person in in_reach if booking.is_open or is_forced or is_cancellable(items[person.item_id], work.now)
    ]
    going = in_time if named.is_everything else _named(in_reach, named.passengers)
    late = [person.id for person in going if person not in in_time]
    returns = _returns_of(booking, named, going, reaches, work.now)
    if late or not (going or returns):
        raise TooLateToCancel(passengers=late or [person.id for person in in_reach])
    quote = quote_seats_given_up(
        booking,
        {person.id for person in going},
        work.now,
        open_returns=returns,
        in_full=booking.is_open or is_forced,
    )
    if booking.status is BookingStatus.PAYMENT_PROCESSING and not quote.is_whole:
        raise NotCancellable(booking_status=booking.status)
    return quote


def _reach_of(booking: Booking, actor: Actor, *, is_forced: bool) -> Callable[[UUID], bool]:
    """Of which operators an actor may give up what is booked: all in one's own booking, or those that one acts for.

    Raises:
        NotAllowed: of none.
    """
    needed = Permission.PAYMENTS_REFUND if is_forced else Permission.BOOKINGS_CHANGE
    is_own = not is_forced and _is_travellers(booking, actor)

    def reaches(operator_id: UUID) -> bool:
        return is_own or actor.may(needed, operator_id)

    if not any(reaches(item.operator_id) for item in booking.items):
        raise NotAllowed
    return reaches


def _returns_of(
    booking: Booking, named: _Named, going: Collection[Passenger], reaches: Callable[[UUID], bool], at: datetime
) -> set[UUID]:
    """The open returns that are given up: those named, and those of the people who give up the way there.

    Of one whose time is over the job that ends it decides, by the same terms; until then it goes with the rest.
    """
    known = {each.id: each for each in booking.open_returns if reaches(each.operator_id)}
    asked = set(named.open_returns or (known if named.is_everything else ()))
    if not known.keys() >= asked:
        raise OpenReturnNotFound
    people = {person.id for person in going}
    return asked | {each.id for each in known.values() if each.passenger_id in people}


def _is_travellers(booking: Booking, actor: Actor) -> bool:
    if actor.booking_id is not None:
        return actor.booking_id == booking.id
    return actor.kind != "anonymous" and actor.owner == booking.owner


def _named(people: Collection[Passenger], passenger_ids: Collection[UUID] | None) -> list[Passenger]:
    if passenger_ids is None:
        return []
    named = [person for person in people if person.id in passenger_ids]
    if not named or len(named) != len(set(passenger_ids)):
        message = N_("Name people who are on this booking now, each once.")
        raise Invalid([FieldError("passengers", "unknown-passenger", message)])
    return named


@dataclass(frozen=True, slots=True)
class _Deed:
    """Who cancels, why, and what is paid back where; `withheld`: owed, but with the payer's bank."""

    actor: Actor
    reason: CancelReason
    note: str
    paid_back: Money
    withheld: Money
    refund_to: str = ""

    def amounts(self, quote: CancellationQuote) -> dict[str, str]:
        """What the events tell of the money."""
        return {
            "refund": str(self.paid_back.amount),
            "kept": str(quote.kept.amount),
            "withheld": str(self.withheld.amount),
            "currency": quote.currency,
            "refund_to": self.refund_to,
        }

    def facts(self, quote: CancellationQuote) -> dict[str, Any]:
        """The same for the audit, with whose seats and why. Ids only, no names; the note is what somebody wrote."""
        facts: dict[str, Any] = {"cause": self.reason, "passengers": [str(each) for each in quote.passenger_ids]}
        if quote.open_return_ids:
            facts["openReturns"] = [str(each) for each in quote.open_return_ids]
        facts |= self.amounts(quote)
        return facts | ({"note": self.note} if self.note else {})


async def _end_sold(work: UnitOfWork, row: BookingRow, quote: CancellationQuote, deed: _Deed) -> None:
    """End a sold booking: all its seats are given up."""
    await end_open_returns(work, quote.open_return_ids, "cancelled")
    await write_revision(work, row, quote.left)
    await move(
        work,
        row.id,
        BookingStatus.CANCELLED,
        source=BookingStatus.CONFIRMED,
        actor=deed.actor,
        reason=deed.reason,
        facts=deed.facts(quote),
        columns={"reason": deed.reason, "cancelled_at": work.now},
    )
    await release_holds(work, row.id)
    work.publish(
        BookingCancelled(
            booking_id=row.id, reference=row.reference, reason=deed.reason, was_paid=True, **deed.amounts(quote)
        )
    )


async def _reduce(work: UnitOfWork, row: BookingRow, quote: CancellationQuote, deed: _Deed) -> None:
    """Take some seats or open returns out of a booking that lives on."""
    await end_open_returns(work, quote.open_return_ids, "cancelled")
    given_up = await end_seats(work, row, quote.passenger_ids, ended_as="cancelled")
    await write_revision(work, row, quote.left)
    status = BookingStatus(row.status)
    record(work, row.id, actor=deed.actor, source=status, target=status, reason=REDUCED, facts=deed.facts(quote))
    await free_seats(work, given_up)
    work.publish(
        BookingReduced(
            booking_id=row.id,
            reference=row.reference,
            reason=deed.reason,
            passenger_ids=list(quote.passenger_ids),
            open_return_ids=list(quote.open_return_ids),
            was_paid=status is BookingStatus.CONFIRMED,
            **deed.amounts(quote),
        )
    )
