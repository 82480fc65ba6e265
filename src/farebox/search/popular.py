"""Connections worth showing to somebody who has not asked yet."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.core.i18n import current_language
from farebox.core.money import Money
from farebox.search.errors import BadQuery
from farebox.search.trips import search_trips
from farebox.search.views import MAX_LIMIT, TripQuery
from farebox.timetable import list_busiest_pairs, list_places

KEPT_SECONDS = 600
"""The home page is asked for often, and what is popular does not change from minute to minute."""


@dataclass(frozen=True, slots=True)
class PopularConnection:
    """Two places, and what one finds between them tomorrow.

    Attributes:
        duration_minutes: of the fastest departure; price: of the cheapest seat. `None` where tomorrow has none left.
    """

    from_id: UUID
    from_name: str
    to_id: UUID
    to_name: str
    duration_minutes: int | None
    price: Money | None


@dataclass(frozen=True, slots=True)
class _Pair:
    from_id: UUID
    to_id: UUID
    duration_minutes: int | None
    price: Money | None


_kept: dict[str, tuple[float, Sequence[_Pair]]] = {}
"""Database -> until when, and what was found."""


async def popular_connections(work: UnitOfWork, *, limit: int) -> list[PopularConnection]:
    """The pairs of places that most departures connect from end to end, the busiest first; each pair in one direction.

    Remembered for some minutes, so prices may lag behind the results.
    """
    database = str(work.session.get_bind().engine.url)
    until, pairs = _kept.get(database, (0.0, ()))
    if until < time.monotonic() or len(pairs) < limit:
        pairs = [await _look_at(work, *ids) for ids in await list_busiest_pairs(work, limit=limit)]
        if pairs:
            _kept[database] = (time.monotonic() + KEPT_SECONDS, pairs)
    places = await list_places(work, list({end for pair in pairs for end in (pair.from_id, pair.to_id)}))
    language = current_language()
    return [
        PopularConnection(
            pair.from_id,
            places[pair.from_id].name_in(language),
            pair.to_id,
            places[pair.to_id].name_in(language),
            pair.duration_minutes,
            pair.price,
        )
        for pair in pairs[:limit]
        if pair.from_id in places and pair.to_id in places
    ]


async def _look_at(work: UnitOfWork, from_id: UUID, to_id: UUID) -> _Pair:
    tomorrow = work.now.date() + timedelta(days=1)
    try:
        page = await search_trips(work, TripQuery(from_id=from_id, to_id=to_id, date=tomorrow, limit=MAX_LIMIT))
    except BadQuery:  # a round trip within one town
        return _Pair(from_id, to_id, None, None)
    return _Pair(
        from_id,
        to_id,
        min((offer.duration_minutes for offer in page.items), default=None),
        min(
            (offer.price for offer in page.items if offer.price is not None),
            key=lambda price: price.amount,
            default=None,
        ),
    )
