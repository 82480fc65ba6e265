"""Several rides on their way to one booking: which they are, and what has become of the seats of each.

An itinerary is a list of holds in the address, and nothing else. Whoever chooses other seats gets another hold, perhaps
in another window, so each hold of the list is followed to the one that has taken its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol
from uuid import UUID

from farebox.accounts import Actor, get_operator
from farebox.bookings import Booking, BookingNotFound, MixedCurrencies, Verticals, get_booking, quote_holds
from farebox.coaches import SalesClosed, SeatLock, extend_lock, get_lock
from farebox.core.db import UnitOfWork
from farebox.core.money import Money, total
from farebox.core.settings import Settings
from farebox.inventory import ExtensionLimit, Hold, HoldExpired, find_hold, find_live_hold
from farebox.pricing import Quote
from farebox.web.labels import seat_place
from farebox.web.shop.booked import BOOKED_BY, places_of
from farebox.web.shop.cards import card_of_item, card_of_ride
from farebox.web.shop.session import viewer_of
from farebox.web.views.trips import TripCard

MOST: Final = 10
"""Rides of one itinerary that are looked at: more than anybody books at once."""

THERE_AND_BACK: Final = "rule-round-trip"
"""The label of what a way back in the same booking takes off."""


class PricedLine(Protocol):
    """A line of a quote, or of a booking's price."""

    @property
    def label(self) -> str: ...
    @property
    def amount(self) -> Money: ...


@dataclass(frozen=True, slots=True)
class Part:
    """A ride of an itinerary.

    Attributes:
        hold_id: of the seats, which are held while there is a `lock`.
        places: each seat with where it is, in words.
        booking_id: the booking that has the seats now.
        is_closed: the ride has left or does not run: there is nothing to choose anew.
    """

    hold_id: UUID
    trip: TripCard
    places: tuple[tuple[str, str], ...]
    lock: SeatLock | None = None
    booking_id: UUID | None = None
    is_closed: bool = False

    @property
    def trip_id(self) -> UUID:
        return UUID(self.trip.id)

    @property
    def seats(self) -> tuple[str, ...]:
        return tuple(number for number, _ in self.places)


@dataclass(frozen=True)
class Itinerary:
    """Rides in the order in which they are travelled.

    Attributes:
        quotes: what each of those held costs, together with the others; empty where they cannot be paid together.
    """

    parts: tuple[Part, ...] = ()
    quotes: tuple[Quote, ...] = ()

    @cached_property
    def held(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.lock)

    @cached_property
    def locks(self) -> tuple[SeatLock, ...]:
        return tuple(part.lock for part in self.parts if part.lock)

    @property
    def total(self) -> Money | None:
        return total([quote.total for quote in self.quotes], self.quotes[0].currency) if self.quotes else None

    @property
    def saved(self) -> Money | None:
        """How much less all of it is since a way back is with it."""
        lines = [line for quote in self.quotes for line in quote.lines]
        return saved_of(lines, self.quotes[0].currency) if lines else None

    @property
    def booking_id(self) -> UUID | None:
        """The booking that has all of it."""
        bookings = {part.booking_id for part in self.parts}
        return next(iter(bookings)) if len(bookings) == 1 else None

    def quote_of(self, part: Part) -> Quote | None:
        return self.quotes[self.held.index(part)] if part.lock and self.quotes else None

    def without(self, hold_id: UUID) -> tuple[UUID, ...]:
        """The holds of the other rides."""
        return tuple(part.hold_id for part in self.parts if part.hold_id != hold_id)


def saved_of(lines: Sequence[PricedLine], currency: str) -> Money | None:
    """How much the lines of a price take off for a way back."""
    off = sum(-line.amount.minor for line in lines if line.label == THERE_AND_BACK)
    return Money(off, currency) if off else None


async def read_itinerary(
    work: UnitOfWork, hold_ids: Sequence[UUID], *, actor: Actor, verticals: Verticals
) -> Itinerary:
    """What an address names, as far as it is the actor's: each departure once, in the order of travel."""
    parts: dict[str, Part] = {}
    for hold_id in hold_ids[:MOST]:
        part = await _read_part(work, hold_id, actor)
        if part and (part.lock or part.trip.id not in parts):
            parts[part.trip.id] = part
    ordered = tuple(sorted(parts.values(), key=lambda part: part.trip.board.time))
    found = Itinerary(ordered)
    return Itinerary(ordered, await _quotes(work, found.locks, actor, verticals))


async def extend_all(work: UnitOfWork, itinerary: Itinerary, *, actor: Actor, settings: Settings) -> None:
    """More time for all seats that may have more."""
    for lock in itinerary.locks:
        try:
            await extend_lock(work, lock.id, actor=actor, settings=settings)
        except (ExtensionLimit, HoldExpired):
            continue  # its clock says so


async def _quotes(work: UnitOfWork, locks: Sequence[SeatLock], actor: Actor, verticals: Verticals) -> tuple[Quote, ...]:
    try:
        return tuple(await quote_holds(work, [lock.id for lock in locks], actor=actor, verticals=verticals))
    except (MixedCurrencies, SalesClosed):
        return ()


async def _read_part(work: UnitOfWork, hold_id: UUID, actor: Actor) -> Part | None:
    """A hold, or the one that has taken its place; `None` for what is not the actor's."""
    hold = await find_hold(work, hold_id)
    viewer = viewer_of(actor)
    if hold is None or not viewer:
        return None
    if hold.owner.startswith(BOOKED_BY):
        return await _booked_part(work, hold, actor)
    if hold.owner != viewer:
        return None
    lock = await get_lock(work, hold_id, actor=actor)
    if lock.state != "held":
        newer = await find_live_hold(work, owner=viewer, inventory_id=lock.departure.inventory_id)
        lock = await get_lock(work, newer.id, actor=actor) if newer else lock
    return await _part_of_lock(work, lock)


async def _part_of_lock(work: UnitOfWork, lock: SeatLock) -> Part:
    operator = await get_operator(work, lock.departure.operator_id)
    features = {seat.number: seat.features for seat in lock.departure.seat_plan.seats}
    is_closed = lock.departure.status != "scheduled" or work.now >= lock.segment.board.departure
    return Part(
        hold_id=lock.id,
        trip=card_of_ride(lock.departure, lock.segment, operator, seats=len(lock.seat_numbers)),
        places=tuple((number, seat_place(features[number])) for number in lock.seat_numbers),
        lock=lock if lock.state == "held" and not is_closed else None,
        is_closed=is_closed,
    )


async def _booked_part(work: UnitOfWork, hold: Hold, actor: Actor) -> Part | None:
    try:
        booking: Booking = await get_booking(work, UUID(hold.owner.removeprefix(BOOKED_BY)), actor=actor)
    except BookingNotFound:
        return None
    item = next((item for item in booking.items if item.hold_id == hold.id), None)
    if item is None:
        return None
    places = places_of(item)
    return Part(
        hold_id=hold.id,
        trip=card_of_item(item),
        places=tuple((number, places.get(number, "")) for number in item.seat_numbers),
        booking_id=booking.id,
    )
