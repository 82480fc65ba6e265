"""Reading the seats of a departure: who has what on a stretch, and what it costs."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from farebox.accounts import Actor
from farebox.coaches.errors import UnknownSeat
from farebox.coaches.views import SeatLock, SeatMap, SeatStatus, SeatView
from farebox.core.db import UnitOfWork
from farebox.inventory import Claim, Hold, HoldExpired, HoldNotFound, claims_on, find_live_hold, get_hold
from farebox.pricing import Fares, load_fares, quote_seats
from farebox.timetable import Departure, Seat, Segment, find_departures_on, get_departure, segment

CREW = "crew"
"""Owner of what is not for sale: broken seats, seats of the crew."""


async def get_seat_map(
    work: UnitOfWork,
    departure_id: UUID,
    from_id: UUID | None = None,
    to_id: UUID | None = None,
    *,
    viewer: Actor | None = None,
) -> SeatMap:
    """The seats of a departure on a stretch (ids of places or stops; default: the whole run), as `viewer` sees them.

    Raises:
        DepartureNotFound: no such departure.
        NotBoardable: it carries nobody from the one to the other.
    """
    departure = await get_departure(work, departure_id)
    stretch = segment(departure, from_id, to_id)
    fares = await load_fares(work, departure.operator_id)
    return await map_seats(work, departure, stretch, fares=fares, owner=_owner(viewer))


async def list_seat_statuses(
    work: UnitOfWork,
    departure_id: UUID,
    seat_numbers: Sequence[str],
    from_id: UUID | None = None,
    to_id: UUID | None = None,
    *,
    viewer: Actor | None = None,
) -> list[SeatView]:
    """The named seats of `get_seat_map`, in the order named; all of them when none is named.

    Raises:
        DepartureNotFound, NotBoardable: as there.
        UnknownSeat: the vehicle has no such seat.
    """
    seats = await get_seat_map(work, departure_id, from_id, to_id, viewer=viewer)
    by_number = {seat.number.upper(): seat for seat in seats.seats}
    named = [number.strip().upper() for number in seat_numbers]
    if unknown := [number for number in named if number not in by_number]:
        raise UnknownSeat(seats=unknown)
    return [by_number[number] for number in named] if named else list(seats.seats)


async def get_lock(work: UnitOfWork, lock_id: UUID, *, actor: Actor) -> SeatLock:
    """The actor's running hold on seats of a departure.

    Raises:
        HoldNotFound: no such hold, somebody else's, or given up.
        HoldExpired: its time is over.
    """
    return await lock_of(work, await get_hold(work, lock_id, owner=actor.owner))


async def find_lock(work: UnitOfWork, departure_id: UUID, *, actor: Actor) -> SeatLock | None:
    """The actor's running hold on seats of this departure, whatever its stretch."""
    owner = _owner(actor)
    if owner is None:
        return None
    departure = await get_departure(work, departure_id)
    hold = await find_live_hold(work, owner=owner, inventory_id=departure.inventory_id)
    return await lock_of(work, hold) if hold else None


async def lock_of(work: UnitOfWork, hold: Hold) -> SeatLock:
    """What a hold is, for those who hold seats. Raises like `get_lock`."""
    if hold.state == "expired":
        raise HoldExpired
    if hold.state != "held" or len(hold.claims) != 1:
        raise HoldNotFound
    [want] = hold.claims
    departures = await find_departures_on(work, [want.inventory_id])
    if want.inventory_id not in departures:
        raise HoldNotFound
    departure = await get_departure(work, departures[want.inventory_id])
    stretch = Segment(departure.calls[want.first_slot], departure.calls[want.end_slot])
    return make_lock(departure, stretch, await load_fares(work, departure.operator_id), hold)


def make_lock(departure: Departure, stretch: Segment, fares: Fares, hold: Hold) -> SeatLock:
    assert hold.expires_at is not None, "a running hold has an end"
    seats = [departure.seat_plan.seats[unit] for unit in sorted(hold.claims[0].units)]
    return SeatLock(
        id=hold.id,
        departure=departure,
        segment=stretch,
        seat_numbers=tuple(seat.number for seat in seats),
        expires_at=hold.expires_at,
        extensions_left=hold.extensions_left,
        total=quote_seats(fares, departure, stretch, [(seat, "adult") for seat in seats]).total,
    )


async def map_seats(
    work: UnitOfWork, departure: Departure, stretch: Segment, *, fares: Fares, owner: str | None
) -> SeatMap:
    claims: dict[int, list[Claim]] = {}
    for claim in await claims_on(work, departure.inventory_id, stretch.first_slot, stretch.end_slot):
        claims.setdefault(claim.unit, []).append(claim)
    return SeatMap(
        departure,
        stretch,
        tuple(
            _view(unit, seat, claims.get(unit, []), fares=fares, departure=departure, stretch=stretch, owner=owner)
            for unit, seat in enumerate(departure.seat_plan.seats)
        ),
    )


def find_nearest(seats: Iterable[SeatView], lost: SeatView, *, but: Iterable[str] = ()) -> SeatView | None:
    """The free seat most like a lost one: of its type, on its deck, then the shortest way off. Not one of `but`.

    Seats for passengers with reduced mobility are left to them, unless the lost one was one.
    """
    unwanted = set(but)
    free = [
        seat
        for seat in seats
        if seat.status == "available"
        and seat.number not in unwanted
        and seat.accessible <= lost.accessible
    ]

    def strangeness(seat: SeatView) -> tuple[bool, bool, int, int]:
        way = (seat.row - lost.row) ** 2 + (seat.column - lost.column) ** 2
        return seat.type != lost.type, seat.deck != lost.deck, way, seat.unit

    return min(free, key=strangeness, default=None)


def _view(
    unit: int,
    seat: Seat,
    claims: Sequence[Claim],
    *,
    fares: Fares,
    departure: Departure,
    stretch: Segment,
    owner: str | None,
) -> SeatView:
    return SeatView(
        unit=unit,
        number=seat.number,
        type=seat.type,
        deck=seat.deck,
        row=seat.row,
        column=seat.column,
        features=seat.features,
        accessible=seat.accessible,
        status=_status(claims, owner),
        price=fares.price(departure, stretch.board, stretch.alight, seat),
        held_until=_held_until(claims),
    )


def _status(claims: Sequence[Claim], owner: str | None) -> SeatStatus:
    """Of several claims on a stretch, the one that stands most in the way of others decides."""
    if not claims:
        return "available"
    if any(claim.owner == CREW for claim in claims):
        return "blocked"
    if any(claim.expires_at is None for claim in claims):
        return "occupied"
    return "mine" if all(claim.owner == owner for claim in claims) else "locked"


def _held_until(claims: Sequence[Claim]) -> datetime | None:
    ends = [claim.expires_at for claim in claims if claim.expires_at is not None]
    return max(ends) if ends and len(ends) == len(claims) else None


def _owner(viewer: Actor | None) -> str | None:
    """The name under which the viewer holds seats; `None` for who can hold none."""
    if viewer is None or viewer.kind == "anonymous" or viewer.booking_id is not None:
        return None
    return viewer.owner
