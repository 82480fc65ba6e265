"""Reading the timetable: places, the runs between two of them, and lists of departures."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.timetable.errors import PlaceNotFound
from farebox.timetable.instants import at_place
from farebox.timetable.views import DepartureSummary, DepartureTotals, PlaceView, Run, Site

_RUNS = """
    WITH pair AS (
        SELECT DISTINCT ON (a.journey_id)
               a.journey_id, a.position AS board, b.position AS alight,
               a.stop_id AS board_stop, b.stop_id AS alight_stop, a.departure_s, b.arrival_s
          FROM call a
          JOIN call b ON b.journey_id = a.journey_id AND b.position > a.position
         WHERE a.place_id = %(from_place)s AND a.pickup <> 1
           AND (%(from_stops)s::uuid[] IS NULL OR a.stop_id = ANY(%(from_stops)s::uuid[]))
           AND b.place_id = %(to_place)s AND b.dropoff <> 1
           AND (%(to_stops)s::uuid[] IS NULL OR b.stop_id = ANY(%(to_stops)s::uuid[]))
         ORDER BY a.journey_id, b.position, a.position DESC
    )
    SELECT d.id, d.inventory_id, d.journey_id, d.operator_id, j.line_id, d.vehicle_kind_id, d.seat_plan_id,
           pair.board, pair.alight, pair.board_stop, pair.alight_stop,
           d.base_at + pair.departure_s * interval '1 second' AS departs_at,
           d.base_at + pair.arrival_s * interval '1 second',
           d.sales_close_s,
           (SELECT b.distance_m - a.distance_m FROM call a, call b
             WHERE a.journey_id = d.journey_id AND a.position = pair.board
               AND b.journey_id = d.journey_id AND b.position = pair.alight),
           s1.timezone, s2.timezone
      FROM pair
      JOIN departure d ON d.journey_id = pair.journey_id
      JOIN journey j ON j.id = d.journey_id
      JOIN stop s1 ON s1.id = pair.board_stop
      JOIN stop s2 ON s2.id = pair.alight_stop
     WHERE d.status = 'scheduled'
       AND d.base_at >= %(start)s - pair.departure_s * interval '1 second'
       AND d.base_at < %(end)s - pair.departure_s * interval '1 second'
     ORDER BY departs_at, d.id
"""

_SITES = """
    SELECT id, name, timezone, id, NULL::uuid[] FROM place WHERE id = ANY(%(ids)s)
    UNION ALL
    SELECT s.id, s.name, s.timezone, s.place_id,
           s.id || ARRAY(SELECT child.id FROM stop child WHERE child.station_id = s.id)
      FROM stop s WHERE s.id = ANY(%(ids)s)
"""

_SUMMARIES = """
    SELECT d.id, d.inventory_id, d.operator_id, l.name, j.headsign, v.name, d.service_date,
           d.base_at + j.first_departure_s * interval '1 second' AS departs_at,
           d.base_at + last.arrival_s * interval '1 second',
           s1.name, s2.name, j.call_count - 1, jsonb_array_length(p.document -> 'seats'), d.status,
           s1.timezone, s2.timezone
      FROM departure d
      JOIN journey j ON j.id = d.journey_id
      JOIN line l ON l.id = j.line_id
      JOIN vehicle_kind v ON v.id = d.vehicle_kind_id
      JOIN seat_plan p ON p.id = d.seat_plan_id
      JOIN call first ON first.journey_id = j.id AND first.position = 0
      JOIN call last ON last.journey_id = j.id AND last.position = j.call_count - 1
      JOIN stop s1 ON s1.id = first.stop_id
      JOIN stop s2 ON s2.id = last.stop_id
"""

_OF_DAY = f"""{_SUMMARIES}
     WHERE d.service_date = %(day)s AND (%(operator)s::uuid IS NULL OR d.operator_id = %(operator)s)
     ORDER BY departs_at, d.id
     LIMIT %(limit)s OFFSET %(offset)s
"""

_LEAVES = "d.base_at + j.first_departure_s * interval '1 second'"

_LEAVING = f"""
         d.operator_id = %(operator)s AND d.service_date BETWEEN %(first_day)s AND %(last_day)s
     AND {_LEAVES} >= %(start)s AND {_LEAVES} < %(end)s
