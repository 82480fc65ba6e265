"""What travellers are told about their open returns: that they will end soon, and that they have ended."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.core.money import Money
from farebox.notifications.commands import Office
from farebox.notifications.views import MessageKind

ENDING: Final = "notifications.open-returns-ending"
ENDED: Final = "notifications.open-returns-ended"

OPEN_RETURN_REACTIONS: Final[dict[str, list[str]]] = {
    "booking.open-returns-ending": [ENDING],
    "booking.open-returns-ended": [ENDED],
}
"""Event type -> jobs, for the outbox."""

Event = Mapping[str, Any]


def register_open_return_jobs(jobs: Jobs, database: Database, office: Office) -> None:
    """Enter the jobs that write about open returns, each once for an event however often it runs."""

    async def ending(event: Event) -> None:
        async with database.begin() as work:
            await office.remind_of_open_returns(work, UUID(event["bookingId"]))

    async def ended(event: Event) -> None:
        kind, first = MessageKind.OPEN_RETURNS_ENDED, event["openReturnIds"][0]
        async with database.begin() as work:
            await office.tell_contact(work, UUID(event["bookingId"]), kind, first, amounts_of(event))

    jobs.register(ENDING, ending)
    jobs.register(ENDED, ended)


def amounts_of(event: Event) -> dict[str, Money]:
    """What is paid back of open returns, and what is kept."""
    return {name: Money.parse(event[name], event["currency"]) for name in ("refund", "kept")}
