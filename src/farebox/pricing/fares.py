"""An operator's fares, in memory: what a ride costs on a seat for a traveller.

A ride's fare comes from the feed where it names one, else from the operator's price by distance. It is never told by
the client, and no amount in here can be negative.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Protocol
from uuid import UUID

from farebox.core.money import Money
from farebox.pricing.terms import DistanceFare, FareTerms, PassengerType, SeatSurcharge
from farebox.timetable import Seat, SeatPlan

ROAD_FACTOR = Fraction(12, 10)
"""Kilometres on the road for one in a straight line from stop to stop. A feed's own distances are in units it does not
name, and often wrong; straight lines are always there."""

KMH_WITHOUT_DISTANCE = 60
"""How fast a coach goes, for pricing rides between stops whose positions are unknown or impossible."""

METRES_PER_SECOND_LIMIT = 120
"""Faster than any train in a straight line: a position must be wrong."""

MEMO_LIMIT = 20_000
"""Rides whose fare is remembered, an operator."""


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
        )

    def back(self) -> "Ride":
        """The same ride the other way round."""
        return replace(
            self, from_zone=self.to_zone, to_zone=self.from_zone, from_areas=self.to_areas, to_areas=self.from_areas
        )

    @property
    def kilometres(self) -> Fraction:
        """About how far it is on the road; by the time it takes, where positions are missing or cannot be."""
        seconds = max(self.seconds, 0)
        if 0 < self.metres <= METRES_PER_SECOND_LIMIT * max(seconds, 60):
            return Fraction(self.metres, 1000) * ROAD_FACTOR
        return Fraction(seconds, 3600) * KMH_WITHOUT_DISTANCE


@dataclass(frozen=True, slots=True)
class FareRule:
    """A rule of a feed: which rides it fits, and what they then cost each kind of passenger. See `FareRuleRow`."""

    feed_id: UUID
    prices: Mapping[PassengerType, Money]
    line_id: UUID | None = None
    network: str | None = None
    origin: str | None = None
    destination: str | None = None
    contains: frozenset[str] | None = None
    priority: int = 0
    is_zonal: bool = False
    is_exclusive: bool = False


@dataclass(frozen=True, slots=True)
class SeatFare:
    """What one passenger pays for one seat: the fare of the ride and the seat's surcharge (`feature`: what for)."""

    fare: Money
    surcharge: Money
    feature: str

    @property
    def total(self) -> Money:
        return self.fare + self.surcharge


