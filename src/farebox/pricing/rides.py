"""Rides as fares see them: from one call of a departure to another, with all that rules may ask."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import Protocol
from uuid import UUID

from farebox.timetable import SeatPlan

ROAD_FACTOR = Fraction(12, 10)
"""Kilometres on the road for one in a straight line from stop to stop. A feed's own distances are in units it does not
name, and often wrong; straight lines are always there."""

KMH_WITHOUT_DISTANCE = 60
"""How fast a coach goes, for pricing rides between stops whose positions are unknown or impossible."""

METRES_PER_SECOND_LIMIT = 120
"""Faster than any train in a straight line: a position must be wrong."""


class RideCall(Protocol):
    """What pricing needs of a departure's call."""

    @property
    def index(self) -> int: ...
    @property
    def arrival(self) -> datetime: ...
    @property
    def departure(self) -> datetime: ...
    @property
    def distance_m(self) -> int: ...
    @property
    def place_id(self) -> UUID: ...
    @property
    def zone_id(self) -> str | None: ...
    @property
    def area_ids(self) -> tuple[str, ...]: ...


class RideLine(Protocol):
    """What pricing needs of a line."""

    @property
    def id(self) -> UUID: ...
    @property
    def feed_id(self) -> UUID: ...
    @property
    def network_ids(self) -> tuple[str, ...]: ...


class PricedRun(Protocol):
    """What pricing needs of a departure (or of its journey: nothing here depends on the day)."""

    @property
    def line(self) -> RideLine: ...
    @property
    def calls(self) -> Sequence[RideCall]: ...
    @property
    def seat_plan(self) -> SeatPlan: ...


@dataclass(frozen=True, slots=True)
class Ride:
    """From one call to another on a line, as fare rules see it.

    Attributes:
        zones: every zone that a call of the ride lies in (GTFS fares v1).
        metres: in straight lines from call to call.
        seconds: from leaving to arriving.
        from_place, to_place: the places of its ends, for fares set by hand; `None`: none is set for it.
    """

    feed_id: UUID
    line_id: UUID
    networks: tuple[str, ...]
    from_zone: str | None
    to_zone: str | None
    zones: frozenset[str]
    from_areas: tuple[str, ...]
    to_areas: tuple[str, ...]
    metres: int
    seconds: int
    from_place: UUID | None = None
    to_place: UUID | None = None
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Every price that is remembered is found by its ride: what it is made of is hashed once, and not each time."""
        zones = (self.from_zone, self.to_zone, self.zones, self.from_areas, self.to_areas)
        places = (self.from_place, self.to_place)
        object.__setattr__(self, "_hash", hash((self.line_id, self.networks, zones, places, self.metres, self.seconds)))

    def __hash__(self) -> int:
        return self._hash

    @classmethod
    def of(cls, run: PricedRun, board: RideCall, alight: RideCall) -> "Ride":
        travelled = run.calls[board.index : alight.index + 1]
        return cls(
            feed_id=run.line.feed_id,
            line_id=run.line.id,
            networks=run.line.network_ids,
            from_zone=board.zone_id,
            to_zone=alight.zone_id,
            zones=frozenset(call.zone_id for call in travelled if call.zone_id),
            from_areas=board.area_ids,
            to_areas=alight.area_ids,
            metres=alight.distance_m - board.distance_m,
            seconds=int((alight.arrival - board.departure).total_seconds()),
            from_place=board.place_id,
            to_place=alight.place_id,
        )

    def back(self) -> "Ride":
        """The same ride the other way round: for rules of feeds, and for what the way back costs."""
        return replace(
            self,
            from_zone=self.to_zone,
            to_zone=self.from_zone,
            from_areas=self.to_areas,
            to_areas=self.from_areas,
            from_place=self.to_place,
            to_place=self.from_place,
        )

    @property
    def kilometres(self) -> Fraction:
        """About how far it is on the road; by the time it takes, where positions are missing or cannot be."""
        seconds = max(self.seconds, 0)
        if 0 < self.metres <= METRES_PER_SECOND_LIMIT * max(seconds, 60):
            return Fraction(self.metres, 1000) * ROAD_FACTOR
        return Fraction(seconds, 3600) * KMH_WITHOUT_DISTANCE
