"""Departures with all that selling them needs, kept in memory until they change."""

from collections import OrderedDict
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.core.i18n import current_language
from farebox.core.together import Question
from farebox.timetable.errors import DepartureNotFound
from farebox.timetable.instants import at_place
from farebox.timetable.seat_plans import SeatPlan
from farebox.timetable.views import Call, Departure, LineView, VehicleKind

CACHED_DEPARTURES: Final = 5000
"""Departures that a process keeps, one for each language: some 8 kB each. Those not asked for longest go first."""

CACHED_JOURNEYS: Final = 2000
"""Journeys whose calls a process keeps; their departures of other days are then made without asking."""

_DEPARTURE = """
    SELECT j.headsign, j.short_name, l.id, l.name, l.network_ids, l.color, l.feed_id, v.id, v.code, v.name, v.amenities
      FROM journey j
      JOIN line l ON l.id = j.line_id
      JOIN vehicle_kind v ON v.id = $1
     WHERE j.id = $2
"""

_CALLS = """
    SELECT c.position, c.stop_id, coalesce(s.names ->> $2, s.name), s.station_id,
           c.place_id, coalesce(p.names ->> $2, p.name), s.timezone, c.arrival_s, c.departure_s,
           c.pickup <> 1, c.dropoff <> 1, c.distance_m, s.zone_id, s.area_ids, s.lat, s.lon, s.platform
      FROM call c
      JOIN stop s ON s.id = c.stop_id
      JOIN place p ON p.id = c.place_id
     WHERE c.journey_id = $1
     ORDER BY c.position
"""


class DepartureStamp(NamedTuple):
    """The departure's own row, and when each timetable was imported: while both stay, so does all else about it.

    What a journey, its stops, its line and its vehicle say is changed by imports only. The latest of them tells too
    little: one that began before another may end after it.

    Compared for every hold: a tuple, and ids that are mostly only compared are texts, which takes a fourth of the time.
    """

    id: UUID
    operator_id: UUID
    inventory_id: int
    journey_id: str
    service_date: date
    base_at: datetime
    status: str
    sales_close_s: int
    vehicle_kind_id: str
    seat_plan_id: str
    imports: str


STAMPS: Final[Question[UUID, DepartureStamp]] = Question(
    """
    SELECT id, operator_id, inventory_id, journey_id::text, service_date, base_at, status, sales_close_s,
           vehicle_kind_id::text, seat_plan_id::text,
           (SELECT coalesce(string_agg(extract(epoch FROM imported_at)::text, ' ' ORDER BY id), '') FROM feed)
      FROM departure
     WHERE id = ANY($1::uuid[])
    """,
    DepartureStamp._make,
)
"""The stamps of departures, by their ids."""

_cache: OrderedDict[tuple[UUID, str], tuple[DepartureStamp, Departure]] = OrderedDict()
"""By id and language: names of stops are in the reader's."""

_Rows: TypeAlias = list[tuple[Any, ...]]

_journeys: OrderedDict[tuple[str, str, str], tuple[str, tuple[Any, ...], _Rows]] = OrderedDict()
"""Of journeys, by id, vehicle and language: when each timetable was imported, and the rows of `_DEPARTURE` and
`_CALLS`."""

_plans: dict[UUID, SeatPlan] = {}
"""Seat plans seen so far. A stored plan never changes, and its id is made of its content."""


async def get_departure(work: UnitOfWork, departure_id: UUID) -> Departure:
    """A departure as it is now, with its calls, each with its instants in the stop's own zone, and its seats.

    Raises:
        DepartureNotFound: no such departure.
    """
    stamps = await list_departure_stamps(work, [departure_id])
    if departure_id not in stamps:
        raise DepartureNotFound
    return await departure_of(work, stamps[departure_id])


