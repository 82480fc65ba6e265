"""On which days services run; and moving an old calendar to now."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from farebox.timetable.errors import GtfsError
from farebox.timetable.gtfs.values import EARLIEST, LATEST, parse_date
from farebox.timetable.importing.context import Import
from farebox.timetable.importing.store import upsert

WEEK = 7
LIVELY_DAYS = 30
"""A shifted feed is judged by its departures in so many days from the date it is shifted to."""

_CALENDAR, _DATES = "calendar.txt", "calendar_dates.txt"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ADDED, _REMOVED = "1", "2"


@dataclass(slots=True)
class ServiceDays:
    """The days of one service, as ordinals of dates.

    Attributes:
        weekdays: bit 0 is Monday.
        first, last: between which the weekly pattern holds; `first > last` where there is none.
    """

    weekdays: int = 0
    first: int = 1
    last: int = 0
    added: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)

    def runs_on(self, day: int) -> bool:
        return day in self.added or (self.follows_week(day) and day not in self.removed)

    def follows_week(self, day: int) -> bool:
        return self.first <= day <= self.last and bool(self.weekdays >> (day - 1) % WEEK & 1)


def read_services(ctx: Import) -> dict[str, ServiceDays]:
    """The services of a feed by service_id.

    Raises:
        GtfsError: the feed has no usable one.
    """
    services: dict[str, ServiceDays] = {}
    for line, values in ctx.tables.columns(_CALENDAR, "service_id", "start_date", "end_date", *_WEEKDAYS):
        source_id, start, end, *days = values
        if source_id in services:
            ctx.report.warn("duplicate-key", _CALENDAR, line, subject="service_id", example=source_id)
            continue
        try:
            first, last = parse_date(start), parse_date(_known_day(end))
        except ValueError:
            ctx.report.warn("bad-date", _CALENDAR, line, subject="start_date, end_date", example=f"{start}, {end}")
            continue
        weekdays = 0
        for bit, (name, flag) in enumerate(zip(_WEEKDAYS, days, strict=True)):
            if flag == "1":
                weekdays |= 1 << bit
            elif flag != "0":
                ctx.report.warn("bad-value", _CALENDAR, line, subject=name, example=flag)
        services[source_id] = ServiceDays(weekdays, first, last)
    _read_exceptions(ctx, services)
    if not services:
        raise GtfsError("No service has a usable calendar, so no trip has a day to run on.", file=_CALENDAR)
    ctx.report.counts["services"] = len(services)
    return services


def _known_day(end: str) -> str:
    """Feeds write 99991231 for a service that does not end; it ends with what we can reckon with."""
    text = end.replace("-", "")
    return LATEST.isoformat() if text.isascii() and text.isdigit() and text > LATEST.strftime("%Y%m%d") else end


def _read_exceptions(ctx: Import, services: dict[str, ServiceDays]) -> None:
    for line, (source_id, text, kind) in ctx.tables.columns(_DATES, "service_id", "date", "exception_type"):
        try:
            day = parse_date(text)
        except ValueError:
            ctx.report.warn("bad-date", _DATES, line, subject="date", example=text)
            continue
        if kind not in {_ADDED, _REMOVED}:
            ctx.report.warn("bad-value", _DATES, line, subject="exception_type", example=kind)
            continue
        service = services.setdefault(source_id, ServiceDays())
        if day in service.added or day in service.removed:
            ctx.report.warn("duplicate-key", _DATES, line, subject="service_id, date", example=f"{source_id}, {text}")
            continue
        (service.added if kind == _ADDED else service.removed).add(day)


def count_runs_by_day(services: Iterable[tuple[ServiceDays, int]]) -> dict[int, int]:
    """How many runs there are on each day; each service comes with its runs a day. Days without any are left out."""
    changes: list[Counter[int]] = [Counter() for _ in range(WEEK)]
    totals: Counter[int] = Counter()
    for service, runs in services:
        for weekday in range(WEEK):
            if service.weekdays >> weekday & 1 and service.first <= service.last:
                changes[weekday][service.first] += runs
                changes[weekday][service.last + 1] -= runs
        for day in service.added | service.removed:
            totals[day] += runs * (service.runs_on(day) - service.follows_week(day))
    for weekday, starts in enumerate(changes):
        running, previous = 0, EARLIEST.toordinal()
        for day, change in sorted(starts.items()):
            first = previous + (weekday - (previous - 1)) % WEEK
            for one in range(first, day, WEEK) if running else ():
                totals[one] += running
            running += change
            previous = day
    return {day: runs for day, runs in sorted(totals.items()) if runs > 0}


def weeks_to_shift(runs_by_day: dict[int, int], to: date) -> int:
    """By how many whole weeks to move a calendar so that the 30 days from `to` have the most departures.

    Weekdays stay. Of several such moves it is the one that puts the earliest part of the feed there, so that as much
    as possible is still to come.
    """
    if not runs_by_day:
        return 0
    target = to.toordinal()
    days = sorted(runs_by_day)
    # A day d of the feed falls on `target + k` for k in 0..29 when d = target + k - 7 * weeks.
    first, last = (target - days[-1]) // WEEK, -((days[0] - target - LIVELY_DAYS) // WEEK)
    best_weeks, best_runs = 0, -1
    for weeks in range(last, first - 1, -1):
        start = target - weeks * WEEK
        runs = sum(runs_by_day.get(day, 0) for day in range(start, start + LIVELY_DAYS))
        if runs > best_runs:
            best_weeks, best_runs = weeks, runs
    return best_weeks


def runs_soon(runs_by_day: dict[int, int], day: date) -> bool:
    """Whether there is a run in the weeks by which a shifted calendar is judged, on or after a day."""
    first = day.toordinal()
    return any(first <= one < first + LIVELY_DAYS for one in runs_by_day)


def shift(services: Iterable[ServiceDays], days: int) -> None:
    """Move every date by so many days."""
    for service in services:
        if service.first <= service.last:
            service.first += days
            service.last += days
        service.added = {day + days for day in service.added}
        service.removed = {day + days for day in service.removed}


async def store_services(ctx: Import, services: dict[str, ServiceDays]) -> None:
    """Bring the feed's services up to date; those that it no longer has run on no day."""
    await ctx.work.execute(
        "UPDATE service SET weekdays = 0, added = '{}', removed = '{}' WHERE feed_id = %s", [ctx.feed_id]
    )
    await upsert(
        ctx.work,
        "service",
        ("id", "feed_id", "source_id", "weekdays", "start_date", "end_date", "added", "removed"),
        (
            (
                ctx.id_of("service", source_id),
                ctx.feed_id,
                source_id,
                service.weekdays,
                _day(service.first) if service.first <= service.last else None,
                _day(service.last) if service.first <= service.last else None,
                [_day(day) for day in sorted(service.added)],
                [_day(day) for day in sorted(service.removed)],
            )
            for source_id, service in services.items()
        ),
    )


def _day(ordinal: int) -> date:
    return date.fromordinal(min(max(ordinal, EARLIEST.toordinal()), LATEST.toordinal()))
