"""The clock that runs while seats are held."""

from urllib.parse import urlencode

from farebox.bookings import Booking
from farebox.core.db import UnitOfWork
from farebox.inventory import find_hold
from farebox.web.views.seats import HoldClock


def expired_url(trip_id: object, from_id: object, to_id: object, travellers: int) -> str:
    """The page that says the time is over, with the way back to this trip's seats."""
    query = {"trip": trip_id, "from": from_id or "", "to": to_id or "", "travellers": travellers}
    return f"/expired?{urlencode(query)}"


async def clock_of_booking(work: UnitOfWork, booking: Booking) -> HoldClock | None:
    """The clock of a booking that waits for money; `None` once that is decided."""
    if not booking.is_open or booking.expires_at is None:
        return None
    holds = [await find_hold(work, hold_id) for hold_id in {item.hold_id for item in booking.items}]
    can_extend = booking.status == "pending" and all(hold and hold.extensions_left for hold in holds)
    extend_url = f"/bookings/{booking.id}/extend" if can_extend else ""
    return HoldClock(booking.expires_at, work.now, extend_url, f"/bookings/{booking.id}")
