"""The import as a whole: which feed it is, its steps in order, and what is left to clean up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter
from typing import TypeAlias
from uuid import UUID, uuid5

from babel.numbers import is_currency
from psycopg import DataError
from psycopg.errors import ProgramLimitExceeded

from farebox.core.db import Database, UnitOfWork
from farebox.core.i18n import gettext
from farebox.timetable.departures import DEFAULT_CLOSE_MINUTES, materialise_departures, retire_departures
from farebox.timetable.errors import GtfsError
from farebox.timetable.gtfs import FeedTables, ImportReport, open_feed_files
from farebox.timetable.gtfs.tables import Progress
from farebox.timetable.gtfs.values import parse_language
from farebox.timetable.importing.agencies import ImportedAgency, import_agencies, operator_code
from farebox.timetable.importing.calendars import (
    LIVELY_DAYS,
    WEEK,
    ServiceDays,
    count_runs_by_day,
    read_services,
    runs_soon,
    shift,
    store_services,
    weeks_to_shift,
)
from farebox.timetable.importing.context import FEEDS_NAMESPACE, FeedKeys, Import, ImportHook, Translations, slug
from farebox.timetable.importing.journeys import import_journeys
from farebox.timetable.importing.lines import import_lines
from farebox.timetable.importing.stops import import_stops
from farebox.timetable.importing.trips import Trip, read_trips
from farebox.timetable.seat_plans import TEMPLATES

Agencies: TypeAlias = dict[str, ImportedAgency]


_DELETE_STOPS = """
    DELETE FROM stop s WHERE feed_id = %(feed)s AND id <> ALL(%(stops)s)
       AND NOT EXISTS (SELECT FROM call c WHERE c.stop_id = s.id)
       AND NOT EXISTS (SELECT FROM stop part WHERE part.station_id = s.id)
"""


@dataclass(frozen=True, slots=True)
class OnSale:
    """Put departures on sale in the same transaction: see `materialise_departures`. `today` is by default just that."""

    horizon_days: int
    close_minutes: int = DEFAULT_CLOSE_MINUTES
    today: date | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Where to move a calendar: always, or only when it has no run in the weeks from then."""

    to: date
    only_if_idle: bool


async def import_feed(
    database: Database,
    path: Path,
    *,
    feed_code: str | None = None,
    shift_to: date | None = None,
    shift_if_idle: bool = False,
    currency: str | None = None,
    seat_plan: str = "standard-45",
    on_sale: OnSale | None = None,
    also: Sequence[ImportHook] = (),
    progress: Progress | None = None,
) -> ImportReport:
    """Import a GTFS feed, or the next edition of one, in one transaction.

    What can be left out is left out and counted in the report; what cannot raises, and then nothing was changed.
    A next edition updates; departures on which somebody has a seat, sold or held, stay exactly as they are.

    Args:
        path: a zip, or a folder.
        feed_code: by which editions of a feed are known as such. By default made of the publisher's name
            (feed_info.txt), else of the agency's where there is one only, else of the file's name.
        shift_to: move the calendar, by whole weeks, so that the 30 days from this date have the most departures.
        shift_if_idle: without `shift_to`, move a calendar without a run in the 30 days from today, to today.
        currency: ISO 4217, of the operators; by default that of the feed's fares, else the one they
            have, else their country's.
        seat_plan: key of `TEMPLATES`, for vehicles that the feed does not describe.
        on_sale: departures to put on sale when the timetable is in. Without it, departures that this edition changes
            are off sale until `materialise_departures` is called.
        also: reads more of the feed in the same transaction (the fares).
        progress: told what is being read.

    Raises:
        GtfsError: the feed cannot be imported; the message says where and why.
    """
    if seat_plan not in TEMPLATES:
        raise GtfsError(f"There is no seat plan {seat_plan!r}; there are {', '.join(TEMPLATES)}.")
    if currency is not None and not is_currency(currency := currency.upper()):
        raise GtfsError(f"{currency!r} is no currency; write its code of ISO 4217, for instance EUR or VND.")
    started = perf_counter()
    report = ImportReport()
    with open_feed_files(path) as files, _said_plainly():
        tables = FeedTables(files, report, progress)
        tables.check()
        async with database.begin() as work:
            ctx = await _begin(work, tables, feed_code)
            agencies = await import_agencies(ctx, currency=currency)
            move = (
                Move(shift_to or work.now.date(), only_if_idle=shift_to is None) if shift_to or shift_if_idle else None
            )
            await _import_timetable(ctx, agencies, seat_plan=seat_plan, move=move, progress=progress)
            for hook in also:
                report.counts.update(await hook(work, tables, ctx.keys))
            await _renew_departures(ctx, on_sale)
            await _clean_up(ctx)
            _add_hints(report, work.now.date(), shift_to)
    report.seconds = perf_counter() - started
    return report


