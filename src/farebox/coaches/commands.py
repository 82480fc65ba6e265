"""Holding seats on a departure while somebody makes up their mind."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from farebox.accounts import Actor
from farebox.coaches.errors import (
    DuplicateSeats,
    LostSeat,
    SalesClosed,
    SeatsUnavailable,
    TooManySeats,
)
from farebox.coaches.queries import find_nearest, list_seats, lock_of, make_lock, units_of
from farebox.coaches.views import SeatLock, SeatView
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.settings import Settings
from farebox.inventory import (
    HoldTerms,
    NotOnSale,
    UnitsTaken,
    Want,
    extend,
    find_live_hold,
    release,
    take,
)
from farebox.pricing import NotForSale, load_fares
from farebox.timetable import get_departure, segment


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
    """Hold seats on a stretch of a departure: all of them, or none.

    The actor's earlier choice on the same departure is replaced in the same instant, whatever its stretch; seats in
    both are never free in between, and the time left stays what it was. When the new choice cannot be had, the earlier
    one stays.

    Args:
        from_id, to_id: ids of places or stops; `None`: from the first stop, to the last.

    Raises:
        SignInRequired: an anonymous actor holds nothing.
        Invalid: no seat named.
        TooManySeats, DuplicateSeats, UnknownSeat: wrong numbers, named.
        DepartureNotFound, NotBoardable: no such ride.
        SalesClosed: too late for this stop, or the departure is cancelled.
        NotForSale: the operator has no fare for this ride.
        SeatsUnavailable: somebody else has at least one of them; says which, why, and what is free near it.
    """
    owner = actor.owner
    _check_numbers(seat_numbers, settings.max_seats)
    departure = await get_departure(work, departure_id)
    stretch = segment(departure, from_id, to_id)
    if not departure.is_on_sale(stretch.board, work.now):
        raise SalesClosed
    units = units_of(departure, seat_numbers)
    fares = await load_fares(work, departure.operator_id)
    if fares.price(departure, stretch.board, stretch.alight, departure.seat_plan.seats[units[0]]) is None:
        raise NotForSale
    earlier = await find_live_hold(work, owner=owner, inventory_id=departure.inventory_id, alone=True)
    try:
        hold = await take(
            work,
            [Want(departure.inventory_id, units, stretch.first_slot, stretch.end_slot)],
            owner=owner,
            terms=HoldTerms.of(settings),
            replaces=earlier.id if earlier else None,
        )
    except NotOnSale:
        raise SalesClosed from None
    except UnitsTaken as refusal:
        seats = await list_seats(work, departure, stretch, fares=fares, owner=owner)
        raise _explain(seats, units, [unit for _, unit in refusal.lost]) from None
    return replace(make_lock(departure, fares, hold), is_first=earlier is None)


async def extend_lock(work: UnitOfWork, lock_id: UUID, *, actor: Actor, settings: Settings) -> SeatLock:
    """Begin the time of the actor's hold anew, as often and as long as the settings allow.

    Raises:
        HoldNotFound, HoldExpired, ExtensionLimit: see `inventory.extend`.
    """
    return await lock_of(work, await extend(work, lock_id, owner=actor.owner, terms=HoldTerms.of(settings)))


async def release_lock(work: UnitOfWork, lock_id: UUID, *, actor: Actor) -> None:
    """Give the actor's seats back. Again changes nothing.

    Raises:
        HoldNotFound: no such hold, or somebody else's.
    """
    await release(work, lock_id, owner=actor.owner)


def _check_numbers(seat_numbers: Sequence[str], limit: int) -> None:
    """What can be said without looking anything up. The length first, so that a huge list costs nothing."""
    if not seat_numbers:
        raise Invalid([FieldError("seatNumbers", "no-seats", N_("Choose at least one seat."))])
    if len(seat_numbers) > limit:
        raise TooManySeats(limit=limit)
    named = Counter(number.strip().upper() for number in seat_numbers)
    if repeated := [number for number, times in named.items() if times > 1]:
        raise DuplicateSeats(seats=repeated)


def _explain(seats: Sequence[SeatView], asked: Sequence[int], lost: Sequence[int]) -> SeatsUnavailable:
    """Each lost seat with what it is now and a free one near it, a different one for each."""
    offered = {seats[unit].number for unit in asked}
    explained = []
    for seat in (seats[unit] for unit in asked if unit in lost):
        nearest = find_nearest(seats, seat, but=offered)
        if nearest:
            offered.add(nearest.number)
        explained.append(LostSeat(seat.number, seat.status, nearest.number if nearest else None))
    return SeatsUnavailable(explained)
