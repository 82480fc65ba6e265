"""How single values are written: short amounts, days, phone numbers."""

from datetime import date

import pytest

from farebox.core.contacts import spaced_phone
from farebox.core.i18n import language
from farebox.core.money import Money
from farebox.web.templating import day_part, money_short


@pytest.mark.parametrize(
    ("amount", "english", "vietnamese"),
    [("455000", "₫455K", "455K ₫"), ("500500", "₫500.5K", "500,5K ₫"), ("1500000", "₫1.5M", "1,5 Tr ₫")],
)
def test_a_short_amount_does_not_hide_what_it_costs(amount, english, vietnamese):
    money = Money.parse(amount, "VND")
    for code, expected in (("en", english), ("vi", vietnamese)):
        with language(code):
            assert money_short(money).replace("\N{NO-BREAK SPACE}", " ") == expected


def test_a_short_day_is_written_as_readers_write_it():
    with language("en"):
        assert day_part(date(2026, 11, 21), "d MMM y") == "21 Nov 2026"
    with language("vi"):
        assert day_part(date(2026, 11, 21), "d MMM y") == "21/11/2026"


def test_a_phone_number_is_read_in_groups():
    assert spaced_phone("+84912345678") == "+84 912 345 678"
    assert spaced_phone("at the desk") == "at the desk"
