"""Other rides for people of a booking: the trips of a day, of the same operator, and where their seats are chosen."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final, Protocol
from urllib.parse import urlencode
from uuid import UUID

from farebox.accounts import list_operators
from farebox.core.db import UnitOfWork
from farebox.search import BadQuery, TripQuery, search_trips
from farebox.timetable import PlaceNotFound
from farebox.web.days import day_in_words
from farebox.web.shop.cards import card_of_offer
from farebox.web.shop.picking import joined
from farebox.web.views.after import DayOfTrips
from farebox.web.views.trips import TripCard

SHOWN: Final = 50
"""Trips of one day that are offered."""

ONE_DAY: Final = timedelta(days=1)


class Way(Protocol):
    """From where to where, and with whom."""

    @property
    def from_id(self) -> UUID | None: ...
    @property
    def to_id(self) -> UUID | None: ...
    @property
    def operator_id(self) -> UUID: ...


async def trips_on(work: UnitOfWork, way: Way, day: date, travellers: int) -> list[TripCard]:
    """The operator's trips of a day on which so many may ride that way."""
    if way.from_id is None or way.to_id is None:
        return []
    query = TripQuery(from_id=way.from_id, to_id=way.to_id, date=day, passengers=travellers, limit=SHOWN)
    try:
        found = await search_trips(work, query)
    except (BadQuery, PlaceNotFound):
        return []
    operators = await list_operators(work, [way.operator_id])
    colors = {operator_id: operator.brand_color for operator_id, operator in operators.items()}
    return [card_of_offer(offer, colors) for offer in found.items if offer.operator.id == way.operator_id]


def seats_for(trip: TripCard, who: Sequence[UUID], now: Sequence[str] = (), **purpose: UUID) -> str:
    """The map on which seats of a trip are chosen for some of a booking.

    Args:
        now: the seats that they have on this very trip.
        purpose: the booking by what they are for, as in `Stretch`: `change`, or `redeem`.
    """
    asked = {"from": trip.from_id, "to": trip.to_id, "travellers": len(who)}
    here = {"now": ",".join(now)} if now else {}
    return f"/trips/{trip.id}/seats?{urlencode({**asked, **purpose, 'who': joined(who), **here})}"


def day_of_trips(
    day: date, days: tuple[date, date], url_of: Callable[[date], str], trips: Sequence[tuple[TripCard, str]]
) -> DayOfTrips:
    """The trips of one day, with the way to the days beside it.

    Args:
        days: the first and the last that may be chosen.
    """
    first, last = days
    before, after = day - ONE_DAY, day + ONE_DAY
    return DayOfTrips(
        day=day.isoformat(),
        label=day_in_words(day, "full"),
        first=first.isoformat(),
        last=last.isoformat(),
        before_url=url_of(before) if before >= first else "",
        after_url=url_of(after) if after <= last else "",
        trips=tuple(trips),
    )
