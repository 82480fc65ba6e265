"""What payments do in the background: making refunds, asking providers, and going on with what failed."""

from typing import Any, Final
from uuid import UUID

import structlog

from farebox.bookings import BookingCancelled
from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.payments.checking import check_payments
from farebox.payments.errors import ProviderUnavailable
from farebox.payments.events import PaymentApproved, RefundRequested
from farebox.payments.inbox import handle_waiting
from farebox.payments.open_returns import end_unused_returns
from farebox.payments.providers import Providers
from farebox.payments.reconciling import check_payment
from farebox.payments.repaying import list_unmade_refunds, make_refund
from farebox.payments.winding_up import wind_up
from farebox.ticketing import Signer

log = structlog.get_logger(__name__)

REFUND: Final = "payments.refund"
COLLECT: Final = "payments.collect"
WIND_UP: Final = "payments.wind-up"
CATCH_UP: Final = "payments.catch-up"
CHECK: Final = "payments.check"
END_RETURNS: Final = "payments.end-open-returns"
BATCH: Final = 50

REACTIONS: Final[dict[str, list[str]]] = {
    RefundRequested.type: [REFUND],
    PaymentApproved.type: [COLLECT],
    BookingCancelled.type: [WIND_UP],
}
"""Event type -> jobs, for the outbox."""

FORGOTTEN_SECONDS: Final = 3600
"""A refund that nobody has tried for so long is tried by the periodic job: its own job gave up, or was lost."""


def register_jobs(jobs: Jobs, database: Database, *, providers: Providers, signer: Signer) -> None:
    """Enter the jobs of payments."""

    async def refund(event: dict[str, Any]) -> None:
        await make_refund(database, UUID(event["refundId"]), providers=providers)

    async def collect(event: dict[str, Any]) -> None:
        await check_payment(database, UUID(event["paymentId"]), providers=providers, signer=signer)

    async def booking_ended(event: dict[str, Any]) -> None:
        async with database.begin() as work:
            await wind_up(work, UUID(event["bookingId"]))

    async def catch_up(timestamp: int) -> None:
        await handle_waiting(database, signer=signer)
        await make_forgotten_refunds(database, providers=providers)

    async def end_returns(timestamp: int) -> None:
        count = BATCH
        while count == BATCH:
            async with database.begin() as work:
                count = await end_unused_returns(work, limit=BATCH)

    async def check(timestamp: int) -> None:
        await check_payments(database, providers=providers, signer=signer)

    jobs.register(REFUND, refund)
    jobs.register(COLLECT, collect)
    jobs.register(WIND_UP, booking_ended)
    jobs.every("* * * * *", CATCH_UP, catch_up)
    jobs.every("* * * * *", CHECK, check)
    jobs.every("*/5 * * * *", END_RETURNS, end_returns)


async def make_forgotten_refunds(
    database: Database, *, providers: Providers, older_than_seconds: int = FORGOTTEN_SECONDS
) -> int:
    """Make the refunds that should have been made by now; how many were."""
    async with database.begin() as work:
        waiting = await list_unmade_refunds(work, older_than_seconds=older_than_seconds)
    made = 0
    for refund_id in waiting:
        try:
            made += await make_refund(database, refund_id, providers=providers)
        except ProviderUnavailable:
            log.warning("refund-waits", refund_id=str(refund_id))
    return made
