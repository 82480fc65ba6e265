"""What other seats cost people of a sold booking: another place in the coach, another trip, another day.

The traveller holds the new seats first, as any others. A quote says what it costs to have them instead of the old ones;
`exchanging` does what was quoted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import select

from farebox.accounts import Actor, Permission
from farebox.bookings.changes import ChangeQuote, Move, SeatChange
from farebox.bookings.errors import MixedCurrencies, NotChangeable
from farebox.bookings.models import BookingItemRow
from farebox.bookings.moving import reprice
from farebox.bookings.open_returns import end_moved
from farebox.bookings.policy import no_better_than
from farebox.bookings.queries import get_booking
from farebox.bookings.seating import offers_of
from farebox.bookings.states import BookingStatus
from farebox.bookings.verticals import ChangePolicy, ItemDescription, ItemOffer, SeatOffer, Traveller, Verticals
from farebox.bookings.views import Booking, BookingItem, Passenger
from farebox.core.db import UnitOfWork
from farebox.core.errors import DomainError, FieldError, Invalid, NotAllowed
from farebox.core.i18n import N_
from farebox.core.ids import new_id
from farebox.core.money import Money, total
from farebox.inventory import Hold, HoldExpired, Want, get_hold
from farebox.pricing import Quote

PROMOTION: Final = "promotion"
"""Label of the price lines of what a code gave, as pricing names it."""

Seated: TypeAlias = tuple[Passenger, SeatOffer]
"""Somebody, and the new seat for them."""


@dataclass(frozen=True, slots=True)
class SeatWish:
    """Somebody who is to have another seat; `seat_number` says which of those held, empty: any that fits."""

    passenger_id: UUID
    seat_number: str = ""


@dataclass(frozen=True, slots=True)
class ChangeWish:
    """What a traveller wants changed.

    Attributes:
        lock_id: the hold of the new seats, one for each person; `None`: they keep theirs, on a part of the way.
        holder: whose hold it is.
        passengers: who changes, all of one item; empty: everybody on `item_id`.
        item_id: needed only where nobody is named and the booking has several items.
        from_id, to_id: which part of the way, where seats are kept; `None`: from or to where it is now.
    """

    lock_id: UUID | None
    holder: Actor
    passengers: tuple[SeatWish, ...] = ()
    item_id: UUID | None = None
    from_id: UUID | None = None
    to_id: UUID | None = None


async def quote_change(
    work: UnitOfWork, booking_id: UUID, wish: ChangeWish, *, actor: Actor, verticals: Verticals
) -> ChangeQuote:
    """What it costs to give people of a booking the seats of a hold instead of theirs. Changes nothing.

    The new ride is priced as it is sold today, for the same people, beside what else stays of the booking; the service
    fee is not asked for again. Each person who changes costs the change fee under which the old seat was bought. Where
    the old seats cost more than all that, as much of it is paid back as the terms of their sale say at this instant.

    Raises:
        BookingNotFound: no such booking for this actor.
        NotChangeable: it is not confirmed, or it is too late for what is given up.
        HoldNotFound, HoldExpired: the holder has no such hold, or its time is over.
        Invalid: people and seats do not go together, field by field.
        MixedCurrencies: the new ride is sold in another currency.
    """
    booking = await get_booking(work, booking_id, actor=actor)
    return await quote_seats(work, booking, wish, actor=actor, verticals=verticals)


async def quote_seats(
    work: UnitOfWork, booking: Booking, wish: ChangeWish, *, actor: Actor, verticals: Verticals
) -> ChangeQuote:
    """The same for a booking that was read before."""
    item, named = _who_changes(booking, wish)
    refuse_too_late(work, booking, item, item.policy.change_until, actor=actor)
    people = [person for person, _ in named]
    hold = await held(work, wish.lock_id, wish.holder) if wish.lock_id else None
    longer = _joined(item, people, hold) if hold else None
    shorter = None if hold else await _part_of(work, item, people, wish, verticals)
    new = shorter or longer or hold
    assert new is not None, "there is a hold, or there are seats to be kept"
    offer = await offer_of(work, new, verticals, kind=item.kind, operator_id=item.operator_id)
    keeps_seats = longer or shorter
    seated = seat_people([(each, each.seat_number.upper()) for each in people] if keeps_seats else named, offer)
    quote = await _price(work, booking, offer, seated, verticals)
    if quote.currency != booking.total.currency:
        raise MixedCurrencies
    if offer.resource_id == item.resource_id:
        quote = _with_promotion(booking, item, seated, quote)
    vertical = verticals[offer.kind]
    change = SeatChange(
        item_id=item.id,
        is_whole=len(seated) == len(item.passengers),
        is_longer=longer is not None,
        is_shorter=shorter is not None,
        moves=tuple(Move(passenger_id=person.id, unit=seat.unit, seat_number=seat.label) for person, seat in seated),
        new_item_id=new_id(),
        offer=offer,
        description=vertical.describe(offer),
        policy=_terms_of(work, vertical.change_policy(offer), item, actor=actor),
        completes_at=vertical.completed_at(offer),
        open_returns_until=_returns_until(booking, item, people, vertical.describe(offer)),
    )
    price = reprice(booking, item, change, quote, work.now)
    return ChangeQuote(
        revision=booking.revision,
        before=booking.total,
        gone=price.gone,
        added=price.added,
        lines=price.lines,
        seats=change,
    )


def _returns_until(
    booking: Booking, item: BookingItem, people: Sequence[Passenger], new: ItemDescription
) -> datetime | None:
    """Until when the open returns of these people are good, once they have the new ride there."""
    ids = {person.id for person in people}
    theirs = (each for each in booking.open_returns if each.passenger_id in ids)
    return next((end_moved(each.valid_until, each.timezone, item.description, new) for each in theirs), None)


def _terms_of(work: UnitOfWork, terms: ChangePolicy, item: BookingItem, *, actor: Actor) -> ChangePolicy:
    """The terms of the new seats; those who change for the operator may make a traveller's better."""
    if actor.may(Permission.BOOKINGS_CHANGE, item.operator_id):
        return terms
    return no_better_than(terms, item.policy, work.now)


