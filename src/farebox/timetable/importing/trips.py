"""Trips, and how often those with frequencies run."""

from collections import defaultdict
from dataclasses import dataclass, field

from farebox.timetable.gtfs.values import parse_count, parse_time
from farebox.timetable.importing.calendars import ServiceDays
from farebox.timetable.importing.context import Import
from farebox.timetable.importing.lines import ImportedLine

_FILE = "trips.txt"
_FREQUENCIES = "frequencies.txt"

MAX_RUNS_A_DAY = 1500
"""Of one trip with frequencies: one a minute, all day and night."""


@dataclass(slots=True)
class Trip:
    """A trip whose line and service are known.

    Attributes:
        starts: seconds at which it is run, where it has frequencies; else empty.
    """

    source_id: str
    line: ImportedLine
    service: str
    headsign: str
    short_name: str
    direction: int | None
    row_line: int
    starts: list[int] = field(default_factory=list)

    @property
    def runs_a_day(self) -> int:
        return len(self.starts) or 1


def read_trips(ctx: Import, lines: dict[str, ImportedLine], services: dict[str, ServiceDays]) -> list[Trip]:
    """The trips of a feed, in its order, with their frequencies."""
    trips: dict[str, Trip] = {}
    wanted = ("trip_id", "route_id", "service_id", "trip_headsign", "trip_short_name", "direction_id")
    for row_line, values in ctx.tables.columns(_FILE, *wanted):
        source_id, route_id, service_id, headsign, short_name, direction = values
        if not source_id:
            ctx.report.warn("missing-value", _FILE, row_line, subject="trip_id")
        elif source_id in trips:
            ctx.report.warn("duplicate-key", _FILE, row_line, subject="trip_id", example=source_id)
        elif route_id not in lines:
            ctx.report.warn("dangling-reference", _FILE, row_line, subject="route_id", example=route_id)
        elif service_id not in services:
            ctx.report.warn("idle-service", _FILE, row_line, subject="service_id", example=service_id)
        else:
            if direction not in {"", "0", "1"}:
                ctx.report.warn("bad-value", _FILE, row_line, subject="direction_id", example=direction)
                direction = ""
            trips[source_id] = Trip(
                source_id,
                lines[route_id],
                service_id,
                headsign,
                short_name,
                int(direction) if direction else None,
                row_line,
            )
    _read_frequencies(ctx, trips)
    return list(trips.values())


def _read_frequencies(ctx: Import, trips: dict[str, Trip]) -> None:
    """Both kinds of frequencies become runs at fixed times: a seat can only be sold on a run that has one.

    With exact_times = 0 the feed promises the headway alone; such runs are sold at the times the headway gives.
    """
    starts: dict[str, set[int]] = defaultdict(set)
    wanted = ("trip_id", "start_time", "end_time", "headway_secs")
    for line, (trip_id, start, end, headway) in ctx.tables.columns(_FREQUENCIES, *wanted):
        if trip_id not in trips:
            ctx.report.warn("dangling-reference", _FREQUENCIES, line, subject="trip_id", example=trip_id)
            continue
        try:
            first, last = parse_time(start), parse_time(end)
        except ValueError:
            ctx.report.warn("bad-value", _FREQUENCIES, line, subject="start_time, end_time", example=f"{start}, {end}")
            continue
        try:
            step = parse_count(headway)
        except ValueError:
            step = 0
        if not step:
            ctx.report.warn("bad-value", _FREQUENCIES, line, subject="headway_secs", example=headway)
            continue
        runs = range(first, last, step)
        if len(runs) + len(starts[trip_id]) > MAX_RUNS_A_DAY:
            ctx.report.warn("too-many-runs", _FREQUENCIES, line, subject="headway_secs", example=headway)
            runs = runs[: max(0, MAX_RUNS_A_DAY - len(starts[trip_id]))]
        starts[trip_id].update(runs)
    for trip_id, times in starts.items():
        trips[trip_id].starts = sorted(times)