"""
"""The service dates are for the index. They may differ from the day of leaving: the service of a date goes on past its
midnight, and begins an hour before it where clocks are put forward."""

_TOTALS = f"""
    SELECT count(*) FILTER (WHERE d.status = 'scheduled'),
           coalesce(sum(jsonb_array_length(p.document -> 'seats')) FILTER (WHERE d.status = 'scheduled'), 0),
           count(*) FILTER (WHERE {_LEAVES} < %(now)s),
           count(*) FILTER (WHERE {_LEAVES} >= %(now)s),
           array_agg(d.inventory_id) FILTER (WHERE d.status = 'scheduled')
      FROM departure d
      JOIN journey j ON j.id = d.journey_id
      JOIN seat_plan p ON p.id = d.seat_plan_id
     WHERE {_LEAVING}
"""  # noqa: S608

_CANCELLED = f"""
    SELECT d.inventory_id
      FROM departure d
      JOIN journey j ON j.id = d.journey_id
     WHERE {_LEAVING} AND d.status = 'cancelled'
     ORDER BY {_LEAVES}, d.id
"""  # noqa: S608

_OF_RUNS = f"{_SUMMARIES} WHERE d.inventory_id = ANY(%s) ORDER BY departs_at, d.id"

_END_OF_TIME = datetime(9000, 1, 1, tzinfo=UTC)

_PLACE_COLUMNS = """
    p.id, p.name, p.names, p.region, p.country, p.timezone, p.lat, p.lon,
    (SELECT count(*) FROM stop s WHERE s.place_id = p.id AND NOT s.is_station)
"""


async def list_departures(
    work: UnitOfWork, day: date, *, operator_id: UUID | None = None, limit: int = 500, offset: int = 0
) -> list[DepartureSummary]:
    """The departures of a service date, of one operator or of all, in the order in which they leave."""
    cursor = await work.execute(_OF_DAY, {"day": day, "operator": operator_id, "limit": limit, "offset": offset})
    return [_summary(row) for row in await cursor.fetchall()]


async def list_departures_leaving(
    work: UnitOfWork, operator_id: UUID, start: datetime, end: datetime, *, limit: int, is_latest: bool = False
) -> list[DepartureSummary]:
    """An operator's departures that leave in [start, end), in the order of leaving: the first ones, or the latest."""
    order = "DESC" if is_latest else "ASC"
    query = f"{_SUMMARIES} WHERE {_LEAVING} ORDER BY departs_at {order}, d.id {order} LIMIT %(limit)s"
    cursor = await work.execute(query, _leaving(operator_id, start, end) | {"limit": limit})
    found = [_summary(row) for row in await cursor.fetchall()]
    return found[::-1] if is_latest else found


async def sum_up_departures(work: UnitOfWork, operator_id: UUID, start: datetime, end: datetime) -> DepartureTotals:
    """What of an operator leaves in [start, end)."""
    cursor = await work.execute(_TOTALS, _leaving(operator_id, start, end) | {"now": work.now})
    row = await cursor.fetchone()
    assert row is not None  # it counts
    return DepartureTotals(running=row[0], units=row[1], left=row[2], ahead=row[3], inventory_ids=tuple(row[4] or ()))


async def list_cancelled_runs(work: UnitOfWork, operator_id: UUID, start: datetime) -> list[int]:
    """The runs of an operator's departures from `start` on that do not run, in the order of leaving."""
    cursor = await work.execute(_CANCELLED, _leaving(operator_id, start, _END_OF_TIME))
    return [row[0] for row in await cursor.fetchall()]


async def list_departures_of_runs(work: UnitOfWork, inventory_ids: Sequence[int]) -> list[DepartureSummary]:
    """The departures that are sold as these runs, in the order of leaving."""
    cursor = await work.execute(_OF_RUNS, [list(inventory_ids)])
    return [_summary(row) for row in await cursor.fetchall()]


async def list_runs(work: UnitOfWork, origin: Site, destination: Site, start: datetime, end: datetime) -> list[Run]:
    """The departures that carry travellers from one site to another (see `get_sites`), leaving in [start, end).

    Where a departure calls more than once at either, the ride is the one that `segment` chooses: off at the first call
    at the destination that can be reached, on at the last call at the origin before it. Runs whose sales are over are
    listed too. In order of departure.
    """
    cursor = await work.execute(_RUNS, _run_parameters(origin, destination, start, end))
    return [_run(row) for row in await cursor.fetchall()]