def refuse_too_late(
    work: UnitOfWork, booking: Booking, item: BookingItem, until: datetime | None, *, actor: Actor
) -> None:
    """Refuse where something of an item cannot be changed by an actor (any more).

    Args:
        until: the last instant at which travellers may, by the terms of the sale; `None`: never. Who may change
            bookings for the operator may until it begins.

    Raises:
        NotChangeable: not confirmed, or too late.
        NotAllowed: the item is of an operator for whom the actor does not act.
    """
    if booking.status is not BookingStatus.CONFIRMED:
        raise NotChangeable(booking_status=booking.status)
    if actor.may(Permission.BOOKINGS_CHANGE, item.operator_id):
        until = item.starts_at
    elif actor.booking_id is None and actor.owner != booking.owner:
        raise NotAllowed
    if until is None or work.now > until or work.now >= item.starts_at:
        raise NotChangeable(booking_status=booking.status, until=until)


def _who_changes(booking: Booking, wish: ChangeWish) -> tuple[BookingItem, list[tuple[Passenger, str]]]:
    """The item of which seats are given up, and who gives them up, with the seat that each would like."""
    if not wish.passengers:
        items = [item for item in booking.items if wish.item_id in {None, item.id}]
        if len(items) != 1:
            message = N_("Say who changes: the booking has several trips.")
            raise Invalid([FieldError("passengers", "choose-passengers", message)])
        return items[0], [(person, "") for person in items[0].passengers]
    people = {person.id: person for person in booking.passengers}
    ids = {each.passenger_id for each in wish.passengers}
    if len(ids) < len(wish.passengers) or not people.keys() >= ids:
        message = N_("Name people of this booking, each once.")
        raise Invalid([FieldError("passengers", "unknown-passenger", message)])
    named = [(people[each.passenger_id], each.seat_number.strip().upper()) for each in wish.passengers]
    if len({person.item_id for person, _ in named}) > 1:
        message = N_("Change one trip at a time.")
        raise Invalid([FieldError("passengers", "several-trips", message)])
    return next(item for item in booking.items if item.id == named[0][0].item_id), named


