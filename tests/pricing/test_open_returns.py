"""What an open return costs: the dearest ordinary way back, whoever buys it and whenever."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pricing.test_rules import FRIDAY, HERE, RIDE, THERE, fares_of, rule

from farebox.core.i18n import LANGUAGES, language
from farebox.core.money import Money
from farebox.pricing import FareBook, FareCell, Fares, FareTerms, NotForSale, describe_line, price_open_return
from farebox.pricing.sale_terms import SaleTerms, best_of, describe_sale_terms

WEEK = [FRIDAY + timedelta(days=number) for number in range(7)]
BACK = RIDE.back()
"""The fares below are set for the ride that comes back."""


def told(fares, days=WEEK, passenger_type="adult"):
    lines = price_open_return(fares, BACK, "standard", passenger_type, days)
    assert {line.seat_number for line in lines} == {None}
    return [(line.label.removeprefix("open-return-"), line.amount.minor) for line in lines]


def test_it_costs_what_the_way_back_does():
    assert (BACK.from_place, BACK.to_place) == (THERE, HERE)
    assert told(fares_of(fare=1000)) == [("fare-adult", 1000)]


def test_a_place_on_board_and_the_service_fee_are_not_in_it():
    assert told(fares_of(fare=1000, fee=150)) == [("fare-adult", 1000)]


def test_the_dearest_day_counts_with_the_discount_for_there_and_back():
    fares = fares_of(
        rule("weekday", 2000, weekdays=0b100_0000),
        rule("weekday", -1000, weekdays=0b000_0001),
        rule("season", 500, first_day=FRIDAY + timedelta(days=1), last_day=FRIDAY + timedelta(days=3)),
        rule("round-trip", -1500),
    )
    assert told(fares) == [("fare-adult", 1000), ("rule-season", 50), ("rule-weekday", 200), ("rule-round-trip", -150)]
    assert told(fares, [FRIDAY]) == [("fare-adult", 1000), ("rule-round-trip", -150)]


def test_load_and_early_booking_do_not_count():
    assert told(fares_of(rule("load", 5000, from_load_bp=1), rule("early", -5000, days_ahead=1))) == [
        ("fare-adult", 1000)
    ]


def test_children_pay_their_own_fare_and_tax_that_is_added_is_told():
    fares = fares_of(rule("round-trip", -1000), child_discount_bp=5000, tax_rate_bp=1000, is_tax_added=True)
    assert told(fares, passenger_type="child") == [("fare-child", 500), ("rule-round-trip", -50), ("tax", 45)]


def test_the_tax_that_it_includes_is_rounded_once():
    fares = fares_of(rule("season", 333, first_day=FRIDAY, last_day=FRIDAY), rule("round-trip", -777), tax_rate_bp=800)
    lines = price_open_return(fares, BACK, "standard", "adult", WEEK)
    price = sum(line.amount.minor for line in lines)
    assert sum(line.tax_included.minor for line in lines) == Money(price, "EUR").times(Fraction(800, 10_800)).minor


def test_no_fare_for_the_way_back_is_not_sold():
    terms = FareTerms(Money(0, "EUR"), sells_by_distance=False)
    fares = Fares(RIDE.line_id, FareBook(terms=terms, by_distance={}, cells=[FareCell(THERE, HERE, Money(1, "EUR"))]))
    with pytest.raises(NotForSale):
        price_open_return(fares, BACK, "standard", "adult", WEEK)


@given(st.lists(st.tuples(st.integers(-9000, 9000).filter(bool), st.integers(1, 127)), max_size=4))
def test_no_day_is_dearer(weekdays):
    """Whoever rides back on any of the days pays no more than what was paid for the open return."""
    rules = [rule("weekday", percent_bp, weekdays=days) for percent_bp, days in weekdays]
    fares = fares_of(*rules, rule("round-trip", -500))
    highest = sum(amount for _, amount in told(fares))
    assert highest == max(sum(amount for _, amount in told(fares, [day])) for day in WEEK)


def test_each_line_is_told_in_each_language():
    fares = fares_of(
        rule("weekday", 2000, weekdays=0b111_1110),
        rule("season", 500, first_day=FRIDAY, last_day=date.max),
        rule("round-trip", -1500),
        tax_rate_bp=1000,
        is_tax_added=True,
    )
    for passenger_type in ("adult", "child", "senior"):
        for line in price_open_return(fares, BACK, "standard", passenger_type, WEEK):
            for code in LANGUAGES:
                with language(code):
                    assert "{" not in describe_line(line)
    with language("en"):
        texts = [describe_line(line) for line in price_open_return(fares, BACK, "standard", "senior", WEEK)]
    assert texts[0] == "Open return, senior"
    assert texts[-1] == "Open return, tax (10%)"


def test_seats_that_are_sold_together_have_the_better_open_return():
    terms = [SaleTerms(open_return_days=30, open_return_refund_bp=5000), SaleTerms(change_hours=1)]
    assert best_of(terms).open_return_days == 30
    assert best_of([SaleTerms(change_hours=3), SaleTerms()]).open_return_days is None


def test_it_is_among_the_terms_of_sale_where_it_is_sold():
    with language("en"):
        assert not any("open return" in text for text in describe_sale_terms(SaleTerms(), "EUR"))
        terms = SaleTerms(open_return_days=90, open_return_refund_bp=7500)
        assert describe_sale_terms(terms, "EUR")[-1] == (
            "You may buy an open return, to ride back up to 90 days after this trip."
            " 75% of the part of its price that you do not use is paid back."
        )
