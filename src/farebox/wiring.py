"""The one place where modules meet their adapters."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from farebox import bookings, notifications, payments, privacy, ticketing
from farebox.accounts import (
    AccessTokens,
    Avatars,
    OidcClient,
    Passwords,
    People,
    Sessions,
    read_providers,
    register_avatar_jobs,
)
from farebox.bookings import Verticals
from farebox.coaches import CoachVertical, LiveMaps, Office
from farebox.core.clock import Clock, system_clock
from farebox.core.crypto import Secrets, load_secrets
from farebox.core.db import Database
from farebox.core.files import Files, open_files
from farebox.core.jobs import Jobs
from farebox.core.outbox import Outbox
from farebox.core.settings import Settings
from farebox.core.signals import Signals
from farebox.core.traffic import Traffic
from farebox.inventory import Desk
from farebox.payments import Providers

WATCHERS_OF_ONE_ADDRESS = 200
"""Live maps for one address: some for each of many people behind it, and far from all that there are."""


@dataclass(frozen=True, slots=True)
class Services:
    """What a process has, made once at its start.

    Attributes:
        signals: what this process tells others to look at again, and hears from them.
        sessions: who holds which credential.
        passwords: hashes and checks passwords, aside from all else.
        oidc: the OpenID providers with which people may sign in.
        access_tokens: signs programs' access tokens.
        desk: where seats are taken.
        office: where seats of departures are asked for; it goes to the desk.
        live: the seat maps that people are watching.
        traffic: the requests under way.
        verticals: what can be booked, by kind.
        providers: who takes money, by name.
        files: where files that people give us are kept.
        avatars: people's pictures, which are such files.
    """

    settings: Settings
    database: Database
    signals: Signals
    sessions: Sessions
    passwords: Passwords
    oidc: OidcClient
    access_tokens: AccessTokens
    desk: Desk
    office: Office
    live: LiveMaps
    secrets: Secrets
    jobs: Jobs
    traffic: Traffic
    verticals: Verticals
    providers: Providers
    files: Files
    avatars: Avatars

    async def dispose(self) -> None:
        await self.office.dispose()
        await self.desk.dispose()
        await self.sessions.dispose()
        await self.oidc.dispose()
        for provider in self.providers.values():
            await provider.dispose()
        self.passwords.close()
        await self.signals.close()
        await self.live.dispose()
        await self.database.dispose()


def build_services(settings: Settings, *, clock: Clock = system_clock) -> Services:
    """Wire a process. `settings.database_url` must be set."""
    database = Database(settings.database_url, direct_url=settings.direct_database_url, clock=clock)
    secrets = load_secrets(settings.home)
    traffic = Traffic()
    jobs = Jobs(database.direct_dsn, traffic)
    providers = payments.build_providers(settings, secrets, database=database, clock=clock)
    files = open_files(settings)

    register_avatar_jobs(jobs, files)
    bookings.register_jobs(jobs, database)
    payments.register_jobs(jobs, database, providers=providers, signer=secrets)
    payments.register_invoice_jobs(jobs, database, secrets=secrets)
    ticketing.register_jobs(jobs, database)
    notifications.register_jobs(jobs, database=database, settings=settings, secrets=secrets)
    privacy.register_jobs(jobs, database, settings=settings, secrets=secrets)
    reactions = (payments.REACTIONS, payments.INVOICE_REACTIONS, notifications.reactions(), privacy.REACTIONS)
    database.deliver_events_to(Outbox(jobs, _joined(*reactions)))

    signals = Signals(database.direct_dsn, redis_url=settings.redis_url)
    database.deliver_signals_to(signals.publish)
    # of its own: who watches is not to wait until buyers leave a connection
    reader = Database(settings.database_url, direct_url=settings.direct_database_url, clock=clock, pool_size=1)
    each = WATCHERS_OF_ONE_ADDRESS if settings.rate_limits == "on" else settings.live_watchers

    access_tokens = AccessTokens(database, settings, secrets)
    desk = Desk(database, group_commit=settings.group_commit == "on")
    coaches = CoachVertical()
    return Services(
        settings=settings,
        database=database,
        signals=signals,
        live=LiveMaps(reader, signals, limit=settings.live_watchers, limit_of_address=each),
        sessions=Sessions(database, People(database, access_tokens, settings)),
        passwords=Passwords(),
        oidc=OidcClient(read_providers(settings)),
        access_tokens=access_tokens,
        desk=desk,
        office=Office(database, desk),
        secrets=secrets,
        jobs=jobs,
        traffic=traffic,
        verticals={coaches.kind: coaches},
        providers=providers,
        files=files,
        avatars=Avatars(database, files, jobs),
    )


def _joined(*tables: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The reactions of all modules: event type -> jobs, in the modules' order."""
    joined: defaultdict[str, list[str]] = defaultdict(list)
    for table in tables:
        for event_type, jobs in table.items():
            joined[event_type].extend(jobs)
    return dict(joined)
