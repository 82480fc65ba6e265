"""What people give up again: seats, tickets, ledger and money in one transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from farebox import bookings
from farebox.accounts import Actor
from farebox.bookings import (
    Booking,
    BookingStatus,
    CancellationQuote,
    CancelReason,
    NotCancellable,
    cancel_sold_booking,
    get_booking,
    quote_cancellation,
)
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.payments.due import list_kept
from farebox.payments.errors import NoWallet, RefundTooLarge
from farebox.payments.ledger import note_reprice
from farebox.payments.refunds import Destination, give_back, left_to_give_back
from farebox.ticketing import void_tickets

CANCELLED = "cancelled"
"""Why the money of what was cancelled goes back, as refunds name it."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What became of a booking that was cancelled, or of which some seats were.

    Attributes:
        quote: what it came to, line by line; of a booking that was not paid, what was taken off its price.
        refund: what is paid back, to `refund_to`.
    """

    booking: Booking
    quote: CancellationQuote
    refund: Money
    refund_to: Destination


async def cancel_booking(
    work: UnitOfWork,
    booking_id: UUID,
    *,
    actor: Actor,
    passengers: Collection[UUID] | None = None,
    open_returns: Collection[UUID] | None = None,
    reason: CancelReason = CancelReason.CUSTOMER,
    note: str = "",
    refund_to: Destination = "origin",
    expected_refund: Money | None = None,
) -> Cancelled:
    """Cancel a booking or some seats of it, paid or not: the seats are free, its tickets void, its money on the way.

    What is paid back is what `bookings.quote_cancellation` says at this instant, less what a payer's bank has taken
    back already.

    Args:
        passengers: whose seats (a passenger is one person on one seat of one ride).
        open_returns: which open returns alone; they go with the seat on the way there, too. Where neither is named:
            all that can be.
        reason: `customer`, at the traveller's wish; `operator`, who is the cause, or `dispute_lost`: all of it is paid
            back.
        note: why, in words; kept in the audit.
        refund_to: the way that the money came, or the wallet of the person whose booking it is.
        expected_refund: what the canceller was shown; compared, never used.

    Raises:
        BookingNotFound: no such booking for this actor.
        NotCancellable: it is over already; or it is being paid, or paid in part, where only some seats were named.
        TooLateToCancel: for what was named, or for all of it.
        RefundChanged: `expected_refund` is not what is paid back; nothing was changed.
        NoWallet: whoever asks is not the person whose wallet it would be, nor the operator's staff.
        NotAllowed: only staff who may give money back can name the operator as the cause.
        OpenReturnNotFound, Invalid: something or somebody that is not on it.
    """
    booking = await get_booking(work, booking_id, actor=actor, lock=True)
    if booking.status is not BookingStatus.CONFIRMED:
        return await _cancel_unpaid(
            work, booking, actor=actor, passengers=passengers, open_returns=open_returns, reason=reason, note=note
        )
    if refund_to == "wallet":
        refuse_foreign_wallet(booking, actor)
    done = await cancel_sold_booking(
        work,
        booking_id,
        actor=actor,
        reason=reason,
        note=note,
        passengers=passengers,
        open_returns=open_returns,
        expected_refund=expected_refund,
        refund_to=refund_to,
        most=await left_to_give_back(work, booking),
    )
    await void_tickets(work, booking_id, passengers=done.quote.passenger_ids)
    await note_reprice(work, done.before, done.after)
    await give_back(work, booking_id, done.paid_back, to=refund_to, reason=CANCELLED, actor=actor)
    return Cancelled(done.after, done.quote, done.paid_back, refund_to)


async def _cancel_unpaid(
    work: UnitOfWork,
    booking: Booking,
    *,
    actor: Actor,
    passengers: Collection[UUID] | None,
    open_returns: Collection[UUID] | None,
    reason: CancelReason,
    note: str,
) -> Cancelled:
    """Nothing was paid, or a part: all of that goes back once the booking has ended, as events tell."""
    quote = await quote_cancellation(
        work, booking.id, actor=actor, passengers=passengers, open_returns=open_returns, reason=reason
    )
    if not quote.is_whole and await list_kept(work, booking.id):
        raise NotCancellable(booking_status=booking.status)
    cancelled = await bookings.cancel_booking(
        work, booking.id, actor=actor, passengers=passengers, open_returns=open_returns, reason=reason, note=note
    )
    return Cancelled(cancelled, quote, Money.zero(quote.currency), "origin")


def refuse_foreign_wallet(booking: Booking, actor: Actor) -> None:
    """The wallet is its owner's: a code for one booking, mailed to its contact, does not say that one is that person.

    Raises:
        NoWallet: for anybody but the owner with an account, or who acts for an operator.
    """
    kind, _, _ = booking.owner.partition(":")
    if kind != "user" or actor.kind == "guest":
        raise NoWallet


async def pay_back(
    work: UnitOfWork, booking_id: UUID, amount: Money, *, to: Destination, reason: str, actor: Actor
) -> Money:
    """Promise the money back; where a payer's bank has taken some of it already, what is left of it."""
    try:
        await give_back(work, booking_id, amount, to=to, reason=reason, actor=actor)
    except RefundTooLarge as too_large:
        amount = too_large.fields["left"]
        await give_back(work, booking_id, amount, to=to, reason=reason, actor=actor)
    return amount
