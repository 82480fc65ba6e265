"""A booking after the sale: confirmation, tickets, finding it again, mail of the demonstration."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode

from markupsafe import Markup

from farebox.core.money import Money
from farebox.ticketing import TicketCard
from farebox.web.views.checkout import PassengerRow, Price, Ride
from farebox.web.views.privacy import KeepView
from farebox.web.views.seats import HoldClock

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
class FormerRow:
    """Somebody's seat that the booking had; `told` says what became of it and when."""

    person: PassengerRow
    ride: str
    told: str


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One step of a booking's life; `at` in the zone of the first trip's start, `by` empty for what went by itself."""

    at: datetime
    text: str
    detail: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """Money that came, is on its way, or went back. `kind` is of the tag that says how it stands."""

    at: datetime
    label: str
    amount: Money
    state: str
    kind: Literal["", "good", "warn", "bad"] = ""
    is_back: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """A document to download."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class BookingActions:
    """What can be done with a booking now: addresses of the pages that begin it, empty where that is not possible.

    Attributes:
        again_url: where a form for the same trip once more is sent; `seats_url`: where other seats of it are chosen.
    """

    change_url: str = ""
    cancel_url: str = ""
    rename_url: str = ""
    again_url: str = ""
    seats_url: str = ""


@dataclass(frozen=True, slots=True)
class OpenReturnPart:
    """Rides back that are paid for and not chosen yet.

    Attributes:
        told: what they are good for, in sentences; `people`: whose they are.
        url: where the ride back is chosen; `cancel_url`: where they are given up.
    """

    way: str
    told: tuple[str, ...]
    people: tuple[str, ...]
    url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class BookingView:
    """A booking as its owner sees it. An address that is empty is an action that is not possible.

    Attributes:
        due: what is still to be paid, where it is paid at `pay_url`.
        received: what was paid so far, where that is a part.
        waiting_url: where a change waits for its payment.
        said: what was done a moment ago.
    """

    reference: str
    state: BookingState
    just_booked: bool
    rides: tuple[Ride, ...]
    tickets: tuple[TicketView, ...]
    contact_email: str
    price: Price
    action: str
    pdf_url: str = ""
    calendar_url: str = ""
    can_email: bool = False
    can_cancel: bool = False
    pay_url: str = ""
    due: Money | None = None
    received: Money | None = None
    actions: BookingActions = BookingActions()
    waiting_url: str = ""
    clock: HoldClock | None = None
    said: str = ""
    reason: str = ""
    operator_contacts: tuple[str, ...] = ()
    keep: KeepView | None = None
    former: tuple[FormerRow, ...] = ()
    story: tuple[StoryLine, ...] = ()
    money: tuple[MoneyLine, ...] = ()
    papers: tuple[Paper, ...] = ()
    invoice_to: str = ""
    invoice_details_url: str = ""
    open_return: OpenReturnPart | None = None


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

    @property
    def find_url(self) -> str:
        """The first step with the reference; the contact is in no address."""
        return f"/find?{urlencode({'reference': self.reference})}"


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
