"""Bookings on the wire with what is kept beside them: their money, and whom the invoices name."""

from collections.abc import Sequence

from farebox import payments
from farebox.api.booking_wire import BookingView
from farebox.bookings import Booking, list_cancellation_notes
from farebox.core.db import UnitOfWork
from farebox.wiring import Services


async def whole_booking(work: UnitOfWork, booking: Booking, services: Services) -> BookingView:
    """Args: booking: as somebody has read it who reaches it."""
    return (await whole_bookings(work, [booking], services))[0]


async def whole_bookings(work: UnitOfWork, found: Sequence[Booking], services: Services) -> list[BookingView]:
    """The same of several: the questions are asked once for all."""
    secrets = services.secrets
    invoice_to = await payments.list_invoice_to(work, [each.id for each in found], secrets=secrets)
    sums = await payments.sum_up_bookings(work, found)
    notes = await list_cancellation_notes(work, found)
    return [
        BookingView.of(each, secrets, at=work.now)
        .with_invoice_to(invoice_to.get(each.id))
        .with_money(sums[each.id], notes.get(each.id))
        for each in found
    ]
