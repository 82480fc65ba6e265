"""What is told before paying of what can be done afterwards."""

from datetime import UTC, datetime

import pytest
from tests.web.conftest import path_of
from tests.web.reading import read
from tests.web.test_after_sale import FAR, sql, terms
from tests.web.test_checkout import PERSON, hold

from farebox.bookings import RefundTier

__all__ = ["sql", "terms"]

PAST = datetime(2000, 1, 1, tzinfo=UTC)
AS_CANCELLED = "If the new seat costs less, as much of the difference comes back as of the fare if you cancelled then."
NOTHING = "If the new seat costs less, nothing of the difference comes back."


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, AS_CANCELLED),
        ({"tiers": ()}, AS_CANCELLED),
        ({"change_fee_minor": 500}, AS_CANCELLED),
        ({"cancel_until": None}, NOTHING),
        ({"cancel_until": PAST}, NOTHING),
        ({"tiers": (RefundTier(until=FAR, refund_bp=0),)}, NOTHING),
        ({"change_until": None}, ""),
    ],
)
async def test_what_comes_back_when_a_cheaper_seat_is_chosen(browser, coach, terms, changes, told):
    held = await hold(browser, coach, "5A")
    at = path_of(await browser.post(path_of(held), **PERSON))
    terms(**changes)
    conditions = read((await browser.get(at)).text).text_of("told")
    assert [each for each in (AS_CANCELLED, NOTHING) if each in conditions] == ([told] if told else [])
