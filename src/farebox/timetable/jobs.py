"""What the worker does for the timetable."""

from datetime import timedelta

import structlog

from farebox.core.db import Database
from farebox.inventory import forget_inventories, list_inventories_in_use
from farebox.timetable.departures import list_ended, materialise_departures

log = structlog.get_logger("farebox.timetable")


async def extend_sales(database: Database, *, horizon_days: int, close_minutes: int) -> int:
    """Once a day, or oftener: put the departures of the horizon's newest day on sale. Returns how many were added."""
    async with database.begin() as work:
        added = await materialise_departures(
            work, today=work.now.date(), horizon_days=horizon_days, close_minutes=close_minutes
        )
    log.info("sales-extended", departures=added, horizon_days=horizon_days)
    return added


async def forget_departures(database: Database, *, days: int) -> int:
    """Once a day: let the kernel forget who had which seat on departures that ended so many days ago.

    Bookings and tickets keep what was sold; nobody looks a seat up in the kernel that has arrived.

    Returns:
        How many departures.
    """
    forgotten, used = 0, [0]
    while used:
        async with database.begin() as work:
            used = await list_inventories_in_use(work, after=used[-1])
            ended = await list_ended(work, used, before=work.now - timedelta(days=days))
            forgotten += await forget_inventories(work, ended)
    log.info("departures-forgotten", departures=forgotten)
    return forgotten