@contextmanager
def _said_plainly() -> Iterator[None]:
    """What is too much for the database is the feed's fault, and no bug of ours."""
    try:
        yield
    except ProgramLimitExceeded as error:
        raise GtfsError("An id in it is longer than can be kept (about 2,000 characters). Shorten it.") from error
    except DataError as error:
        reason = error.diag.message_primary or str(error)
        raise GtfsError(f"A value in it is more than can be kept: {reason}.") from error


async def _begin(work: UnitOfWork, tables: FeedTables, feed_code: str | None) -> Import:
    """Decide which feed it is, and see that nobody else imports it at the same time."""
    info: dict[str, str] = next(tables.rows("feed_info.txt"), {})
    names = [row.get("agency_name", "") for row in tables.rows("agency.txt")]
    publisher = info.get("feed_publisher_name", "")
    name = publisher or (names[0] if len(names) == 1 else "") or tables.stem
    code = slug(feed_code) if feed_code else slug(name) or operator_code(name)
    if not code:
        raise GtfsError(f"{feed_code!r} is no code for a feed; use letters, digits and hyphens.")
    feed_id = uuid5(FEEDS_NAMESPACE, code)
    cursor = await work.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"import {code}"])
    if (await cursor.fetchone()) != (True,):
        raise GtfsError(f"Another import of the feed {code!r} is under way. Wait until it has ended.")
    await _see_that_it_is_the_same(work, feed_id, code, names, explicit=feed_code is not None)
    try:
        language = parse_language(info.get("feed_lang", ""))
    except ValueError:
        language = ""
    report = tables.report
    report.feed_code, report.feed_id, report.feed_name = code, feed_id, name
    await work.execute(
        "INSERT INTO feed (id, code, name, language, version, timezone, shift_days, imported_at)"
        " VALUES (%(id)s, %(code)s, %(name)s, %(language)s, %(version)s, '', 0, %(now)s)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, language = excluded.language,"
        " version = excluded.version, imported_at = excluded.imported_at",
        {
            "id": feed_id,
            "code": code,
            "name": name,
            "language": language,
            "version": info.get("feed_version", ""),
            "now": work.now,
        },
    )
    return Import(work, tables, report, FeedKeys(feed_id, code), language, Translations(tables))


async def _see_that_it_is_the_same(
    work: UnitOfWork, feed_id: UUID, code: str, names: list[str], *, explicit: bool
) -> None:
    """One publisher may publish many feeds. Taking one for the next edition of another would take that one's
    timetable off sale, so feeds known by their publisher's name alone must share an operator."""
    if explicit:
        return
    cursor = await work.execute(
        "SELECT o.code FROM agency a JOIN operator o ON o.id = a.operator_id WHERE a.feed_id = %s", [feed_id]
    )
    before = {row[0] for row in await cursor.fetchall()}
    if before and not before & {operator_code(name) for name in names}:
        raise GtfsError(
            f"There is a feed {code!r} already, with other operators ({', '.join(sorted(before)[:3])}). "
            "Give this one a code of its own with --feed-code, or that code if it is the next edition."
        )


async def _import_timetable(
    ctx: Import, agencies: Agencies, *, seat_plan: str, move: Move | None, progress: Progress | None
) -> None:
    zone = next(iter(agencies.values())).timezone
    stops = await import_stops(ctx, zone=zone)
    lines = await import_lines(ctx, agencies, seat_plan=seat_plan)
    services = read_services(ctx)
    trips = read_trips(ctx, lines, services)
    shift_days = _shift(ctx.report, trips, services, move)
    await store_services(ctx, services)
    await import_journeys(ctx, trips, stops, progress)
    await ctx.work.execute(
        "UPDATE feed SET timezone = %s, shift_days = %s, first_date = %s, last_date = %s WHERE id = %s",
        [zone, shift_days, ctx.report.first_date, ctx.report.last_date, ctx.feed_id],
    )


