"""What is forgotten every night: what is no longer needed for a ride, and what law no longer asks for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from farebox.accounts import forget_accesses
from farebox.bookings import wipe_old_documents, wipe_old_people
from farebox.core.crypto import Secrets
from farebox.core.db import Database, UnitOfWork
from farebox.core.jobs import Jobs
from farebox.core.settings import Settings
from farebox.notifications import wipe_old_messages
from farebox.payments import wipe_old_bodies, wipe_old_buyers, wipe_old_invoice_details
from farebox.privacy.erasing import erase_unverified

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """Forgets, for good, what is older than the settings say; a batch a transaction, so that nobody waits for it."""

    database: Database
    jobs: Jobs
    settings: Settings
    secrets: Secrets

    async def run(self) -> dict[str, int]:
        """Forget all that is due; how much of each kind. Run again, it finds nothing."""
        now, settings, secrets = self.database.clock(), self.settings, self.secrets
        passengers = now - timedelta(days=settings.keep_passenger_days)
        messages = now - timedelta(days=settings.keep_message_days)
        # tax law counts from the end of the year
        bookings = datetime(now.year - settings.keep_bookings_years, 1, 1, tzinfo=UTC)
        done = {
            "documents": await self._all(lambda work: wipe_old_documents(work, before=passengers, secrets=secrets)),
            "messages": await self._all(lambda work: wipe_old_messages(work, before=messages, secrets=secrets)),
            "payment messages": await self._all(lambda work: wipe_old_bodies(work, before=messages)),
            "bookings": await self._all(lambda work: wipe_old_people(work, before=bookings, secrets=secrets)),
            "invoices": await self._all(lambda work: wipe_old_buyers(work, before=bookings)),
            "invoice details": await self._all(lambda work: wipe_old_invoice_details(work, before=bookings)),
            "accesses": await self._all(lambda work: forget_accesses(work, years=settings.keep_bookings_years)),
            "accounts": await self._all(lambda work: erase_unverified(work, jobs=self.jobs, secrets=secrets)),
        }
        if any(done.values()):
            log.info("forgotten", **done)
        return done

    async def _all(self, forget: Callable[[UnitOfWork], Awaitable[int]]) -> int:
        total = 0
        while True:
            async with self.database.begin(reach="*") as work:
                count = await forget(work)
            total += count
            if not count:
                return total