async def held(work: UnitOfWork, lock_id: UUID, holder: Actor) -> Hold:
    """The hold of the new seats. Raises: HoldNotFound, HoldExpired."""
    hold = await get_hold(work, lock_id, owner=holder.owner)
    if hold.state != "held":
        raise HoldExpired
    return hold


def _joined(item: BookingItem, people: Sequence[Passenger], hold: Hold) -> Hold | None:
    """The hold together with the seats that people have, where it is of just these, on the legs before or after theirs.

    So they ride further, or get on earlier, and stay where they sit.
    """
    if len(hold.claims) != 1:
        return None
    [want] = hold.claims
    ours = Want(item.inventory_id, tuple(sorted(person.unit for person in people)), item.first_slot, item.end_slot)
    is_same = (want.inventory_id, tuple(sorted(want.units))) == (ours.inventory_id, ours.units)
    if not is_same or (want.first_slot != ours.end_slot and want.end_slot != ours.first_slot):
        return None
    first, end = min(want.first_slot, ours.first_slot), max(want.end_slot, ours.end_slot)
    return replace(hold, claims=(replace(ours, first_slot=first, end_slot=end),))


async def _part_of(
    work: UnitOfWork, item: BookingItem, people: Sequence[Passenger], wish: ChangeWish, verticals: Verticals
) -> Hold:
    """The booking's own hold as it would be of the seats that people have, on a part of their way.

    Raises:
        Invalid: it is no part of it, or all of it.
        DomainError: the ride does not go that way.
    """
    hold = await get_hold(work, item.hold_id)
    units = tuple(sorted(person.unit for person in people))
    whole = Want(item.inventory_id, units, item.first_slot, item.end_slot)
    [offer] = await offers_of(work, [replace(hold, claims=(whole,))], verticals)
    first, end = await verticals[item.kind].stretch_of(work, offer, wish.from_id, wish.to_id)
    if not item.first_slot <= first < end <= item.end_slot or (first, end) == (item.first_slot, item.end_slot):
        message = N_("Without a hold of other seats, name a part of your way. To ride further, hold the missing part.")
        raise Invalid([FieldError("to", "no-part-of-the-way", message)])
    return replace(hold, claims=(replace(whole, first_slot=first, end_slot=end),))


async def offer_of(work: UnitOfWork, hold: Hold, verticals: Verticals, *, kind: str, operator_id: UUID) -> ItemOffer:
    """What the hold is. Seats are exchanged within one operator, whose terms and whose money it is."""
    offers = await offers_of(work, [hold], verticals)
    if len(offers) != 1 or (offers[0].kind, offers[0].operator_id) != (kind, operator_id):
        message = N_("Choose seats on one trip of the same operator.")
        raise Invalid([FieldError("lockId", "other-operator", message)])
    return offers[0]


