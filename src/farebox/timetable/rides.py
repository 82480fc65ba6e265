"""What a search result says of its runs: lines, vehicles, and the stops where a ride begins and ends."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.core.i18n import current_language
from farebox.timetable.seat_plans import SeatPlan
from farebox.timetable.views import LineView, Run, VehicleKind
from farebox.timetable.whole_departures import get_seat_plan


class RideKey(NamedTuple):
    """What runs have in common that differ only in their day: journey, calls, vehicle."""

    journey_id: UUID
    board_index: int
    alight_index: int
    vehicle_kind_id: UUID
    seat_plan_id: UUID

    @classmethod
    def of(cls, run: Run) -> Self:
        return cls(run.journey_id, run.board_index, run.alight_index, run.vehicle_kind_id, run.seat_plan_id)


@dataclass(frozen=True, slots=True)
class RideStop:
    """Where a ride begins or ends. `zone_id` and `area_ids` are the feed's own, for fare rules."""

    id: UUID
    name: str
    timezone: str
    zone_id: str | None
    area_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RideFacts:
    """What there is to say of a run besides its times, in the language of the request where the feed has it.

    Attributes:
        zone_ids: the zones of all its calls from boarding to alighting.
    """

    line: LineView
    vehicle: VehicleKind
    seat_plan: SeatPlan
    board: RideStop
    alight: RideStop
    zone_ids: frozenset[str]


_FACTS = """
    SELECT l.id, coalesce(l.names ->> %(language)s, l.name), l.network_ids, l.color, l.feed_id,
           v.id, v.code, v.name, v.amenities,
           s.id, coalesce(s.names ->> %(language)s, s.name), s.timezone, s.zone_id, s.area_ids,
           t.id, coalesce(t.names ->> %(language)s, t.name), t.timezone, t.zone_id, t.area_ids,
           ARRAY(SELECT DISTINCT z.zone_id FROM call c JOIN stop z ON z.id = c.stop_id
                  WHERE c.journey_id = ride.journey_id AND c.position BETWEEN ride.board AND ride.alight
                    AND z.zone_id IS NOT NULL)
      FROM unnest(%(journeys)s::uuid[], %(boards)s::int[], %(alights)s::int[], %(kinds)s::uuid[])
           WITH ORDINALITY AS ride(journey_id, board, alight, vehicle_kind_id, n)
      JOIN journey j ON j.id = ride.journey_id
      JOIN line l ON l.id = j.line_id
      JOIN vehicle_kind v ON v.id = ride.vehicle_kind_id
      JOIN call a ON a.journey_id = ride.journey_id AND a.position = ride.board
      JOIN call b ON b.journey_id = ride.journey_id AND b.position = ride.alight
      JOIN stop s ON s.id = a.stop_id
      JOIN stop t ON t.id = b.stop_id
     ORDER BY ride.n
"""


async def list_ride_facts(work: UnitOfWork, rides: Iterable[RideKey]) -> dict[RideKey, RideFacts]:
    """The facts of each ride, in one query."""
    keys = list(dict.fromkeys(rides))
    if not keys:
        return {}
    journeys, boards, alights, kinds, _ = (list(column) for column in zip(*keys, strict=True))
    parameters = {
        "journeys": journeys,
        "boards": boards,
        "alights": alights,
        "kinds": kinds,
        "language": current_language(),
    }
    rows = await (await work.execute(_FACTS, parameters)).fetchall()
    plans = {plan_id: await get_seat_plan(work, plan_id) for plan_id in {key.seat_plan_id for key in keys}}
    seat_types = {plan_id: plan.seat_types for plan_id, plan in plans.items()}
    return {
        key: _facts(row, plans[key.seat_plan_id], seat_types[key.seat_plan_id])
        for key, row in zip(keys, rows, strict=True)
    }


def _facts(row: tuple[Any, ...], plan: SeatPlan, seat_types: tuple[str, ...]) -> RideFacts:
    line_id, line_name, network_ids, color, feed_id = row[:5]
    kind_id, kind_code, kind_name, amenities = row[5:9]
    return RideFacts(
        line=LineView(line_id, line_name, tuple(network_ids), color, feed_id),
        vehicle=VehicleKind(kind_id, kind_code, kind_name, tuple(amenities), seat_types),
        seat_plan=plan,
        board=RideStop(row[9], row[10], row[11], row[12], tuple(row[13])),
        alight=RideStop(row[14], row[15], row[16], row[17], tuple(row[18])),
        zone_ids=frozenset(row[19]),
    )
