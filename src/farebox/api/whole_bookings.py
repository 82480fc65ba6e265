"""A booking on the wire with whom its invoices name, which is kept beside it."""

from farebox import payments
from farebox.api.booking_wire import BookingView
from farebox.bookings import Booking
from farebox.core.db import UnitOfWork
from farebox.wiring import Services


async def whole_booking(work: UnitOfWork, booking: Booking, services: Services) -> BookingView:
    """Args: booking: as somebody has read it who reaches it."""
    invoice_to = await payments.find_invoice_to(work, booking.id, secrets=services.secrets)
    return BookingView.of(booking, services.secrets, at=work.now).with_invoice_to(invoice_to)
