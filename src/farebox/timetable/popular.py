"""Which places the timetable connects most often."""

from datetime import timedelta
from uuid import UUID

from farebox.core.db import UnitOfWork

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
