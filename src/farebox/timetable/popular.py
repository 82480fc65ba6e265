"""Which places the timetable connects: most often, and from a place."""

from datetime import timedelta
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.timetable.queries import list_places
from farebox.timetable.views import PlaceView

_BUSIEST = """
    WITH ends AS (
        SELECT first.place_id AS origin, last.place_id AS destination, count(*) AS departures
          FROM departure d
          JOIN journey j ON j.id = d.journey_id
          JOIN call first ON first.journey_id = j.id AND first.position = 0
          JOIN call last ON last.journey_id = j.id AND last.position = j.call_count - 1
         WHERE d.service_date = %(day)s AND d.status = 'scheduled' AND first.place_id <> last.place_id
         GROUP BY 1, 2
    )
    SELECT origin, destination
      FROM (SELECT DISTINCT ON (least(origin, destination), greatest(origin, destination)) *
              FROM ends
             ORDER BY least(origin, destination), greatest(origin, destination), departures DESC, origin) AS pair
     ORDER BY departures DESC, origin, destination
     LIMIT %(limit)s
"""


async def list_busiest_pairs(work: UnitOfWork, *, limit: int) -> list[tuple[UUID, UUID]]:
    """The pairs of places that most of tomorrow's departures join end to end, each in its busier direction."""
    day = work.now.date() + timedelta(days=1)
    cursor = await work.execute(_BUSIEST, {"day": day, "limit": limit})
    return [(origin, destination) for origin, destination in await cursor.fetchall()]


_REACHABLE = """
    SELECT DISTINCT b.place_id
      FROM call a
      JOIN call b ON b.journey_id = a.journey_id AND b.position > a.position
      JOIN journey j ON j.id = a.journey_id
     WHERE a.place_id = %(place)s AND a.pickup <> 1 AND b.dropoff <> 1 AND b.place_id <> %(place)s AND j.is_current
"""


async def list_reachable_places(work: UnitOfWork, place_id: UUID) -> list[PlaceView]:
    """The places to which somebody runs from this one without a change, on whatever days."""
    cursor = await work.execute(_REACHABLE, {"place": place_id})
    found = [row[0] for row in await cursor.fetchall()]
    return list((await list_places(work, found)).values())
