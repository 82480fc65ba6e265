"""What pages and API show of a vehicle's seats and of seats that are held."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from farebox.core.money import Money
from farebox.pricing import Quote
from farebox.timetable import Departure, SeatPlan, Segment

SeatStatus: TypeAlias = Literal["available", "locked", "occupied", "blocked", "mine"]


@dataclass(frozen=True, slots=True)
class SeatView:
    """A seat on one stretch of a departure.

    Attributes:
        status: `locked`: somebody is deciding; `occupied`: sold; `blocked`: not for sale; `mine`: held by the viewer.
        price: for an adult, with the seat's surcharge, on this stretch.
    """

    number: str
    type: str
    deck: int
    row: int
    column: int
    status: SeatStatus
    price: Money
    accessible: bool
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeatMap:
    """A vehicle's seats between two calls of a departure.

    Attributes:
        lock: the viewer's running hold on this departure, if any.
        limit: how many seats one booking may have.
    """

    departure: Departure
    segment: Segment
    plan: SeatPlan
    seats: tuple[SeatView, ...]
    lock: "SeatLock | None"
    limit: int

    @property
    def version(self) -> str:
        """A digest of who has what: equal when, and only when, the map looks the same to this viewer."""
        text = "|".join(f"{seat.number}={seat.status}" for seat in self.seats)
        return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()

    @property
    def seats_left(self) -> int:
        return sum(seat.status in {"available", "mine"} for seat in self.seats)


@dataclass(frozen=True, slots=True)
class SeatLock:
    """Seats of one departure that somebody holds.

    Attributes:
        seat_numbers: in the plan's order.
        state: `held`, `expired` once its time is over, `confirmed` once sold, `released` once given up.
        expires_at: `None` once sold.
        quote: what they cost, an adult on each; the booking quotes anew for those who travel.
    """

    id: UUID
    departure: Departure
    segment: Segment
    seat_numbers: tuple[str, ...]
    state: str
    expires_at: datetime | None
    extensions_left: int
    quote: Quote

    @property
    def total(self) -> Money:
        return self.quote.total


@dataclass(frozen=True, slots=True)
class SeatState:
    """Whether one seat can be had, and until when somebody has it if they hold it."""

    number: str
    status: SeatStatus
    expires_at: datetime | None

    @property
    def is_mine(self) -> bool:
        return self.status == "mine"