def seat_people(named: Sequence[tuple[Passenger, str]], offer: ItemOffer) -> list[Seated]:
    """Each person on the seat that they named, or else on one that fits, in the order named."""
    if len(offer.seats) != len(named):
        message = N_("Hold one seat for each person who changes.")
        raise Invalid([FieldError("lockId", "seat-count", message)])
    free = {seat.label.upper(): seat for seat in offer.seats}
    chosen: dict[UUID, SeatOffer] = {}
    errors: list[FieldError] = []
    for position, (person, label) in enumerate(named):
        if label in free:
            chosen[person.id] = free.pop(label)
        elif label:
            message = N_("Seat {seat} is not one of yours.")
            errors.append(FieldError(f"passengers.{position}.seatNumber", "unknown-seat", message, seat=label))
    if errors:
        raise Invalid(errors)
    left = [person for person, _ in named if person.id not in chosen]
    for person in sorted(left, key=lambda each: not each.special_needs):  # who can sit on few seats chooses first
        label = next((key for key, seat in free.items() if seat.accessible == person.special_needs), next(iter(free)))
        chosen[person.id] = free.pop(label)
    for position, (person, _) in enumerate(named):
        if person.special_needs and not chosen[person.id].accessible:
            message = N_("Seat {seat} is not accessible. Choose a seat marked as accessible for this passenger.")
            field = f"passengers.{position}.seatNumber"
            errors.append(FieldError(field, "seat-not-accessible", message, seat=chosen[person.id].label))
    if errors:
        raise Invalid(errors)
    return [(person, chosen[person.id]) for person, _ in named]


async def _price(
    work: UnitOfWork, booking: Booking, offer: ItemOffer, seated: Sequence[Seated], verticals: Verticals
) -> Quote:
    """What the new seats cost beside what stays of the booking, so that a way back stays one.

    Raises:
        Invalid: the vertical has something against it.
        DomainError: it is not for sale.
    """
    vertical = verticals[offer.kind]
    changing = {person.id for person, _ in seated}
    entries = [
        (vertical.describe(offer).origin.time, offer, [(person, seat.unit, seat.label) for person, seat in seated])
    ]
    for row in await _living_items(work, booking.id, offer.kind):
        stay = [each for each in booking.passengers if each.item_id == row.id and each.id not in changing]
        if stay:
            whole = msgspec.convert(row.offer, ItemOffer)
            units = {person.unit for person in stay}
            kept = replace(whole, seats=tuple(seat for seat in whole.seats if seat.unit in units))
            entries.append((row.starts_at, kept, [(person, person.unit, person.seat_number) for person in stay]))
    entries.sort(key=lambda entry: entry[0])
    own = next(index for index, entry in enumerate(entries) if entry[1] is offer)
    travellers = [
        Traveller(
            position=position,
            item=index,
            seat=label,
            unit=unit,
            passenger_type=person.passenger_type,
            special_needs=person.special_needs,
        )
        for index, (_, _, people) in enumerate(entries)
        for position, (person, unit, label) in enumerate(people)
    ]
    items = [item for _, item, _ in entries]
    errors = vertical.validate(items, travellers)
    if errors:
        raise Invalid(errors)
    try:
        return (await vertical.quote(work, items, travellers))[own]
    except DomainError:  # a ride that was made already may not be for sale any more; the new one still may
        alone = [replace(traveller, item=0) for traveller in travellers if traveller.item == own]
        return (await vertical.quote(work, [offer], alone))[0]


async def _living_items(work: UnitOfWork, booking_id: UUID, kind: str) -> Sequence[BookingItemRow]:
    rows = await work.session.scalars(
        select(BookingItemRow)
        .where(BookingItemRow.booking_id == booking_id, BookingItemRow.kind == kind, BookingItemRow.ended_as.is_(None))
        .execution_options(populate_existing=True)
    )
    return rows.all()


def _with_promotion(booking: Booking, item: BookingItem, seated: Sequence[Seated], quote: Quote) -> Quote:
    """What a code gave for somebody goes along to another seat of the same trip, as far as that seat costs so much.

    On another trip the code is not asked again: it may not hold there, and who comes later is to find it still.
    """
    prices = quote.before_tax_is_added()
    given = [line for line in booking.lines if line.item_id == item.id and line.label == PROMOTION]
    off: dict[str, Money] = {}
    for person, seat in seated:
        before = total([line.amount for line in given if line.seat_number == person.seat_number], quote.currency)
        off[seat.label] = min(Money(-before.minor, quote.currency), prices[seat.label])
    if not any(off.values()):
        return quote
    facts = {name: value for name, value in given[0].facts.items() if name not in {"seat", "tax_rate_bp"}}
    return quote.less(off, PROMOTION, facts)
