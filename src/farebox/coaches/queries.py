"""Reading the seats of a departure: who has what on a stretch, and what it costs."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final
from uuid import UUID

from farebox.accounts import Actor
from farebox.coaches.errors import UnknownSeat
from farebox.coaches.occasions import rules_on
from farebox.coaches.views import SeatLock, SeatMap, SeatStatus, SeatView
from farebox.core.db import UnitOfWork
from farebox.core.settings import Settings
from farebox.inventory import Hold, HoldNotFound, UnitStatus, Want, find_live_hold, get_hold, status
from farebox.pricing import Fares, PassengerType, PriceRule, Quote, Ride, load_fares, quote_ride
from farebox.timetable import Departure, SeatPlan, Segment, find_departure_id, get_departure, segment

ADULT: Final[PassengerType] = "adult"
"""For whom prices of seats are shown, before anybody has said who travels."""

RIDES: Final = 5000
"""Rides that a process keeps as fares see them; those not asked for longest go first."""


async def get_seat_map(
    work: UnitOfWork,
    departure_id: UUID,
    from_id: UUID | None = None,
    to_id: UUID | None = None,
    *,
    viewer: Actor,
    settings: Settings,
) -> SeatMap:
    """The seats of a departure on a stretch (ids of places or stops; default: the whole run), as `viewer` sees them.

    Raises:
        DepartureNotFound: no such departure.
        NotBoardable: it carries nobody from the one to the other.
    """
    departure = await get_departure(work, departure_id)
    stretch = segment(departure, from_id, to_id)
    fares = await load_fares(work, departure.operator_id)
    owner = owner_of(viewer)
    hold = await find_live_hold(work, owner=owner, inventory_id=departure.inventory_id) if owner else None
    rules = await rules_on(work, departure, stretch, fares, hold)
    return SeatMap(
        departure=departure,
        segment=stretch,
        seats=await list_seats(work, departure, stretch, fares=fares, rules=rules, owner=owner),
        lock=await quoted_lock(work, departure, fares, hold) if hold else None,
        limit=settings.max_seats,
    )


async def list_seat_statuses(
    work: UnitOfWork,
    departure_id: UUID,
    seat_numbers: Sequence[str],
    from_id: UUID | None = None,
    to_id: UUID | None = None,
    *,
    viewer: Actor,
) -> list[SeatView]:
    """The named seats of a departure on a stretch, in the order named; all of them when none is named.

    Raises:
        DepartureNotFound, NotBoardable: no such ride.
        UnknownSeat: the vehicle has no such seat.
    """
    departure = await get_departure(work, departure_id)
    stretch = segment(departure, from_id, to_id)
    units = units_of(departure, seat_numbers) if seat_numbers else range(len(departure.seat_plan.seats))
    fares, owner = await load_fares(work, departure.operator_id), owner_of(viewer)
    hold = None
    if fares.price_rules and owner:
        hold = await find_live_hold(work, owner=owner, inventory_id=departure.inventory_id)
    rules = await rules_on(work, departure, stretch, fares, hold)
    seats = await list_seats(work, departure, stretch, fares=fares, rules=rules, owner=owner)
    return [seats[unit] for unit in units]


async def get_lock(work: UnitOfWork, lock_id: UUID, *, actor: Actor) -> SeatLock:
    """The actor's hold on seats of a departure, running or over: see its state.

    Raises:
        HoldNotFound: no such hold, somebody else's, or one on something else.
    """
    return await lock_of(work, await get_hold(work, lock_id, owner=actor.owner))


async def lock_of(work: UnitOfWork, hold: Hold) -> SeatLock:
    """What a hold is, in the words of a coach. Raises `HoldNotFound` when it is on something else."""
    if len(hold.claims) != 1:
        raise HoldNotFound
    departure_id = await find_departure_id(work, hold.claims[0].inventory_id)
    if departure_id is None:
        raise HoldNotFound
    departure = await get_departure(work, departure_id)
    return await quoted_lock(work, departure, await load_fares(work, departure.operator_id), hold)


async def quoted_lock(work: UnitOfWork, departure: Departure, fares: Fares, hold: Hold) -> SeatLock:
    """A hold on a departure, at the price that it was taken for."""
    want = hold.claims[0]
    stretch = departure.ride(want.first_slot, want.end_slot)
    rules = await rules_on(work, departure, stretch, fares, hold)
    return make_lock(departure, hold, quote_for(departure, stretch, want, fares, rules))


def quote_for(
    departure: Departure, stretch: Segment, want: Want, fares: Fares, rules: Sequence[PriceRule] = ()
) -> Quote:
    """What seats cost an adult each, in the order of the plan. Raises `NotForSale`."""
    seats = [(departure.seat_plan.seats[unit], ADULT) for unit in sorted(want.units)]
    return quote_ride(fares, ride_on(departure, stretch), seats, rules)


def ride_on(departure: Departure, stretch: Segment) -> Ride:
    """A stretch of a departure as fares see it."""
    return _ride(departure, stretch.first_slot, stretch.end_slot)


@lru_cache(RIDES)
def _ride(departure: Departure, first_slot: int, end_slot: int) -> Ride:
    return Ride.of(departure, departure.calls[first_slot], departure.calls[end_slot])


def make_lock(departure: Departure, hold: Hold, quote: Quote) -> SeatLock:
    want = hold.claims[0]
    seats = departure.seat_plan.seats
    return SeatLock(
        id=hold.id,
        departure=departure,
        segment=departure.ride(want.first_slot, want.end_slot),
        seat_numbers=tuple(seats[unit].number for unit in sorted(want.units)),
        state=hold.state,
        expires_at=hold.expires_at,
        extensions_left=hold.extensions_left,
        quote=quote,
    )


async def list_seats(
    work: UnitOfWork,
    departure: Departure,
    stretch: Segment,
    *,
    fares: Fares,
    rules: Sequence[PriceRule] = (),
    owner: str | None,
) -> tuple[SeatView, ...]:
    """All seats of a departure, in the order of the plan, as `owner` sees them on a stretch.

    Args:
        rules: the price rules that count for the owner: see `rules_on`.
    """
    found = await status(work, departure.inventory_id, stretch.first_slot, stretch.end_slot)
    taken = {unit.unit: unit for unit in found}
    ride = ride_on(departure, stretch)
    views = []
    for unit, seat in enumerate(departure.seat_plan.seats):
        fare = fares.seat_fare(ride, seat, ADULT, rules)
        views.append(
            SeatView(
                unit=unit,
                number=seat.number,
                type=seat.type,
                deck=seat.deck,
                row=seat.row,
                column=seat.column,
                features=seat.features,
                accessible=seat.accessible,
                status=_as_seen_by(owner, taken.get(unit)),
                price=fare.total if fare else None,
                held_until=taken[unit].until if unit in taken else None,
            )
        )
    return tuple(views)


def units_of(departure: Departure, seat_numbers: Sequence[str]) -> tuple[int, ...]:
    """The units of the seats named, as people write them: case and blanks do not matter.

    Raises:
        UnknownSeat: names every seat that this vehicle does not have.
    """
    units = _units_by_number(departure.seat_plan)
    named = [number.strip().upper() for number in seat_numbers]
    try:
        return tuple([units[number] for number in named])
    except KeyError:
        raise UnknownSeat(seats=[number for number in named if number not in units]) from None


_units: dict[UUID, dict[str, int]] = {}
"""By the plan's id: a stored plan never changes."""


