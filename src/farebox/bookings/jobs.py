"""What bookings do by the clock. Expiry is the sweeper's, every few seconds; see `expire_bookings`."""

from farebox.bookings.commands import complete_bookings
from farebox.bookings.expiry import BATCH
from farebox.bookings.lookup import delete_old_lookups
from farebox.core.db import Database
from farebox.core.jobs import Jobs

COMPLETE = "bookings.complete"
FORGET_LOOKUPS = "bookings.forget-lookups"


def register_jobs(jobs: Jobs, database: Database) -> None:
    """Enter the periodic jobs of bookings."""

    async def complete(timestamp: int) -> None:
        await complete_all(database)

    async def forget_lookups(timestamp: int) -> None:
        async with database.begin() as work:
            await delete_old_lookups(work)

    jobs.every("*/5 * * * *", COMPLETE, complete)
    jobs.every("50 3 * * *", FORGET_LOOKUPS, forget_lookups)


async def complete_all(database: Database) -> int:
    """Complete every booking that has been used up, batch by batch; how many."""
    count = 0
    while True:
        async with database.begin() as work:
            done = await complete_bookings(work)
        count += done
        if done < BATCH:
            return count
