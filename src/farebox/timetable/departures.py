"""Journeys x calendar = departures: put on sale for the days ahead, taken back when the timetable changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from farebox.core.db import UnitOfWork
from farebox.inventory import InventorySpec, close_inventories, open_inventories

DEFAULT_CLOSE_MINUTES = 5

_DAY_S = 86_400
_BATCH = 20_000

_RUNS_ON = """(
    (service.weekdays >> (extract(isodow FROM {day})::int - 1) & 1 = 1
     AND {day} BETWEEN service.start_date AND service.end_date AND NOT {day} = ANY(service.removed))
    OR {day} = ANY(service.added)
)"""
"""Whether a service runs on a day."""

_ID = """overlay(overlay(
    md5(j.feed_id::text || E'\\n' || j.source_id || E'\\n' || day.service_date || E'\\n' || starts.offset_s)
    placing '8' from 13 for 1) placing 'a' from 17 for 1)::uuid"""
"""The id of a departure (a UUID of version 8, RFC 9562): made of what it is in the timetable, so that every edition of
a feed names it alike, and links to it keep."""

_DUE = f"""
    WITH day AS MATERIALIZED (
        SELECT * FROM unnest(%(zones)s::text[], %(dates)s::date[], %(bases)s::timestamptz[], %(cuts)s::timestamptz[])
            AS day(zone, service_date, base_at, cut)
    ), running AS MATERIALIZED (
        SELECT service.id AS service_id, dates.service_date
          FROM service CROSS JOIN (SELECT DISTINCT service_date FROM day) AS dates
         WHERE {_RUNS_ON.format(day="dates.service_date")}
    ), due AS (
        SELECT {_ID} AS id, j.id AS journey_id, day.service_date, starts.offset_s,
               day.base_at + starts.offset_s * interval '1 second' AS base_at,
               l.operator_id, l.vehicle_kind_id, v.seat_plan_id,
               jsonb_array_length(p.document -> 'seats') AS units, j.call_count - 1 AS slots,
               day.base_at + (starts.offset_s + j.last_boarding_s - %(close_s)s) * interval '1 second' AS close_at,
               day.cut
          FROM journey j
          JOIN running ON running.service_id = j.service_id
          JOIN day ON day.service_date = running.service_date AND day.zone = j.timezone
         CROSS JOIN unnest(j.offsets) AS starts(offset_s)
          JOIN line l ON l.id = j.line_id
          JOIN vehicle_kind v ON v.id = l.vehicle_kind_id
          JOIN seat_plan p ON p.id = v.seat_plan_id
         WHERE j.is_current
    )
    SELECT id, journey_id, service_date, offset_s, base_at, operator_id, vehicle_kind_id, seat_plan_id,
           units, slots, close_at
      FROM due
     WHERE close_at > cut AND NOT EXISTS (SELECT FROM departure d WHERE d.id = due.id)
     ORDER BY base_at, id
"""  # noqa: S608

_STALE = f"""
    SELECT d.id, d.inventory_id, j.source_id, d.service_date
      FROM departure d
      JOIN journey j ON j.id = d.journey_id
      LEFT JOIN journey now ON now.feed_id = j.feed_id AND now.source_id = j.source_id AND now.is_current
      LEFT JOIN service ON service.id = now.service_id
      LEFT JOIN line l ON l.id = now.line_id
      LEFT JOIN vehicle_kind v ON v.id = l.vehicle_kind_id
     WHERE j.feed_id = %(feed)s AND d.status = 'scheduled'
       AND d.base_at + j.last_boarding_s * interval '1 second' > %(now)s
       AND (now.id IS NULL OR now.id <> j.id OR NOT d.offset_s = ANY(now.offsets)
            OR NOT {_RUNS_ON.format(day="d.service_date")}
            OR l.vehicle_kind_id <> d.vehicle_kind_id OR v.seat_plan_id <> d.seat_plan_id
            OR l.operator_id <> d.operator_id)
     ORDER BY d.service_date, d.id
"""  # noqa: S608

_COUNT_AT_PLACES = """
    UPDATE place SET departures = counted.departures
      FROM (
        SELECT p.id, coalesce(sum(running.departures), 0)::int AS departures
          FROM place p
          LEFT JOIN (SELECT DISTINCT place_id, journey_id FROM call) AS calls ON calls.place_id = p.id
          LEFT JOIN (SELECT journey_id, count(*) AS departures FROM departure
                      WHERE base_at > %(now)s - interval '1 day' AND status = 'scheduled' GROUP BY journey_id
                    ) AS running ON running.journey_id = calls.journey_id
         GROUP BY p.id
      ) AS counted
     WHERE place.id = counted.id AND place.departures <> counted.departures
