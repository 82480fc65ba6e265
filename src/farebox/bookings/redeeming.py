"""Choosing the ride back of an open return: seats of a hold, paid with what was paid for it.

It is a change in which nobody gives up a seat. Who rides back gets a row on a new item of the same booking; the price
of the open return falls away, and that of the ride comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from farebox.accounts import SYSTEM, Actor, Permission
from farebox.bookings.changes import ChangeQuote, Move, Redemption
from farebox.bookings.changing import Seated, held, offer_of, seat_people
from farebox.bookings.errors import MixedCurrencies, NotChangeable, OpenReturnNotFound
from farebox.bookings.events import BookingChanged
from farebox.bookings.exchanging import add_item, take_over
from farebox.bookings.giving_up import set_clocks
from farebox.bookings.models import OpenReturnRow
from farebox.bookings.moving import lines_of_seats
from farebox.bookings.open_returns import end_open_returns
from farebox.bookings.policy import WHOLE_BP, paying_back_at_most
from farebox.bookings.queries import get_booking, get_row
from farebox.bookings.repricing import write_revision
from farebox.bookings.states import BookingStatus, record
from farebox.bookings.verticals import ChangePolicy, ItemOffer, Traveller, Verticals
from farebox.bookings.views import BookedLine, Booking, OpenReturn
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid, NotAllowed
from farebox.core.i18n import N_
from farebox.core.ids import new_id
from farebox.core.money import Money, total
from farebox.pricing import Quote, share_out

REDEEMED: Final = "open-return-redeemed"

DIFFERENCE_KEPT: Final = N_("Seat {seat}, kept of the open return, which cost more ({percent}% of that is paid back)")
"""Label of the price line of what is not paid back where the ride costs less. It stays with the seat."""


@dataclass(frozen=True, slots=True)
class ReturnWish:
    """Somebody's open return that is to be used; `seat_number`: for which of the seats held, empty: any that fits."""

    open_return_id: UUID
    seat_number: str = ""


@dataclass(frozen=True, slots=True)
class RedeemWish:
    """Which open returns are to be used for what.

    Attributes:
        lock_id: the hold of the seats on the ride back, one for each person.
        holder: whose hold it is.
        open_returns: those to be used; none: all of the booking.
    """

    lock_id: UUID
    holder: Actor
    open_returns: tuple[ReturnWish, ...] = ()


async def quote_redemption(
    work: UnitOfWork, booking_id: UUID, wish: RedeemWish, *, actor: Actor, verticals: Verticals
) -> ChangeQuote:
    """What a ride back costs beyond what was paid for open returns, or less. Changes nothing.

    The ride is priced as it is sold today to who has the way there; no service fee is asked for. Where it costs less,
    as much of the difference is paid back as the terms of the open return say.

    Raises:
        BookingNotFound: no such booking for this actor.
        OpenReturnNotFound: the booking has none, or not all that were named.
        NotChangeable: it is not confirmed, or the open return is not good any more.
        NotAllowed: it is of an operator for whom the actor does not act.
        HoldNotFound, HoldExpired: the holder has no such hold, or its time is over.
        Invalid: it is not the way back, or begins before the way there has ended or later than the open return is good
            for, or people and seats do not go together, field by field.
        MixedCurrencies: the ride is sold in another currency.
    """
    booking = await get_booking(work, booking_id, actor=actor)
    return await quote_return(work, booking, wish, actor=actor, verticals=verticals)


