"""Other seats on the same ride for a booking that waits for money: held first as any others, then instead of its own.

The booking's hold keeps its clock: going from seat to seat keeps none for longer than was promised at first.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
from sqlalchemy import update

from farebox.accounts import SYSTEM, Actor
from farebox.bookings.changing import held, seat_people
from farebox.bookings.details import PassengerDetails
from farebox.bookings.models import BookingItemRow, BookingPassengerRow
from farebox.bookings.queries import get_booking
from farebox.bookings.seating import offers_of
from farebox.bookings.verticals import ItemOffer, SeatOffer, Traveller, Verticals
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.inventory import Hold, Want, get_hold, lock_holds, release, swap


@dataclass(frozen=True, slots=True)
class OtherSeats:
    """What a traveller wants to have instead of seats of a booking that waits for money.

    Attributes:
        lock_id: the hold of the new seats.
        holder: whose hold it is.
        item_id: whose seats they replace; needed only where the booking has the same part of one ride twice.
    """

    lock_id: UUID
    holder: Actor
    item_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Replacing:
    """The seats that an item is to have, beside what it has.

    Attributes:
        place: of the item among the booking's.
        item: its row.
        offers: what all of the booking's items are to be.
        own: the booking's hold, as it is.
        other: the hold of the new seats.
        moves: where each of its people moves to, by the seat's unit now; none where all people are named anew.
    """

    place: int
    item: BookingItemRow
    offers: list[ItemOffer]
    own: Hold
    other: Hold
    moves: dict[int, SeatOffer]

    @property
    def offer(self) -> ItemOffer:
        """What the item is to be."""
        return self.offers[self.place]

    def of_hold(self, people: Sequence[PassengerDetails]) -> list[PassengerDetails]:
        """The people, those on seats of the new hold as on seats of the booking's, which is to have them."""
        return [
            replace(each, hold_id=self.own.id if each.hold_id == self.other.id else each.hold_id) for each in people
        ]

    def moved(self, travellers: Sequence[Traveller]) -> list[Traveller]:
        """Those who travel, each on the seat that they are to have."""
        return [
            replace(each, unit=self.moves[each.unit].unit, seat=self.moves[each.unit].label)
            if each.item == self.place and each.unit in self.moves
            else each
            for each in travellers
        ]


async def plan_seats(
    work: UnitOfWork,
    booking_id: UUID,
    items: Sequence[BookingItemRow],
    wish: OtherSeats,
    people: Sequence[PassengerDetails],
    verticals: Verticals,
) -> Replacing:
    """What an item is to be with the seats of a hold. Changes nothing; both holds are locked from now on.

    All held seats are taken. Of its own, it keeps those that people are named for; who is not named at all moves.

    Args:
        items: all of the booking's, in their order.
        people: as sent, checked before; none to let those of the item move as they are.

    Raises:
        HoldNotFound, HoldExpired: the holder has no such hold, or its time is over.
        Invalid: the hold is of another ride, or has seats for more or fewer people.
    """
    other = await held(work, wish.lock_id, wish.holder)
    place = _find_place(items, other, wish.item_id)
    item = items[place]
    await lock_holds(work, [item.hold_id, other.id])
    other, own = await held(work, wish.lock_id, wish.holder), await get_hold(work, item.hold_id)
    [want] = other.claims
    kept = _kept(items, place, people)
    if len(kept) + len(want.units) > max(len(item.units), len(want.units)):
        message = N_("Hold one seat for each person who changes.")
        raise Invalid([FieldError("lockId", "seat-count", message)])
    new = replace(want, units=tuple(sorted((*kept, *want.units))))
    [offer] = await offers_of(work, [replace(own, claims=(new,))], verticals)
    moves = {}
    if not people:
        booking = await get_booking(work, booking_id, actor=SYSTEM)
        ours = next(each for each in booking.items if each.id == item.id)
        seated = seat_people([(person, "") for person in ours.passengers], offer)
        moves = {person.unit: seat for person, seat in seated}
    offers = [offer if each is item else msgspec.convert(each.offer, ItemOffer) for each in items]
    return Replacing(place, item, offers, own, other, moves)


async def replace_seats(work: UnitOfWork, plan: Replacing, verticals: Verticals) -> None:
    """Let the item have the seats; those that it has no more are free. Who was named anew is the caller's to seat."""
    item, offer = plan.item, plan.offer
    ride = item.inventory_id, item.first_slot, item.end_slot
    others = [want for want in plan.own.claims if (want.inventory_id, want.first_slot, want.end_slot) != ride]
    await release(work, plan.other.id)  # both are locked: nobody else has them in between
    await swap(work, plan.own.id, [*others, Want(ride[0], offer.units, *ride[1:])])
    vertical = verticals[offer.kind]
    item.units, item.labels = list(offer.units), [seat.label for seat in offer.seats]
    item.offer = msgspec.to_builtins(offer)
    item.description = msgspec.to_builtins(vertical.describe(offer))
    item.policy = msgspec.to_builtins(vertical.change_policy(offer))
    for unit, seat in plan.moves.items():
        await work.session.execute(
            update(BookingPassengerRow)
            .where(
                BookingPassengerRow.item_id == item.id,
                BookingPassengerRow.unit == unit,
                BookingPassengerRow.ended_as.is_(None),
            )
            .values(unit=seat.unit, seat_number=seat.label)
            .execution_options(synchronize_session=False)
        )
    await work.session.flush()


def _find_place(items: Sequence[BookingItemRow], hold: Hold, item_id: UUID | None) -> int:
    """Which item's seats a hold can replace: that of the same part of the same ride."""
    rides = {(want.inventory_id, want.first_slot, want.end_slot) for want in hold.claims}
    places = [
        place
        for place, item in enumerate(items)
        if rides == {(item.inventory_id, item.first_slot, item.end_slot)} and item_id in {None, item.id}
    ]
    if not places:
        message = N_("Hold seats on the trip that is booked, from and to the same stops.")
        raise Invalid([FieldError("lockId", "other-ride", message)])
    if len(places) > 1:
        message = N_("Say whose seats change: the booking has this trip several times.")
        raise Invalid([FieldError("itemId", "choose-item", message)])
    return places[0]


def _kept(items: Sequence[BookingItemRow], place: int, people: Sequence[PassengerDetails]) -> list[int]:
    """The item's own seats for which somebody is named, beside those who are on seats of the same number elsewhere."""
    named = Counter(person.seat_number.upper() for person in people)
    elsewhere = Counter(label.upper() for at, item in enumerate(items) if at != place for label in item.labels)
    item = items[place]
    return [
        unit
        for unit, label in zip(item.units, item.labels, strict=True)
        if named[label.upper()] > elsewhere[label.upper()]
    ]
