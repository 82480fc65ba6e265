"""A booking after the sale: confirmation, tickets, finding it again, mail of the demonstration."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from markupsafe import Markup

from farebox.ticketing import TicketCard
from farebox.web.views.checkout import PassengerRow, Price
from farebox.web.views.privacy import KeepView
from farebox.web.views.seats import HoldClock
from farebox.web.views.trips import TripCard

BookingState = Literal["pending", "processing", "confirmed", "completed", "cancelled", "expired", "refunded"]


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket as a card to show at the door; `qr` is an SVG made by us."""

    card: TicketCard
    qr: Markup

    @property
    def brand_class(self) -> str:
        """How text stands on the operator's colour, as a class, since the content policy allows no inline style."""
        return {"#ffffff": "on-dark", "#15171a": "on-light"}.get(self.card.on_brand, "on-sign")


@dataclass(frozen=True, slots=True)
class BookingView:
    """A booking as its owner sees it. An address that is empty is an action that is not possible."""

    reference: str
    state: BookingState
    just_booked: bool
    trips: tuple[TripCard, ...]
    tickets: tuple[TicketView, ...]
    passengers: tuple[PassengerRow, ...]
    contact_email: str
    price: Price
    action: str
    pdf_url: str = ""
    calendar_url: str = ""
    can_email: bool = False
    can_cancel: bool = False
    pay_url: str = ""
    again_url: str = ""
    clock: HoldClock | None = None
    mail_sent: bool = False
    reason: str = ""
    operator_contacts: tuple[str, ...] = ()
    keep: KeepView | None = None


@dataclass(frozen=True, slots=True)
class FindView:
    reference: str = ""
    contact: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CodeView:
    """The second step of finding a booking: the code from the mail."""

    reference: str
    contact: str
    minutes: int
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MailRow:
    id: str
    subject: str
    recipient: str
    sent_at: datetime
    status: str
    url: str


@dataclass(frozen=True, slots=True)
class MailView:
    row: MailRow
    text: str
    html_url: str
    attachments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorView:
    """What went wrong, and the way on."""

    status: int
    title: str
    text: str
    way_url: str
    way_label: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class HelpView:
    hold_minutes: int
