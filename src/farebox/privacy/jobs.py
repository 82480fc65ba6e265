"""What privacy does by itself: forgets by the clock, and gives new accounts the bookings of their address."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from farebox.accounts import PersonNotFound
from farebox.bookings import claim_bookings
from farebox.core.crypto import Secrets
from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.core.settings import Settings
from farebox.privacy.retention import Retention

RETENTION: Final = "privacy.retention"
CLAIM: Final = "privacy.claim-bookings"

REACTIONS: Final[dict[str, list[str]]] = {"user.registered": [CLAIM]}
"""For accounts whose address is proved from the first: those of people who come from an OpenID provider. For others
it does nothing; they claim when they confirm the address."""


def register_jobs(jobs: Jobs, database: Database, *, settings: Settings, secrets: Secrets) -> None:
    """Enter the job of every night, at ten past four UTC, and the reactions."""
    retention = Retention(database, jobs, settings, secrets)

    async def forget(timestamp: int) -> None:
        await retention.run()

    async def claim(event: Mapping[str, Any]) -> None:
        async with database.begin() as work:
            try:
                await claim_bookings(work, UUID(event["userId"]), secrets=secrets)
            except PersonNotFound:
                return  # erased meanwhile

    jobs.every("10 4 * * *", RETENTION, forget)
    jobs.register(CLAIM, claim)
