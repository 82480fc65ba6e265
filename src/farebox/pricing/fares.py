"""An operator's fares, in memory: what a ride costs on a seat for a traveller.

A ride's fare is what the operator set by hand from place to place, else what the feed names, else the operator's price
by distance. It is never told by the client, and no price in here can be negative.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from uuid import UUID

from farebox.core.money import Money
from farebox.pricing.rides import PricedRun, Ride, RideCall
from farebox.pricing.rules import Occasion, PriceRule, amounts_of, fitting, in_order
from farebox.pricing.sale_terms import DEFAULT_SALE_TERMS, SaleTerms, best_of
from farebox.pricing.terms import DistanceFare, FareCell, FareTerms, PassengerType, SeatSurcharge
from farebox.timetable import Seat, SeatPlan

FareSource: TypeAlias = Literal["hand", "feed", "distance"]

MEMO_LIMIT = 20_000
"""Rides whose fare is remembered, an operator."""


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
    """What one passenger pays for one seat.

    Attributes:
        surcharge: of the seat; `feature`: what for.
        by_rules: what each price rule adds, or takes off.
        added_tax: on top of all this, where amounts are without it.
    """

    fare: Money
    surcharge: Money
    feature: str
    added_tax: Money
    by_rules: tuple[tuple[PriceRule, Money], ...] = ()

    @property
    def total(self) -> Money:
        minor = self.fare.minor + self.surcharge.minor + self.added_tax.minor
        return Money(minor + sum(amount.minor for _, amount in self.by_rules), self.fare.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class FareBook:
    """All that an operator sells under, but for what its feeds say.

    Attributes:
        by_distance: seat type -> price by distance, with one for `standard`.
        sale_terms: seat type -> terms, of any type under the empty text.
    """

    terms: FareTerms
    by_distance: Mapping[str, DistanceFare]
    surcharges: Sequence[SeatSurcharge] = ()
    cells: Sequence[FareCell] = ()
    price_rules: Sequence[PriceRule] = ()
    sale_terms: Mapping[str, SaleTerms] = field(default_factory=dict)


class Fares:
    """The fares of one operator. Made by `load_fares`; immutable, and remembers the rides it was asked about.

    Attributes:
        price_rules: those that are on; empty for most operators. Who asks for a price need not find out about the
            occasion then.
        looks_at_load: whether one of the rules does.
    """

    def __init__(self, operator_id: UUID, book: FareBook, rules: Iterable[FareRule] = ()) -> None:
        self.operator_id = operator_id
        self.terms = book.terms
        self.tax = book.terms.tax
        self.price_rules = in_order(rule for rule in book.price_rules if rule.is_on)
        self.looks_at_load = any(rule.kind == "load" for rule in self.price_rules)
        self._sale_terms = book.sale_terms
        self._by_distance = dict(book.by_distance)
        self._surcharges = tuple(book.surcharges)
        self._cells = {(cell.from_place, cell.to_place, cell.seat_type): cell for cell in book.cells}
        self._zero = Money.zero(book.terms.currency)
        self._no_surcharge = self._zero, ""
        self._rules: dict[tuple[UUID, bool, str | None, str | None], list[FareRule]] = {}
        self._zonal: dict[UUID, set[bool]] = {}
        self._named: dict[tuple[UUID, str], set[str | None]] = {}
        for rule in rules:
            self._rules.setdefault((rule.feed_id, rule.is_zonal, rule.origin, rule.destination), []).append(rule)
            self._zonal.setdefault(rule.feed_id, set()).add(rule.is_zonal)
            for column in ("network", "origin", "destination"):
                self._named.setdefault((rule.feed_id, column), set()).add(getattr(rule, column))
        self._memo: dict[tuple[Ride, str, PassengerType], Money | None] = {}
        self._lowest: dict[tuple[Ride, UUID, PassengerType, str | None, tuple[PriceRule, ...]], Money | None] = {}
        self._classes: dict[UUID, tuple[Seat, ...]] = {}

    @property
    def currency(self) -> str:
        return self.terms.currency

    @property
    def cells(self) -> Collection[FareCell]:
        """The fares that are set by hand."""
        return self._cells.values()

    def rules_for(self, occasion: Occasion) -> tuple[PriceRule, ...]:
        """The price rules that count on an occasion."""
        return fitting(self.price_rules, occasion)

    def sale_terms(self, seat_types: Iterable[str] = ()) -> SaleTerms:
        """Under which terms seats of these types are sold together; without any, what holds where no type says else."""
        general = self._sale_terms.get("", DEFAULT_SALE_TERMS)
        return best_of([self._sale_terms.get(seat_type, general) for seat_type in seat_types] or [general])

    def price(
        self, run: PricedRun, board: RideCall, alight: RideCall, seat: Seat, passenger_type: PassengerType = "adult"
    ) -> Money | None:
        """What a passenger pays for a seat on a ride where no price rule counts, with tax, without the service fee.

        `None` where the operator does not sell the ride: nothing names a fare, and terms do not sell by distance.
        """
        fare = self.seat_fare(Ride.of(run, board, alight), seat, passenger_type)
        return fare.total if fare else None

    def lowest(
        self, run: PricedRun, board: RideCall, alight: RideCall, *, rules: tuple[PriceRule, ...] = ()
    ) -> Money | None:
        """The price of the cheapest seat on board for an adult ("from"), under the price rules that count."""
        return self.lowest_on(Ride.of(run, board, alight), run.seat_plan, rules=rules)

    def lowest_on(
        self,
        ride: Ride,
        plan: SeatPlan,
        passenger_type: PassengerType = "adult",
        *,
        seat_type: str | None = None,
        rules: tuple[PriceRule, ...] = (),
    ) -> Money | None:
        """The price of the cheapest seat, of one type if given, under the price rules that count."""
        key = (ride, plan.id, passenger_type, seat_type, rules)
        if key not in self._lowest:
            prices = [
                self.seat_fare(ride, seat, passenger_type, rules)
                for seat in self._price_classes(plan)
                if seat_type is None or seat.type == seat_type
            ]
            if len(self._lowest) >= MEMO_LIMIT:
                self._lowest.clear()
            totals = (price.total for price in prices if price)
            self._lowest[key] = min(totals, key=lambda total: total.minor, default=None)
        return self._lowest[key]

    def seat_fare(
        self, ride: Ride, seat: Seat, passenger_type: PassengerType = "adult", rules: Sequence[PriceRule] = ()
    ) -> SeatFare | None:
        """The parts of a price, under the price rules that count; `None` as in `price`."""
        key = (ride, seat.type, passenger_type)
        try:
            fare = self._memo[key]  # a key is long, so that looking twice is dear
        except KeyError:
            if len(self._memo) >= MEMO_LIMIT:
                self._memo.clear()
            named = self.named(ride, seat.type, passenger_type)
            fare = self._memo[key] = named[0] if named else None
        if fare is None:
            return None
        surcharge, feature = self._surcharge(seat)
        if not rules and not self.tax.is_added:
            return SeatFare(fare, surcharge, feature, self._zero)
        by_rules = amounts_of(rules, fare)
        net = SeatFare(fare, surcharge, feature, self._zero, by_rules).total
        return SeatFare(fare, surcharge, feature, self.tax.added_to(net), by_rules)

    def named(
        self, ride: Ride, seat_type: str, passenger_type: PassengerType = "adult"
    ) -> tuple[Money, FareSource] | None:
        """The fare alone, before rules, surcharges and tax that is added, and what says so; `None` as in `price`."""
        by_hand = self._set_by_hand(ride, seat_type, passenger_type)
        if by_hand is not None:
            return by_hand, "hand"
        listed = self._listed(ride, passenger_type)
        if listed is not None:
            return listed, "feed"
        if not self.terms.sells_by_distance:
            return None
        table = self._by_distance.get(seat_type) or self._by_distance["standard"]
        return self.terms.discounted(table.price(ride.kilometres), passenger_type), "distance"

    def _set_by_hand(self, ride: Ride, seat_type: str, passenger_type: PassengerType) -> Money | None:
        """The fare from place to place: of the seat's type, else of any."""
        if not self._cells or ride.from_place is None or ride.to_place is None:
            return None
        cell = self._cells.get((ride.from_place, ride.to_place, seat_type)) or self._cells.get(
            (ride.from_place, ride.to_place, "")
        )
        if cell is None:
            return None
        fares = {"adult": cell.adult, "child": cell.child, "senior": cell.senior}
        own = fares[passenger_type]
        return self.terms.discounted(cell.adult, passenger_type) if own is None else own

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