async def find_first_and_last_run(
    work: UnitOfWork, origin: Site, destination: Site, start: datetime
) -> tuple[datetime, datetime] | None:
    """When the first and the last departure from `start` on leave from one site to another; `None` where none does."""
    query = f"SELECT min(departs_at), max(departs_at) FROM ({_RUNS}) AS run"  # noqa: S608
    cursor = await work.execute(query, _run_parameters(origin, destination, start, _END_OF_TIME))
    row = await cursor.fetchone()
    return (row[0], row[1]) if row and row[0] else None


async def get_place(work: UnitOfWork, place_id: UUID) -> PlaceView:
    """Raises `PlaceNotFound`."""
    places = await list_places(work, [place_id])
    if place_id not in places:
        raise PlaceNotFound
    return places[place_id]


async def list_places(work: UnitOfWork, place_ids: Sequence[UUID]) -> dict[UUID, PlaceView]:
    """The places of these ids; unknown ids are left out."""
    query = f"SELECT {_PLACE_COLUMNS} FROM place p WHERE p.id = ANY(%s)"  # noqa: S608
    cursor = await work.execute(query, [list(place_ids)])
    return {row[0]: PlaceView(*row) for row in await cursor.fetchall()}


async def get_sites(work: UnitOfWork, ids: Sequence[UUID]) -> list[Site]:
    """What ids of places, stations or stops stand for, in the order given.

    Raises:
        PlaceNotFound: one of them is unknown.
    """
    cursor = await work.execute(_SITES, {"ids": list(set(ids))})
    sites = {row[0]: Site(row[0], row[1], row[2], row[3], _stops(row[4])) for row in await cursor.fetchall()}
    if missing := [site_id for site_id in ids if site_id not in sites]:
        raise PlaceNotFound(id=str(missing[0]))
    return [sites[site_id] for site_id in ids]


DEPARTURE_OF_RUN: Final = "SELECT id FROM departure WHERE inventory_id = $1::bigint"
"""The departure that is sold as a run of the kernel's."""

SELLER_OF_RUN: Final = "SELECT operator_id FROM departure WHERE inventory_id = $1::bigint"
"""Whose departure it is."""


async def find_departure_id(work: UnitOfWork, inventory_id: int) -> UUID | None:
    """The departure that an inventory belongs to; `None` where it is something else's."""
    [found] = await work.send([(DEPARTURE_OF_RUN, (str(inventory_id),))])
    return found[0][0] if found else None


def _leaving(operator_id: UUID, start: datetime, end: datetime) -> dict[str, Any]:
    first_day, last_day = start.date() - timedelta(days=2), end.date() + timedelta(days=1)
    return {"operator": operator_id, "first_day": first_day, "last_day": last_day, "start": start, "end": end}


def _run_parameters(origin: Site, destination: Site, start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "from_place": origin.place_id,
        "from_stops": list(origin.stop_ids) if origin.stop_ids is not None else None,
        "to_place": destination.place_id,
        "to_stops": list(destination.stop_ids) if destination.stop_ids is not None else None,
        "start": start,
        "end": end,
    }


def _run(row: tuple[Any, ...]) -> Run:
    departs_at = at_place(row[11], row[15])
    return Run(
        departure_id=row[0],
        inventory_id=row[1],
        journey_id=row[2],
        operator_id=row[3],
        line_id=row[4],
        vehicle_kind_id=row[5],
        seat_plan_id=row[6],
        board_index=row[7],
        alight_index=row[8],
        board_stop_id=row[9],
        alight_stop_id=row[10],
        departs_at=departs_at,
        arrives_at=at_place(row[12], row[16]),
        sales_close_at=departs_at - timedelta(seconds=row[13]),
        distance_m=row[14],
    )


def _summary(row: tuple[Any, ...]) -> DepartureSummary:
    return DepartureSummary(
        id=row[0],
        inventory_id=row[1],
        operator_id=row[2],
        line_name=row[3],
        headsign=row[4],
        vehicle_name=row[5],
        service_date=row[6],
        departs_at=at_place(row[7], row[14]),
        arrives_at=at_place(row[8], row[15]),
        first_stop=row[9],
        last_stop=row[10],
        slots=row[11],
        units=row[12],
        status=row[13],
    )


def _stops(ids: list[UUID] | None) -> tuple[UUID, ...] | None:
    return None if ids is None else tuple(ids)
