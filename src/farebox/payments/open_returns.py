"""Open returns that were not used in time: their price goes back, or is kept, as the terms of their sale say."""

from farebox.accounts import SYSTEM
from farebox.bookings import end_unused, list_unused
from farebox.core.db import UnitOfWork
from farebox.payments.after_sale import pay_back
from farebox.payments.ledger import note_reprice

UNUSED = "open-return-ended"
"""Why money of an open return goes back, as refunds name it."""


async def end_unused_returns(work: UnitOfWork, *, limit: int) -> int:
    """End the open returns whose time is over; what their terms do not keep goes back the way that it came.

    Returns:
        Of how many bookings; fewer than `limit` means none is left.
    """
    due = await list_unused(work, limit=limit)
    for booking_id in due:
        ended = await end_unused(work, booking_id)
        await note_reprice(work, ended.before, ended.after)
        await pay_back(work, booking_id, ended.quote.refund, to="origin", reason=UNUSED, actor=SYSTEM)
    return len(due)
