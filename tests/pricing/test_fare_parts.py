"""What the back office asks of fares: what says so, one part changed while others are, and trying before setting."""

import asyncio
from dataclasses import replace

import pytest
from tests.pricing.test_fares import LINE, RIDE, euros, make, rule
from tests.staff import make_operator

from farebox.accounts import SYSTEM
from farebox.core.errors import Invalid
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.pricing import (
    FareCell,
    FareNotFound,
    PriceRule,
    PriceRuleNotFound,
    SaleTerms,
    change_price_rule,
    end_fare,
    get_fare_book,
    load_fares,
    set_fare,
    set_fare_book,
    set_general_terms,
    set_sale_terms,
    try_fare_book,
    with_price_rule,
)

EARLY = PriceRule(kind="early", name="Early bird", percent_bp=-1000, days_ahead=14)
BACK = PriceRule(kind="round-trip", name="There and back", percent_bp=-500)
TOGETHER = 6


@pytest.fixture
async def lines(database, secrets):
    return await make_operator(database, secrets, "truong-son")


@pytest.fixture
async def places(database):
    ids = [new_id(), new_id()]
    async with database.begin() as work:
        for place_id in ids:
            await work.execute(
                "INSERT INTO place (id, name, timezone, lat, lon) VALUES (%s, 'Somewhere', 'UTC', 0, 0)", (place_id,)
            )
    return ids


async def book_of(database, lines):
    async with database.begin() as work:
        return await get_fare_book(work, lines.id, actor=SYSTEM)


def test_what_says_what_a_ride_costs_is_told_with_it():
    from_place, to_place = new_id(), new_id()
    ride = replace(RIDE, from_place=from_place, to_place=to_place)
    by_hand = FareCell(from_place, to_place, euros("9.00"), seat_type="sleeper")
    fares = make(rule("20.00", line_id=LINE), cells=(by_hand,), child_discount_bp=5000)
    assert fares.named(ride, "sleeper") == (euros("9.00"), "hand")
    assert fares.named(ride, "sleeper", "child") == (euros("4.50"), "hand")
    assert fares.named(ride, "standard") == (euros("20.00"), "feed")
    assert make().named(RIDE, "standard") == (euros("11.20"), "distance")
    assert make(sells_by_distance=False).named(RIDE, "standard") is None


async def test_rules_that_are_made_at_once_are_all_there(database, lines):
    async def make_rule(number: int) -> None:
        async with database.begin() as work:
            own = replace(EARLY, name=f"{number}", days_ahead=number + 1)
            await change_price_rule(work, lines.id, None, own, actor=SYSTEM)

    await asyncio.gather(*(make_rule(number) for number in range(TOGETHER)))
    assert {each.name for each in (await book_of(database, lines)).price_rules} == {str(n) for n in range(TOGETHER)}


async def test_control_who_reads_all_and_writes_all_anew_drops_what_came_between(database, lines):
    book = await book_of(database, lines)
    async with database.begin() as work:
        await change_price_rule(work, lines.id, None, EARLY, actor=SYSTEM)
    async with database.begin() as work:
        await set_fare_book(work, lines.id, with_price_rule(book, None, BACK), actor=SYSTEM)
    assert (await book_of(database, lines)).price_rules == [BACK]


async def test_each_part_leaves_the_others_alone(database, lines, places):
    origin, destination = places
    cell = FareCell(origin, destination, Money(100, "VND"))
    terms = SaleTerms(tiers=(), change_hours=None)
    async with database.begin() as work:
        await set_fare(work, lines.id, cell, actor=SYSTEM)
        await change_price_rule(work, lines.id, None, EARLY, actor=SYSTEM)
        await set_sale_terms(work, lines.id, "sleeper", terms, actor=SYSTEM)
        await set_general_terms(work, lines.id, lambda known: replace(known, tax_rate_bp=800), actor=SYSTEM)
    book = await book_of(database, lines)
    assert (book.cells, book.price_rules, book.sale_terms) == ([cell], [EARLY], {"sleeper": terms})
    assert book.terms.tax_rate_bp == 800
    async with database.begin() as work:
        await set_fare(work, lines.id, replace(cell, adult=Money(200, "VND")), actor=SYSTEM)
        await set_sale_terms(work, lines.id, "sleeper", None, actor=SYSTEM)
        ended = await end_fare(work, lines.id, origin, destination, "", actor=SYSTEM)
    book = await book_of(database, lines)
    assert (ended.adult, book.cells, book.sale_terms) == (Money(200, "VND"), [], {})


async def test_what_is_not_there_any_more_is_not_changed(database, lines, places):
    async with database.begin() as work:
        await change_price_rule(work, lines.id, None, EARLY, actor=SYSTEM)
    async with database.begin() as work:
        with pytest.raises(PriceRuleNotFound):
            await change_price_rule(work, lines.id, BACK, None, actor=SYSTEM)
        with pytest.raises(FareNotFound):
            await end_fare(work, lines.id, places[0], places[1], "", actor=SYSTEM)
    assert (await book_of(database, lines)).price_rules == [EARLY]


async def test_trying_changes_nothing_and_refuses_what_setting_would(database, lines):
    book = await book_of(database, lines)
    async with database.begin() as work:
        tried = await try_fare_book(work, lines.id, with_price_rule(book, None, EARLY), actor=SYSTEM)
        assert tried.price_rules == (EARLY,)
        assert (await load_fares(work, lines.id)).price_rules == ()
        with pytest.raises(Invalid):
            await try_fare_book(work, lines.id, with_price_rule(book, None, replace(EARLY, name="")), actor=SYSTEM)
