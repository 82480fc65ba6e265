"""From rows of stop_times.txt to the calls of a trip: mended where that is safe, refused where it is not."""

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, TypeAlias

from farebox.timetable.geography import distance_m
from farebox.timetable.gtfs import ImportReport
from farebox.timetable.gtfs.values import parse_count, parse_length, parse_time
from farebox.timetable.importing.context import Import
from farebox.timetable.importing.stops import ImportedStop
from farebox.timetable.importing.store import copy_text

_FILE = "stop_times.txt"
_COLUMNS = (
    "trip_id",
    "stop_id",
    "stop_sequence",
    "arrival_time",
    "departure_time",
    "pickup_type",
    "drop_off_type",
    "timepoint",
    "shape_dist_traveled",
    "location_id",
    "location_group_id",
)
_STAGE = ("trip", "sequence", "line", "stop", "arrival_s", "departure_s", "pickup", "dropoff", "timepoint", "travelled")
_BATCH = 20_000

NOT_AVAILABLE = 1
"""GTFS pickup and drop-off type: nobody gets on, or off."""

FASTEST_M_PER_S = 140
"""About 500 km/h: nothing on wheels is faster."""
_FAR_M = 50_000

StagedRow: TypeAlias = tuple[Any, ...]


@dataclass(slots=True)
class RawCall:
    """A call of one trip as staged, `stop` being the index of its stop; times may be missing yet."""

    sequence: int
    line: int
    stop: int
    arrival_s: int | None
    departure_s: int | None
    pickup: int
    dropoff: int
    timepoint: bool
    travelled: float | None


@dataclass(frozen=True, slots=True)
class TimedCall:
    """A call with its times and its way from the first call."""

    stop: int
    arrival_s: int
    departure_s: int
    pickup: int
    dropoff: int
    timepoint: bool
    distance_m: int


async def stage_stop_times(ctx: Import, trips: dict[str, int], stops: dict[str, int]) -> None:
    """Put the usable rows into a temporary table: they come in any order, and there may be tens of millions.

    Args:
        trips, stops: trip_id and stop_id -> the number that stands for it in the table.
    """
    await ctx.work.execute(
        "CREATE TEMP TABLE staged_call (trip int, sequence int, line int, stop int, arrival_s int, departure_s int,"
        " pickup smallint, dropoff smallint, timepoint boolean, travelled float8) ON COMMIT DROP"
    )
    lines: list[str] = []
    for text in _staged_lines(ctx, trips, stops):
        lines.append(text)
        if len(lines) == _BATCH:
            await copy_text(ctx.work, "staged_call", _STAGE, lines)
            lines.clear()
    await copy_text(ctx.work, "staged_call", _STAGE, lines)


def _staged_lines(ctx: Import, trips: dict[str, int], stops: dict[str, int]) -> Iterator[str]:
    warn = ctx.report.warn
    for line, values in ctx.tables.columns(_FILE, *_COLUMNS):
        trip_id, stop_id, sequence, arrival, departure, pickup, dropoff, timepoint, travelled, *flexible = values
        trip = trips.get(trip_id)
        if trip is None:
            warn("dangling-reference", _FILE, line, subject="trip_id", example=trip_id)
            continue
        if not stop_id and any(flexible):
            warn("flexible-stop", _FILE, line)
            continue
        stop = stops.get(stop_id)
        if stop is None:
            warn("dangling-reference", _FILE, line, subject="stop_id", example=stop_id)
            continue
        try:
            arrival_s = str(parse_time(arrival)) if arrival else "\\N"
            departure_s = str(parse_time(departure)) if departure else "\\N"
        except ValueError:
            warn("bad-time", _FILE, line, subject="arrival_time, departure_time", example=f"{arrival}, {departure}")
            continue
        try:
            number = parse_count(sequence)
        except ValueError:
            warn("bad-value", _FILE, line, subject="stop_sequence", example=sequence)
            continue
        pickup = _type(ctx.report, line, "pickup_type", pickup)
        dropoff = _type(ctx.report, line, "drop_off_type", dropoff)
        try:
            way = repr(parse_length(travelled)) if travelled else "\\N"
        except ValueError:
            warn("bad-value", _FILE, line, subject="shape_dist_traveled", example=travelled)
            way = "\\N"
        exact = "f" if timepoint == "0" else "t"
        yield (f"{trip}\t{number}\t{line}\t{stop}\t{arrival_s}\t{departure_s}\t{pickup}\t{dropoff}\t{exact}\t{way}\n")


def _type(report: ImportReport, line: int, column: str, text: str) -> str:
    """A pickup or drop-off type. One that is not understood is taken as "none": better a seat unsold than a traveller
    left standing."""
    if text in {"0", "1", "2", "3"}:
        return text
    if not text:
        return "0"
    report.warn("bad-value", _FILE, line, subject=column, example=text)
    return str(NOT_AVAILABLE)


