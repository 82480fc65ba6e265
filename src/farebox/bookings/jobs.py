"""What bookings do by the clock.

Bookings that ran out are expired by the sweeper, every second or so; a job every five minutes is the net below it,
should no process sweep.
"""

from collections.abc import Awaitable, Callable

from farebox.bookings.commands import complete_bookings
from farebox.bookings.expiry import BATCH, expire_bookings
from farebox.bookings.lookup import delete_old_lookups
from farebox.bookings.open_returns import announce_ends
from farebox.bookings.typed import forget_old_typed
from farebox.core.db import Database, UnitOfWork
from farebox.core.jobs import Jobs

COMPLETE = "bookings.complete"
EXPIRE = "bookings.expire"
FORGET_LOOKUPS = "bookings.forget-lookups"
FORGET_TYPED = "bookings.forget-typed"
REMIND = "bookings.remind-of-open-returns"


def register_jobs(jobs: Jobs, database: Database) -> None:
    """Enter the periodic jobs of bookings."""

    async def complete(timestamp: int) -> None:
        await work_off(database, complete_bookings)

    async def expire(timestamp: int) -> None:
        await work_off(database, expire_bookings)

    async def forget_lookups(timestamp: int) -> None:
        async with database.begin() as work:
            await delete_old_lookups(work)

    async def forget_typed(timestamp: int) -> None:
        async with database.begin() as work:
            await forget_old_typed(work)

    async def remind(timestamp: int) -> None:
        await work_off(database, announce_ends)

    jobs.every("*/5 * * * *", COMPLETE, complete)
    jobs.every("*/5 * * * *", EXPIRE, expire)
    jobs.every("50 3 * * *", FORGET_LOOKUPS, forget_lookups)
    jobs.every("*/5 * * * *", FORGET_TYPED, forget_typed)
    jobs.every("10 8 * * *", REMIND, remind)


async def work_off(database: Database, handle: Callable[[UnitOfWork], Awaitable[int]]) -> int:
    """Handle all that is due, a batch in a unit of work of its own, until less than a batch is; how many that were."""
    count = 0
    while True:
        async with database.begin() as work:
            done = await handle(work)
        count += done
        if done < BATCH:
            return count
