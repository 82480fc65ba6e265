"""Jobs on Procrastinate: kept in PostgreSQL, deferred inside the caller's transaction, run by a worker.

A job is an async function of JSON-able keyword arguments. It opens its own units of work, so that no network call
happens inside a transaction, and it may run twice.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final, TypeAlias

import msgspec
import structlog
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status
from procrastinate.worker import Worker
from psycopg import AsyncConnection

from farebox.core.db import UnitOfWork
from farebox.core.rows import as_text
from farebox.core.telemetry import span
from farebox.core.traffic import Traffic

log = structlog.get_logger("farebox.jobs")

JobFunction: TypeAlias = Callable[..., Awaitable[Any]]

DEFAULT_RETRY = RetryStrategy(max_attempts=8, exponential_wait=4)
"""After 4, 16, 64 … seconds, about 18 hours in all."""

GRACE_SECONDS = 10
"""How long a stopping worker waits for the jobs at hand; those that take longer are run again by the next one."""

SILENT_SECONDS = 60
"""A worker that has not been heard of for so long is dead, and its jobs are nobody's."""


_DEFER: Final = """
    SELECT procrastinate_defer_jobs_v1(array_agg(
        ROW('default', job.name, 0, NULL, NULL, job.arguments, NULL)::procrastinate_job_to_defer_v1))
      FROM unnest($1::text[], $2::jsonb[]) AS job (name, arguments)
"""
"""What Procrastinate does, with its own function of its own schema, without escaping each job's arguments twice."""


class Jobs:
    """The registry of jobs and the door to their queue.

    Args:
        dsn: where the queue is.
        traffic: the requests that each job lets pass before it begins.
    """

    def __init__(self, dsn: str, traffic: Traffic | None = None) -> None:
        self._traffic = traffic or Traffic()
        self.app = App(
            connector=PsycopgConnector(
                conninfo=dsn,
                min_size=1,
                max_size=4,
                kwargs={"application_name": "farebox-jobs"},
                configure=_plan_for_queues,
            )
        )

    def register(self, name: str, function: JobFunction, *, retry: BaseRetryStrategy | bool = DEFAULT_RETRY) -> None:
        """Make `function` runnable under `name`."""
        self.app.task(name=name, retry=retry)(function)

    def every(self, cron: str, name: str, function: JobFunction) -> None:
        """Run `function(timestamp)` on a cron schedule (five fields, or six with seconds first), one at a time."""
        task = self.app.task(name=name, queueing_lock=name)(function)
        self.app.periodic(cron=cron)(task)

    async def defer(self, work: UnitOfWork, name: str, **arguments: Any) -> None:
        """Queue a job in this very transaction: it runs if, and only if, the transaction commits."""
        await self.app.configure_task(name, connection=await work.driver()).defer_async(**arguments)

    def defer_all(self, work: UnitOfWork, wanted: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """The same for several, each with its arguments, in the round trip in which other rows are written."""
        names = [self.app.tasks[name].name for name, _ in wanted]
        arguments = [msgspec.json.encode(each).decode() for _, each in wanted]
        work.put((_DEFER, (as_text(names), as_text(arguments))))

    async def run_worker(self, *, concurrency: int = 4, wait: bool = True) -> None:
        """Work until cancelled, or until nothing is left when `wait` is false. Finished jobs are deleted."""
        await self.app.run_worker_async(
            concurrency=concurrency,
            wait=wait,
            install_signal_handlers=False,
            delete_jobs="successful",
            shutdown_graceful_timeout=GRACE_SECONDS,
            stalled_worker_timeout=SILENT_SECONDS,
            worker_middleware=[self._step_aside, _watched],
        )

    async def _step_aside(self, process: Callable[[], Awaitable[Any]], _: JobContext, __: Worker) -> Any:
        await self._traffic.let_pass()
        return await process()

    async def requeue_stalled(self) -> int:
        """Give the jobs of workers that died in the middle of them back to the queue. Returns how many there were."""
        manager = self.app.job_manager
        stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_SECONDS))
        for job in stalled:
            try:
                await manager.retry_job(job, retry_at=datetime.now(UTC))
            except UniqueViolation:  # a periodic one, whose next run waits in the queue already
                await manager.finish_job(job, Status.ABORTED, delete_job=True)
        return len(stalled)


async def _plan_for_queues(connection: AsyncConnection[Any]) -> None:
    """A worker would plan its question for the next job while the queue is short, and keep the plan. That compares each
    job with each other: with 3,600 of them it took seconds."""
    await connection.execute("SELECT set_config('plan_cache_mode', 'force_custom_plan', false)")
    await connection.execute("SELECT set_config('enable_seqscan', 'off', false)")
    await connection.commit()


async def _watched(process: Callable[[], Awaitable[Any]], context: JobContext, _: Worker) -> Any:
    """Around every job: its span, and its line in the log. Arguments stay out of both."""
    job, started = context.job, perf_counter()
    with span(f"job {job.task_name}"):
        try:
            result = await process()
        except Exception:
            log.warning("job-failed", job=job.task_name, job_id=job.id, attempt=job.attempts + 1, exc_info=True)
            raise
    # the periodic ones, which have a lock of their own in the queue, would fill the log with nothing
    note = log.debug if job.queueing_lock else log.info
    note("job", job=job.task_name, job_id=job.id, ms=round((perf_counter() - started) * 1000, 1))
    return result


async def count_jobs(work: UnitOfWork) -> dict[str, int]:
    """How many jobs are in each state of the queue (`todo`, `doing`, `failed` …); done ones are not kept."""
    cursor = await work.execute("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status")
    return dict(await cursor.fetchall())
