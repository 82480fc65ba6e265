"""What travellers are told when their booking was changed, or was not after all."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.notifications.commands import Office
from farebox.notifications.views import MessageKind

CHANGED: Final = "notifications.booking-changed"
RENAMED: Final = "notifications.booking-renamed"
FAILED: Final = "notifications.change-failed"

CHANGE_REACTIONS: Final[dict[str, list[str]]] = {
    "booking.changed": [CHANGED],
    "booking.renamed": [RENAMED],
    "booking.change-failed": [FAILED],
}
"""Event type -> jobs, for the outbox."""

Event = Mapping[str, Any]


def register_change_jobs(jobs: Jobs, database: Database, office: Office) -> None:
    """Enter the jobs that write about changes, each once for an event however often it runs."""

    async def changed(event: Event) -> None:
        is_return = event.get("isReturn", False)  # events from before there was the word are of changes
        await send(event, MessageKind.RETURN_CHOSEN if is_return else MessageKind.BOOKING_CHANGED)

    async def renamed(event: Event) -> None:
        await send(event, MessageKind.BOOKING_RENAMED)

    async def send(event: Event, kind: MessageKind) -> None:
        async with database.begin() as work:
            await office.send_changed(work, UUID(event["bookingId"]), change_id=UUID(event["changeId"]), kind=kind)

    async def failed(event: Event) -> None:
        async with database.begin() as work:
            await office.tell_change_failed(
                work, UUID(event["bookingId"]), change_id=UUID(event["changeId"]), reason=event["reason"]
            )

    jobs.register(CHANGED, changed)
    jobs.register(RENAMED, renamed)
    jobs.register(FAILED, failed)