def _units_by_number(plan: SeatPlan) -> dict[str, int]:
    if plan.id not in _units:
        _units[plan.id] = {seat.number.upper(): unit for unit, seat in enumerate(plan.seats)}
    return _units[plan.id]


def owner_of(viewer: Actor) -> str | None:
    """The name under which the viewer holds seats; `None` for who can hold none."""
    return None if viewer.kind == "anonymous" or viewer.booking_id is not None else viewer.owner


def find_nearest(seats: Iterable[SeatView], lost: SeatView, *, but: Iterable[str] = ()) -> SeatView | None:
    """The free seat most like a lost one: of its type, on its deck, then the shortest way off. Not one of `but`.

    Seats for passengers with reduced mobility are left to them, unless the lost one was one.
    """
    unwanted = set(but)
    free = [
        seat
        for seat in seats
        if seat.status == "available" and seat.number not in unwanted and seat.accessible <= lost.accessible
    ]

    def strangeness(seat: SeatView) -> tuple[bool, bool, int, int]:
        way = (seat.row - lost.row) ** 2 + (seat.column - lost.column) ** 2
        return seat.type != lost.type, seat.deck != lost.deck, way, seat.unit

    return min(free, key=strangeness, default=None)


def _as_seen_by(owner: str | None, taken: UnitStatus | None) -> SeatStatus:
    if taken is None:
        return "available"
    if taken.state == "blocked":
        return "blocked"
    if taken.state == "sold":
        return "occupied"
    return "mine" if taken.owners == {owner} else "locked"
