"""The seat map, the seats chosen, and the clock that runs while they are held."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from farebox.core.money import Money
from farebox.web.views.trips import TripCard

if TYPE_CHECKING:
    from farebox.web.views.itinerary import ChosenRide

SeatStatus = Literal["available", "mine", "locked", "occupied", "blocked", "own"]
"""`own`: somebody who is to have another seat has it now."""


@dataclass(frozen=True, slots=True)
class SeatCell:
    """A seat on the map.

    Attributes:
        tier: 0 for the lowest price on this vehicle, then 1, 2, 3.
        label: what a screen reader says, without the status.
        is_chosen: ticked, whether it is held already or not.
    """

    number: str
    type: str
    status: SeatStatus
    tier: int
    label: str
    accessible: bool = False
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class SeatRow:
    """A row of the grid: `None` is an empty cell, `""` an aisle's cell."""

    number: int
    cells: tuple[SeatCell | None, ...]
    aisle: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class DeckView:
    """A deck as it is drawn.

    Attributes:
        narrow: for each column, whether no row has a seat in it.
        driver: the side of the driver's seat, or empty.
        doors: side and the row that the door is just ahead of.
        kind: the type of most of its seats.
    """

    name: str
    rows: tuple[SeatRow, ...]
    narrow: tuple[bool, ...]
    driver: str
    doors: tuple[tuple[str, int], ...]
    kind: str


@dataclass(frozen=True, slots=True)
class PriceTier:
    """One price of the vehicle and what it is for."""

    tier: int
    price: Money
    label: str


@dataclass(frozen=True, slots=True)
class HoldClock:
    """What the timer needs.

    Attributes:
        now: the server's clock when the page was made, so that a browser's wrong clock does no harm.
        extend_url: empty when it cannot be extended any more.
    """

    expires_at: datetime
    now: datetime
    extend_url: str
    expired_url: str

    @property
    def seconds_left(self) -> int:
        return max(0, int((self.expires_at - self.now).total_seconds()))

    @property
    def text(self) -> str:
        """Minutes and seconds, with the hours where there are any, as the browser will count them down."""
        minutes, seconds = divmod(self.seconds_left, 60)
        hours, of_hour = divmod(minutes, 60)
        return f"{hours}:{of_hour:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A line of a price breakdown; `note` says why it is there, `group` of which ride of several it is."""

    label: str
    amount: Money
    note: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class ChosenSeat:
    """`is_kept`: somebody has it now, and keeps it."""

    number: str
    place: str
    price: Money | None
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class SeatOffer:
    """Seats that can be taken with one press, and what the button says."""

    seats: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The seats held so far.

    Attributes:
        fees: what is added to the seats' prices, such as a service fee.
        notice: a sentence for the traveller: a seat lost, the limit reached.
        is_warning: whether the notice is about something that went wrong.
        lost: seats that could not be had, or are held no more, and what they are now.
        booking_url: the booking that the lost seats went into.
        mine: seats held on this very stretch; `seats` may be held on another one.
        others: what is held on the other rides of the itinerary; `total` is then of all of them, and `saved` of it by
            the way back.
        lock_id: of the hold, or empty.
        viewer: differs for each visitor, so that several windows of one can find out that they are of one.
    """

    seats: tuple[ChosenSeat, ...]
    total: Money | None
    fees: tuple[PriceRow, ...] = ()
    clock: HoldClock | None = None
    notice: str = ""
    is_warning: bool = True
    lost: Mapping[str, SeatStatus] = field(default_factory=dict)
    offers: tuple[SeatOffer, ...] = ()
    booking_url: str = ""
    others: "tuple[ChosenRide, ...]" = ()
    saved: Money | None = None
    mine: tuple[str, ...] = ()
    lock_id: str = ""
    viewer: str = ""


@dataclass(frozen=True, slots=True)
class SeatMapView:
    """The page of the seat map.

    Attributes:
        action: takes a choice; read, it tells what is held.
        status_url, live_url: how the seats stand, asked for again and again or told as it changes.
        carried: what the form carries along, such as the booking whose passengers are carried over.
        limit: how many seats may be ticked.
        is_exact: just as many as `limit` are needed: one for each person of a booking.
        has_own: seats are shown that these people have now; `can_keep`: some of them may keep theirs.
        next_step: what comes after: naming people, the way back, or what a change costs.
        way: which way of a round trip it is, or that it is one ride of several; empty where it is the only one.
    """

    trip: TripCard
    action: str
    status_url: str
    live_url: str
    decks: tuple[DeckView, ...]
    tiers: tuple[PriceTier, ...]
    selection: Selection
    travellers: int
    limit: int
    back_url: str
    carried: tuple[tuple[str, str], ...] = ()
    next_step: Literal["passengers", "back", "price"] = "passengers"
    way: Literal["", "there", "back", "more"] = ""
    has_blocked: bool = False
    has_accessible: bool = False
    is_exact: bool = False
    has_own: bool = False
    can_keep: bool = False
