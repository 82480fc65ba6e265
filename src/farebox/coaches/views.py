"""What others see of the seats on a departure."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from farebox.core.money import Money
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
class SeatMap:
    """The seats of a departure on the stretch `segment`, in the order of the plan."""

    departure: Departure
    segment: Segment
    seats: tuple[SeatView, ...]

    @property
    def plan(self) -> SeatPlan:
        return self.departure.seat_plan

    @property
    def version(self) -> str:
        """Differs whenever a status differs. A digest of what is shown, so that nothing must be counted anywhere."""
        statuses = ",".join(f"{seat.number}:{seat.status}" for seat in self.seats)
        return hashlib.blake2b(statuses.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class SeatLock:
    """Seats that somebody is holding while making up their mind.

    Attributes:
        id: of the hold beneath.
        seats: in the order of the plan.
        from_id, to_id: the stops of boarding and alighting.
        total: of adults on these seats, with the service fee; what a booking costs is quoted when it is made.
    """

    id: UUID
    departure: Departure
    segment: Segment
    seat_numbers: tuple[str, ...]
    expires_at: datetime
    extensions_left: int
    total: Money

    @property
    def trip_id(self) -> UUID:
        return self.departure.id

    @property
    def from_id(self) -> UUID:
        return self.segment.board.stop_id

    @property
    def to_id(self) -> UUID:
        return self.segment.alight.stop_id
