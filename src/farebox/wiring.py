"""The one place where modules meet their adapters."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from farebox import bookings, notifications, payments, ticketing
from farebox.bookings import Verticals
from farebox.coaches import CoachVertical
from farebox.core.clock import Clock, system_clock
from farebox.core.crypto import Secrets, load_secrets
from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.core.outbox import Outbox
from farebox.core.settings import Settings
from farebox.payments import Providers


@dataclass(frozen=True, slots=True)
class Services:
    """What a process has, made once at its start.

    Attributes:
        verticals: what can be booked, by kind.
        providers: who takes money, by name.
    """

    settings: Settings
    database: Database
    secrets: Secrets
    jobs: Jobs
    verticals: Verticals
    providers: Providers

    async def dispose(self) -> None:
        await self.database.dispose()


def build_services(settings: Settings, *, clock: Clock = system_clock) -> Services:
    """Wire a process. `settings.database_url` must be set."""
    database = Database(settings.database_url, clock=clock)
    secrets = load_secrets(settings.home)
    jobs = Jobs(database.dsn)
    providers = payments.build_providers(settings, secrets, clock=clock)

    bookings.register_jobs(jobs, database)
    payments.register_jobs(jobs, database, providers=providers, signer=secrets)
    ticketing.register_jobs(jobs, database)
    notifications.register_jobs(jobs, database=database, settings=settings, secrets=secrets)
    database.deliver_events_to(Outbox(jobs, _joined(payments.REACTIONS, notifications.reactions())))

    coaches = CoachVertical()
    return Services(
        settings=settings,
        database=database,
        secrets=secrets,
        jobs=jobs,
        verticals={coaches.kind: coaches},
        providers=providers,
    )


def _joined(*tables: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The reactions of all modules: event type -> jobs, in the modules' order."""
    joined: defaultdict[str, list[str]] = defaultdict(list)
    for table in tables:
        for event_type, jobs in table.items():
            joined[event_type].extend(jobs)
    return dict(joined)