async def staged_trips(ctx: Import) -> AsyncGenerator[tuple[int, list[RawCall]], None]:
    """The staged calls, trip by trip in the order of their sequence. A sequence number that is there twice is counted,
    and the first one counts. Other statements may run in between."""
    driver = await ctx.work.driver()
    async with driver.cursor(name="staged_calls", binary=True) as cursor:
        await cursor.execute(f"SELECT {', '.join(_STAGE)} FROM staged_call ORDER BY trip, sequence, line".encode())  # noqa: S608
        rest: list[StagedRow] = []
        while rows := await cursor.fetchmany(_BATCH):
            rest += rows
            cut = len(rest)
            while cut and rest[cut - 1][0] == rest[-1][0]:
                cut -= 1  # the last trip may go on in the next batch
            for one in _by_trip(ctx, rest[:cut]):
                yield one
            del rest[:cut]
        for one in _by_trip(ctx, rest):
            yield one


def _by_trip(ctx: Import, rows: list[StagedRow]) -> Iterator[tuple[int, list[RawCall]]]:
    for trip, group in groupby(rows, key=itemgetter(0)):
        calls: list[RawCall] = []
        for row in group:
            call = RawCall(*row[1:])
            if calls and calls[-1].sequence == call.sequence:
                ctx.report.warn("duplicate-key", _FILE, call.line, subject="stop_sequence", example=str(call.sequence))
            else:
                calls.append(call)
        yield trip, calls


class CallTimer:
    """Makes the calls of trips complete: distances, missing times, times that go back.

    Args:
        stops: by the numbers that stand for them.
    """

    def __init__(self, report: ImportReport, stops: list[ImportedStop]) -> None:
        self._report = report
        self._stops = stops
        self._distances: dict[tuple[int, int], float] = {}

    def time(self, calls: list[RawCall]) -> list[TimedCall] | None:
        """The calls with all times; `None` where the first or the last has none, since nothing can be guessed then."""
        for call in calls:
            if call.arrival_s is None:
                call.arrival_s = call.departure_s
            elif call.departure_s is None:
                call.departure_s = call.arrival_s
        if calls[0].arrival_s is None or calls[-1].arrival_s is None:
            return None
        ways = [0.0]
        for before, call in pairwise(calls):
            ways.append(ways[-1] + self._distance(before.stop, call.stop))
        _interpolate(calls, ways)
        return self._mend(calls, ways)

    def _mend(self, calls: list[RawCall], ways: list[float]) -> list[TimedCall]:
        timed: list[TimedCall] = []
        for call, way in zip(calls, ways, strict=True):
            arrival_s, departure_s = call.arrival_s, call.departure_s
            assert arrival_s is not None
            assert departure_s is not None
            before = timed[-1] if timed else None
            if departure_s < arrival_s or (before and arrival_s < before.departure_s):
                self._report.warn("time-goes-back", _FILE, call.line)
                arrival_s = max(arrival_s, before.departure_s if before else 0)
                departure_s = max(departure_s, arrival_s)
            if before:
                leg_m = round(way) - before.distance_m
                if leg_m > _FAR_M and leg_m > FASTEST_M_PER_S * max(arrival_s - before.departure_s, 60):
                    self._report.warn("jump", _FILE, call.line, example=f"{leg_m // 1000} km")
            timed.append(
                TimedCall(call.stop, arrival_s, departure_s, call.pickup, call.dropoff, call.timepoint, round(way))
            )
        return timed

    def _distance(self, one: int, other: int) -> float:
        pair = (one, other) if one < other else (other, one)
        if pair not in self._distances:
            a, b = self._stops[one], self._stops[other]
            self._distances[pair] = distance_m(a.lat, a.lon, b.lat, b.lon)
        return self._distances[pair]


def _interpolate(calls: list[RawCall], ways: list[float]) -> None:
    """Give calls without times theirs: in proportion to the way between their neighbours with times; by the feed's own
    distances where it has them, else in straight lines; evenly where there is no distance at all."""
    start = 0
    for end in range(1, len(calls)):
        if calls[end].arrival_s is None:
            continue
        if end - start > 1:
            left, right = calls[start].departure_s, calls[end].arrival_s
            assert left is not None
            assert right is not None
            shares = _shares(calls, ways, start, end)
            for index in range(start + 1, end):
                at = left + round(max(0, right - left) * shares[index - start])
                calls[index].arrival_s = calls[index].departure_s = at
                calls[index].timepoint = False
        start = end


def _shares(calls: list[RawCall], ways: list[float], start: int, end: int) -> list[float]:
    """How much of the way from `start` to `end` is done at each call between, from 0 to 1."""
    given = [call.travelled for call in calls[start : end + 1]]
    known = [way for way in given if way is not None]
    if len(known) < len(given) or known != sorted(known) or known[0] == known[-1]:
        known = ways[start : end + 1]
    total = known[-1] - known[0]
    if total <= 0:
        return [index / (end - start) for index in range(end - start + 1)]
    return [(way - known[0]) / total for way in known]
