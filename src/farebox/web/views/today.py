"""The first page of an operator's console, and what a search there finds."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from farebox.core.money import Money
from farebox.web.views.console import Office
from farebox.web.views.till import Tone

MOST_AT_ONCE: Final = 12
"""So many departures stand open; the others of the day are unfolded."""


@dataclass(frozen=True, slots=True)
class DepartureRow:
    """A departure and how full it is. `sold`: of its `seats`, how many somebody has bought for any part of the way;
    `held`: how many somebody is buying now. Times are those of its stops."""

    departs_at: datetime
    arrives_at: datetime
    origin: str
    destination: str
    line: str
    vehicle: str
    seats: int
    sold: int
    held: int
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows that are listed of `count`."""

    rows: tuple[DepartureRow, ...]
    count: int

    @property
    def more(self) -> int:
        """How many are not listed."""
        return self.count - len(self.rows)


@dataclass(frozen=True, slots=True)
class Departures:
    """Those of today: to come, and left already; and those of today and later that do not run, with travellers on them.

    Attributes:
        running, seats, sold: all of today's that run, listed or not.
    """

    ahead: Listed
    left: Listed
    cancelled: Listed
    running: int
    seats: int
    sold: int

    @property
    def next(self) -> tuple[DepartureRow, ...]:
        """What one looks at first."""
        return self.ahead.rows[:MOST_AT_ONCE]

    @property
    def later(self) -> Listed:
        return Listed(self.ahead.rows[MOST_AT_ONCE:], self.ahead.count - len(self.next))


@dataclass(frozen=True, slots=True)
class Sums:
    """What was taken in a time, in one currency: sold, more or less of it since, and what is left of both."""

    sold: Money
    changed: Money
    left: Money


@dataclass(frozen=True, slots=True)
class Sales:
    """Of some days. `sums`: one for each currency."""

    period: Literal["today", "week"]
    bookings: int
    sums: tuple[Sums, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """So much waits for somebody, in the list behind `url`."""

    label: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class TodayView:
    """`sales`: empty for who may not see reports; `tasks` is `None` for whom nothing can wait."""

    office: Office
    day: date
    first_day: date
    departures: Departures
    sales: tuple[Sales, ...]
    tasks: tuple[Task, ...] | None
    can_search: bool


@dataclass(frozen=True, slots=True)
class FoundRow:
    booking_url: str
    reference: str
    trip: str
    starts_at: datetime
    state: str
    tone: Tone
    total: Money


@dataclass(frozen=True, slots=True)
class FoundView:
    """The bookings that a search found, the newest ones where there are more, or why it found none."""

    office: Office
    typed: str
    found: tuple[FoundRow, ...]
    error: str = ""
    has_more: bool = False
