"""What a search result says of its runs: lines, vehicles, and the stops where a ride begins and ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.timetable.queries import get_seat_plan
from farebox.timetable.seat_plans import SeatPlan
from farebox.timetable.views import LineView, Run, VehicleKind


@dataclass(frozen=True, slots=True)
class RideStop:
    """Where a ride begins or ends. `zone_id` and `area_ids` are the feed's own, for fare rules."""

    id: UUID
    name: str
    names: dict[str, str]
    timezone: str
    zone_id: str | None
    area_ids: tuple[str, ...]

    def name_in(self, language: str) -> str:
        return self.names.get(language, self.name)


@dataclass(frozen=True, slots=True)
class RideFacts:
    """What there is to say of a run besides its times.

    Attributes:
        line_names: language code -> name of the line, where the feed has translations.
        zone_ids: the zones of all its calls from boarding to alighting.
    """

    line: LineView
    line_names: dict[str, str]
    vehicle: VehicleKind
    seat_plan: SeatPlan
    board: RideStop
    alight: RideStop
    zone_ids: frozenset[str]


_FACTS = """
    SELECT l.id, l.name, l.network_ids, l.color, l.feed_id, l.names,
           v.id, v.code, v.name, v.amenities, d.seat_plan_id,
           a.id, a.name, a.names, a.timezone, a.zone_id, a.area_ids,
           b.id, b.name, b.names, b.timezone, b.zone_id, b.area_ids,
           ARRAY(SELECT DISTINCT s.zone_id FROM call c JOIN stop s ON s.id = c.stop_id
                  WHERE c.journey_id = d.journey_id AND c.position BETWEEN run.board AND run.alight
                    AND s.zone_id IS NOT NULL)
      FROM unnest(%(departures)s::uuid[], %(boards)s::int[], %(alights)s::int[],
                  %(board_stops)s::uuid[], %(alight_stops)s::uuid[])
           WITH ORDINALITY AS run(departure_id, board, alight, board_stop_id, alight_stop_id, n)
      JOIN departure d ON d.id = run.departure_id
      JOIN journey j ON j.id = d.journey_id
      JOIN line l ON l.id = j.line_id
      JOIN vehicle_kind v ON v.id = d.vehicle_kind_id
      JOIN stop a ON a.id = run.board_stop_id
      JOIN stop b ON b.id = run.alight_stop_id
     ORDER BY run.n
"""


async def list_ride_facts(work: UnitOfWork, runs: Sequence[Run]) -> list[RideFacts]:
    """The facts of each run, in the order given, in one query."""
    if not runs:
        return []
    cursor = await work.execute(
        _FACTS,
        {
            "departures": [run.departure_id for run in runs],
            "boards": [run.board_index for run in runs],
            "alights": [run.alight_index for run in runs],
            "board_stops": [run.board_stop_id for run in runs],
            "alight_stops": [run.alight_stop_id for run in runs],
        },
    )
    return [await _facts(work, row) for row in await cursor.fetchall()]


async def _facts(work: UnitOfWork, row: tuple[Any, ...]) -> RideFacts:
    line_id, line_name, network_ids, color, feed_id, line_names = row[:6]
    kind_id, kind_code, kind_name, amenities, plan_id = row[6:11]
    plan = await get_seat_plan(work, plan_id)
    return RideFacts(
        line=LineView(line_id, line_name, tuple(network_ids), color, feed_id),
        line_names=line_names,
        vehicle=VehicleKind(kind_id, kind_code, kind_name, tuple(amenities), plan.seat_types),
        seat_plan=plan,
        board=RideStop(*row[11:16], tuple(row[16])),
        alight=RideStop(*row[17:22], tuple(row[22])),
        zone_ids=frozenset(row[23]),
    )
