"""An operator's lines, and the ways that its coaches take on them: what fares are told by."""

from dataclasses import dataclass
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.core.i18n import current_language
from farebox.timetable.views import Departure
from farebox.timetable.whole_departures import departure_of, list_departure_stamps

MOST_LINES = 2000
MOST_PATTERNS = 40
"""Different sequences of stops of one line that are looked at."""


@dataclass(frozen=True, slots=True)
class LineName:
    """A line in a list, with the ends of its longest way."""

    id: UUID
    name: str
    origin: str
    destination: str


@dataclass(frozen=True, slots=True)
class LineOfFeed:
    """A line of a feed, with what fare rules tell it by."""

    id: UUID
    operator_id: UUID
    network_ids: tuple[str, ...]


_LINES = """
    SELECT l.id, coalesce(l.names ->> %(language)s, l.name) AS said,
           coalesce(first.names ->> %(language)s, first.name), coalesce(last.names ->> %(language)s, last.name)
      FROM line l
     CROSS JOIN LATERAL (
           SELECT j.id, j.call_count FROM journey j WHERE j.line_id = l.id AND j.is_current
            ORDER BY j.call_count DESC, j.direction NULLS LAST, j.first_departure_s, j.id LIMIT 1) AS longest
      JOIN call a ON a.journey_id = longest.id AND a.position = 0
      JOIN call b ON b.journey_id = longest.id AND b.position = longest.call_count - 1
      JOIN place first ON first.id = a.place_id
      JOIN place last ON last.id = b.place_id
     WHERE l.operator_id = %(operator)s
     ORDER BY said, l.id
     LIMIT %(limit)s
"""

_PATTERNS = """
    WITH way AS (
        SELECT DISTINCT ON (stops) j.id
          FROM journey j
          JOIN line l ON l.id = j.line_id
         CROSS JOIN LATERAL (
               SELECT array_agg(c.stop_id ORDER BY c.position) AS stops FROM call c WHERE c.journey_id = j.id) AS called
         WHERE j.line_id = %(line)s AND l.operator_id = %(operator)s AND j.is_current
           AND EXISTS (SELECT FROM departure d WHERE d.journey_id = j.id AND d.base_at > %(now)s)
         ORDER BY stops, j.first_departure_s, j.id
    )
    SELECT (SELECT d.id FROM departure d
             WHERE d.journey_id = way.id AND d.base_at > %(now)s ORDER BY d.base_at, d.id LIMIT 1)
      FROM way JOIN journey j ON j.id = way.id
     ORDER BY j.direction NULLS LAST, j.call_count DESC, j.first_departure_s, j.id
     LIMIT %(limit)s
"""

_PLACES = """
    SELECT p.id, coalesce(p.names ->> %(language)s, p.name) AS said
      FROM place p
     WHERE p.id IN (
           SELECT c.place_id FROM line l
             JOIN journey j ON j.line_id = l.id AND j.is_current
             JOIN call c ON c.journey_id = j.id
            WHERE l.operator_id = %(operator)s)
     ORDER BY said, p.id
"""

_AREAS = """
    SELECT l.operator_id, array_agg(DISTINCT area)
      FROM line l
      JOIN journey j ON j.line_id = l.id AND j.is_current
      JOIN call c ON c.journey_id = j.id
      JOIN stop s ON s.id = c.stop_id
     CROSS JOIN unnest(s.area_ids) AS area
     WHERE l.feed_id = %s
     GROUP BY l.operator_id
"""


async def list_lines(work: UnitOfWork, operator_id: UUID) -> list[LineName]:
    """An operator's lines that have a timetable, by name."""
    parameters = {"operator": operator_id, "language": current_language(), "limit": MOST_LINES}
    return [LineName(*row) for row in await (await work.execute(_LINES, parameters)).fetchall()]


async def list_lines_of_feed(work: UnitOfWork, feed_id: UUID) -> list[LineOfFeed]:
    """All lines that a feed has brought along, those of earlier editions among them."""
    rows = await work.execute("SELECT id, operator_id, network_ids FROM line WHERE feed_id = %s", (feed_id,))
    return [
        LineOfFeed(line_id, operator_id, tuple(networks)) for line_id, operator_id, networks in await rows.fetchall()
    ]


async def list_areas_of_feed(work: UnitOfWork, feed_id: UUID) -> dict[UUID, frozenset[str]]:
    """The fare areas of a feed at whose stops each of its operators calls."""
    rows = await (await work.execute(_AREAS, (feed_id,))).fetchall()
    return {operator_id: frozenset(areas) for operator_id, areas in rows}


async def list_patterns(work: UnitOfWork, operator_id: UUID, line_id: UUID) -> list[Departure]:
    """One departure to come for each different sequence of stops of an operator's line; none of a line of others."""
    parameters = {"operator": operator_id, "line": line_id, "now": work.now, "limit": MOST_PATTERNS}
    ids = [row[0] for row in await (await work.execute(_PATTERNS, parameters)).fetchall()]
    stamps = await list_departure_stamps(work, ids)
    return [await departure_of(work, stamps[each]) for each in ids if each in stamps]


async def list_served_places(work: UnitOfWork, operator_id: UUID) -> dict[UUID, str]:
    """The places at which an operator's coaches call, with their names in the language of the request, by name."""
    parameters = {"operator": operator_id, "language": current_language()}
    rows = await (await work.execute(_PLACES, parameters)).fetchall()
    return {place_id: said for place_id, said in rows}  # noqa: C416  (rows are no pairs to the type checker)
