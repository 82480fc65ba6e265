"""What is done with a booking after the sale: giving seats up, changing them, other names."""

from dataclasses import dataclass, field
from datetime import datetime

from farebox.core.money import Money
from farebox.web.views.checkout import PassengerRow, Price, Problem
from farebox.web.views.trips import Option, TripCard


@dataclass(frozen=True, slots=True)
class SeatToPick:
    """Somebody on a seat, to be ticked; `closed` says why that is not possible."""

    id: str
    person: PassengerRow
    is_chosen: bool = False
    closed: str = ""


@dataclass(frozen=True, slots=True)
class RideToPick:
    """A trip of the booking, and whose seats of it can be picked."""

    trip: TripCard
    seats: tuple[SeatToPick, ...]


@dataclass(frozen=True, slots=True)
class BackRow:
    """What was paid for something, and how much of it comes back; `note` says why."""

    label: str
    price: Money
    back: Money
    note: str = ""


@dataclass(frozen=True, slots=True)
class CancelQuote:
    """What giving up comes to.

    Attributes:
        holds_until: the last moment at which it is as much, in words.
        is_paid: whether there is anything to come back from.
        ways: where money goes that comes back; empty where none does.
        chosen, expected: for the form: whose seats, and what was shown.
    """

    rows: tuple[BackRow, ...]
    price: Money
    back: Money
    is_whole: bool
    is_paid: bool
    holds_until: str
    ways: tuple[Option, ...]
    chosen: str
    expected: str


@dataclass(frozen=True, slots=True)
class CancelView:
    """The way to give seats up: whose, what comes back, yes.

    Attributes:
        returns: rides back that are not chosen yet, to be ticked like seats.
        changed: what is different from what was shown a moment ago.
    """

    reference: str
    action: str
    back_url: str
    rides: tuple[RideToPick, ...]
    returns: tuple[SeatToPick, ...] = ()
    quote: CancelQuote | None = None
    note: str = ""
    changed: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def has_choice(self) -> bool:
        return sum(len(ride.seats) for ride in self.rides) + len(self.returns) > 1


@dataclass(frozen=True, slots=True)
class DayOfTrips:
    """The trips of one day, each with where its seats are chosen.

    Attributes:
        day: an ISO date, as `first` and `last`, between which another may be chosen.
    """

    day: str
    label: str
    first: str
    last: str
    before_url: str = ""
    after_url: str = ""
    trips: tuple[tuple[TripCard, str], ...] = ()


@dataclass(frozen=True, slots=True)
class WayBackView:
    """Choosing the ride back of open returns: whose, and the trips of a day, of the same operator.

    Attributes:
        told: what the open returns are good for, in sentences.
        way: where it goes.
    """

    reference: str
    action: str
    back_url: str
    way: str
    told: tuple[str, ...]
    returns: tuple[SeatToPick, ...]
    day: DayOfTrips
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SeatSwap:
    """Who goes from which seat to which."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class PartOfTheWay:
    """Stops of the trip where one may board or get off instead, what is now first."""

    boards: tuple[Option, ...]
    alights: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class ChangeStart:
    """Who changes, and to what: another seat of the same trip, or another trip of a day.

    Attributes:
        day: other trips, once it is known who changes.
        same_url: where another seat of the trip is chosen.
        part: the same seat on a part of the way.
    """

    reference: str
    action: str
    back_url: str
    rides: tuple[RideToPick, ...]
    fee: str = ""
    chosen: str = ""
    day: DayOfTrips | None = None
    same_url: str = ""
    part: PartOfTheWay | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def has_choice(self) -> bool:
        return sum(len(ride.seats) for ride in self.rides) > 1


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What a change comes to, before it is made.

    Attributes:
        gone, added: price lines that fall away and those that come.
        owed, back: one of them is zero, or both.
        hidden: what the form carries along.
        is_way_back: it is the ride back of an open return, so no ticket stops working.
        returns_until: when open returns end that go along; empty where there are none.
    """

    reference: str
    title: str
    action: str
    back_url: str
    price: Price
    gone: tuple[tuple[str, Money], ...]
    added: tuple[tuple[str, Money], ...]
    owed: Money
    back: Money
    hidden: tuple[tuple[str, str], ...]
    old: TripCard | None = None
    new: TripCard | None = None
    swaps: tuple[SeatSwap, ...] = ()
    methods: tuple[Option, ...] = ()
    ways: tuple[Option, ...] = ()
    held_until: datetime | None = None
    changed: str = ""
    is_way_back: bool = False
    returns_until: str = ""


@dataclass(frozen=True, slots=True)
class WaitingView:
    """A change whose money has not come yet.

    Attributes:
        is_begun: a payment for it is on its way, as far as anybody knows; `payment_url` leads to its page again.
    """

    reference: str
    action: str
    back_url: str
    refresh_url: str
    owed: Money
    until: str
    is_begun: bool
    payment_url: str = ""
    methods: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class InvoiceDetailsView:
    """Whom the invoices are to name.

    Attributes:
        is_given: whether there are details already.
        is_sold: whether invoices may have been written.
    """

    reference: str
    action: str
    back_url: str
    name: str
    tax_number: str
    address: str
    country: str
    countries: tuple[Option, ...]
    is_given: bool = False
    is_sold: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class RenameView:
    """Another name for somebody, as typed; `fee` says what it costs."""

    reference: str
    action: str
    back_url: str
    people: tuple[Option, ...]
    fee: str
    chosen: str = ""
    full_name: str = ""
    id_type: str = "citizen_id"
    id_number: str = ""
    id_types: tuple[Option, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
