"""Tells people when it changes how their account is signed in to: it may not have been them."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.notifications.commands import Office
from farebox.notifications.views import MessageKind

TOLD: Final[Mapping[str, MessageKind]] = {
    "user.factor_added": MessageKind.FACTOR_ADDED,
    "user.factor_removed": MessageKind.FACTOR_REMOVED,
    "user.recovery_codes_renewed": MessageKind.RECOVERY_CODES_RENEWED,
    "user.identity_linked": MessageKind.IDENTITY_LINKED,
    "user.identity_unlinked": MessageKind.IDENTITY_UNLINKED,
}
"""Event -> what is told. Each has its `occasion`, by which it is told once."""

FACTOR_REACTIONS: Final[Mapping[str, list[str]]] = {event: [f"notifications.{kind}"] for event, kind in TOLD.items()}


def register_factor_jobs(jobs: Jobs, database: Database, office: Office) -> None:
    """Enter the jobs that tell it."""
    for kind in TOLD.values():
        jobs.register(f"notifications.{kind}", _telling(kind, database, office))


def _telling(kind: MessageKind, database: Database, office: Office) -> Any:
    async def tell(event: Mapping[str, Any]) -> None:
        async with database.begin() as work:
            facts = {"url": "/account/security", "at": work.now}
            await office.tell_person(work, UUID(event["userId"]), kind, event["occasion"], facts)

    return tell
