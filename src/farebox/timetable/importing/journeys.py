"""Trips become journeys. A journey never changes: other calls make another one, under an id of its content."""

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb

from farebox.timetable.errors import GtfsError
from farebox.timetable.gtfs.tables import Progress
from farebox.timetable.importing.context import Import
from farebox.timetable.importing.stop_times import (
    NOT_AVAILABLE,
    CallTimer,
    RawCall,
    TimedCall,
    stage_stop_times,
    staged_trips,
)
from farebox.timetable.importing.stops import ImportedStop
from farebox.timetable.importing.store import copy_rows, copy_text
from farebox.timetable.importing.trips import Trip

_FILE = "trips.txt"
_BATCH_CALLS = 20_000

_MUTABLE = ("id", "line_id", "service_id", "headsign", "names", "short_name", "direction", "offsets")
_JOURNEY = (
    *_MUTABLE,
    "feed_id",
    "source_id",
    "timezone",
    "first_departure_s",
    "last_boarding_s",
    "call_count",
    "is_current",
)
_CALL = (
    "journey_id",
    "position",
    "stop_id",
    "place_id",
    "arrival_s",
    "departure_s",
    "pickup",
    "dropoff",
    "timepoint",
    "distance_m",
)


@dataclass(slots=True)
class _Batch:
    """What waits to be written."""

    known: set[UUID]
    journeys: list[tuple[Any, ...]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    again: list[tuple[Any, ...]] = field(default_factory=list)
    """Of journeys that are there already: only what may differ without being another journey."""


async def import_journeys(
    ctx: Import, trips: list[Trip], stops: dict[str, ImportedStop], progress: Progress | None
) -> None:
    """Bring journeys and their calls up to date; those that the feed no longer has are current no more.

    Raises:
        GtfsError: no trip of the feed can be used.
    """
    numbered = list(stops.values())
    await stage_stop_times(
        ctx,
        {trip.source_id: number for number, trip in enumerate(trips)},
        {source_id: number for number, source_id in enumerate(stops)},
    )
    batch = _Batch(await _prepare(ctx))
    timer = CallTimer(ctx.report, numbered)
    seen = bytearray(len(trips))
    journeys = calls = 0
    async with aclosing(staged_trips(ctx)) as found:
        async for number, raw in found:
            seen[number] = 1
            timed = _usable(ctx, trips[number], raw, timer)
            if timed:
                _add(ctx, batch, trips[number], timed, numbered)
                journeys += 1
                calls += len(timed)
                if len(batch.calls) + len(batch.again) >= _BATCH_CALLS:
                    await _flush(ctx, batch)
                    if progress:
                        progress("journeys", number, len(trips))
    await _flush(ctx, batch)
    for number, trip in enumerate(trips):
        if not seen[number]:
            ctx.report.warn("empty-trip", _FILE, trip.row_line, subject="trip_id", example=trip.source_id)
    values = ", ".join(f"{column} = again.{column}" for column in _MUTABLE[1:])
    await ctx.work.execute(f"UPDATE journey SET is_current = true, {values} FROM again WHERE journey.id = again.id")  # noqa: S608
    await ctx.work.execute("DROP TABLE staged_call, again")
    if progress:
        progress("journeys", len(trips), len(trips))
    if not journeys:
        why = "; ".join(finding.text() for finding in ctx.report.findings[:5])
        raise GtfsError(f"None of the trips can be used. {why or 'There are none.'}", file=_FILE)
    ctx.report.counts["journeys"] = journeys
    ctx.report.counts["calls"] = calls


async def _prepare(ctx: Import) -> set[UUID]:
    """The ids of the journeys that this feed has so far, none of which is current until it is met again."""
    await ctx.work.execute(f"CREATE TEMP TABLE again AS SELECT {', '.join(_MUTABLE)} FROM journey WITH NO DATA")  # noqa: S608
    await ctx.work.execute("UPDATE journey SET is_current = false WHERE feed_id = %s AND is_current", [ctx.feed_id])
    cursor = await ctx.work.execute("SELECT id FROM journey WHERE feed_id = %s", [ctx.feed_id])
    return {row[0] for row in await cursor.fetchall()}


def _usable(ctx: Import, trip: Trip, raw: list[RawCall], timer: CallTimer) -> list[TimedCall] | None:
    """The calls of a trip that can be sold."""
    kind = ""
    timed = None
    if len(raw) < 2:  # noqa: PLR2004
        kind = "short-trip"
    else:
        timed = timer.time(raw)
        if timed is None:
            kind = "untimed-trip"
        elif _last_boarding(timed) is None:
            kind = "closed-trip"
    if kind:
        ctx.report.warn(kind, _FILE, trip.row_line, subject="trip_id", example=trip.source_id)
        return None
    return timed


def _last_boarding(calls: list[TimedCall]) -> TimedCall | None:
    """The last call where somebody can get on who can also get off later."""
    can_leave_later = False
    for call in reversed(calls):
        if can_leave_later and call.pickup != NOT_AVAILABLE:
            return call
        can_leave_later = can_leave_later or call.dropoff != NOT_AVAILABLE
    return None


def _add(ctx: Import, batch: _Batch, trip: Trip, calls: list[TimedCall], stops: list[ImportedStop]) -> None:
    last_boarding = _last_boarding(calls)
    assert last_boarding is not None, "others were refused"
    content = "\n".join(
        f"{stops[c.stop].id} {c.arrival_s} {c.departure_s} {c.pickup} {c.dropoff} {c.timepoint} {c.distance_m}"
        for c in calls
    )
    journey_id = uuid5(ctx.feed_id, f"journey:{trip.source_id}\n{trip.line.timezone}\n{content}")
    mutable = (
        journey_id,
        trip.line.id,
        ctx.id_of("service", trip.service),
        trip.headsign,
        Jsonb(ctx.translations.of("trips", "trip_headsign", trip.source_id, trip.headsign)),
        trip.short_name,
        trip.direction,
        [start - calls[0].departure_s for start in trip.starts] or [0],
    )
    if journey_id in batch.known:
        batch.again.append(mutable)
        return
    batch.journeys.append(
        (
            *mutable,
            ctx.feed_id,
            trip.source_id,
            trip.line.timezone,
            calls[0].departure_s,
            last_boarding.departure_s,
            len(calls),
            True,
        )
    )
    for position, call in enumerate(calls):
        stop = stops[call.stop]
        batch.calls.append(
            f"{journey_id}\t{position}\t{stop.id}\t{stop.place_id}\t{call.arrival_s}\t{call.departure_s}\t"
            f"{call.pickup}\t{call.dropoff}\t{'t' if call.timepoint else 'f'}\t{call.distance_m}\n"
        )


async def _flush(ctx: Import, batch: _Batch) -> None:
    await copy_rows(ctx.work, "journey", _JOURNEY, batch.journeys)
    await copy_text(ctx.work, "call", _CALL, batch.calls)
    await copy_rows(ctx.work, "again", _MUTABLE, batch.again)
    batch.journeys.clear()
    batch.calls.clear()
    batch.again.clear()
