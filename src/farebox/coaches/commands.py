"""Holding seats on a departure while somebody makes up their mind."""

from collections import Counter
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from farebox.accounts import Actor
from farebox.coaches.errors import (
    DuplicateSeats,
    LostSeat,
    SalesClosed,
    SeatsUnavailable,
    TooManyHolds,
    TooManySeats,
)
from farebox.coaches.office import Office
from farebox.coaches.queries import find_nearest, list_seats, lock_of, make_lock, quote_for, quoted_lock, units_of
from farebox.coaches.views import SeatLock, SeatView
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.settings import Settings
from farebox.inventory import (
    HoldTerms,
    NotOnSale,
    TakeRequest,
    UnitsTaken,
    UnknownUnits,
    Want,
    extend,
    find_live_hold,
    release,
)
from farebox.pricing import fares_at
from farebox.timetable import DepartureNotFound, departure_of, segment

LONGEST_LIST: Final = 100
"""Seats that a request may name before anything is looked up: more than any operator lets one traveller hold."""


async def lock_seats(
    work: UnitOfWork,
    departure_id: UUID,
    from_id: UUID | None,
    to_id: UUID | None,
    seat_numbers: Sequence[str],
    *,
    actor: Actor,
    settings: Settings,
    office: Office,
) -> SeatLock:
    """Hold seats on a stretch of a departure: all of them, or none.

    The actor's earlier choice on the same departure is replaced in the same instant, whatever its stretch; seats in
    both are never free in between, and the time left stays what it was. When the new choice cannot be had, the earlier
    one stays.

    The seats are taken and committed at the office's desk, together with those of other requests, whatever becomes of
    `work`, which is committed before: so a session that was just opened is there before the first seat is held with it,
    and no connection is kept waiting. Should the answer be lost on its way, asking again replaces what was taken.

    Args:
        from_id, to_id: ids of places or stops; `None`: from the first stop, to the last.

    Raises:
        SignInRequired: an anonymous actor holds nothing.
        Invalid: no seat named.
        TooManySeats, DuplicateSeats, UnknownSeat: wrong numbers, named.
        DepartureNotFound, NotBoardable: no such ride.
        SalesClosed: too late for this stop, or the departure is cancelled.
        NotForSale: the operator has no fare for this ride.
        TooManyHolds: the actor holds seats on as many departures as anybody may.
        SeatsUnavailable: somebody else has at least one of them; says which, why, and what is free near it.
        Busy: the actor's requests before this one, or somebody else's, take too long.
        Overloaded: too many ask at this moment.
    """
    owner = actor.owner
    if len(seat_numbers) > LONGEST_LIST:
        raise TooManySeats(limit=settings.max_seats)
    if not seat_numbers:
        raise Invalid([FieldError("seatNumbers", "no-seats", N_("Choose at least one seat."))])
    await work.commit()
    async with office.turn_of(owner):
        offer = await office.find_offer(departure_id, owner)
        _check_numbers(seat_numbers, (offer.operator.max_seats if offer else None) or settings.max_seats)
        if offer is None:
            raise DepartureNotFound
        with work.asking_apart():
            departure = await departure_of(work, offer.stamp)
            fares = await fares_at(work, departure.operator_id, offer.fare_version, currency=offer.operator.currency)
        stretch = segment(departure, from_id, to_id)
        if not departure.is_on_sale(stretch.board, work.now):
            raise SalesClosed
        units = units_of(departure, seat_numbers)
        want = Want(departure.inventory_id, units, stretch.first_slot, stretch.end_slot)
        quote = quote_for(departure, stretch, want, fares)
        if settings.rate_limits == "on" and offer.running_holds >= settings.max_holds:
            await _check_holds(work, departure.inventory_id, owner, settings.max_holds)
        await work.commit()
        terms = HoldTerms.of(settings)
        try:
            hold = await office.desk.take(TakeRequest(wants=(want,), owner=owner, terms=terms, replaces_own=True))
        except (NotOnSale, UnknownUnits):  # a new timetable may have taken the departure back since it was read
            raise SalesClosed from None
        except UnitsTaken as refusal:
            seats = await list_seats(work, departure, stretch, fares=fares, owner=owner)
            raise _explain(seats, units, [unit for _, unit in refusal.lost]) from None
        if fares.price_rules:  # which may look at when the seats were first taken, and at what was gone by then
            return await quoted_lock(work, departure, fares, hold)
        return make_lock(departure, hold, quote)


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


async def _check_holds(work: UnitOfWork, inventory_id: int, owner: str, limit: int) -> None:
    """Another choice on a departure where something is held already is no further hold."""
    if await find_live_hold(work, owner=owner, inventory_id=inventory_id) is None:
        raise TooManyHolds(limit=limit)


def _check_numbers(seat_numbers: Sequence[str], limit: int) -> None:
    if len(seat_numbers) > limit:
        raise TooManySeats(limit=limit)
    named = [number.strip().upper() for number in seat_numbers]
    if len(set(named)) < len(named):
        raise DuplicateSeats(seats=[number for number, times in Counter(named).items() if times > 1])


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
