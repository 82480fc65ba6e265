"""What a traveller can do with a booking now, and until when: what pages offer and clients need not guess."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from farebox.bookings.states import BookingStatus
from farebox.bookings.verticals import ChangePolicy
from farebox.bookings.views import Booking


@dataclass(frozen=True, slots=True)
class Actions:
    """The last instant of each act, `None` where it is not possible (any more).

    Of a booking with several rides, it is the last for any of them: a quote says for which.

    Attributes:
        modify: exchange its people, free, before it is being paid.
        redeem: choose the ride back of an open return.
        rebook: whether its rides can be looked for again, since it is over or on its way.
    """

    pay: datetime | None = None
    modify: datetime | None = None
    cancel: datetime | None = None
    change: datetime | None = None
    rename: datetime | None = None
    redeem: datetime | None = None
    rebook: bool = False


def actions_of(booking: Booking, at: datetime) -> Actions:
    """What its traveller can do with a booking at an instant."""
    if booking.is_open:
        is_pending = booking.status is BookingStatus.PENDING
        ends_at = booking.expires_at
        return Actions(pay=ends_at, modify=ends_at if is_pending else None, cancel=ends_at)
    if booking.status is not BookingStatus.CONFIRMED:
        return Actions(rebook=True)
    redeem = max((each.valid_until for each in booking.open_returns if at <= each.valid_until), default=None)
    cancel = _latest(booking, at, lambda policy: policy.cancel_until)
    return Actions(
        cancel=max(filter(None, (cancel, redeem)), default=None),
        redeem=redeem,
        change=_latest(booking, at, lambda policy: policy.change_until),
        rename=_latest(booking, at, lambda policy: policy.rename_until),
        rebook=all(item.starts_at <= at for item in booking.items),
    )


def _latest(booking: Booking, at: datetime, until: Callable[[ChangePolicy], datetime | None]) -> datetime | None:
    """The last instant for any ride that has not begun, if that is still to come."""
    ends = [min(end, item.starts_at) for item in booking.items if (end := until(item.policy)) and at < item.starts_at]
    return max((end for end in ends if at <= end), default=None)
