"""Booking the same again: what a booking was of is found anew, and its seats are held for who asks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select

from farebox.accounts import Actor
from farebox.bookings.details import PassengerDetails
from farebox.bookings.errors import NothingFound
from farebox.bookings.models import BookingItemRow
from farebox.bookings.queries import get_booking
from farebox.bookings.verticals import FoundAgain, ItemOffer, Verticals
from farebox.bookings.views import BookingItem
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.inventory import Hold, HoldTerms, Want, take


@dataclass(frozen=True, slots=True, repr=False)
class Again:
    """One trip of a booking, found again. No `repr`, so that nobody's data ends in a log.

    Attributes:
        item: which trip of the booking it was.
        hold: of the seats; `None` where they were only looked for.
        people: who sat there, each with the seat that they would have now; for the booking's owner alone, else empty.
    """

    item: BookingItem
    found: FoundAgain
    hold: Hold | None
    people: tuple[PassengerDetails, ...]


async def rebook(
    work: UnitOfWork,
    booking_id: UUID,
    *,
    day: date | None = None,
    actor: Actor,
    holder: Actor | None = None,
    verticals: Verticals,
    terms: HoldTerms | None,
    secrets: Secrets,
) -> list[Again]:
    """Find all trips of a booking again, whatever became of it, and hold their seats for the actor: all, or none.

    A trip is looked for from its own day on, or from now where that is over; the ways of a round trip stay as many days
    apart as they were. What the actor holds on the same runs is given up for it.

    Args:
        day: of the first trip, where it begins; `None`: its own.
        holder: for whom the seats are held, where that is not the actor: a credential for one booking holds none.
        terms: of the holds; `None`: the seats are only looked for.

    Raises:
        BookingNotFound: no such booking for this actor.
        NothingFound: a trip is not on sale again in the days that the vertical looks at.
        NotAllowed: seats are to be held, and the credential reaches this booking only.
        UnitsTaken: somebody else has taken one of the seats in this moment.
    """
    booking = await get_booking(work, booking_id, actor=actor)
    items = sorted(booking.items, key=lambda item: item.starts_at)
    owner = (holder or actor).owner if terms else ""
    found = await _find_all(work, items, day, owner, verticals)
    holds = await _hold_all(work, found, owner, terms) if terms else {}
    is_own = actor.booking_id is None and actor.owner == booking.owner
    return [
        Again(
            item=item,
            found=again,
            hold=holds.get(position),
            people=_people(item, again, holds.get(position), secrets) if is_own else (),
        )
        for position, (item, again) in enumerate(zip(items, found, strict=True))
    ]


async def _find_all(
    work: UnitOfWork, items: Sequence[BookingItem], day: date | None, holder: str, verticals: Verticals
) -> list[FoundAgain]:
    offers = await _offers(work, items)
    found: list[FoundAgain] = []
    taken: set[tuple[int, int]] = set()
    for position, item in enumerate(items):
        earliest = _earliest(items, position, day, found)
        again = await verticals[item.kind].find_again(
            work, offers[item.id], earliest=earliest, holder=holder, taken=taken
        )
        if again is None:
            raise NothingFound
        found.append(again)
        taken |= {(again.inventory_id, seat.unit) for seat in again.seats}
    return found


def _earliest(items: Sequence[BookingItem], position: int, day: date | None, found: Sequence[FoundAgain]) -> datetime:
    """From when on a trip is looked for: its day, moved as the trip before it was, and not before that has ended."""
    zone = ZoneInfo(items[position].description.origin.timezone)
    target = _day_of(items[position])
    if not position:
        return datetime.combine(day or target, time(), zone)
    before = found[position - 1]
    target = before.starts_at.date() + (target - _day_of(items[position - 1]))
    return max(before.ends_at, datetime.combine(target, time(), zone))


def _day_of(item: BookingItem) -> date:
    return item.starts_at.astimezone(ZoneInfo(item.description.origin.timezone)).date()


async def _offers(work: UnitOfWork, items: Sequence[BookingItem]) -> dict[UUID, ItemOffer]:
    """What the items were, with the seats that they have now or had last, by item."""
    rows = await work.session.scalars(select(BookingItemRow).where(BookingItemRow.id.in_([item.id for item in items])))
    whole = {row.id: msgspec.convert(row.offer, ItemOffer) for row in rows}
    return {
        item.id: replace(whole[item.id], seats=tuple(seat for seat in whole[item.id].seats if seat.unit in item.units))
        for item in items
    }


async def _hold_all(work: UnitOfWork, found: Sequence[FoundAgain], owner: str, terms: HoldTerms) -> dict[int, Hold]:
    """A hold for each trip, by its place in the list. Taken in the order of the runs, as everybody does."""
    holds: dict[int, Hold] = {}
    for position in sorted(range(len(found)), key=lambda place: found[place].inventory_id):
        again = found[position]
        want = Want(
            again.inventory_id, tuple(sorted(seat.unit for seat in again.seats)), again.first_slot, again.end_slot
        )
        is_first = again.inventory_id not in {found[place].inventory_id for place in holds}
        holds[position] = await take(work, [want], owner=owner, terms=terms, replaces_own=is_first)
    return holds


def _people(item: BookingItem, again: FoundAgain, hold: Hold | None, secrets: Secrets) -> tuple[PassengerDetails, ...]:
    """The people of an item, in the order of its seats, each on the seat found for theirs."""
    return tuple(
        PassengerDetails(
            seat_number=seat.label,
            full_name=person.full_name,
            id_type=person.id_type,
            id_number=person.id_number.open(secrets),
            phone=person.phone.open(secrets),
            email=person.email.open(secrets) if person.email else None,
            passenger_type=person.passenger_type,
            special_needs=person.special_needs,
            hold_id=hold.id if hold else None,
        )
        for person, seat in zip(item.passengers, again.seats, strict=True)
    )