def _shift(report: ImportReport, trips: list[Trip], services: dict[str, ServiceDays], move: Move | None) -> int:
    """Shift the calendar if that is wanted, and note when there is service."""
    runs: dict[str, int] = dict.fromkeys(services, 0)
    for trip in trips:
        runs[trip.service] += trip.runs_a_day
    by_day = count_runs_by_day((service, runs[source_id]) for source_id, service in services.items())
    is_wanted = move is not None and not (move.only_if_idle and runs_soon(by_day, move.to))
    days = weeks_to_shift(by_day, move.to) * WEEK if move and is_wanted else 0
    shift(services.values(), days)
    report.shift_days = days
    if by_day:
        report.first_date, report.last_date = (date.fromordinal(day + days) for day in (min(by_day), max(by_day)))
    return days


async def _renew_departures(ctx: Import, on_sale: OnSale | None) -> None:
    removed, kept = await retire_departures(ctx.work, ctx.feed_id)
    for departure in kept:
        what = f"{departure.trip_id} on {departure.service_date}"
        ctx.report.warn("departure-kept", "trips.txt", subject="trip_id", example=what)
    if removed:
        ctx.report.counts["departures taken back"] = removed
    for table in ("place", "stop", "line", "service", "journey", "call"):
        await ctx.work.execute(f"ANALYZE {table}")
    if on_sale:
        ctx.report.counts["departures put on sale"] = await materialise_departures(
            ctx.work,
            today=on_sale.today or ctx.work.now.date(),
            horizon_days=on_sale.horizon_days,
            close_minutes=on_sale.close_minutes,
        )


async def _clean_up(ctx: Import) -> None:
    """Let go of what neither this edition nor a departure needs any more."""
    feed = {"feed": ctx.feed_id, "stops": list(ctx.keys.stops.values()), "lines": list(ctx.keys.lines.values())}
    for statement in (
        "DELETE FROM journey j WHERE feed_id = %(feed)s AND NOT is_current"
        " AND NOT EXISTS (SELECT FROM departure d WHERE d.journey_id = j.id)",
        "DELETE FROM service s WHERE feed_id = %(feed)s AND weekdays = 0 AND added = '{}'"
        " AND NOT EXISTS (SELECT FROM journey j WHERE j.service_id = s.id)",
        "DELETE FROM line l WHERE feed_id = %(feed)s AND id <> ALL(%(lines)s)"
        " AND NOT EXISTS (SELECT FROM journey j WHERE j.line_id = l.id)",
        _DELETE_STOPS,
        _DELETE_STOPS,  # once more: now the stations, whose last stop is gone
        "UPDATE call SET place_id = s.place_id FROM stop s"
        " WHERE s.id = call.stop_id AND s.feed_id = %(feed)s AND call.place_id <> s.place_id",
        "DELETE FROM place p WHERE NOT EXISTS (SELECT FROM stop s WHERE s.place_id = p.id)",
    ):
        await ctx.work.execute(statement, feed)


def _add_hints(report: ImportReport, today: date, shifted_to: date | None) -> None:
    if report.last_date is None:
        report.hints.append(gettext("No trip of this feed runs on any day, so nothing of it can be sold."))
    elif report.last_date < today and shifted_to is None:
        text = gettext(
            "The calendar of this feed ended on {last}, so nothing of it is on sale. "
            "Import it with --shift-to {today} to move it to now."
        )
        report.hints.append(text.format(last=report.last_date.isoformat(), today=today.isoformat()))
    elif report.first_date and report.first_date > today + timedelta(days=LIVELY_DAYS) and shifted_to is None:
        text = gettext(
            "The calendar of this feed begins on {first}, so nothing of it is on sale yet. "
            "Import it with --shift-to {today} to move it to now."
        )
        report.hints.append(text.format(first=report.first_date.isoformat(), today=today.isoformat()))
