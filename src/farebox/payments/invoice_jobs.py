"""What writes invoices: the events after which a booking's price or its buyer is another, and the job that reacts."""

from typing import Any, Final
from uuid import UUID

from farebox.bookings import (
    BookingCancelled,
    BookingChanged,
    BookingConfirmed,
    BookingReduced,
    BookingRenamed,
    BookingRepriced,
    OpenReturnsEnded,
)
from farebox.core.crypto import Secrets
from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.payments.events import InvoiceDetailsChanged
from farebox.payments.invoices import issue_invoices

INVOICE: Final = "payments.invoice"

INVOICE_REACTIONS: Final[dict[str, list[str]]] = {
    event.type: [INVOICE]
    for event in (
        BookingConfirmed,
        BookingReduced,
        BookingChanged,
        BookingRenamed,
        BookingRepriced,
        BookingCancelled,
        OpenReturnsEnded,
        InvoiceDetailsChanged,
    )
}
"""Event type -> jobs, for the outbox."""


def register_invoice_jobs(jobs: Jobs, database: Database, *, secrets: Secrets) -> None:
    """Enter the job that writes invoices; run twice, it writes nothing new."""

    async def invoice(event: dict[str, Any]) -> None:
        async with database.begin() as work:
            await issue_invoices(work, UUID(event["bookingId"]), secrets=secrets)

    jobs.register(INVOICE, invoice)