async def list_departure_stamps(work: UnitOfWork, departure_ids: Collection[UUID]) -> dict[UUID, DepartureStamp]:
    """The stamps of the departures with these ids, in one small query; ids that do not exist are left out."""
    return await STAMPS.ask(work, departure_ids)


async def departure_of(work: UnitOfWork, stamp: DepartureStamp) -> Departure:
    """The departure that has this stamp, which must have been read just now; from memory where it is there."""
    key = (stamp.id, current_language())
    known = _cache.get(key)
    if known is not None and known[0] == stamp:
        _cache.move_to_end(key)
        return known[1]
    departure = await _read(work, stamp)
    _cache[key] = (stamp, departure)
    _cache.move_to_end(key)
    while len(_cache) > CACHED_DEPARTURES:
        _cache.popitem(last=False)
    return departure


async def get_seat_plan(work: UnitOfWork, plan_id: UUID) -> SeatPlan:
    """A stored seat plan; its document is read once a process."""
    if plan_id not in _plans:
        row = await (await work.execute("SELECT document FROM seat_plan WHERE id = %s", [plan_id])).fetchone()
        assert row is not None, "a foreign key keeps it"
        _plans[plan_id] = SeatPlan.from_document(plan_id, row[0])
    return _plans[plan_id]


async def _describe(work: UnitOfWork, stamp: DepartureStamp) -> tuple[tuple[Any, ...], _Rows]:
    """The rows of its journey and of its calls, which departures of other days share."""
    language = current_language()
    key = (stamp.journey_id, stamp.vehicle_kind_id, language)
    known = _journeys.get(key)
    if known is not None and known[0] == stamp.imports:
        _journeys.move_to_end(key)
        return known[1:]
    asked = [(_DEPARTURE, [stamp.vehicle_kind_id, stamp.journey_id]), (_CALLS, [stamp.journey_id, language])]
    rows, calls = await work.send(asked)
    if not rows:
        raise DepartureNotFound  # taken back since its stamp was read
    _journeys[key] = (stamp.imports, rows[0], calls)
    _journeys.move_to_end(key)
    while len(_journeys) > CACHED_JOURNEYS:
        _journeys.popitem(last=False)
    return _journeys[key][1:]


async def _read(work: UnitOfWork, stamp: DepartureStamp) -> Departure:
    row, calls = await _describe(work, stamp)
    headsign, short_name, line_id, line_name, network_ids, color, feed_id = row[:7]
    kind_id, kind_code, kind_name, amenities = row[7:]
    plan = await get_seat_plan(work, UUID(stamp.seat_plan_id))
    return Departure(
        id=stamp.id,
        inventory_id=stamp.inventory_id,
        operator_id=stamp.operator_id,
        journey_id=UUID(stamp.journey_id),
        line=LineView(line_id, line_name, tuple(network_ids), color, feed_id),
        headsign=headsign,
        short_name=short_name,
        vehicle=VehicleKind(kind_id, kind_code, kind_name, tuple(amenities), plan.seat_types),
        service_date=stamp.service_date,
        base_at=stamp.base_at.astimezone(UTC),  # the session of whoever read the stamp may live in another zone
        status=stamp.status,
        sales_close=timedelta(seconds=stamp.sales_close_s),
        calls=tuple(_call(stamp.base_at, call) for call in calls),
        seat_plan=plan,
    )


def _call(base_at: datetime, row: tuple[Any, ...]) -> Call:
    zone = row[6]
    return Call(
        index=row[0],
        stop_id=row[1],
        stop_name=row[2],
        station_id=row[3],
        place_id=row[4],
        place_name=row[5],
        timezone=row[6],
        arrival=at_place(base_at + timedelta(seconds=row[7]), zone),
        departure=at_place(base_at + timedelta(seconds=row[8]), zone),
        boarding=row[9],
        alighting=row[10],
        distance_m=row[11],
        zone_id=row[12],
        area_ids=tuple(row[13]),
        lat=row[14],
        lon=row[15],
        platform=row[16],
    )