"""

_COLUMNS = (
    "id",
    "journey_id",
    "service_date",
    "offset_s",
    "base_at",
    "operator_id",
    "vehicle_kind_id",
    "seat_plan_id",
    "inventory_id",
    "sales_close_s",
)


@dataclass(frozen=True, slots=True)
class KeptDeparture:
    """A departure that the timetable no longer has in this form, but that has seats sold or held."""

    id: UUID
    trip_id: str
    service_date: date


def base_instant(service_date: date, zone: str) -> datetime:
    """The instant from which a service date's times count: noon in the zone minus 12 hours (GTFS).

    That is midnight but for the two days a year on which clocks change, when midnight would shift every later time.
    """
    noon = datetime.combine(service_date, time(12), ZoneInfo(zone))
    return noon.astimezone(UTC) - timedelta(hours=12)


async def materialise_departures(
    work: UnitOfWork, *, today: date, horizon_days: int, close_minutes: int = DEFAULT_CLOSE_MINUTES
) -> int:
    """Put the departures of the days from `today` to `today` + `horizon_days` - 1 on sale that are not yet.

    A day counts by its instants: a run that began yesterday and is still to be boarded is of today. Runs whose sales
    are over already are left out: over by the clock when `today` is the present day in their zone, else over before
    `today` begins. May be called any number of times.

    Args:
        close_minutes: how long before a call is left its sales end.

    Returns:
        How many departures were added.

    Raises:
        Busy: somebody else has been at it for longer than a statement waits.
    """
    # Two at once would put the same departures on sale; the second waits, and then finds them there.
    await work.execute("SELECT pg_advisory_xact_lock(hashtextextended('materialise departures', 0))")
    days = list(await _days(work, today, horizon_days))
    if not days:
        return 0
    zones, dates, bases, cuts = (list(column) for column in zip(*days, strict=True))
    close_s = close_minutes * 60
    added = 0
    async with (await work.driver()).cursor(name="due") as cursor:
        await cursor.execute(_DUE, {"zones": zones, "dates": dates, "bases": bases, "cuts": cuts, "close_s": close_s})
        while due := await cursor.fetchmany(_BATCH):
            await _put_on_sale(work, due, close_s)
            added += len(due)
    if added:
        await work.execute("ANALYZE departure")
    await work.execute(_COUNT_AT_PLACES, {"now": work.now})
    return added


async def _put_on_sale(work: UnitOfWork, due: Sequence[tuple[Any, ...]], close_s: int) -> None:
    """Write departures, with an inventory for each. A large network has hundreds of thousands: not all at once."""
    specs = [InventorySpec(units=row[8], slots=row[9], sales_close_at=row[10]) for row in due]
    inventory_ids = await open_inventories(work, specs)
    statement = f"COPY departure ({', '.join(_COLUMNS)}) FROM STDIN"
    async with (await work.driver()).cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for row, inventory_id in zip(due, inventory_ids, strict=True):
            await copy.write_row((*row[:8], inventory_id, close_s))


async def retire_departures(work: UnitOfWork, feed_id: UUID) -> tuple[int, list[KeptDeparture]]:
    """Take back the coming departures of a feed that its timetable no longer has, or has with other calls or seats.

    Those on which somebody has a seat, sold or held, stay exactly as they are, and so do cancelled ones. A departure
    taken back that the timetable has in another form is put on sale anew, under the same id, by
    `materialise_departures`.

    Returns:
        How many were taken back, and those that stay.
    """
    cursor = await work.execute(_STALE, {"feed": feed_id, "now": work.now})
    stale: list[tuple[Any, ...]] = await cursor.fetchall()
    if not stale:
        return 0, []
    closed = set(await close_inventories(work, [row[1] for row in stale]))
    await work.execute("DELETE FROM departure WHERE inventory_id = ANY(%s)", [list(closed)])
    return len(closed), [KeptDeparture(row[0], row[2], row[3]) for row in stale if row[1] not in closed]


async def list_ended(work: UnitOfWork, inventory_ids: Sequence[int], *, before: datetime) -> list[int]:
    """Those of these inventories whose departure had made its last call before an instant, sorted.

    An inventory that belongs to no departure is not among them.
    """
    cursor = await work.execute(
        """
        SELECT d.inventory_id
          FROM departure d
          JOIN journey j ON j.id = d.journey_id
          JOIN call last ON last.journey_id = j.id AND last.position = j.call_count - 1
         WHERE d.inventory_id = ANY(%s) AND d.base_at + last.arrival_s * interval '1 second' < %s
         ORDER BY d.inventory_id
        """,
        [list(inventory_ids), before],
    )
    return [inventory_id for (inventory_id,) in await cursor.fetchall()]


async def _days(work: UnitOfWork, today: date, horizon_days: int) -> Iterator[tuple[str, date, datetime, datetime]]:
    """Zone, service date, base instant, and the instant after which a run must still be boarded to be of these days."""
    cursor = await work.execute(
        "SELECT timezone, max(last_boarding_s + latest) FROM journey,"
        " LATERAL (SELECT max(o) AS latest FROM unnest(offsets) AS o) AS offsets WHERE is_current GROUP BY timezone"
    )
    zones: list[tuple[str, int]] = await cursor.fetchall()

    def days() -> Iterator[tuple[str, date, datetime, datetime]]:
        for zone, latest_s in zones:
            begins = datetime.combine(today, time(), ZoneInfo(zone))
            here = work.now.astimezone(ZoneInfo(zone))
            cut = work.now if abs((here.date() - today).days) <= 1 else begins
            for number in range(-(latest_s // _DAY_S), horizon_days):
                day = today + timedelta(days=number)
                yield zone, day, base_instant(day, zone), cut

    return days()
