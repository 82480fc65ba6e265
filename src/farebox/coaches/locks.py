"""Holding seats of a departure: the kernel's holds in the words of a coach."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from farebox.accounts import Actor
from farebox.coaches.errors import DuplicateSeats, NoSeats, SalesClosed, SeatsUnavailable, TooManySeats
from farebox.coaches.seat_map import find_own_hold, lock_view, statuses_of, units_of
from farebox.coaches.views import SeatLock
from farebox.core.db import UnitOfWork
from farebox.core.settings import Settings
from farebox.inventory import (
    Hold,
    HoldNotFound,
    HoldTerms,
    NotOnSale,
    UnitsTaken,
    Want,
    claims_on,
    extend,
    get_hold,
    release,
    take,
)
from farebox.pricing import load_fares
from farebox.timetable import Departure, Seat, Segment, find_departure_id, get_departure, segment


def hold_terms(settings: Settings) -> HoldTerms:
    """How long seats are held, by the operator's settings."""
    return HoldTerms(
        ttl_seconds=settings.hold_ttl_seconds,
        max_extensions=settings.hold_max_extensions,
        max_total_seconds=settings.hold_max_total_seconds,
    )


async def lock_seats(
    work: UnitOfWork,
    departure_id: UUID,
    from_id: UUID | None,
    to_id: UUID | None,
    seat_numbers: Sequence[str],
    *,
    actor: Actor,
    settings: Settings,
) -> SeatLock:
    """Hold seats of a departure between two stops for a while: all of them, or none.

    What the actor held on this departure is replaced in the same instant, so seats in both sets are never free in
    between, and the clock of the first choice goes on.

    Raises:
        NoSeats, TooManySeats, DuplicateSeats, UnknownSeat: the request makes no sense.
        DepartureNotFound, NotBoardable, NotForSale: no such ride.
        SalesClosed: too late, or not on sale.
        SeatsUnavailable: somebody else has at least one of them; names all that were lost, and the nearest free ones.
    """
    _check_count(seat_numbers, settings.max_seats)
    departure = await get_departure(work, departure_id)
    ride = segment(departure, from_id, to_id)
    if not departure.is_on_sale(ride.board, work.now):
        raise SalesClosed
    units = sorted(units_of(departure.seat_plan, seat_numbers))
    fares = await load_fares(work, departure.operator_id)
    own = await find_own_hold(work, departure, actor)
    try:
        hold = await take(
            work,
            [Want(departure.inventory_id, tuple(units), ride.first_slot, ride.end_slot)],
            owner=actor.owner,
            terms=hold_terms(settings),
            replaces=own.id if own else None,
        )
    except NotOnSale:
        raise SalesClosed from None
    except UnitsTaken as taken:
        lost = [unit for _, unit in taken.lost]
        raise await _unavailable(work, departure, ride, lost, units, own) from None
    return lock_view(hold, departure, fares)


async def get_lock(work: UnitOfWork, lock_id: UUID, *, actor: Actor) -> SeatLock:
    """A hold of this actor's on a coach, running or over.

    Raises:
        HoldNotFound: no such hold, somebody else's, or one on something else.
    """
    return await _view(work, await get_hold(work, lock_id, owner=actor.owner))


async def extend_lock(work: UnitOfWork, lock_id: UUID, *, actor: Actor, settings: Settings) -> SeatLock:
    """Begin the time of a hold anew.

    Raises:
        HoldNotFound, HoldExpired, ExtensionLimit: see `inventory.extend`.
    """
    return await _view(work, await extend(work, lock_id, owner=actor.owner, terms=hold_terms(settings)))


async def release_lock(work: UnitOfWork, lock_id: UUID, *, actor: Actor) -> None:
    """Give seats back. Giving back what is over already changes nothing.

    Raises:
        HoldNotFound: no such hold, or somebody else's.
    """
    await release(work, lock_id, owner=actor.owner)


async def _view(work: UnitOfWork, hold: Hold) -> SeatLock:
    departure_id = await find_departure_id(work, hold.claims[0].inventory_id)
    if departure_id is None:
        raise HoldNotFound
    departure = await get_departure(work, departure_id)
    return lock_view(hold, departure, await load_fares(work, departure.operator_id))


async def _unavailable(
    work: UnitOfWork, departure: Departure, ride: Segment, lost: Sequence[int], wanted: Sequence[int], own: Hold | None
) -> SeatsUnavailable:
    """The refusal, with the nearest free seat of the same type offered for each that was lost."""
    plan = departure.seat_plan
    claims = await claims_on(work, departure.inventory_id, ride.first_slot, ride.end_slot)
    statuses = statuses_of(plan, claims, own.id if own else None)
    free = [unit for unit, status in enumerate(statuses) if status in {"available", "mine"} and unit not in wanted]
    offered: dict[str, str] = {}
    for unit in lost:
        seat = plan.seats[unit]
        alike = [other for other in free if plan.seats[other].type == seat.type]
        if alike:
            nearest = min(alike, key=lambda other: _distance(seat, plan.seats[other]))
            free.remove(nearest)
            offered[seat.number] = plan.seats[nearest].number
    return SeatsUnavailable([plan.seats[unit].number for unit in lost], offered)


def _distance(seat: Seat, other: Seat) -> tuple[bool, int, int]:
    """How far two seats are apart: another deck is farther than any row, and a row counts twice a column."""
    gap = 2 * abs(seat.row - other.row) + abs(seat.column - other.column)
    return seat.deck != other.deck, gap, other.row


def _check_count(seat_numbers: Sequence[str], limit: int) -> None:
    if not seat_numbers:
        raise NoSeats
    if len(seat_numbers) > limit:
        raise TooManySeats(limit=limit)
    twice = [number for number, count in Counter(seat_numbers).items() if count > 1]
    if twice:
        raise DuplicateSeats(seats=twice)
