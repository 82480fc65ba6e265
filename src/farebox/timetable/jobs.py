"""What the worker does for the timetable."""

import structlog

from farebox.core.db import Database
from farebox.timetable.departures import materialise_departures

log = structlog.get_logger("farebox.timetable")


async def extend_sales(database: Database, *, horizon_days: int, close_minutes: int) -> int:
    """Once a day, or oftener: put the departures of the horizon's newest day on sale. Returns how many were added."""
    async with database.begin() as work:
        added = await materialise_departures(
            work, today=work.now.date(), horizon_days=horizon_days, close_minutes=close_minutes
        )
    log.info("sales-extended", departures=added, horizon_days=horizon_days)
    return added
