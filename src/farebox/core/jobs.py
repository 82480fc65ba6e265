"""Jobs on Procrastinate: kept in PostgreSQL, deferred inside the caller's transaction, run by a worker.

A job is an async function of JSON-able keyword arguments. It opens its own units of work, so that no network call
happens inside a transaction, and it may run twice.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryStrategy

from farebox.core.db import UnitOfWork

JobFunction: TypeAlias = Callable[..., Awaitable[Any]]

DEFAULT_RETRY = RetryStrategy(max_attempts=8, exponential_wait=4)
"""After 4, 16, 64 … seconds, about 18 hours in all."""


class Jobs:
    """The registry of jobs and the door to their queue.

    Args:
        dsn: where the queue is; `None` for a process that only defers inside its own transactions.
    """

    def __init__(self, dsn: str) -> None:
        self.app = App(
            connector=PsycopgConnector(
                conninfo=dsn, min_size=1, max_size=4, kwargs={"application_name": "farebox-jobs"}
            )
        )

    def register(self, name: str, function: JobFunction, *, retry: BaseRetryStrategy | bool = DEFAULT_RETRY) -> None:
        """Make `function` runnable under `name`."""
        self.app.task(function, name=name, retry=retry)

    def every(self, cron: str, name: str, function: JobFunction) -> None:
        """Run `function(timestamp)` on a cron schedule (five fields, or six with seconds first), one at a time."""
        task = self.app.task(function, name=name, queueing_lock=name, pass_context=False)
        self.app.periodic(cron=cron)(task)

    async def defer(self, work: UnitOfWork, name: str, **arguments: Any) -> None:
        """Queue a job in this very transaction: it runs if, and only if, the transaction commits."""
        await self.app.configure_task(name, connection=await work.driver()).defer_async(**arguments)

    async def run_worker(self, *, concurrency: int = 4, wait: bool = True) -> None:
        """Work until cancelled, or until nothing is left when `wait` is false. Finished jobs are deleted."""
        await self.app.run_worker_async(
            concurrency=concurrency,
            wait=wait,
            install_signal_handlers=False,
            delete_jobs="successful",
        )
