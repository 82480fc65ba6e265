"""The pages of somebody who has signed in."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from farebox.core.money import Money
from farebox.web.me import Me
from farebox.web.views.booking import BookingState, TicketView
from farebox.web.views.checkout import Problem
from farebox.web.views.factors import FactorsPart
from farebox.web.views.trips import Option, TripCard

NoticeWord = Literal["", "saved", "picture", "no-picture", "ended", "ended-all"]


@dataclass(frozen=True, slots=True)
class BookingLine:
    """A booking in a list.

    Attributes:
        until: how long from now it begins, in words; empty for what is over.
        pdf_url, change_url, cancel_url, again_url: what can be done with it at once; a form is sent to the last.
        expires_at: until when it can be paid, in the zone of its start.
        is_given_up: it was sold, and `total` is what is kept of its price.
    """

    url: str
    reference: str
    state: BookingState
    trips: tuple[TripCard, ...]
    seats: tuple[str, ...]
    travellers: int
    total: Money
    until: str = ""
    is_running: bool = False
    pay_url: str = ""
    expires_at: datetime | None = None
    pdf_url: str = ""
    change_url: str = ""
    cancel_url: str = ""
    again_url: str = ""
    is_given_up: bool = False

    @property
    def trip(self) -> TripCard:
        return self.trips[0]


@dataclass(frozen=True, slots=True)
class OverviewView:
    """`next_up`: the booking that begins first, or runs now."""

    name: str
    next_up: BookingLine | None
    pending: tuple[BookingLine, ...]
    recent: tuple[BookingLine, ...]
    ahead: int
    trips: int
    spent: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class Pages:
    """Which part of a list is shown, and where the parts before and after it are."""

    first: int
    last: int
    total: int
    before_url: str = ""
    after_url: str = ""


@dataclass(frozen=True, slots=True)
class BookingsView:
    """The list of somebody's bookings.

    Attributes:
        chosen: the filter, empty for all.
        form: `cards` or `table`.
        first_day, last_day: ISO dates between which rides begin; empty where that is left open.
        is_narrowed: by more than the filter, so that nothing found does not mean nothing booked.
        bookings, trips, spent: of all that was kept, whatever is shown.
    """

    lines: tuple[BookingLine, ...]
    filters: tuple[Option, ...]
    chosen: str
    pages: Pages
    form: str = "cards"
    forms: tuple[Option, ...] = ()
    orders: tuple[Option, ...] = ()
    search: str = ""
    first_day: str = ""
    last_day: str = ""
    is_narrowed: bool = False
    bookings: int = 0
    trips: int = 0
    spent: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class WalletRow:
    """A line of a wallet's statement; `amount` is negative where it went out, `balance` what was there then."""

    at: datetime
    label: str
    reference: str
    url: str
    amount: Money
    balance: Money
    receipt_url: str = ""


@dataclass(frozen=True, slots=True)
class WalletView:
    """Somebody's wallets; `currency`: whose statement is shown, and what the form has chosen.

    Attributes:
        held: what of the balances cannot be spent while a bank wants it back.
        payout_url: where money is taken out of the one that is shown; empty where none is in it.
        zone_told: which zone the days are of, in words; empty for who has chosen it.
    """

    balances: tuple[Money, ...]
    currency: str
    rows: tuple[WalletRow, ...]
    pages: Pages
    methods: tuple[Option, ...]
    currencies: tuple[Option, ...]
    held: tuple[Money, ...] = ()
    amount: str = ""
    payout_url: str = ""
    has_taken_out: bool = False
    zone_told: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def amount_error(self) -> str:
        return self.problems[0].message if self.problems else ""


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """What goes back of one time that money was put in; `label`: how."""

    put_in_at: datetime
    label: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PayoutView:
    """Taking money out of a wallet.

    Attributes:
        most: what could be taken out.
        is_more_for_trips: there is more in it, which was paid back for trips.
        rows: where the amount would go, once one was asked for; `sum`: what they come to.
        zone_told: as in `WalletView`.
    """

    balance: Money
    most: Money
    currency: str
    amount: str
    rows: tuple[PayoutRow, ...]
    sum: Money
    is_more_for_trips: bool = False
    error: str = ""
    zone_told: str = ""


@dataclass(frozen=True, slots=True)
class TicketGroup:
    """The tickets of one booking."""

    line: BookingLine
    tickets: tuple[TicketView, ...]
    pdf_url: str
    calendar_url: str


@dataclass(frozen=True, slots=True)
class TicketsView:
    groups: tuple[TicketGroup, ...]
    pages: Pages


@dataclass(frozen=True, slots=True)
class ProfileView:
    """The profile's form, as typed. `first_day`, `last_day`: between them people are born."""

    email: str
    is_verified: bool
    me: Me
    first_name: str
    last_name: str
    phone: str
    birth_date: str
    first_day: str
    last_day: str
    errors: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    said: NoticeWord = ""


@dataclass(frozen=True, slots=True)
class PreferencesView:
    """The preferences' form. `places`: favourites by id and name; `place_text`: one to add, as typed."""

    places: tuple[Option, ...]
    place_text: str
    styles: tuple[Option, ...]
    interests: tuple[Option, ...]
    other_interests: str
    diets: tuple[Option, ...]
    other_diets: str
    budget_min: str
    budget_max: str
    budget_currency: str
    currencies: tuple[Option, ...]
    errors: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    said: NoticeWord = ""


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A kind of news and the ways on which it may come: channel -> (open, may be closed)."""

    kind: str
    label: str
    detail: str
    channels: tuple[tuple[str, str, bool, bool], ...]


@dataclass(frozen=True, slots=True)
class SettingsView:
    notices: tuple[NoticeRow, ...]
    channels: tuple[Option, ...]
    privacy: tuple[Option, ...]
    languages: tuple[Option, ...]
    currencies: tuple[Option, ...]
    zones: tuple[tuple[str, tuple[Option, ...]], ...]
    language: str
    currency: str
    timezone: str
    problems: tuple[Problem, ...] = ()
    said: NoticeWord = ""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Where somebody is signed in. `last_used` is in words, `since` a day."""

    id: str
    device: str
    place: str
    is_app: bool
    is_this: bool
    last_used: str
    last_used_at: datetime
    since: str


@dataclass(frozen=True, slots=True)
class SecurityView:
    email: str
    is_verified: bool
    has_password: bool
    sessions: tuple[SessionRow, ...]
    factors: FactorsPart
    said: NoticeWord = ""
    zone_told: str = ""
