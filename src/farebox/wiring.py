"""The one place where modules meet their adapters."""

from dataclasses import dataclass

from farebox.core.clock import Clock, system_clock
from farebox.core.crypto import Secrets, load_secrets
from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.core.outbox import Outbox
from farebox.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """What a process has, made once at its start."""

    settings: Settings
    database: Database
    secrets: Secrets
    jobs: Jobs

    async def dispose(self) -> None:
        await self.database.dispose()


def build_services(settings: Settings, *, clock: Clock = system_clock) -> Services:
    """Wire a process. `settings.database_url` must be set."""
    database = Database(settings.database_url, clock=clock)
    jobs = Jobs(database.dsn)
    secrets = load_secrets(settings.home)
    database.deliver_events_to(Outbox(jobs, {}))
    return Services(settings=settings, database=database, secrets=secrets, jobs=jobs)
