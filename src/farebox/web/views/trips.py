"""The search form, results and a trip."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from farebox.core.money import Money

if TYPE_CHECKING:
    from farebox.web.views.itinerary import ItineraryView


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """One reading of what a traveller typed."""

    id: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SearchForm:
    """What was searched for, as typed, so that no input is ever lost.

    Attributes:
        way: there only, or there and back on `return_day`.
        carried: name and value of what goes along: rides chosen before, which this search is a further one to.
        errors: field -> message.
        choices: field (`from`, `to`) -> places that what was typed may mean, where it is not clear.
    """

    day: date
    first_day: date
    last_day: date
    from_text: str = ""
    from_id: str = ""
    to_text: str = ""
    to_id: str = ""
    travellers: int = 1
    max_travellers: int = 5
    way: Literal["one", "round"] = "one"
    return_day: date | None = None
    carried: tuple[tuple[str, str], ...] = ()
    errors: dict[str, str] = field(default_factory=dict)
    choices: dict[str, tuple[PlaceChoice, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StopTime:
    """Where and when somebody boards or alights; `time` is in the stop's own zone.

    Attributes:
        stop: the exact stop.
        place: the town.
        day_offset: days after the day of boarding.
    """

    time: datetime
    stop: str
    place: str
    timezone: str
    day_offset: int = 0
    platform: str = ""

    @property
    def full_name(self) -> str:
        """Town and stop, the town once: "Hà Nội, Giáp Bát"."""
        if not self.place or self.place.casefold() in self.stop.casefold():
            return self.stop
        return f"{self.place}, {self.stop}"


@dataclass(frozen=True, slots=True)
class TripCard:
    """A trip in the results."""

    id: str
    from_id: str
    to_id: str
    line: str
    operator: str
    board: StopTime
    alight: StopTime
    minutes: int
    vehicle: str
    amenities: tuple[str, ...]
    seats_available: int
    price: Money | None
    seat_types: tuple[str, ...]
    brand: str = ""

    @property
    def crosses_zones(self) -> bool:
        return self.board.time.utcoffset() != self.alight.time.utcoffset()

    @property
    def is_sleeper(self) -> bool:
        return self.seat_types == ("sleeper",)


@dataclass(frozen=True, slots=True)
class DayTile:
    """A day in the strip above the results."""

    day: date
    url: str
    price: Money | None
    trips: int
    is_current: bool = False
    is_cheapest: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """A choice in a filter or the sort order."""

    value: str
    label: str
    is_chosen: bool = False
    url: str = ""
    icon: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A way on from an empty result."""

    label: str
    detail: str
    url: str


@dataclass(frozen=True, slots=True)
class ResultsView:
    """A page of trips between two places on a day.

    Attributes:
        state: what there is to show: trips; nothing on this day; nothing under these filters.
        hidden: name and value of what the filter form must carry along.
        way: which way of a round trip is looked for, or that it is one ride of several; empty where it is the only one.
        chosen: the rides chosen before. `carried`: what the addresses of trips have at their end.
    """

    form: SearchForm
    from_name: str
    to_name: str
    state: Literal["trips", "none", "filtered"]
    trips: tuple[TripCard, ...]
    total: int
    days: tuple[DayTile, ...]
    sorts: tuple[Option, ...]
    leaves: tuple[Option, ...]
    seat_types: tuple[Option, ...]
    amenities: tuple[Option, ...]
    max_price: str
    currency: str
    filters_used: int
    clear_url: str
    hidden: tuple[tuple[str, str], ...]
    suggestions: tuple[Suggestion, ...] = ()
    more_url: str = ""
    way: Literal["", "there", "back", "more"] = ""
    chosen: "ItineraryView | None" = None
    carried: str = ""


CallRole: TypeAlias = Literal["before", "board", "between", "alight", "after"]


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call in a trip's list of stops.

    Attributes:
        role: `before`, `board`, `between`, `alight` or `after`, seen from the ride.
    """

    time: datetime
    stop: str
    place: str
    timezone: str
    role: CallRole
    platform: str = ""
    names_zone: bool = False


@dataclass(frozen=True, slots=True)
class FareRow:
    """What one type of passenger pays on each type of seat; `None` is not sold."""

    label: str
    prices: tuple[Money | None, ...]


@dataclass(frozen=True, slots=True)
class TripView:
    """Everything about one trip."""

    card: TripCard
    day: date
    calls: tuple[CallRow, ...]
    fare_columns: tuple[str, ...]
    fares: tuple[FareRow, ...]
    policy: tuple[str, ...]
    seats_url: str
    back_url: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """A popular connection on the home page's board."""

    from_name: str
    to_name: str
    url: str
    minutes: int | None
    price: Money | None


@dataclass(frozen=True, slots=True)
class HomeView:
    """Where everybody begins, and where a further ride is looked for: `chosen` are those before."""

    form: SearchForm
    connections: tuple[Connection, ...]
    chosen: "ItineraryView | None" = None
