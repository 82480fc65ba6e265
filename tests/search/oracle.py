"""The plain answer to "which coaches go from here to there on this day?", read from a GTFS zip by brute force.

It shares no code with the importer or the search: the csv module, dictionaries, loops. Slow and obvious on purpose.

What it takes as the rule of the product:

- a ride boards where `pickup_type` is not 1 and alights, later in the same trip, where `drop_off_type` is not 1, at
  another stop;
- one ride a trip: the one that ends first, and of those the one that begins last (a trip may call at a place twice);
- the day is the local one at the stop where the ride begins.
"""

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NOT_AVAILABLE = "1"
LONGEST_TRIP_DAYS = 4


@dataclass(frozen=True, slots=True, order=True)
class Ride:
    """One answer: GTFS ids, and instants in UTC."""

    departs: datetime
    arrives: datetime
    trip_id: str
    service_date: date
    board_stop: str
    alight_stop: str


@dataclass(slots=True)
class Halt:
    stop_id: str
    arrival_s: int
    departure_s: int
    boards: bool
    alights: bool


@dataclass(slots=True)
class Trip:
    service_id: str
    halts: list[Halt] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])


class Oracle:
    """A feed held in memory.

    Args:
        path: the zip.
        shift_days: how far the calendar is moved (the importer's `shift_to`).
    """

    def __init__(self, path: Path, *, shift_days: int = 0) -> None:
        tables = _read(path)
        self.zone = ZoneInfo(tables["agency.txt"][0]["agency_timezone"])
        self.zones = _zones(tables["stops.txt"], self.zone)
        self.dates = _service_dates(tables, timedelta(days=shift_days))
        self.trips = {row["trip_id"]: Trip(row["service_id"]) for row in tables["trips.txt"]}
        rows = defaultdict(list)
        for row in tables["stop_times.txt"]:
            if row["trip_id"] in self.trips and row["stop_id"] in self.zones:
                rows[row["trip_id"]].append(row)
        for trip_id, calls in rows.items():
            calls.sort(key=lambda row: int(row["stop_sequence"]))
            self.trips[trip_id].halts = _in_order([_halt(row) for row in calls])
        self._repeat_by_frequency(tables.get("frequencies.txt", []))
        self.trips_at: dict[str, set[str]] = defaultdict(set)
        for trip_id, trip in self.trips.items():
            for halt in trip.halts:
                self.trips_at[halt.stop_id].add(trip_id)

    def rides(self, from_stops: Iterable[str], to_stops: Iterable[str], day: date) -> list[Ride]:
        """Every ride from one set of stops to the other on a day, in order of departure."""
        origins, targets = set(from_stops), set(to_stops)
        candidates = set().union(*(self.trips_at[stop] for stop in origins)) & set().union(
            *(self.trips_at[stop] for stop in targets)
        )
        found: list[Ride] = []
        for trip_id in candidates:
            trip = self.trips[trip_id]
            ride = shortest_ride(trip.halts, origins, targets)
            if ride is None:
                continue
            board, alight = trip.halts[ride[0]], trip.halts[ride[1]]
            for back in range(-1, LONGEST_TRIP_DAYS + 1):
                service_date = day - timedelta(days=back)
                if service_date not in self.dates[trip.service_id]:
                    continue
                for offset in trip.offsets:
                    departs = self.instant(service_date, board.departure_s + offset)
                    if departs.astimezone(self.zones[board.stop_id]).date() == day:
                        arrives = self.instant(service_date, alight.arrival_s + offset)
                        found.append(Ride(departs, arrives, trip_id, service_date, board.stop_id, alight.stop_id))
        return sorted(found)

    def instant(self, service_date: date, seconds: int) -> datetime:
        """GTFS: seconds are counted from noon minus twelve hours in the agency's zone."""
        noon = datetime(service_date.year, service_date.month, service_date.day, 12, tzinfo=self.zone)
        return noon.astimezone(UTC) - timedelta(hours=12) + timedelta(seconds=seconds)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Pairs of stops between which some trip goes, each as often as trips do: sampling it samples demand."""
        for trip in self.trips.values():
            for first, board in enumerate(trip.halts):
                for alight in trip.halts[first + 1 :]:
                    if board.boards and alight.alights and board.stop_id != alight.stop_id:
                        yield board.stop_id, alight.stop_id

    def _repeat_by_frequency(self, rows: list[dict[str, str]]) -> None:
        repeated: dict[str, set[int]] = defaultdict(set)
        for row in rows:
            trip = self.trips.get(row["trip_id"])
            if trip is None or not trip.halts:
                continue
            starts = range(seconds_of(row["start_time"]), seconds_of(row["end_time"]), int(row["headway_secs"]))
            repeated[row["trip_id"]].update(start - trip.halts[0].departure_s for start in starts)
        for trip_id, offsets in repeated.items():
            self.trips[trip_id].offsets = sorted(offsets)


def shortest_ride(halts: list[Halt], origins: set[str], targets: set[str]) -> tuple[int, int] | None:
    """Positions where to get on and off; `None` where the trip does not go that way."""
    for end, alight in enumerate(halts):
        if alight.stop_id not in targets or not alight.alights:
            continue
        for start in range(end - 1, -1, -1):
            board = halts[start]
            if board.stop_id in origins and board.boards and board.stop_id != alight.stop_id:
                return start, end
    return None


def seconds_of(text: str) -> int:
    hours, minutes, seconds = text.strip().split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def _halt(row: dict[str, str]) -> Halt:
    return Halt(
        stop_id=row["stop_id"],
        arrival_s=seconds_of(row["arrival_time"] or row["departure_time"]),
        departure_s=seconds_of(row["departure_time"] or row["arrival_time"]),
        boards=row.get("pickup_type") != NOT_AVAILABLE,
        alights=row.get("drop_off_type") != NOT_AVAILABLE,
    )


def _in_order(halts: list[Halt]) -> list[Halt]:
    """Nobody arrives before they left: a time that goes back waits for the one before it."""
    latest = 0
    for halt in halts:
        halt.arrival_s = max(halt.arrival_s, latest)
        halt.departure_s = latest = max(halt.departure_s, halt.arrival_s)
    return halts


def _read(path: Path) -> dict[str, list[dict[str, str]]]:
    tables = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".txt"):
                with archive.open(name) as raw:
                    reader = csv.reader(io.TextIOWrapper(raw, "utf-8-sig", newline=""))
                    header = [column.strip() for column in next(reader)]
                    tables[name] = [
                        dict(zip(header, (value.strip() for value in line), strict=False)) for line in reader if line
                    ]
    return tables


def _zones(stops: list[dict[str, str]], agency: ZoneInfo) -> dict[str, ZoneInfo]:
    own = {row["stop_id"]: row.get("stop_timezone") or "" for row in stops}
    return {
        row["stop_id"]: ZoneInfo(own.get(row.get("parent_station") or "", "") or own[row["stop_id"]] or agency.key)
        for row in stops
    }


def _service_dates(tables: dict[str, list[dict[str, str]]], shift: timedelta) -> dict[str, set[date]]:
    dates: dict[str, set[date]] = defaultdict(set)
    for row in tables.get("calendar.txt", []):
        day, last = _date(row["start_date"]), _date(row["end_date"])
        while day <= last:
            if row[WEEKDAYS[day.weekday()]] == "1":
                dates[row["service_id"]].add(day + shift)
            day += timedelta(days=1)
    for row in tables.get("calendar_dates.txt", []):
        day = _date(row["date"]) + shift
        if row["exception_type"] == "1":
            dates[row["service_id"]].add(day)
        else:
            dates[row["service_id"]].discard(day)
    return dates


def _date(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
