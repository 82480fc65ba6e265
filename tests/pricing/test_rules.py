"""Price rules and terms of sale: which count, what they are worth, and that no price goes below nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pricing.test_promotions import HALF

from farebox.core.i18n import LANGUAGES, language
from farebox.core.money import Money
from farebox.pricing import (
    RULE_KINDS,
    FareBook,
    FareCell,
    Fares,
    FareTerms,
    Occasion,
    PassengerType,
    PriceRule,
    Quote,
    Ride,
    SaleTerms,
    SeatSurcharge,
    default_distance_fares,
    describe_line,
    describe_sale_terms,
    discounted,
    load_bp,
    quote_ride,
)
from farebox.pricing.sale_terms import best_of
from farebox.timetable import STANDARD_45

OPERATOR, LINE, FEED, HERE, THERE = (UUID(int=number) for number in range(1, 6))
RIDE = Ride(FEED, LINE, (), None, None, frozenset(), (), (), 100_000, 7200, HERE, THERE)
FRIDAY = date(2026, 11, 20)
PLAIN = Occasion(FRIDAY, days_ahead=3, load_bp=4000)


def rule(kind: str, percent_bp: int = 1000, **facts: Any) -> PriceRule:
    return PriceRule(kind=kind, name=kind.title(), percent_bp=percent_bp, **facts)  # type: ignore[arg-type]


def fares_of(*rules: PriceRule, fare: int = 1000, currency: str = "EUR", fee: int = 0, **more: Any) -> Fares:
    book = FareBook(
        terms=FareTerms(Money(fee, currency), **more),
        by_distance=default_distance_fares(currency),
        surcharges=[SeatSurcharge(Money(33, currency), feature="window")],
        cells=[FareCell(HERE, THERE, Money(fare, currency))],
        price_rules=rules,
    )
    return Fares(OPERATOR, book)


def quote_of(fares: Fares, occasion: Occasion = PLAIN, *kinds: PassengerType) -> Quote:
    seats = [(STANDARD_45.seats[unit], kind) for unit, kind in enumerate(kinds or ("adult",))]
    return quote_ride(fares, RIDE, seats, fares.rules_for(occasion))


def amounts(quote: Quote) -> dict[str, int]:
    return {line.label: line.amount.minor for line in quote.lines}


# Which rules count


@pytest.mark.parametrize(
    ("closer", "wider"),
    [
        (
            rule("season", first_day=FRIDAY, last_day=FRIDAY),
            rule("season", first_day=FRIDAY, last_day=FRIDAY + timedelta(days=1)),
        ),
        (rule("weekday", weekdays=0b001_0000), rule("weekday", weekdays=0b011_0000)),
        (rule("load", from_load_bp=4000), rule("load", from_load_bp=3999)),
        (rule("early", days_ahead=3), rule("early", days_ahead=2)),
        (rule("round-trip", -2000), rule("round-trip", -1000)),
        (rule("season", 500, first_day=FRIDAY, last_day=FRIDAY), rule("season", first_day=FRIDAY, last_day=FRIDAY)),
    ],
)
def test_of_each_kind_the_closest_counts_alone(closer: PriceRule, wider: PriceRule) -> None:
    occasion = replace(PLAIN, is_round_trip=True)
    assert fares_of(closer, wider).rules_for(occasion) == (closer,)
    assert fares_of(wider, closer).rules_for(occasion) == (closer,)
    assert fares_of(wider).rules_for(occasion) == (wider,)


@pytest.mark.parametrize(
    "other",
    [
        rule("season", first_day=FRIDAY + timedelta(days=1), last_day=FRIDAY + timedelta(days=2)),
        rule("weekday", weekdays=0b110_1111),
        rule("load", from_load_bp=4001),
        rule("early", days_ahead=4),
        rule("round-trip", -1000),
    ],
    ids=RULE_KINDS,
)
def test_a_rule_does_not_count_where_its_condition_does_not_hold(other: PriceRule) -> None:
    assert fares_of(other).rules_for(PLAIN) == ()


def test_days_are_those_of_the_stop_where_one_boards() -> None:
    leaves = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)  # half past midnight on Saturday in Hà Nội
    bought = datetime(2026, 11, 13, 16, 59, tzinfo=UTC)  # a minute to midnight on the Friday before
    occasion = Occasion.of(leaves, "Asia/Ho_Chi_Minh", at=bought, load_bp=0)
    assert (occasion.day, occasion.days_ahead) == (date(2026, 11, 21), 8)
    later = Occasion.of(leaves, "Asia/Ho_Chi_Minh", at=bought + timedelta(minutes=1), load_bp=0)
    assert later.days_ahead == 7


def test_the_load_is_told_in_basis_points_and_rounded_down() -> None:
    assert [load_bp(1, 3), load_bp(3, 3), load_bp(0, 45), load_bp(0, 0)] == [3333, 10_000, 0, 0]


# What they are worth


def test_rules_are_added_up_each_of_the_fare_alone_and_explain_themselves() -> None:
    fares = fares_of(rule("weekday", 1000, weekdays=0b001_0000), rule("early", -500, days_ahead=1))
    quote = quote_of(fares)
    assert [(line.kind, describe_line(line), line.amount.minor) for line in quote.lines] == [
        ("fare", "Seat 1A", 1000),
        ("surcharge", "Seat 1A: Weekday (+10%)", 100),
        ("discount", "Seat 1A: Early (-5%)", -50),
        ("seat", "Seat 1A, at the window", 33),
    ]
    assert quote.total.minor == 1083


def test_rules_take_no_more_than_the_fare() -> None:
    fares = fares_of(rule("early", -7000, days_ahead=1), rule("round-trip", -7000))
    quote = quote_of(fares, replace(PLAIN, is_round_trip=True))
    assert amounts(quote) == {"fare-adult": 1000, "rule-early": -700, "rule-round-trip": -300, "seat-window": 33}


def test_a_childs_rules_are_of_the_childs_fare() -> None:
    fares = fares_of(rule("early", -1000, days_ahead=1), child_discount_bp=5000)
    assert amounts(quote_of(fares, PLAIN, "child")) == {"fare-child": 500, "rule-early": -50, "seat-window": 33}


def test_added_tax_has_lines_of_its_own_for_each_seat_and_the_fee() -> None:
    fares = fares_of(rule("early", -1000, days_ahead=1), fee=100, tax_rate_bp=1900, is_tax_added=True)
    quote = quote_of(fares)
    assert [(line.kind, line.label, line.amount.minor, line.tax_included.minor) for line in quote.lines] == [
        ("fare", "fare-adult", 1000, 0),
        ("discount", "rule-early", -100, 0),
        ("seat", "seat-window", 33, 0),
        ("tax", "tax", 177, 177),  # of 9.33
        ("fee", "service-fee", 100, 0),
        ("tax", "service-fee-tax", 19, 19),
    ]
    assert (quote.total.minor, quote.tax.minor) == (1229, 196)
    assert fares.lowest_on(RIDE, STANDARD_45, rules=fares.rules_for(PLAIN)) == Money(1071, "EUR")  # 9.00 and 1.71


def test_a_code_lowers_the_added_tax_too() -> None:
    fares = fares_of(fee=100, tax_rate_bp=1900, is_tax_added=True)
    [quote] = discounted(HALF, [quote_of(fares)], [OPERATOR])
    assert [(line.label, line.amount.minor) for line in quote.lines] == [
        ("fare-adult", 1000),
        ("seat-window", 33),
        ("promotion", -517),
        ("tax", 98),  # of 5.16
        ("service-fee", 100),
        ("service-fee-tax", 19),
    ]


@st.composite
def rules(draw: st.DrawFn) -> list[PriceRule]:
    percent = st.integers(-10_000, 30_000).filter(bool)
    every: dict[str, dict[str, Any]] = {
        "season": {"first_day": FRIDAY, "last_day": FRIDAY},
        "weekday": {"weekdays": 0b001_0000},
        "load": {"from_load_bp": 1},
        "early": {"days_ahead": 1},
        "round-trip": {},
    }
    kinds = draw(st.lists(st.sampled_from(RULE_KINDS), unique=True))
    return [
        rule(kind, draw(percent if kind != "round-trip" else st.integers(-10_000, -1)), **every[kind]) for kind in kinds
    ]


@given(
    rules=rules(),
    currency=st.sampled_from(["VND", "EUR", "KWD"]),
    fare=st.integers(0, 10**8),
    fee=st.integers(0, 10**5),
    rate=st.integers(0, 10_000),
    is_added=st.booleans(),
    discount=st.integers(0, 10_000),
    kinds=st.lists(st.sampled_from(["adult", "child", "senior"]), min_size=1, max_size=6),
    percent=st.integers(1, 10_000),
)
def test_whatever_the_rules_no_price_is_negative_all_adds_up_and_the_tax_is_exact(
    rules: list[PriceRule],
    currency: str,
    fare: int,
    fee: int,
    rate: int,
    is_added: bool,
    discount: int,
    kinds: list[PassengerType],
    percent: int,
) -> None:
    fares = fares_of(
        *rules,
        fare=fare,
        currency=currency,
        fee=fee,
        tax_rate_bp=rate,
        is_tax_added=is_added,
        child_discount_bp=discount,
    )
    occasion = replace(PLAIN, is_round_trip=True)
    quote = quote_of(fares, occasion, *kinds)
    for unit, kind in enumerate(kinds):
        seat = STANDARD_45.seats[unit]
        price = fares.seat_fare(RIDE, seat, kind, fares.rules_for(occasion))
        assert price is not None
        assert quote.for_seat(seat.number) == price.total, "the map and the quote agree"
    for each in (quote, *discounted(replace(HALF, percent_bp=percent), [quote], [OPERATOR])):
        assert_exact(each, fares)


def assert_exact(quote: Quote, fares: Fares) -> None:
    assert quote.total.minor == sum(line.amount.minor for line in quote.lines) >= 0
    assert quote.tax.minor == sum(line.tax_included.minor for line in quote.lines) >= 0
    for line in quote.lines:
        assert line.amount.minor <= 0 if line.kind == "discount" else line.amount.minor >= 0
    rate = fares.terms.tax_rate_bp
    for seat, price in quote.before_tax_is_added().items():
        assert price.minor >= 0
        of_seat = sum(line.tax_included.minor for line in quote.lines if line.seat_number == seat)
        exact = Fraction(price.minor * rate, 10_000 if fares.tax.is_added else 10_000 + rate)
        assert abs(of_seat - exact) <= Fraction(1, 2), "rounded once a seat"


# Terms of sale


def test_seats_sold_as_one_have_the_better_of_their_terms_in_each_point() -> None:
    strict = SaleTerms(tiers=((48, 5000),), change_hours=None, rename_hours=24, rename_fee_minor=300)
    loose = SaleTerms(tiers=((24, 4000), (1, 1000)), change_hours=5, rename_hours=48, change_fee_minor=200)
    assert best_of([strict, loose]) == SaleTerms(
        tiers=((48, 5000), (24, 4000), (1, 1000)),
        change_hours=5,
        change_fee_minor=0,
        rename_hours=24,
        rename_fee_minor=0,
    )
    assert best_of([strict, strict]) == strict
    assert best_of([SaleTerms(tiers=((72, 5000),)), SaleTerms(tiers=((24, 9000),))]).tiers == ((24, 9000),)


some_terms = st.builds(
    lambda hours, refunds: SaleTerms(
        tiers=tuple(zip(sorted(hours, reverse=True), sorted(refunds, reverse=True), strict=False))
    ),
    st.sets(st.integers(0, 200), max_size=4),
    st.sets(st.integers(1, 10_000), max_size=4),
)


@given(st.lists(some_terms, min_size=1, max_size=3), st.integers(0, 250))
def test_at_every_hour_the_best_of_several_terms_is_paid_back(terms: list[SaleTerms], hours: int) -> None:
    def refund(each: SaleTerms) -> int:
        return max((bp for before, bp in each.tiers if before <= hours), default=0)

    assert refund(best_of(terms)) == max(map(refund, terms))


def test_terms_are_said_in_plain_words() -> None:
    assert describe_sale_terms(SaleTerms(change_fee_minor=250), "EUR") == [
        "Cancelled up to 72 h before departure, 100% of the price is paid back.",
        "Cancelled up to 24 h before departure, 80% of the price is paid back.",
        "Cancelled up to 2 h before departure, 50% of the price is paid back.",
        "Cancelled later, nothing is paid back.",
        "You may change to another trip or seat up to 2 h before departure, for €2.50 a person.",
        "You may change names up to 2 h before departure, free of charge.",
    ]
    strict = SaleTerms(tiers=(), is_fee_refundable=True, change_hours=None, rename_hours=0)
    assert describe_sale_terms(strict, "EUR") == [
        "Once paid, nothing is paid back when you cancel.",
        "The service fee is paid back, too.",
        "You cannot change to another trip or seat.",
        "You may change names before departure, free of charge.",
    ]


def test_terms_are_said_in_every_language() -> None:
    for code in LANGUAGES:
        with language(code):
            assert all("{" not in sentence for sentence in describe_sale_terms(SaleTerms(), "VND"))