async def quote_return(
    work: UnitOfWork, booking: Booking, wish: RedeemWish, *, actor: Actor, verticals: Verticals
) -> ChangeQuote:
    """The same for a booking that was read before."""
    named = _named(booking, wish)
    returns = [each for each, _ in named]
    for each in returns:
        _refuse(work, booking, each, actor=actor)
    hold = await held(work, wish.lock_id, wish.holder)
    kind, operator_id = returns[0].kind, returns[0].operator_id
    offer = await offer_of(work, hold, verticals, kind=kind, operator_id=operator_id)
    await _refuse_other_way(work, offer, returns, verticals)
    _refuse_too_early(booking, offer, returns, verticals)
    people = {person.id: person for person in booking.passengers}
    seated = seat_people([(people[each.passenger_id], label) for each, label in named], offer)
    quote = await _price(work, offer, seated, verticals)
    if quote.currency != booking.total.currency:
        raise MixedCurrencies
    vertical = verticals[kind]
    back = Redemption(
        open_return_ids=tuple(each.id for each in returns),
        moves=tuple(Move(passenger_id=person.id, unit=seat.unit, seat_number=seat.label) for person, seat in seated),
        new_item_id=new_id(),
        offer=offer,
        description=vertical.describe(offer),
        policy=_terms_of(vertical.change_policy(offer), returns, actor=actor),
        completes_at=vertical.completed_at(offer),
    )
    gone = tuple(line for line in booking.lines if line.open_return_id in back.open_return_ids)
    new = lines_of_seats(quote, back.new_item_id)
    added = (*new, *_difference_kept(back, returns, gone, new))
    kept = [line for line in booking.lines if line not in gone]
    return ChangeQuote(
        revision=booking.revision, before=booking.total, gone=gone, added=added, lines=(*kept, *added), redemption=back
    )


async def redeem(
    work: UnitOfWork, booking_id: UUID, quote: ChangeQuote, *, change_id: UUID, actor: Actor, holder: str
) -> Booking:
    """Do what was quoted: the seats are sold to the booking, and the open returns used up.

    Money and tickets are for the caller, in the same unit of work (see `payments.redeem_open_returns`).

    Args:
        holder: whose the hold of the seats is: the traveller's, or the booking's that waited for its money.

    Raises:
        NotChangeable: the booking is not what it was when it was quoted. Nothing was changed.
        SeatsGone: the seats are not held any more. Nothing was changed.
    """
    back = quote.redemption
    assert back is not None, "it was quoted as a ride back"
    row = await get_row(work, booking_id, as_it_stands=True)
    if row.status != BookingStatus.CONFIRMED or row.price_revision != quote.revision:
        raise NotChangeable(booking_status=row.status)
    open_now = await work.session.scalar(
        select(func.count()).where(OpenReturnRow.id.in_(back.open_return_ids), OpenReturnRow.status == "open")
    )
    if open_now != len(back.open_return_ids):
        raise NotChangeable(booking_status=row.status)
    await take_over(work, row, back, holder)
    await add_item(work, row, back)
    await end_open_returns(work, back.open_return_ids, "redeemed", item_id=back.new_item_id)
    await set_clocks(work, row)
    await write_revision(work, row, quote.lines)
    status = BookingStatus(row.status)
    facts = {
        "change": str(change_id),
        "openReturns": [str(each) for each in back.open_return_ids],
        "to": {"resource": str(back.offer.resource_id), "seats": [move.seat_number for move in back.moves]},
    }
    record(work, row.id, actor=actor, source=status, target=status, reason=REDEEMED, facts=facts)
    booking = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
    work.publish(
        BookingChanged(
            booking_id=booking.id,
            reference=booking.reference,
            change_id=change_id,
            total_price=str(booking.total.amount),
            currency=booking.total.currency,
            is_return=True,
        )
    )
    return booking


def _named(booking: Booking, wish: RedeemWish) -> list[tuple[OpenReturn, str]]:
    """The open returns to be used, each with the seat that was named for it."""
    known = {each.id: each for each in booking.open_returns}
    if not wish.open_returns:
        named = [(each, "") for each in booking.open_returns]
    else:
        ids = {each.open_return_id for each in wish.open_returns}
        if len(ids) < len(wish.open_returns) or not known.keys() >= ids:
            raise OpenReturnNotFound
        named = [(known[each.open_return_id], each.seat_number.strip().upper()) for each in wish.open_returns]
    if not named:
        raise OpenReturnNotFound
    return named


def _refuse(work: UnitOfWork, booking: Booking, open_return: OpenReturn, *, actor: Actor) -> None:
    if booking.status is not BookingStatus.CONFIRMED:
        raise NotChangeable(booking_status=booking.status)
    acts_for_operator = actor.may(Permission.BOOKINGS_CHANGE, open_return.operator_id)
    if not acts_for_operator and actor.booking_id is None and actor.owner != booking.owner:
        raise NotAllowed
    if work.now > open_return.valid_until:
        raise NotChangeable(booking_status=booking.status, until=open_return.valid_until)


