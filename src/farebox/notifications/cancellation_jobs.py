"""What travellers are told when their booking, or some seats of it, was given up, and what becomes of the money."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.core.money import Money
from farebox.notifications.commands import Office
from farebox.notifications.compose import GivenUp
from farebox.notifications.open_return_jobs import amounts_of
from farebox.notifications.views import MessageKind

CANCELLED: Final = "notifications.booking-cancelled"
REDUCED: Final = "notifications.booking-reduced"

CANCELLATION_REACTIONS: Final[dict[str, list[str]]] = {
    "booking.cancelled": [CANCELLED],
    "booking.reduced": [REDUCED],
}
"""Event type -> jobs, for the outbox."""

Event = Mapping[str, Any]


def register_cancellation_jobs(jobs: Jobs, database: Database, office: Office) -> None:
    """Enter the jobs that write about cancellations, each once for an event however often it runs.

    Who gives up what was not paid sees at once that it is done; nothing is written then, unless somebody else did it.
    """

    async def cancelled(event: Event) -> None:
        booking_id = UUID(event["bookingId"])
        async with database.begin() as work:
            if event["wasPaid"] or event["reason"] == "operator":
                await office.tell_given_up(work, booking_id, _given_up(event))
            elif event["reason"] == "expired":
                await office.tell_expired(work, booking_id)

    async def reduced(event: Event) -> None:
        if event["wasPaid"] and not event["passengerIds"]:
            is_unpaid, first = event["reason"] == "dispute_lost", event["openReturnIds"][0]
            kind = MessageKind.OPEN_RETURNS_UNPAID if is_unpaid else MessageKind.OPEN_RETURNS_CANCELLED
            async with database.begin() as work:
                await office.tell_contact(work, UUID(event["bookingId"]), kind, first, amounts_of(event))
        elif event["wasPaid"] or event["reason"] == "operator":
            async with database.begin() as work:
                await office.tell_given_up(work, UUID(event["bookingId"]), _given_up(event))

    jobs.register(CANCELLED, cancelled)
    jobs.register(REDUCED, reduced)


def _given_up(event: Event) -> GivenUp:
    is_paid = event["wasPaid"]
    return GivenUp(
        passenger_ids=tuple(UUID(each) for each in event.get("passengerIds", ())),
        open_returns=len(event.get("openReturnIds", ())),
        cause=event["reason"],
        refund=Money.parse(event["refund"], event["currency"]) if is_paid else None,
        kept=Money.parse(event["kept"], event["currency"]) if is_paid else None,
        withheld=Money.parse(event.get("withheld", "0"), event["currency"]) if is_paid else None,
        refund_to=event["refundTo"],
    )
