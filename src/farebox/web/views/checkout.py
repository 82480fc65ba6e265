"""Passengers, review and payment."""

from dataclasses import dataclass, field
from datetime import datetime

from farebox.core.money import Money
from farebox.web.views.itinerary import ItineraryView
from farebox.web.views.seats import HoldClock, PriceRow
from farebox.web.views.trips import Option, TripCard


@dataclass(frozen=True, slots=True)
class Problem:
    """A line of the error summary; `anchor` is the field's id."""

    anchor: str
    message: str


@dataclass(frozen=True, slots=True)
class SeatPick:
    """Which seat of one ride somebody takes.

    Attributes:
        ride: its place among the rides; `way`: where it goes.
        options: seats to choose from; a single one is not asked about.
    """

    ride: int
    way: str
    options: tuple[Option, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class PassengerFields:
    """The fields of one passenger, as typed.

    Attributes:
        seat: on the first ride, or on the first that they take.
        seats: one for each ride; empty for a ride that they do not take.
        picks: the seats to choose between on each ride, where there are several.
        errors: field -> message.
    """

    index: int
    seat: str
    seat_place: str
    seats: tuple[str, ...] = ()
    picks: tuple[SeatPick, ...] = ()
    full_name: str = ""
    passenger_type: str = "adult"
    id_type: str = "citizen_id"
    id_number: str = ""
    phone: str = ""
    email: str = ""
    special_needs: bool = False
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContactFields:
    email: str = ""
    phone: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Price:
    """A price breakdown; `tax` is included in the total."""

    rows: tuple[PriceRow, ...]
    total: Money
    tax: Money | None = None

    @property
    def groups(self) -> tuple[tuple[str, tuple[PriceRow, ...]], ...]:
        """The rows ride by ride, each with where it goes; all in one without a name where there is one ride."""
        names = dict.fromkeys(row.group for row in self.rows)
        return tuple((name, tuple(row for row in self.rows if row.group == name)) for name in names)


@dataclass(frozen=True, slots=True)
class PassengersView:
    """The people of a booking.

    Attributes:
        trips: all rides; `chosen`: the same where there are several, whose seats are held one by one.
        told: why some of it is filled in and some is not.
        map_of: the hold for which other seats may be chosen, to which the form is sent; else `back_url` leads back.
    """

    trips: tuple[TripCard, ...]
    price: Price | None
    clock: HoldClock | None
    action: str
    contact: ContactFields
    passengers: tuple[PassengerFields, ...]
    passenger_types: tuple[Option, ...]
    id_types: tuple[Option, ...]
    problems: tuple[Problem, ...] = ()
    told: str = ""
    back_url: str = ""
    map_of: str = ""
    chosen: ItineraryView | None = None


@dataclass(frozen=True, slots=True)
class PassengerRow:
    """A passenger as others may see them: the number of the document is masked."""

    name: str
    seat: str
    seat_place: str
    type_label: str
    id_label: str
    id_masked: str
    special_needs: bool = False


@dataclass(frozen=True, slots=True)
class Ride:
    """A trip of a booking: who takes which of its seats, and under which conditions it is bought, a sentence each."""

    trip: TripCard
    people: tuple[PassengerRow, ...]
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromotionFields:
    """The code of a promotion as typed; `applied`: what it does for the price, where it does something."""

    code: str = ""
    applied: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class WalletPart:
    """Money of the payer's own that can pay a part of the price. `rest` is then paid in another way."""

    balance: Money
    rest: Money
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class OpenReturnChoice:
    """The right to ride back later, to be bought with the booking; `told` says what it is good for."""

    way: str
    price: Money
    told: tuple[str, ...]
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ReviewView:
    """All of a booking before it is paid.

    Attributes:
        due: what is to be paid now; `received`: what was paid before, where that is a part.
        wallet: offered where it does not cover all; where it does, it is one of the `methods`.
        saved: how much less it is since a way back is with it.
        can_choose: whether rides and seats may be chosen anew, which is sent to `seats_url`; `can_add`: one more.
        is_guest: whoever books has no account, so the booking is found again by its reference.
        said: what was done a moment ago.
    """

    reference: str
    rides: tuple[Ride, ...]
    contact_email: str
    contact_phone: str
    price: Price
    clock: HoldClock | None
    methods: tuple[Option, ...]
    action: str
    seats_url: str
    due: Money
    saved: Money | None = None
    can_choose: bool = True
    can_add: bool = False
    received: Money | None = None
    promotion: PromotionFields | None = None
    wallet: WalletPart | None = None
    open_return: OpenReturnChoice | None = None
    is_guest: bool = False
    said: str = ""
    terms_accepted: bool = False
    problems: tuple[Problem, ...] = ()

    @property
    def is_free(self) -> bool:
        return not self.price.total

    @property
    def terms_error(self) -> str:
        return next((problem.message for problem in self.problems if problem.anchor == "terms"), "")


@dataclass(frozen=True, slots=True)
class SandboxView:
    """The sandbox's payment page, standing in for a bank's."""

    reference: str
    amount: Money
    action: str
    cancel_url: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class ProcessingView:
    """The way back from the payment page, while the answer is on its way; `payment_url` leads there again.

    Attributes:
        facts: what is known: label and value.
        received: what has come so far, where that is a part; `amount` is what is still to come.
        is_transfer: the payer makes it at their bank, and it takes hours or days.
    """

    reference: str
    amount: Money
    refresh_url: str
    payment_url: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    received: Money | None = None
    waited_long: bool = False
    is_transfer: bool = False


@dataclass(frozen=True, slots=True)
class FailedView:
    """A payment that did not go through. The seats are still held while `clock` runs, until `held_until`.

    Attributes:
        received: what was paid before and is kept for the booking; `amount` is the rest.
        pay_url: where the form with the `methods` is sent; `action`: the one to give the seats back.
    """

    reference: str
    amount: Money
    pay_url: str
    review_url: str
    action: str
    clock: HoldClock | None
    methods: tuple[Option, ...] = ()
    reason: str = ""
    held_until: datetime | None = None
    received: Money | None = None


@dataclass(frozen=True, slots=True)
class ExpiredView:
    """The time is over. `again_url` leads to the same trip's seats."""

    again_url: str
    search_url: str
    trip: TripCard | None = None
