"""What makes messages: the events they react to, and the jobs that write and send them."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from procrastinate import RetryStrategy

from farebox.core.crypto import Secrets
from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.notifications.account_jobs import ACCOUNT_REACTIONS, register_account_jobs
from farebox.notifications.cancellation_jobs import CANCELLATION_REACTIONS, register_cancellation_jobs
from farebox.notifications.change_jobs import CHANGE_REACTIONS, register_change_jobs
from farebox.notifications.commands import SEND, Office
from farebox.notifications.delivery import MAX_ATTEMPTS, Postman
from farebox.notifications.factor_jobs import FACTOR_REACTIONS, register_factor_jobs
from farebox.notifications.open_return_jobs import OPEN_RETURN_REACTIONS, register_open_return_jobs
from farebox.notifications.payment_jobs import PAYMENT_REACTIONS, register_payment_jobs
from farebox.notifications.staff_jobs import STAFF_REACTIONS, register_staff_jobs

CONFIRMED: Final = "notifications.booking-confirmed"
LOOKUP: Final = "notifications.lookup-requested"
REFUND: Final = "notifications.refund-requested"

TOLD_OTHERWISE: Final = frozenset({"cancelled", "chargeback", "provider", "open-return-ended"})
"""Why money goes back of which another message tells: of the cancellation, the dispute, the end; or the bank's own."""

SEND_AGAIN: Final = RetryStrategy(max_attempts=MAX_ATTEMPTS, exponential_wait=4)
"""After 4, 16, 64 … seconds, nearly five hours after the sixth and eighteen in all."""

Event = Mapping[str, Any]


def reactions() -> dict[str, list[str]]:
    """Event type -> the jobs that react to it, for the outbox."""
    return {
        "booking.confirmed": [CONFIRMED],
        "booking.lookup-requested": [LOOKUP],
        "payment.refund-requested": [REFUND],
        **CANCELLATION_REACTIONS,
        **CHANGE_REACTIONS,
        **OPEN_RETURN_REACTIONS,
        **PAYMENT_REACTIONS,
        **ACCOUNT_REACTIONS,
        **STAFF_REACTIONS,
        **FACTOR_REACTIONS,
    }


def register_jobs(jobs: Jobs, *, database: Database, settings: Settings, secrets: Secrets) -> None:
    """Enter the jobs that write messages, each once for an event however often it runs, and the one that sends them."""
    office = Office(jobs=jobs, settings=settings, secrets=secrets)
    postman = Postman(database=database, settings=settings, secrets=secrets)

    async def booking_confirmed(event: Event) -> None:
        async with database.begin() as work:
            await office.send_tickets(work, UUID(event["bookingId"]))

    async def lookup_requested(event: Event) -> None:
        async with database.begin() as work:
            await office.send_lookup_code(work, UUID(event["lookupId"]))

    async def refund_requested(event: Event) -> None:
        if event["bookingId"] is None or event.get("isAgain") or event["reason"] in TOLD_OTHERWISE:
            return
        async with database.begin() as work:
            await office.tell_refund(
                work,
                UUID(event["bookingId"]),
                refund_id=UUID(event["refundId"]),
                amount=Money.parse(event["amount"], event["currency"]),
                reason=event["reason"],
                to=event.get("to", "origin"),
            )

    async def send(message_id: str) -> None:
        await postman.deliver(UUID(message_id))

    jobs.register(CONFIRMED, booking_confirmed)
    jobs.register(LOOKUP, lookup_requested)
    jobs.register(REFUND, refund_requested)
    register_cancellation_jobs(jobs, database, office)
    register_change_jobs(jobs, database, office)
    register_open_return_jobs(jobs, database, office)
    register_payment_jobs(jobs, database, office)
    register_account_jobs(jobs, database, office)
    register_staff_jobs(jobs, database, office, secrets)
    register_factor_jobs(jobs, database, office)
    jobs.register(SEND, send, retry=SEND_AGAIN)
