"""What a ride costs: rules of feeds, prices by distance, surcharges, discounts."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.money import Money
from farebox.pricing import (
    DistanceFare,
    FareBook,
    FareCell,
    Fares,
    FareTerms,
    PassengerType,
    Ride,
    SeatSurcharge,
    default_distance_fares,
)
from farebox.pricing.fares import FareRule
from farebox.pricing.terms import UNITS_PER_EURO
from farebox.timetable import LIMOUSINE_9, SLEEPER_34, STANDARD_45, TEMPLATES, LineView, Seat, SeatPlan

FEED, LINE, OTHER_LINE, OPERATOR, PLACE, OTHER_PLACE = (UUID(int=number) for number in range(1, 7))
SEAT = STANDARD_45.seats[20]
RIDE = Ride(FEED, LINE, ("net",), "A", "C", frozenset("ABC"), ("1",), ("3",), metres=100_000, seconds=7200)


def euros(text: str) -> Money:
    return Money.parse(text, "EUR")


def make(
    *rules: FareRule,
    surcharges: tuple[SeatSurcharge, ...] = (),
    cells: tuple[FareCell, ...] = (),
    **terms: Any,
) -> Fares:
    fee = terms.pop("service_fee", Money.zero("EUR"))
    book = FareBook(
        terms=FareTerms(fee, **terms), by_distance=default_distance_fares("EUR"), surcharges=surcharges, cells=cells
    )
    return Fares(OPERATOR, book, rules)


def rule(amount: str, **facts: Any) -> FareRule:
    return FareRule(FEED, {"adult": euros(amount)}, **facts)


def fare_of(fares: Fares, ride: Ride = RIDE, passenger_type: PassengerType = "adult", seat: Seat = SEAT) -> str | None:
    price = fares.seat_fare(ride, seat, passenger_type)
    return None if price is None else str(price.total)


# By distance


def test_a_ride_that_no_feed_prices_is_sold_by_distance() -> None:
    # 4.00 to get on, 0.06 a kilometre; 100 km in a straight line are 120 on the road
    assert fare_of(make()) == "11.20 EUR"


def test_a_short_ride_costs_the_minimum() -> None:
    assert fare_of(make(), replace(RIDE, metres=2_000)) == "5.00 EUR"


def test_a_price_by_distance_is_rounded_to_its_step_half_up() -> None:
    fare = DistanceFare(euros("0.00"), euros("10.00"), euros("0.00"), euros("0.50"))
    assert [str(fare.price(Fraction(km, 10))) for km in (24, 25, 74, 75)] == [
        "0.00 EUR", "0.50 EUR", "0.50 EUR", "1.00 EUR",
    ]  # fmt: skip


def test_better_classes_cost_more_by_distance() -> None:
    fares = make()
    prices = [fares.seat_fare(RIDE, plan.seats[-1]) for plan in (STANDARD_45, SLEEPER_34, LIMOUSINE_9)]
    assert [str(price.fare) for price in prices if price] == ["11.20 EUR", "14.60 EUR", "17.90 EUR"]


def test_a_class_without_a_price_of_its_own_costs_what_standard_seats_cost() -> None:
    assert fare_of(make(), seat=replace(SEAT, type="couchette")) == fare_of(make())


@pytest.mark.parametrize("metres", [0, -5, 9_000_000])
def test_a_ride_whose_distance_is_missing_or_impossible_is_priced_by_its_time(metres: int) -> None:
    # two hours at 60 km/h, as far as 100 km in a straight line
    assert fare_of(make(), replace(RIDE, metres=metres)) == "11.20 EUR"


def test_an_operator_may_sell_only_what_its_feed_prices() -> None:
    assert fare_of(make(sells_by_distance=False)) is None
    assert fare_of(make(rule("9.00"), sells_by_distance=False)) == "9.00 EUR"


def test_every_currency_of_the_table_has_sensible_prices_by_distance() -> None:
    for currency in UNITS_PER_EURO:
        for fare in default_distance_fares(currency).values():
            assert fare.step.minor > 0
            near, far = fare.price(Fraction(30)), fare.price(Fraction(600))
            assert 0 < near.minor < far.minor < 25 * near.minor


def test_prices_by_distance_in_dong_are_as_people_know_them() -> None:
    standard = default_distance_fares("VND")["standard"]
    assert str(standard.price(Fraction(300))) == "300000 VND"
    assert str(standard.price(Fraction(10))) == "50000 VND"


@given(st.integers(0, 3_000_000), st.integers(0, 3_000_000), st.sampled_from(sorted(UNITS_PER_EURO)))
def test_further_never_costs_less(a: int, b: int, currency: str) -> None:
    near, far = sorted((a, b))
    for fare in default_distance_fares(currency).values():
        assert fare.price(Fraction(near, 1000)) <= fare.price(Fraction(far, 1000))
        assert fare.price(Fraction(near, 1000)).minor >= 0


# By hand


def from_to(adult: str, **facts: Any) -> FareCell:
    return FareCell(PLACE, OTHER_PLACE, euros(adult), **facts)


BY_HAND = replace(RIDE, from_place=PLACE, to_place=OTHER_PLACE)
BACK = replace(RIDE, from_place=OTHER_PLACE, to_place=PLACE)


def test_a_fare_set_by_hand_goes_before_the_feeds_and_the_one_by_distance() -> None:
    fares = make(rule("9.00"), cells=(from_to("7.00"),))
    assert fare_of(fares, BY_HAND) == "7.00 EUR"
    assert fare_of(fares, RIDE) == "9.00 EUR"
    assert fare_of(make(cells=(from_to("7.00"),), sells_by_distance=False), BY_HAND) == "7.00 EUR"


def test_a_fare_set_by_hand_is_for_its_direction() -> None:
    assert fare_of(make(cells=(from_to("7.00"),)), BACK) == fare_of(make())


def test_a_fare_set_by_hand_for_a_type_of_seat_goes_before_one_for_any() -> None:
    fares = make(cells=(from_to("7.00"), from_to("9.00", seat_type="sleeper")))
    assert fare_of(fares, BY_HAND) == "7.00 EUR"
    assert fare_of(fares, BY_HAND, seat=SLEEPER_34.seats[0]) == "9.00 EUR"
    only = make(cells=(from_to("9.00", seat_type="sleeper"),), sells_by_distance=False)
    assert fare_of(only, BY_HAND) is None


def test_a_fare_set_by_hand_for_children_counts_before_the_discount() -> None:
    fares = make(cells=(from_to("8.00", child=euros("0.00")),), child_discount_bp=5000, senior_discount_bp=2500)
    assert fare_of(fares, BY_HAND, "child") == "0.00 EUR"
    assert fare_of(fares, BY_HAND, "senior") == "6.00 EUR"


# Rules of Fares v1


def test_the_zones_of_origin_and_destination_find_the_fare() -> None:
    fares = make(
        rule("10.00", origin="A", destination="C", is_zonal=True, priority=2),
        rule("12.00", origin="C", destination="A", is_zonal=True, priority=2),
    )
    assert fare_of(fares) == "10.00 EUR"
    assert fare_of(fares, replace(RIDE, from_zone="C", to_zone="A")) == "12.00 EUR"
    assert fare_of(fares, replace(RIDE, from_zone="B")) == "11.20 EUR", "no rule: by distance"
    assert fare_of(fares, replace(RIDE, from_zone=None)) == "11.20 EUR"


def test_a_pair_told_in_one_direction_is_meant_for_both() -> None:
    fares = make(
        rule("10.00", origin="A", destination="C", is_zonal=True, priority=2),
        rule("3.00", origin="C", is_zonal=True, priority=1),
        sells_by_distance=False,
    )
    assert fare_of(fares) == "10.00 EUR"
    assert fare_of(fares, replace(RIDE, from_zone="C", to_zone="A")) == "3.00 EUR", "what is told wins"
    assert fare_of(fares, replace(RIDE, from_zone="B", to_zone="C")) is None, "only pairs can be turned round"
    assert fare_of(make(rule("4.00", origin="3", destination="1")), RIDE) == "4.00 EUR"


def test_the_most_specific_rule_wins_and_the_cheapest_among_equals() -> None:
    wide = rule("1.00", is_zonal=True)
    narrow = rule("8.00", origin="A", destination="C", is_zonal=True, priority=2)
    also = rule("7.50", origin="A", line_id=LINE, is_zonal=True, priority=2)
    assert fare_of(make(wide, narrow)) == "8.00 EUR"
    assert fare_of(make(wide, narrow, also)) == "7.50 EUR"


def test_a_rule_for_a_line_is_for_that_line_only() -> None:
    fares = make(rule("7.00", line_id=OTHER_LINE, is_zonal=True), sells_by_distance=False)
    assert fare_of(fares) is None
    assert fare_of(fares, replace(RIDE, line_id=OTHER_LINE)) == "7.00 EUR"


def test_the_zones_that_a_fare_contains_must_be_exactly_those_travelled() -> None:
    fares = make(
        rule("3.00", contains=frozenset("AB"), is_zonal=True, priority=1),
        rule("5.00", contains=frozenset("ABC"), is_zonal=True, priority=1),
        rule("9.00", contains=frozenset("ABCD"), is_zonal=True, priority=1),
    )
    assert fare_of(fares) == "5.00 EUR"
    assert fare_of(fares, replace(RIDE, zones=frozenset("AC"))) == "11.20 EUR"


def test_the_fares_of_one_feed_are_not_those_of_another() -> None:
    fares = make(replace(rule("2.00", is_zonal=True), feed_id=uuid4()), sells_by_distance=False)
    assert fare_of(fares) is None


# Rules of Fares v2


def test_without_priorities_an_empty_area_means_every_area_that_no_rule_names() -> None:
    exclusive = {"is_exclusive": True}
    fares = make(
        rule("4.00", origin="1", destination="2", **exclusive),
        rule("6.00", origin="1", **exclusive),
        sells_by_distance=False,
    )
    assert fare_of(fares, replace(RIDE, to_areas=("2",))) == "4.00 EUR"
    assert fare_of(fares, replace(RIDE, to_areas=("3",))) == "6.00 EUR"
    assert fare_of(fares, replace(RIDE, to_areas=())) == "6.00 EUR", "a stop in no area"
    assert fare_of(fares, replace(RIDE, from_areas=("3",))) is None
    assert fare_of(fares, replace(RIDE, to_areas=("2", "3"))) == "4.00 EUR", "cheapest of both areas"


def test_without_priorities_an_empty_network_means_every_network_that_no_rule_names() -> None:
    fares = make(
        rule("4.00", network="net", origin="1", is_exclusive=True),
        rule("6.00", origin="2", is_exclusive=True),
        sells_by_distance=False,
    )
    assert fare_of(fares) == "4.00 EUR"
    assert fare_of(fares, replace(RIDE, from_areas=("2",))) is None, "the network is named by a rule, this one is not"
    assert fare_of(fares, replace(RIDE, from_areas=("2",), networks=("other",))) == "6.00 EUR"
    assert fare_of(fares, replace(RIDE, from_areas=("2",), networks=())) == "6.00 EUR"


def test_with_priorities_an_empty_field_matches_all_and_the_highest_priority_wins() -> None:
    fares = make(
        rule("4.00", origin="1", priority=0),
        rule("6.00", priority=5),
        rule("5.50", destination="3", priority=5),
        rule("1.00", destination="9", priority=9),
    )
    assert fare_of(fares) == "5.50 EUR"
    assert fare_of(fares, replace(RIDE, to_areas=("9",))) == "1.00 EUR"
    assert fare_of(fares, replace(RIDE, to_areas=())) == "6.00 EUR"


def test_a_free_fare_is_a_fare() -> None:
    assert fare_of(make(rule("0.00"))) == "0.00 EUR"


# Passengers


def test_a_feeds_fare_for_children_wins_over_the_operators_discount() -> None:
    listed = FareRule(FEED, {"adult": euros("10.00"), "child": euros("2.00")})
    fares = make(listed, child_discount_bp=2500, senior_discount_bp=1000)
    assert [fare_of(fares, RIDE, kind) for kind in ("adult", "child", "senior")] == [
        "10.00 EUR", "2.00 EUR", "9.00 EUR",
    ]  # fmt: skip


def test_a_discount_is_rounded_once_half_up() -> None:
    fares = make(rule("4.55"), child_discount_bp=2500, senior_discount_bp=1000)
    assert fare_of(fares, RIDE, "child") == "3.41 EUR"  # 3.4125
    assert fare_of(fares, RIDE, "senior") == "4.10 EUR"  # 4.095


def test_without_a_discount_everybody_pays_the_adult_fare() -> None:
    assert fare_of(make(rule("4.55")), RIDE, "child") == "4.55 EUR"


def test_a_rule_only_for_adults_of_higher_priority_leaves_the_childrens_fare_alone() -> None:
    fares = make(
        rule("9.00", priority=5), FareRule(FEED, {"adult": euros("10.00"), "child": euros("3.00")}, priority=1)
    )
    assert fare_of(fares, RIDE, "adult") == "9.00 EUR"
    assert fare_of(fares, RIDE, "child") == "3.00 EUR"


# Seats

LEGROOM = SeatSurcharge(euros("4.00"), feature="extra-legroom")
FRONT = SeatSurcharge(euros("6.00"), seat_type="standard", feature="front")


def seat(plan: SeatPlan, number: str) -> Seat:
    return next(seat for seat in plan.seats if seat.number == number)


def test_the_dearest_surcharge_that_fits_a_seat_counts_alone() -> None:
    fares = make(rule("10.00"), surcharges=(LEGROOM, FRONT))
    prices = {number: fare_of(fares, seat=seat(STANDARD_45, number)) for number in ("1A", "2A", "3A", "11C")}
    assert prices == {"1A": "16.00 EUR", "2A": "14.00 EUR", "3A": "10.00 EUR", "11C": "10.00 EUR"}


def test_a_surcharge_for_a_type_of_seat_is_not_for_others() -> None:
    fares = make(rule("10.00"), surcharges=(FRONT,))
    assert fare_of(fares, seat=seat(SLEEPER_34, "U1A")) == "10.00 EUR"


def test_seats_for_passengers_with_reduced_mobility_cost_no_surcharge() -> None:
    assert fare_of(make(rule("10.00"), surcharges=(LEGROOM, FRONT)), seat=seat(STANDARD_45, "1C")) == "10.00 EUR"


def test_a_discount_is_not_taken_off_the_surcharge() -> None:
    fares = make(rule("10.00"), surcharges=(LEGROOM,), child_discount_bp=5000)
    assert fare_of(fares, RIDE, "child", seat(STANDARD_45, "2A")) == "9.00 EUR"


@dataclass(frozen=True)
class Halt:
    index: int
    distance_m: int
    zone_id: str | None = None
    area_ids: tuple[str, ...] = ()
    arrival: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    departure: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    place_id: UUID = PLACE


ON_THE_LINE = LineView(LINE, "1", ("net",), "", FEED)


@dataclass(frozen=True)
class Run:
    calls: tuple[Halt, ...]
    seat_plan: SeatPlan = STANDARD_45
    line: LineView = ON_THE_LINE


HOUR = timedelta(hours=1)
START = datetime(2026, 1, 1, 6, tzinfo=UTC)
RUN = Run(
    tuple(
        Halt(index, 60_000 * index, zone, (zone.lower(),), START + index * HOUR, START + index * HOUR)
        for index, zone in enumerate("ABCD")
    )
)


def test_a_ride_is_told_from_its_calls() -> None:
    ride = Ride.of(RUN, RUN.calls[1], RUN.calls[3])
    assert ride == Ride(FEED, LINE, ("net",), "B", "D", frozenset("BCD"), ("b",), ("d",), 120_000, 7200, PLACE, PLACE)


@pytest.mark.parametrize("plan", TEMPLATES.values(), ids=TEMPLATES.keys())
def test_the_lowest_price_is_that_of_the_cheapest_seat(plan: SeatPlan) -> None:
    run = replace(RUN, seat_plan=plan)
    fares = make(surcharges=(LEGROOM, FRONT, SeatSurcharge(euros("1.50"), feature="lower")))
    board, alight = run.calls[0], run.calls[2]
    prices = [fares.price(run, board, alight, seat) for seat in plan.seats]
    assert fares.lowest(run, board, alight) == min((p for p in prices if p), key=lambda price: price.minor)


def test_a_ride_without_a_price_has_no_lowest_price() -> None:
    assert make(sells_by_distance=False).lowest(RUN, RUN.calls[0], RUN.calls[1]) is None


@given(
    rules=st.lists(
        st.builds(
            FareRule,
            feed_id=st.just(FEED),
            prices=st.dictionaries(
                st.sampled_from(["adult", "child", "senior"]),
                st.integers(0, 10_000).map(lambda minor: Money(minor, "EUR")),
                min_size=1,
            ),
            line_id=st.sampled_from([None, LINE, OTHER_LINE]),
            network=st.sampled_from([None, "net", "x"]),
            origin=st.sampled_from([None, "a", "b"]),
            destination=st.sampled_from([None, "b", "c"]),
            priority=st.integers(0, 2),
        ),
        max_size=8,
    ),
    first=st.integers(0, 2),
    kind=st.sampled_from(["adult", "child", "senior"]),
)
def test_with_priorities_the_index_finds_what_a_plain_search_finds(
    rules: list[FareRule], first: int, kind: PassengerType
) -> None:
    fares = make(*rules, sells_by_distance=False, child_discount_bp=2500)
    ride = Ride.of(RUN, RUN.calls[first], RUN.calls[first + 1])

    def plain(origins: tuple[str, ...], destinations: tuple[str, ...]) -> list[FareRule]:
        return [
            rule
            for rule in rules
            if rule.line_id in {None, ride.line_id}
            and rule.network in {None, *ride.networks}
            and rule.origin in {None, *origins}
            and rule.destination in {None, *destinations}
        ]

    back = [rule for rule in plain(ride.to_areas, ride.from_areas) if rule.origin and rule.destination]
    matching = plain(ride.from_areas, ride.to_areas) or back

    def cheapest(wanted: PassengerType) -> Money | None:
        found = [rule for rule in matching if wanted in rule.prices]
        top = max((rule.priority for rule in found), default=0)
        return min((r.prices[wanted] for r in found if r.priority == top), key=lambda m: m.minor, default=None)

    expected = cheapest(kind)
    if expected is None and cheapest("adult") is not None:
        adult = cheapest("adult")
        assert adult is not None
        expected = adult.times(Fraction(3, 4)) if kind == "child" else adult
    price = fares.seat_fare(ride, SEAT, kind)
    assert (price.fare if price else None) == expected
