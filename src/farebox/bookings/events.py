"""Facts about bookings. Ids and amounts (decimal text), no names and no numbers of people."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from msgspec import field

from farebox.core.events import Event


class BookingCreated(Event, frozen=True, kw_only=True):
    """Seats are held, prices are fixed, money is awaited until the booking runs out."""

    type: ClassVar[str] = "booking.created"
    booking_id: UUID
    reference: str
    total_price: str
    currency: str


class BookingConfirmed(Event, frozen=True, kw_only=True):
    """Seats are sold and tickets exist."""

    type: ClassVar[str] = "booking.confirmed"
    booking_id: UUID
    reference: str
    total_price: str
    currency: str


class BookingCancelled(Event, frozen=True, kw_only=True):
    """The booking is over; `reason` is one of `CancelReason`.

    `was_paid`: it was confirmed; then `refund` is paid back to `refund_to` (`origin` or `wallet`), and `kept` is not;
    `withheld` is owed, but with the payer's bank, which has taken the payment back.
    """

    type: ClassVar[str] = "booking.cancelled"
    booking_id: UUID
    reference: str
    reason: str
    was_paid: bool = False
    refund: str = "0"
    kept: str = "0"
    withheld: str = "0"
    currency: str = ""
    refund_to: str = ""


class BookingReduced(Event, frozen=True, kw_only=True):
    """Some seats or open returns were given up, and the booking lives on. Other fields as in `BookingCancelled`."""

    type: ClassVar[str] = "booking.reduced"
    booking_id: UUID
    reference: str
    reason: str
    passenger_ids: list[UUID]
    open_return_ids: list[UUID] = field(default_factory=list)
    was_paid: bool
    refund: str
    kept: str
    withheld: str
    currency: str
    refund_to: str


class BookingRefunded(Event, frozen=True, kw_only=True):
    """All money of a cancelled booking has been given back."""

    type: ClassVar[str] = "booking.refunded"
    booking_id: UUID
    reference: str


class BookingCompleted(Event, frozen=True, kw_only=True):
    """The last item of a confirmed booking has been used up."""

    type: ClassVar[str] = "booking.completed"
    booking_id: UUID
    reference: str


class BookingChanged(Event, frozen=True, kw_only=True):
    """Some of its people have other seats now, or ride at another time; there are new tickets for them.

    Attributes:
        is_return: a ride was added for an open return, and the tickets there were are as good as before.
    """

    type: ClassVar[str] = "booking.changed"
    booking_id: UUID
    reference: str
    change_id: UUID
    total_price: str
    currency: str
    is_return: bool = False


class BookingRepriced(Event, frozen=True, kw_only=True):
    """A sold booking costs something else now, and nothing else of it has changed."""

    type: ClassVar[str] = "booking.repriced"
    booking_id: UUID
    reference: str
    total_price: str
    currency: str


class BookingRenamed(Event, frozen=True, kw_only=True):
    """Some of its people have other names or documents now; there are new tickets for them."""

    type: ClassVar[str] = "booking.renamed"
    booking_id: UUID
    reference: str
    change_id: UUID


class BookingChangeFailed(Event, frozen=True, kw_only=True):
    """A change that waited for its payment was not made; the booking is as it was.

    `reason`: `expired` or `seats-gone`; money that came for it goes back.
    """

    type: ClassVar[str] = "booking.change-failed"
    booking_id: UUID
    reference: str
    change_id: UUID
    reason: str


class OpenReturnsEnding(Event, frozen=True, kw_only=True):
    """The open returns of a booking will not be good for long."""

    type: ClassVar[str] = "booking.open-returns-ending"
    booking_id: UUID
    reference: str
    valid_until: datetime


class OpenReturnsEnded(Event, frozen=True, kw_only=True):
    """Open returns of a booking were not used in time; of their price, `refund` is paid back and `kept` is not."""

    type: ClassVar[str] = "booking.open-returns-ended"
    booking_id: UUID
    reference: str
    open_return_ids: list[UUID]
    refund: str
    kept: str
    currency: str


class LookupCodeRequested(Event, frozen=True, kw_only=True):
    """Somebody wants to see a booking without its credential. Whether it exists is found out by the job that mails."""

    type: ClassVar[str] = "booking.lookup-requested"
    lookup_id: UUID
