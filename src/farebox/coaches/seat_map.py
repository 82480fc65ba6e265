"""Reading: which seats of a departure are free between two stops, and what they cost."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from farebox.accounts import Actor
from farebox.coaches.errors import UnknownSeat
from farebox.coaches.views import SeatLock, SeatMap, SeatState, SeatStatus, SeatView
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.inventory import Claim, Hold, claims_on, find_live_hold
from farebox.pricing import Fares, NotForSale, Ride, load_fares, quote_seats
from farebox.timetable import Departure, Seat, SeatPlan, Segment, get_departure, segment

BLOCKING_OWNER = "crew"


async def get_seat_map(
    work: UnitOfWork,
    departure_id: UUID,
    from_id: UUID | None,
    to_id: UUID | None,
    *,
    viewer: Actor,
    settings: Settings,
) -> SeatMap:
    """The seats of a departure between two places or stops (by default from its first call to its last).

    Raises:
        DepartureNotFound, NotBoardable: no such departure, or no such ride on it.
        NotForSale: the operator sells no such ride.
    """
    departure = await get_departure(work, departure_id)
    ride = segment(departure, from_id, to_id)
    fares = await load_fares(work, departure.operator_id)
    claims = await claims_on(work, departure.inventory_id, ride.first_slot, ride.end_slot)
    held = await find_own_hold(work, departure, viewer)
    statuses = statuses_of(departure.seat_plan, claims, held.id if held else None)
    prices = seat_prices(fares, departure, ride)
    return SeatMap(
        departure=departure,
        segment=ride,
        plan=departure.seat_plan,
        seats=tuple(
            SeatView(
                number=seat.number,
                type=seat.type,
                deck=seat.deck,
                row=seat.row,
                column=seat.column,
                status=statuses[unit],
                price=prices[unit],
                accessible=seat.accessible,
                features=seat.features,
            )
            for unit, seat in enumerate(departure.seat_plan.seats)
        ),
        lock=lock_view(held, departure, fares) if held else None,
        limit=settings.max_seats,
    )


async def get_seat_states(
    work: UnitOfWork,
    departure_id: UUID,
    seat_numbers: Sequence[str],
    from_id: UUID | None,
    to_id: UUID | None,
    *,
    viewer: Actor,
) -> list[SeatState]:
    """Whether each of some seats can be had; all seats when none is named.

    Raises:
        DepartureNotFound, NotBoardable: no such departure, or no such ride on it.
        UnknownSeat: a seat that this vehicle does not have.
    """
    departure = await get_departure(work, departure_id)
    ride = segment(departure, from_id, to_id)
    units = units_of(departure.seat_plan, seat_numbers) if seat_numbers else range(len(departure.seat_plan.seats))
    claims = await claims_on(work, departure.inventory_id, ride.first_slot, ride.end_slot)
    held = await find_own_hold(work, departure, viewer)
    statuses = statuses_of(departure.seat_plan, claims, held.id if held else None)
    ends = {claim.unit: claim.expires_at for claim in claims}
    return [SeatState(departure.seat_plan.seats[unit].number, statuses[unit], ends.get(unit)) for unit in units]


async def find_own_hold(work: UnitOfWork, departure: Departure, viewer: Actor) -> Hold | None:
    """The viewer's running hold on a departure."""
    if viewer.kind == "anonymous" or viewer.booking_id is not None:
        return None
    return await find_live_hold(work, owner=viewer.owner, inventory_id=departure.inventory_id)


def statuses_of(plan: SeatPlan, claims: Iterable[Claim], own_hold_id: UUID | None) -> list[SeatStatus]:
    """The status of each unit, given the claims on a stretch: a seat sold on any leg of it is occupied."""
    weight: dict[SeatStatus, int] = {"available": 0, "mine": 1, "locked": 2, "occupied": 3, "blocked": 4}
    statuses: list[SeatStatus] = ["available"] * len(plan.seats)
    for claim in claims:
        status: SeatStatus
        if claim.hold_id == own_hold_id:
            status = "mine"
        elif claim.owner == BLOCKING_OWNER:
            status = "blocked"
        else:
            status = "occupied" if claim.state == "confirmed" else "locked"
        if weight[status] > weight[statuses[claim.unit]]:
            statuses[claim.unit] = status
    return statuses


def seat_prices(fares: Fares, departure: Departure, ride: Segment) -> list[Money]:
    """What each seat costs an adult, in the order of the units.

    Raises:
        NotForSale: the operator sells no such ride.
    """
    priced_ride = Ride.of(departure, ride.board, ride.alight)
    prices = [fares.seat_fare(priced_ride, seat) for seat in departure.seat_plan.seats]
    if any(price is None for price in prices):
        raise NotForSale
    return [price.total for price in prices if price is not None]


def lock_view(hold: Hold, departure: Departure, fares: Fares) -> SeatLock:
    """A hold as people see it: seats, stretch, price and clock."""
    want = hold.claims[0]
    ride = departure.ride(want.first_slot, want.end_slot)
    seats: list[Seat] = [departure.seat_plan.seats[unit] for unit in want.units]
    return SeatLock(
        id=hold.id,
        departure=departure,
        segment=ride,
        seat_numbers=tuple(seat.number for seat in seats),
        state=hold.state,
        expires_at=hold.expires_at,
        extensions_left=hold.extensions_left,
        quote=quote_seats(fares, departure, ride, [(seat, "adult") for seat in seats]),
    )


def units_of(plan: SeatPlan, seat_numbers: Iterable[str]) -> list[int]:
    """The kernel's units of seat numbers, in the order given.

    Raises:
        UnknownSeat: names every seat that this plan does not have.
    """
    found = {number: plan.find_unit(number) for number in seat_numbers}
    unknown = [number for number, unit in found.items() if unit is None]
    if unknown:
        raise UnknownSeat(seats=unknown)
    return [unit for unit in found.values() if unit is not None]
