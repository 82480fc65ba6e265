"""What goes on without being asked: jobs, the calendar of periodic jobs, and the sweeper that frees what ran out.

Every process may do all of it: jobs are taken by one worker each, a periodic job is queued once, and the sweeper of one
process at a time holds the lock.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from procrastinate.exceptions import AlreadyEnqueued

from farebox.accounts import (
    delete_expired_challenges,
    delete_expired_sessions,
    delete_old_attempts,
    delete_old_mail_tokens,
    delete_old_person_sessions,
)
from farebox.bookings import expire_bookings, expire_changes
from farebox.core.db import UnitOfWork, is_outage
from farebox.core.idempotency import forget_old_requests
from farebox.core.jobs import GRACE_SECONDS
from farebox.inventory import forget_holds, sweep
from farebox.timetable import extend_sales, forget_departures
from farebox.wiring import Services

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 1.0
SWEEP_AT_ONCE = 1000
PAUSE_AFTER_FAILURE_SECONDS = 5.0
SWEEPER_LOCK = 0xFA2EB0  # key of PostgreSQL's advisory lock
KEEP_FAILED_HOURS = 24 * 14
KEEP_HOLDS_DAYS = 7

DEPARTURES = "timetable.materialise"


def schedule(services: Services) -> None:
    """Enter the periodic jobs. Times are UTC."""
    jobs, database, settings = services.jobs, services.database, services.settings

    async def put_departures_on_sale(timestamp: int) -> None:
        await extend_sales(
            database, horizon_days=settings.sales_horizon_days, close_minutes=settings.sales_close_minutes
        )

    async def requeue_stalled_jobs(timestamp: int) -> None:
        if count := await jobs.requeue_stalled():
            log.warning("jobs-requeued", count=count)

    async def forget_old_jobs(timestamp: int) -> None:
        await jobs.app.job_manager.delete_old_jobs(
            nb_hours=KEEP_FAILED_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )

    async def forget_old_answers(timestamp: int) -> None:
        async with database.begin() as work:
            await forget_old_requests(work)

    async def forget_old_sessions(timestamp: int) -> None:
        async with database.begin() as work:
            await delete_expired_sessions(work)
            await delete_old_person_sessions(work)
            await delete_expired_challenges(work)
            await delete_old_mail_tokens(work)
            await delete_old_attempts(work)

    async def forget_old_holds(timestamp: int) -> None:
        await forget_departures(database, days=KEEP_HOLDS_DAYS)
        count = 1
        while count:
            async with database.begin() as work:
                count = await forget_holds(work, days=KEEP_HOLDS_DAYS)

    jobs.every("20 0 * * *", DEPARTURES, put_departures_on_sale)
    jobs.every("* * * * *", "jobs.requeue-stalled", requeue_stalled_jobs)
    jobs.every("35 3 * * *", "inventory.forget-old", forget_old_holds)
    jobs.every("40 3 * * *", "jobs.forget-old", forget_old_jobs)
    jobs.every("45 3 * * *", "idempotency.forget-old", forget_old_answers)
    jobs.every("50 3 * * *", "accounts.forget-sessions", forget_old_sessions)


@asynccontextmanager
async def keep_working(services: Services) -> AsyncIterator[None]:
    """Work in the background inside the block; on leaving, stop in bounded time and close the process's connections."""
    async with services.jobs.app.open_async():
        await _catch_up(services)
        tasks = [
            asyncio.create_task(_forever("worker", services.jobs.run_worker)),
            asyncio.create_task(_forever("sweeper", lambda: sweep_forever(services))),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=GRACE_SECONDS + 2)
    await services.dispose()


@asynccontextmanager
async def show_live(services: Services) -> AsyncIterator[None]:
    """Keep seat maps that are being watched current, inside the block."""
    async with services.signals.listening():
        task = asyncio.create_task(_forever("live maps", services.live.keep_current))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task], timeout=GRACE_SECONDS)


async def sweep_forever(services: Services) -> None:
    """Free what ran out, every second. Nothing depends on it for being right: only for being seen soon."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311
        while await _sweep_some(services) == SWEEP_AT_ONCE:
            pass
        async with services.database.begin() as work:
            if await _is_our_turn(work):
                bookings, changes = await expire_bookings(work), await expire_changes(work)
                if bookings or changes:
                    log.info("bookings-expired", bookings=bookings, changes=changes)


async def _sweep_some(services: Services) -> int:
    async with services.database.begin() as work:
        return await sweep(work, limit=SWEEP_AT_ONCE) if await _is_our_turn(work) else 0


async def _is_our_turn(work: UnitOfWork) -> bool:
    """Whether no other process sweeps at this moment; true until the end of the transaction."""
    row = await (await work.execute("SELECT pg_try_advisory_xact_lock(%s)", [SWEEPER_LOCK])).fetchone()
    return row is not None and bool(row[0])


async def _catch_up(services: Services) -> None:
    """Queue what the calendar would have done while no process ran."""
    task = services.jobs.app.tasks[DEPARTURES]
    try:
        await task.configure(queueing_lock=DEPARTURES).defer_async(timestamp=0)
    except AlreadyEnqueued:
        return


async def _forever(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Begin again after a failure (the database restarts, the network is gone), until cancelled."""
    while True:
        try:
            await run()
        except Exception as error:
            if is_outage(error):  # of every part while it lasts: a line each, no trace
                log.warning("database-unavailable", part=name, error=type(error).__name__)
            else:
                log.warning("background-failed", part=name, exc_info=True)
        await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)
