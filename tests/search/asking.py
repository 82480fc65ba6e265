"""Asking the search and the oracle the same question, in the oracle's words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date
from uuid import UUID

from tests.search.oracle import Ride

from farebox.core.db import Database, UnitOfWork
from farebox.search import MAX_LIMIT, TripOffer, TripQuery, search_trips


@dataclass(frozen=True, slots=True)
class Known:
    """The stops of one feed, both ways between our ids and the feed's, and what each id of ours stands for."""

    source_ids: dict[UUID, str]
    ids: dict[str, UUID]
    places: dict[str, UUID]
    """source id of a stop -> its place."""
    sites: dict[UUID, frozenset[str]]
    """id of a place, station or stop -> the source ids of the stops meant."""


async def read_known(database: Database, feed_code: str | None = None) -> Known:
    async with database.begin() as work:
        rows = await _rows(
            work,
            "SELECT s.id, s.source_id, s.place_id, s.station_id FROM stop s JOIN feed f ON f.id = s.feed_id"
            " WHERE %s::text IS NULL OR f.code = %s",
            feed_code,
            feed_code,
        )
    sites: dict[UUID, set[str]] = {}
    for stop_id, source_id, place_id, station_id in rows:
        for site in {stop_id, place_id, station_id} - {None}:
            sites.setdefault(site, set()).add(source_id)
    return Known(
        source_ids={row[0]: row[1] for row in rows},
        ids={row[1]: row[0] for row in rows},
        places={row[1]: row[2] for row in rows},
        sites={site: frozenset(stops) for site, stops in sites.items()},
    )


async def found_rides(database: Database, known: Known, from_id: UUID, to_id: UUID, day: date) -> list[Ride]:
    """What the search finds, as the oracle would say it."""
    async with database.begin() as work:
        page = await search_trips(work, TripQuery(from_id=from_id, to_id=to_id, date=day, limit=MAX_LIMIT))
        assert page.total == len(page.items), "the question is too large for one page"
        runs = await _runs_of(work, page.items)
    return sorted(
        Ride(
            departs=offer.board.time.astimezone(UTC),
            arrives=offer.alight.time.astimezone(UTC),
            trip_id=runs[offer.departure_id][0],
            service_date=runs[offer.departure_id][1],
            board_stop=known.source_ids[offer.board.stop_id],
            alight_stop=known.source_ids[offer.alight.stop_id],
        )
        for offer in page.items
    )


async def _runs_of(work: UnitOfWork, offers: Iterable[TripOffer]) -> dict[UUID, tuple[str, date]]:
    rows = await _rows(
        work,
        "SELECT d.id, j.source_id, d.service_date FROM departure d JOIN journey j ON j.id = d.journey_id"
        " WHERE d.id = ANY(%s)",
        [offer.departure_id for offer in offers],
    )
    return {row[0]: (row[1], row[2]) for row in rows}


async def _rows(work: UnitOfWork, query: str, *parameters: object) -> list[tuple]:  # type: ignore[type-arg]
    return await (await work.execute(query, parameters)).fetchall()
