"""Changes of sold bookings and the money of them: seats, prices, tickets, ledger and refunds in one transaction.

A change that costs nothing is made at once, and what it saves is paid back. One that costs something waits for its
money, with its seats held, and is made in the transaction that settles it.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import (
    Booking,
    Change,
    ChangeQuote,
    ChangeWish,
    NotChangeable,
    PriceChanged,
    RedeemWish,
    RenameWish,
    SeatsGone,
    Verticals,
    change_names,
    change_seats,
    close_applied,
    fail_change,
    get_booking,
    get_change,
    open_change,
    quote_names,
    quote_return,
    quote_seats,
    redeem,
    refuse_second_change,
)
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.inventory import HoldExpired
from farebox.payments import ledger
from farebox.payments.after_sale import pay_back, refuse_foreign_wallet
from farebox.payments.models import PaymentRow
from farebox.payments.refunds import Destination
from farebox.payments.states import Disposition
from farebox.ticketing import Signer, issue_tickets, void_tickets

CHANGED = "changed"
"""Why money of a change goes back."""

TOO_LATE: Final = {
    "applied": Disposition.DUPLICATE,
    "withdrawn": Disposition.UNWANTED,
    "failed": Disposition.LATE,
}
"""What money is that comes for a change which has ended."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a wish: the booking, what it came to, and the change that waits where something is to be paid."""

    booking: Booking
    quote: ChangeQuote
    waiting: Change | None


@dataclass(frozen=True, slots=True)
class ChangeTerms:
    """How a change is paid.

    Attributes:
        expected_total: what the booking is to cost afterwards, as the traveller was shown; compared, never used.
        refund_to: where it goes what the change saves.
        window_seconds: for how long the new seats are kept while it is paid.
    """

    window_seconds: int
    expected_total: Money | None = None
    refund_to: Destination = "origin"


async def change_booking(
    work: UnitOfWork,
    booking_id: UUID,
    wish: ChangeWish,
    *,
    actor: Actor,
    verticals: Verticals,
    terms: ChangeTerms,
    signer: Signer,
) -> Changed:
    """Give people of a booking the seats of a hold instead of theirs, now or once the difference is paid.

    The new seats are the booking's before the old ones are given up. A new ride that costs less is paid back, as far as
    the change fees leave something of it.

    Raises:
        BookingNotFound: no such booking for this actor.
        NotChangeable, HoldNotFound, HoldExpired, Invalid, MixedCurrencies, NotAllowed: see `bookings.quote_change`.
        ChangePending: another change waits for its payment.
        PriceChanged: `expected_total` is not what the booking will cost; nothing was changed.
        NoWallet: what it saves is to go into a wallet that is not the actor's.
    """
    booking = await get_booking(work, booking_id, actor=actor, lock=True)
    quote = await quote_seats(work, booking, wish, actor=actor, verticals=verticals)
    return await _change(work, booking, quote, actor=actor, holder=wish.holder.owner, terms=terms, signer=signer)


async def rename_passenger(
    work: UnitOfWork,
    booking_id: UUID,
    wish: RenameWish,
    *,
    actor: Actor,
    settings: Settings,
    secrets: Secrets,
    expected_total: Money | None = None,
) -> Changed:
    """Write another name on somebody's tickets, now or once the fee is paid. The old tickets are worthless then.

    Raises:
        BookingNotFound: no such booking for this actor.
        PassengerNotFound, NotChangeable, Invalid, NotAllowed: see `bookings.quote_names`.
        ChangePending: another change waits for its payment.
        PriceChanged: `expected_total` is not what the booking will cost; nothing was changed.
    """
    booking = await get_booking(work, booking_id, actor=actor, lock=True)
    quote = await quote_names(work, booking, wish, actor=actor, settings=settings, secrets=secrets)
    terms = ChangeTerms(settings.payment_window_seconds, expected_total)
    return await _change(work, booking, quote, actor=actor, holder="", terms=terms, signer=secrets)


