"""What other modules see of the timetable: frozen facts, times as instants with the offset of each stop's zone then."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from farebox.timetable.errors import NotBoardable
from farebox.timetable.seat_plans import SeatPlan


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place to travel from or to.

    Attributes:
        names: language code -> name, for the languages the feed has translations in.
        country: ISO 3166 code, or empty.
        stops: how many stops belong to it, stations not counted.
    """

    id: UUID
    name: str
    names: dict[str, str]
    region: str
    country: str
    timezone: str
    lat: float
    lon: float
    stops: int

    def name_in(self, language: str) -> str:
        return self.names.get(language, self.name)


@dataclass(frozen=True, slots=True)
class Site:
    """What an id of a place, a station or a stop stands for: the calls that count as being there.

    Attributes:
        stop_ids: the stops meant; `None` means every stop of the place.
    """

    id: UUID
    name: str
    timezone: str
    place_id: UUID
    stop_ids: tuple[UUID, ...] | None


@dataclass(frozen=True, slots=True)
class LineView:
    """A line. `network_ids` are the feed's own, for fare rules; `color` is six hexadecimal digits or empty."""

    id: UUID
    name: str
    network_ids: tuple[str, ...]
    color: str
    feed_id: UUID


@dataclass(frozen=True, slots=True)
class VehicleKind:
    """A kind of vehicle; `seat_types` in the order of the seats."""

    id: UUID
    code: str
    name: str
    amenities: tuple[str, ...]
    seat_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A departure's call at a stop.

    Attributes:
        index: 0 for the first call. Travelling from call i to call j takes the slots [i, j) of the inventory.
        station_id: the station that the stop is part of, if any.
        timezone: the stop's zone; `arrival` and `departure` have the offset that holds there then, so that their
            differences are exact.
        boarding, alighting: whether travellers may get on, or off, here.
        distance_m: metres from the first call, in straight lines from call to call.
        zone_id, area_ids: the feed's own, for fare rules.
        platform: as the feed names it, or empty.
    """

    index: int
    stop_id: UUID
    stop_name: str
    station_id: UUID | None
    place_id: UUID
    place_name: str
    timezone: str
    arrival: datetime
    departure: datetime
    boarding: bool
    alighting: bool
    distance_m: int
    zone_id: str | None
    area_ids: tuple[str, ...]
    lat: float
    lon: float
    platform: str

    def is_at(self, site_id: UUID) -> bool:
        """Whether an id of a stop, its station or its place means this call."""
        # Numbers are compared some times faster than UUIDs, and each hold asks all calls.
        return site_id.int in (self.stop_id.int, self.place_id.int, self.station_id.int if self.station_id else None)


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of a departure that somebody travels."""

    board: Call
    alight: Call

    @property
    def first_slot(self) -> int:
        return self.board.index

    @property
    def end_slot(self) -> int:
        return self.alight.index

    @property
    def duration_minutes(self) -> int:
        return round((self.alight.arrival - self.board.departure).total_seconds() / 60)


@dataclass(frozen=True, slots=True)
class Departure:
    """A journey on a date, with all that selling it needs.

    Attributes:
        base_at: noon of the service date minus 12 hours in the agency's zone.
        status: `scheduled` or `cancelled`.
        sales_close: how long before a call is left its sales end.
    """

    id: UUID
    inventory_id: int
    operator_id: UUID
    journey_id: UUID
    line: LineView
    headsign: str
    short_name: str
    vehicle: VehicleKind
    service_date: date
    base_at: datetime
    status: str
    sales_close: timedelta
    calls: tuple[Call, ...]
    seat_plan: SeatPlan
    _segments: dict[tuple[UUID | None, UUID | None], Segment] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __hash__(self) -> int:
        return hash(self.id)  # not of all its calls

    def segment(self, from_id: UUID | None, to_id: UUID | None) -> Segment:
        """See the function `segment`. Those that there are, and they are few, are found once."""
        found = self._segments.get((from_id, to_id))
        if found is None:
            found = self._segments[from_id, to_id] = _find_segment(self.calls, from_id, to_id)
        return found

    def ride(self, first_slot: int, end_slot: int) -> Segment:
        """The ride over the inventory's slots [first_slot, end_slot)."""
        return Segment(self.calls[first_slot], self.calls[end_slot])

    def sales_close_at(self, call: Call) -> datetime:
        """The instant at which sales to travellers boarding at `call` end."""
        return call.departure - self.sales_close

    def is_on_sale(self, call: Call, at: datetime) -> bool:
        """Whether a traveller may still buy, at the instant `at`, to board at `call`."""
        return self.status == "scheduled" and at < self.sales_close_at(call)


@dataclass(frozen=True, slots=True)
class DepartureSummary:
    """A departure in a list."""

    id: UUID
    inventory_id: int
    operator_id: UUID
    line_name: str
    headsign: str
    vehicle_name: str
    service_date: date
    departs_at: datetime
    arrives_at: datetime
    first_stop: str
    last_stop: str
    slots: int
    units: int
    status: str


@dataclass(frozen=True, slots=True)
class DepartureTotals:
    """The departures of some time.

    Attributes:
        running, units, inventory_ids: those that run, the seats in them, and the runs they are sold as.
        left, ahead: how many have left by now and how many have not, cancelled ones too.
    """

    running: int
    units: int
    left: int
    ahead: int
    inventory_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A departure that carries travellers from one site to another: what the search starts from.

    Attributes:
        board_index, alight_index: the calls, as `Call.index`; the slots of the ride are [board_index, alight_index).
        departs_at, arrives_at: in the zones of the two stops.
    """

    departure_id: UUID
    inventory_id: int
    journey_id: UUID
    operator_id: UUID
    line_id: UUID
    vehicle_kind_id: UUID
    seat_plan_id: UUID
    board_index: int
    alight_index: int
    board_stop_id: UUID
    alight_stop_id: UUID
    departs_at: datetime
    arrives_at: datetime
    sales_close_at: datetime
    distance_m: int

    @property
    def duration_minutes(self) -> int:
        return round((self.arrives_at - self.departs_at).total_seconds() / 60)


def segment(departure: Departure, from_id: UUID | None = None, to_id: UUID | None = None) -> Segment:
    """The ride between two places (or stations, or stops) on a departure; by default the whole run.

    Where a departure calls more than once at either, the traveller gets off at the first call at the destination that
    can be reached, and boards at the last call at the origin before that: the shortest ride.

    Raises:
        NotBoardable: it does not call at both in this order, or nobody may board or alight there.
    """
    return departure.segment(from_id, to_id)


def _find_segment(calls: Sequence[Call], from_id: UUID | None, to_id: UUID | None) -> Segment:
    boardings = [c for c in calls[:-1] if c.boarding and (from_id is None or c.is_at(from_id))]
    alightings = [c for c in calls[1:] if c.alighting and (to_id is None or c.is_at(to_id))]
    if from_id is None:
        boardings = boardings[:1]
    if to_id is None:
        alightings = alightings[-1:]
    for alight in alightings:
        before = [board for board in boardings if board.index < alight.index]
        if before:
            return Segment(before[-1], alight)
    raise NotBoardable
