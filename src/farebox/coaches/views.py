"""What others see of the seats on a departure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from farebox.coaches.versions import pack_version, unpack_version
from farebox.core.money import Money
from farebox.inventory import HoldState
from farebox.pricing import Quote
from farebox.timetable import Departure, SeatPlan, Segment

SeatStatus: TypeAlias = Literal["available", "mine", "locked", "occupied", "blocked"]
STATUSES: tuple[SeatStatus, ...] = get_args(SeatStatus)
"""In the order of what stands in the way of others: of several claims on a stretch, the last one counts."""


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
    """

    id: UUID
    departure: Departure
    segment: Segment
    seat_numbers: tuple[str, ...]
    state: HoldState
    expires_at: datetime | None
    extensions_left: int
    quote: Quote

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
        """Differs whenever a status differs, and says what each was: see `changed_since`."""
        return pack_version(self._content, [STATUSES.index(seat.status) for seat in self.seats])

    def changed_since(self, version: str) -> tuple[SeatView, ...]:
        """The seats with another status than at that version; all of them where it is none of this map."""
        codes = unpack_version(version, self._content, len(self.seats))
        if codes is None:
            return self.seats
        return tuple(seat for seat, code in zip(self.seats, codes, strict=True) if STATUSES.index(seat.status) != code)

    @property
    def _content(self) -> str:
        """Everything about the seats but their statuses."""
        stretch = f"{self.departure.id} {self.segment.first_slot} {self.segment.end_slot} {self.plan.id}"
        return f"{stretch} {','.join(str(seat.price) for seat in self.seats)}"