class Fares:
    """The fares of one operator. Made by `load_fares`; immutable, and remembers the rides it was asked about."""

    def __init__(
        self,
        operator_id: UUID,
        terms: FareTerms,
        *,
        rules: Iterable[FareRule] = (),
        by_distance: Mapping[str, DistanceFare],
        surcharges: Sequence[SeatSurcharge] = (),
    ) -> None:
        self.operator_id = operator_id
        self.terms = terms
        self._by_distance = dict(by_distance)
        self._surcharges = tuple(surcharges)
        self._no_surcharge = Money.zero(terms.currency), ""
        self._rules: dict[tuple[UUID, bool, str | None, str | None], list[FareRule]] = {}
        self._zonal: dict[UUID, set[bool]] = {}
        self._named: dict[tuple[UUID, str], set[str | None]] = {}
        for rule in rules:
            self._rules.setdefault((rule.feed_id, rule.is_zonal, rule.origin, rule.destination), []).append(rule)
            self._zonal.setdefault(rule.feed_id, set()).add(rule.is_zonal)
            for column in ("network", "origin", "destination"):
                self._named.setdefault((rule.feed_id, column), set()).add(getattr(rule, column))
        self._memo: dict[tuple[Ride, str, PassengerType], Money | None] = {}
        self._lowest: dict[tuple[Ride, UUID, PassengerType, str | None], Money | None] = {}
        self._classes: dict[UUID, tuple[Seat, ...]] = {}

    @property
    def currency(self) -> str:
        return self.terms.currency

    def price(
        self, run: PricedRun, board: RideCall, alight: RideCall, seat: Seat, passenger_type: PassengerType = "adult"
    ) -> Money | None:
        """What a passenger pays for a seat on a ride, tax included, service fee not.

        `None` where the operator does not sell the ride: the feed names no fare, and terms do not sell by distance.
        """
        fare = self.seat_fare(Ride.of(run, board, alight), seat, passenger_type)
        return fare.total if fare else None

    def lowest(
        self, run: PricedRun, board: RideCall, alight: RideCall, passenger_type: PassengerType = "adult"
    ) -> Money | None:
        """The price of the cheapest seat on board ("from")."""
        return self.lowest_on(Ride.of(run, board, alight), run.seat_plan, passenger_type)

    def lowest_on(
        self, ride: Ride, plan: SeatPlan, passenger_type: PassengerType = "adult", *, seat_type: str | None = None
    ) -> Money | None:
        """`lowest` for who has the facts of the ride but no calls, such as the search; of one type of seat if given."""
        key = (ride, plan.id, passenger_type, seat_type)
        if key not in self._lowest:
            prices = [
                self.seat_fare(ride, seat, passenger_type)
                for seat in self._price_classes(plan)
                if seat_type is None or seat.type == seat_type
            ]
            if len(self._lowest) >= MEMO_LIMIT:
                self._lowest.clear()
            totals = (price.total for price in prices if price)
            self._lowest[key] = min(totals, key=lambda total: total.minor, default=None)
        return self._lowest[key]

    def seat_fare(self, ride: Ride, seat: Seat, passenger_type: PassengerType = "adult") -> SeatFare | None:
        """The parts of a price; `None` as in `price`."""
        key = (ride, seat.type, passenger_type)
        try:
            fare = self._memo[key]  # a key is long, so that looking twice is dear
        except KeyError:
            if len(self._memo) >= MEMO_LIMIT:
                self._memo.clear()
            fare = self._memo[key] = self._fare(ride, seat.type, passenger_type)
        return None if fare is None else SeatFare(fare, *self._surcharge(seat))

    def _fare(self, ride: Ride, seat_type: str, passenger_type: PassengerType) -> Money | None:
        listed = self._listed(ride, passenger_type)
        if listed is not None or not self.terms.sells_by_distance:
            return listed
        table = self._by_distance.get(seat_type) or self._by_distance["standard"]
        return self.terms.discounted(table.price(ride.kilometres), passenger_type)

    def _surcharge(self, seat: Seat) -> tuple[Money, str]:
        """The dearest surcharge that fits the seat. Seats kept for passengers with reduced mobility have none."""
        if seat.accessible or not self._surcharges:
            return self._no_surcharge
        fitting = [
            (surcharge.amount.minor, surcharge.feature)
            for surcharge in self._surcharges
            if surcharge.seat_type in {"", seat.type} and (not surcharge.feature or surcharge.feature in seat.features)
        ]
        if not fitting:
            return self._no_surcharge
        minor, feature = max(fitting)
        return Money(minor, self.currency), feature

    def _price_classes(self, plan: SeatPlan) -> tuple[Seat, ...]:
        """One seat for each price that the plan has."""
        if plan.id not in self._classes:
            classes = {(seat.type, self._surcharge(seat)[0].minor): seat for seat in plan.seats}
            self._classes[plan.id] = tuple(classes.values())
        return self._classes[plan.id]

    def _listed(self, ride: Ride, passenger_type: PassengerType) -> Money | None:
        """The feed's fare for a ride, `None` where it names none.

        The cheapest product among the matching rules of the highest priority that price this type of passenger. Where
        none does, the operator's discount is taken off the adult's.
        """
        matching = self._matching(ride)
        priced = [rule for rule in matching if passenger_type in rule.prices]
        if priced:
            highest = max(rule.priority for rule in priced)
            fares = [rule.prices[passenger_type] for rule in priced if rule.priority == highest]
            return min(fares, key=lambda fare: fare.minor)
        if passenger_type == "adult":
            return None
        adult = self._listed(ride, "adult")
        return None if adult is None else self.terms.discounted(adult, passenger_type)

    def _matching(self, ride: Ride) -> list[FareRule]:
        """The rules for a ride; where there is none, those that name both ends of the same ride back.

        Feeds often tell each pair once, and mean both directions.
        """
        matching = [rule for rule in self._candidates(ride) if self._fits(rule, ride)]
        if matching:
            return matching
        back = ride.back()
        pairs = (rule for rule in self._candidates(back) if rule.origin and rule.destination)
        return [rule for rule in pairs if self._fits(rule, back)]

    def _candidates(self, ride: Ride) -> Iterable[FareRule]:
        """The rules whose origin and destination are the ride's, or empty."""
        for is_zonal in self._zonal.get(ride.feed_id, ()):
            origins = _ids(ride.from_zone) if is_zonal else ride.from_areas
            destinations = _ids(ride.to_zone) if is_zonal else ride.to_areas
            for origin in (*origins, None):
                for destination in (*destinations, None):
                    yield from self._rules.get((ride.feed_id, is_zonal, origin, destination), ())

    def _fits(self, rule: FareRule, ride: Ride) -> bool:
        if rule.line_id is not None and rule.line_id != ride.line_id:
            return False
        if rule.network is not None and rule.network not in ride.networks:
            return False
        if rule.contains is not None and rule.contains != ride.zones:
            return False
        return not rule.is_exclusive or (
            (rule.network is not None or self._has_unnamed(ride.feed_id, "network", ride.networks))
            and (rule.origin is not None or self._has_unnamed(ride.feed_id, "origin", ride.from_areas))
            and (rule.destination is not None or self._has_unnamed(ride.feed_id, "destination", ride.to_areas))
        )

    def _has_unnamed(self, feed_id: UUID, column: str, ids: Collection[str]) -> bool:
        """Whether an empty column means these: in Fares v2 without priorities it is "all that no other rule names"."""
        named = self._named.get((feed_id, column), set())
        return not ids or any(each not in named for each in ids)


def _ids(zone: str | None) -> tuple[str, ...]:
    return (zone,) if zone else ()
