from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.i18n import format_money, language
from farebox.core.money import Money, total


def test_two_tickets_at_25_cost_50():
    assert Money.parse("25.00", "EUR") + Money.parse("25.00", "EUR") == Money(5000, "EUR")


def test_dong_have_no_decimals():
    assert Money.parse("260000", "VND") == Money(260000, "VND")
    assert str(Money(260000, "VND")) == "260000 VND"
    with pytest.raises(ValueError, match=r"'0\.5' is not an amount of VND"):
        Money.parse("0.5", "VND")


def test_dinars_have_three_decimals():
    assert Money.parse("1.250", "KWD").minor == 1250


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "1,50", "1.505", "1E+999999", "1E-999999", "9" * 24])
def test_what_is_not_an_amount_is_refused(text):
    with pytest.raises(ValueError, match="is not an amount"):
        Money.parse(text, "EUR")


def test_an_unknown_currency_is_refused():
    with pytest.raises(ValueError, match="unknown currency 'XXQ'"):
        Money.parse("1.00", "XXQ")


def test_currencies_do_not_mix():
    with pytest.raises(ValueError, match="cannot mix EUR and VND"):
        Money(1, "EUR") + Money(1, "VND")


def test_the_half_rounds_away_from_zero():
    assert Money(5, "EUR").times(Fraction(1, 2)) == Money(3, "EUR")
    assert Money(-5, "EUR").times(Fraction(1, 2)) == Money(-3, "EUR")
    assert Money(1, "EUR").times(Fraction(1, 3)) == Money(0, "EUR")


@given(st.lists(st.integers(-(10**12), 10**12)))
def test_a_total_is_the_sum_of_its_parts(minors):
    assert total([Money(minor, "EUR") for minor in minors], "EUR").minor == sum(minors)


@given(st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "VND", "KWD", "JPY"]))
def test_an_amount_survives_its_text(minor, currency):
    money = Money(minor, currency)
    assert Money.parse(str(money.amount), currency) == money


def test_money_reads_by_locale():
    with language("vi"):
        assert format_money(Money(260000, "VND")) == "260.000\xa0₫"
    with language("en"):
        assert format_money(Money(1250, "EUR")) == "€12.50"


def test_decimals_are_those_of_iso_4217_and_none_is_hidden():
    dinars = Money.parse("12.50", "RSD")
    assert dinars.minor == 1250
    with language("en"):
        assert format_money(dinars) == "RSD12.50"
        assert format_money(Money.parse("12.00", "RSD")) == "RSD12"
        assert format_money(Money.parse("1.234", "KWD")) == "KWD1.234"
