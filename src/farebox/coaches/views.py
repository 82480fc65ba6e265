"""What others see of the seats on a departure."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from farebox.core.money import Money
from farebox.inventory import HoldState
from farebox.pricing import Quote
from farebox.timetable import Departure, SeatPlan, Segment

SeatStatus: TypeAlias = Literal["available", "mine", "locked", "occupied", "blocked"]


@dataclass(frozen=True, slots=True)
class SeatView:
    """A seat on a stretch, as one viewer sees it.

    Attributes:
        unit: the inventory's number of it.
        row, column: in the grid of its deck, counted from 1 at the front left.
        status: `mine` when the viewer is holding it; a seat is `available` when it is free on the whole stretch.
        price: of an adult, tax included; `None` where the operator does not sell the stretch.
        held_until: when those who hold it for a while (the viewer too) must have made up their minds; `None` else.
    """

    unit: int
    number: str
    type: str
    deck: int
    row: int
    column: int
    features: tuple[str, ...]
    accessible: bool
    status: SeatStatus
    price: Money | None
    held_until: datetime | None


@dataclass(frozen=True, slots=True)
class SeatLock:
    """Seats of one departure that somebody is holding while making up their mind.

    Attributes:
        id: of the hold beneath.
        seat_numbers: in the order of the plan.
        state: `held` while it runs, `expired` once its time is over, `released` once given up.
        expires_at: `None` once sold.
        quote: what they cost, an adult on each seat; a booking is quoted anew for those who travel.
        is_first: just taken, by somebody who held nothing on this departure before.
    """

    id: UUID
    departure: Departure
    segment: Segment
    seat_numbers: tuple[str, ...]
    state: HoldState
    expires_at: datetime | None
    extensions_left: int
    quote: Quote
    is_first: bool = field(default=False, compare=False)

    @property
    def total(self) -> Money:
        return self.quote.total


@dataclass(frozen=True, slots=True)
class SeatMap:
    """The seats of a departure on the stretch `segment`, in the order of the plan.

    Attributes:
        lock: what the viewer is holding on this departure, whatever its stretch.
        limit: how many seats may be held at a time.
    """

    departure: Departure
    segment: Segment
    seats: tuple[SeatView, ...]
    lock: SeatLock | None
    limit: int

    @property
    def plan(self) -> SeatPlan:
        return self.departure.seat_plan

    @property
    def seats_left(self) -> int:
        """How many the viewer may choose from."""
        return sum(seat.status in {"available", "mine"} for seat in self.seats)

    @property
    def version(self) -> str:
        """Differs whenever a status differs. A digest of what is shown, so that nothing must be counted anywhere."""
        statuses = ",".join(f"{seat.number}:{seat.status}" for seat in self.seats)
        return hashlib.blake2b(statuses.encode(), digest_size=8).hexdigest()
