"""What several holds cost together, before anything is booked."""

import pytest
from tests.coaches.test_prices_agree import BACK, set_rules

from farebox.bookings import quote_holds
from farebox.coaches import CoachVertical
from farebox.core.money import Money
from farebox.inventory import HoldNotFound

VERTICALS = {"coach": CoachVertical()}


async def test_holds_are_quoted_as_they_would_be_booked_together(coach):
    await set_rules(coach, BACK)
    async with coach.database.begin() as work:
        an = await coach.guest(work)
        out = await coach.lock(work, an, "ae", "1A", "1B")
        back = await coach.lock_on(work, coach.return_id, an, "2A")
        alone = await quote_holds(work, [out.id], actor=an, verticals=VERTICALS)
        both = await quote_holds(work, [back.id, out.id], actor=an, verticals=VERTICALS)
    assert [quote.total for quote in alone] == [Money(2000, "EUR")]
    assert [quote.total for quote in both] == [Money(900, "EUR"), Money(1800, "EUR")]


async def test_nobody_is_told_what_the_holds_of_others_cost(coach):
    async with coach.database.begin() as work:
        an, binh = await coach.guest(work), await coach.guest(work)
        lock = await coach.lock(work, an, "ae", "1A")
        with pytest.raises(HoldNotFound):
            await quote_holds(work, [lock.id], actor=binh, verticals=VERTICALS)