async def _refuse_other_way(
    work: UnitOfWork, offer: ItemOffer, returns: Sequence[OpenReturn], verticals: Verticals
) -> None:
    """Raises: Invalid: the seats held are on another way, or on a ride that begins when they are not good any more."""
    ends = await verticals[offer.kind].ends_of(work, offer)
    if any(ends != (each.from_id, each.to_id) for each in returns):
        message = N_("This open return is from {origin} to {destination}. Choose seats on that way.")
        about = {"origin": returns[0].origin, "destination": returns[0].destination}
        raise Invalid([FieldError("lockId", "other-way", message, **about)])
    begins = verticals[offer.kind].describe(offer).origin.time
    if any(begins > each.valid_until for each in returns):
        message = N_("The open return is not good for so late a trip. Choose an earlier one.")
        raise Invalid([FieldError("lockId", "open-return-too-late", message)])


def _refuse_too_early(booking: Booking, offer: ItemOffer, returns: Sequence[OpenReturn], verticals: Verticals) -> None:
    """Raises: Invalid: the ride begins before somebody has arrived with the way there."""
    begins = verticals[offer.kind].describe(offer).origin.time
    riders = {each.passenger_id for each in returns}
    there = [item for item in booking.items if any(person.id in riders for person in item.passengers)]
    ends = [item.description.destination or item.description.origin for item in there]
    if any(begins < end.time for end in ends):
        message = N_("This trip begins before the way there has ended. Choose a later one.")
        raise Invalid([FieldError("lockId", "open-return-too-early", message)])


async def _price(work: UnitOfWork, offer: ItemOffer, seated: Sequence[Seated], verticals: Verticals) -> Quote:
    """What the seats cost who has the way there. Raises: Invalid: the vertical has something against it."""
    travellers = [
        Traveller(
            position=position,
            item=0,
            seat=seat.label,
            unit=seat.unit,
            passenger_type=person.passenger_type,
            special_needs=person.special_needs,
        )
        for position, (person, seat) in enumerate(seated)
    ]
    vertical = verticals[offer.kind]
    errors = vertical.validate([offer], travellers)
    if errors:
        raise Invalid(errors)
    [quote] = await vertical.quote(work, [offer], travellers, is_way_back=True)
    return quote


def _terms_of(terms: ChangePolicy, returns: Sequence[OpenReturn], *, actor: Actor) -> ChangePolicy:
    """The terms of the ride, which pay back no larger a part than those of the open return: else whoever wants more of
    it back would choose a ride first and cancel that. Those who act for the operator may make them better."""
    if actor.may(Permission.BOOKINGS_CHANGE, returns[0].operator_id):
        return terms
    return paying_back_at_most(terms, min(each.refund_bp for each in returns))


def _difference_kept(
    back: Redemption, returns: Sequence[OpenReturn], gone: Sequence[BookedLine], new: Sequence[BookedLine]
) -> list[BookedLine]:
    """What is not paid back of what the open returns cost more than the ride, by what each cost more."""
    currency = returns[0].price.currency
    costs = [sum(line.amount.minor for line in new if line.seat_number == move.seat_number) for move in back.moves]
    prices = [each.price.minor for each in returns]
    difference = max(0, sum(prices) - sum(costs))
    rate = min(each.refund_bp for each in returns)
    kept = difference - difference * rate // WHOLE_BP
    weights = [max(0, price - cost) for price, cost in zip(prices, costs, strict=True)]
    price, tax = total([line.amount for line in gone], currency), total([line.tax_included for line in gone], currency)
    return [
        BookedLine(
            item_id=back.new_item_id,
            kind="fee",
            label=DIFFERENCE_KEPT,
            facts={"seat": move.seat_number, "percent": f"{rate / 100:g}"},
            seat_number=move.seat_number,
            amount=Money(part, currency),
            tax_included=tax.times(Fraction(part, price.minor)),
        )
        for move, part in zip(back.moves, share_out(kept, weights), strict=True)
        if part
    ]