async def apply_paid_change(
    work: UnitOfWork, payment: PaymentRow, booking: Booking, received: Money, *, signer: Signer
) -> Disposition:
    """Make a change whose money has come, in the transaction that settles it; else say why the money goes back.

    Args:
        booking: as it is now, locked by the caller.
    """
    assert payment.change_id is not None, "it was begun for a change"
    change = await get_change(work, payment.change_id)
    if change.status != "pending":
        return TOO_LATE[change.status]
    if received != change.owed or received != Money(payment.amount_minor, payment.currency):
        return Disposition.MISMATCHED
    holder = f"booking:{booking.id}"
    try:
        if _has_begun(work, booking, change.quote):
            raise NotChangeable(booking_status=booking.status)
        await _make(work, booking, change.quote, change_id=change.id, actor=SYSTEM, holder=holder, signer=signer)
    except (SeatsGone, NotChangeable) as refusal:
        await fail_change(work, booking.id, change.id, "seats-gone" if isinstance(refusal, SeatsGone) else "expired")
        return Disposition.LATE
    await close_applied(work, change.id)
    return Disposition.APPLIED


async def redeem_open_returns(
    work: UnitOfWork,
    booking_id: UUID,
    wish: RedeemWish,
    *,
    actor: Actor,
    verticals: Verticals,
    terms: ChangeTerms,
    signer: Signer,
) -> Changed:
    """Choose the ride back of open returns: seats of a hold join the booking, now or once the difference is paid.

    What was paid for the open returns pays for them; where they cost less, the rest goes back as the terms say.

    Raises:
        BookingNotFound: no such booking for this actor.
        OpenReturnNotFound, NotChangeable, HoldNotFound, HoldExpired, Invalid, MixedCurrencies, NotAllowed: see
            `bookings.quote_redemption`.
        ChangePending, PriceChanged, NoWallet: as for `change_booking`.
    """
    booking = await get_booking(work, booking_id, actor=actor, lock=True)
    quote = await quote_return(work, booking, wish, actor=actor, verticals=verticals)
    return await _change(work, booking, quote, actor=actor, holder=wish.holder.owner, terms=terms, signer=signer)


async def _change(
    work: UnitOfWork,
    booking: Booking,
    quote: ChangeQuote,
    *,
    actor: Actor,
    holder: str,
    terms: ChangeTerms,
    signer: Signer,
) -> Changed:
    if terms.expected_total is not None and terms.expected_total != quote.after:
        raise PriceChanged(total=quote.after)
    if terms.refund_to == "wallet":
        refuse_foreign_wallet(booking, actor)
    change_id = new_id()
    await refuse_second_change(work, booking.id)
    if quote.owed:
        waiting = await open_change(
            work, booking.id, quote, change_id=change_id, actor=actor, holder=holder, seconds=terms.window_seconds
        )
        return Changed(booking, quote, waiting)
    try:
        after = await _make(work, booking, quote, change_id=change_id, actor=actor, holder=holder, signer=signer)
    except SeatsGone:
        raise HoldExpired from None
    await pay_back(work, booking.id, quote.given_back, to=terms.refund_to, reason=CHANGED, actor=actor)
    return Changed(after, quote, None)


async def _make(
    work: UnitOfWork,
    before: Booking,
    quote: ChangeQuote,
    *,
    change_id: UUID,
    actor: Actor,
    holder: str,
    signer: Signer,
) -> Booking:
    """The change itself, with its tickets and what the operators get."""
    if quote.redemption:
        after = await redeem(work, before.id, quote, change_id=change_id, actor=actor, holder=holder)
    elif quote.seats:
        after = await change_seats(work, before.id, quote, change_id=change_id, actor=actor, holder=holder)
    else:
        after = await change_names(work, before.id, quote, change_id=change_id, actor=actor)
    if not quote.redemption:  # who chooses the way back keeps the ticket of the way there
        await void_tickets(work, before.id, passengers=quote.passenger_ids)
    issue_tickets(work, after, signer=signer)
    if after.revision != before.revision:
        await ledger.note_reprice(work, before, after)
    return after


def _has_begun(work: UnitOfWork, booking: Booking, quote: ChangeQuote) -> bool:
    """Whether what is given up, or what was to come instead, has begun meanwhile."""
    leaving = () if quote.redemption else quote.passenger_ids
    begins = [item.starts_at for item in booking.items if any(p.id in leaving for p in item.passengers)]
    if quote.new_seats:
        begins.append(quote.new_seats.description.origin.time)
    return min(begins, default=work.now) <= work.now
