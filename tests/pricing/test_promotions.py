"""Promotion codes: what they take off, exactly, and that nobody gets one beyond its limits in a crowd."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.accounts import SYSTEM, Actor, Permission, upsert_operator
from farebox.core.db import Database
from farebox.core.errors import Invalid, NotAllowed
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.pricing import (
    NewPromotion,
    PriceLine,
    Promotion,
    PromotionCodeTaken,
    PromotionNotFound,
    Quote,
    Tax,
    discounted,
    end_promotion,
    find_promotion,
    get_promotion,
    list_promotions,
    make_promotion,
    release_promotion,
    take_promotion,
)
from farebox.pricing.promotions import share_out

OURS, THEIRS = UUID(int=1), UUID(int=2)
AT = datetime(2026, 11, 20, tzinfo=UTC)
CURRENCIES = st.sampled_from(["VND", "EUR", "KWD"])
"""Of exponent 0, 2 and 3."""

HALF = Promotion(
    id=UUID(int=9),
    operator_id=None,
    code="HALF",
    percent_bp=5000,
    amount=None,
    currency=None,
    minimum_minor=0,
    starts_at=None,
    ends_at=None,
    total_limit=None,
    person_limit=None,
    used=0,
    is_active=True,
    created_at=AT,
)


def quote_of(prices: list[int], currency: str = "EUR", tax: Tax = Tax(), fee: int = 0) -> Quote:  # noqa: B008
    """A quote of seats 1, 2 …, as `quote_ride` makes it."""
    lines = []
    for number, minor in enumerate(prices, 1):
        price, seat = Money(minor, currency), str(number)
        lines.append(PriceLine("fare", "fare-adult", price, tax.included_in(price), seat))
        if added := tax.added_to(price):
            lines.append(PriceLine("tax", "tax", added, added, seat))
    if fee:
        lines.append(PriceLine("fee", "service-fee", Money(fee, currency), Money.zero(currency)))
    return Quote(tuple(lines), currency, tax)


# What a code takes off


@given(weights=st.lists(st.integers(0, 10**9), max_size=60), data=st.data())
def test_shares_add_up_and_none_is_more_than_its_weight(weights: list[int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, sum(weights)))
    shares = share_out(amount, weights)
    assert sum(shares) == amount
    for share, weight in zip(shares, weights, strict=True):
        assert 0 <= share <= weight
        assert abs(share * sum(weights) - amount * weight) < max(sum(weights), 1), "less than one from its due"


def test_the_largest_remainders_get_what_is_left_over() -> None:
    assert share_out(100, [1, 1, 1, 300]) == [1, 0, 0, 99]  # 0.33, 0.33, 0.33 and 99.01
    assert share_out(10, [10, 10, 10]) == [4, 3, 3]


@given(
    currency=CURRENCIES,
    items=st.lists(st.lists(st.integers(0, 10**8), min_size=1, max_size=9), min_size=1, max_size=3),
    rate=st.integers(0, 10_000),
    is_added=st.booleans(),
    percent=st.integers(1, 10_000),
    fee=st.integers(0, 10**5),
)
def test_a_percentage_never_takes_more_than_the_price_and_the_tax_stays_exact(
    currency: str, items: list[list[int]], rate: int, is_added: bool, percent: int, fee: int
) -> None:
    tax = Tax(rate, is_added)
    quotes = [quote_of(prices, currency, tax, fee) for prices in items]
    cheaper = discounted(replace(HALF, percent_bp=percent), quotes, [OURS] * len(quotes))
    whole = sum(sum(prices) for prices in items)
    off = -sum(line.amount.minor for quote in cheaper for line in quote.lines if line.kind == "discount")
    assert off == Money(whole, currency).times(Fraction(percent, 10_000)).minor
    for quote, before in zip(cheaper, quotes, strict=True):
        assert 0 <= quote.total.minor <= before.total.minor
        assert sum(line.amount.minor for line in quote.lines) == quote.total.minor
        for seat, price in quote.before_tax_is_added().items():
            of_seat = [line.tax_included.minor for line in quote.lines if line.seat_number == seat]
            assert sum(of_seat) == (tax.added_to(price) if is_added else tax.included_in(price)).minor
        fees = [line for line in quote.lines if line.seat_number is None]
        assert fees == [line for line in before.lines if line.seat_number is None], "fees stay"


@given(currency=CURRENCIES, prices=st.lists(st.integers(0, 10**6), min_size=1, max_size=9), worth=st.integers(1, 10**7))
def test_an_amount_is_taken_off_up_to_the_price(currency: str, prices: list[int], worth: int) -> None:
    promotion = replace(HALF, percent_bp=None, amount=Money(worth, currency), currency=currency)
    [quote] = discounted(promotion, [quote_of(prices, currency)], [OURS])
    assert quote.total.minor == max(0, sum(prices) - worth)
    assert all(quote.for_seat(str(seat)).minor >= 0 for seat in range(1, len(prices) + 1))


def test_an_operators_code_is_for_its_seats_alone() -> None:
    quotes = [quote_of([1000]), quote_of([3000])]
    ours, theirs = discounted(replace(HALF, operator_id=OURS), quotes, [OURS, THEIRS])
    assert (ours.total.minor, theirs.total.minor) == (500, 3000)
    with pytest.raises(Invalid) as refusal:
        discounted(replace(HALF, operator_id=OURS), quotes, [THEIRS, THEIRS])
    assert codes(refusal.value) == ["promo-code-other-operator"]


def test_a_code_asks_for_its_currency_and_its_minimum() -> None:
    thirty = replace(HALF, currency="EUR", minimum_minor=3000)
    assert discounted(thirty, [quote_of([3000])], [OURS])[0].total.minor == 1500
    with pytest.raises(Invalid) as refusal:
        discounted(thirty, [quote_of([2999], fee=100)], [OURS])
    assert codes(refusal.value) == ["promo-code-below-minimum"]
    with pytest.raises(Invalid) as refusal:
        discounted(thirty, [quote_of([9000], "VND")], [OURS])
    assert codes(refusal.value) == ["promo-code-other-currency"]


# Giving codes out and taking them


@pytest.fixture
async def wide(database_url: str) -> AsyncIterator[Database]:
    """Enough connections for a crowd."""
    wide = Database(database_url, pool_size=20)
    yield wide
    await wide.dispose()


async def make(database: Database, code: str = "SUMMER", **facts: Any) -> Promotion:
    async with database.begin() as work:
        return await make_promotion(
            work, NewPromotion(**({"operator_id": None, "code": code, "percent_bp": 1000} | facts)), actor=SYSTEM
        )


def codes(refusal: Invalid) -> list[str]:
    return [error.code for error in refusal.errors]


async def take(database: Database, promotion: Promotion, person: bytes) -> str:
    async with database.begin() as work:
        try:
            await take_promotion(work, promotion, person=person)
        except Invalid as refusal:
            return codes(refusal)[0]
    return "taken"


async def crowd(database: Database, promotion: Promotion, people: Sequence[bytes]) -> list[str]:
    """As many at once as there are connections, nearly."""
    turns = asyncio.Semaphore(18)

    async def in_turn(person: bytes) -> str:
        async with turns:
            return await take(database, promotion, person)

    return await asyncio.gather(*map(in_turn, people))


async def counted(database: Database, promotion: Promotion) -> tuple[int, list[int]]:
    async with database.begin() as work:
        used = (await get_promotion(work, promotion.id, actor=SYSTEM)).used
        people = await work.execute("SELECT used FROM promotion_person WHERE promotion_id = %s", (promotion.id,))
        return used, sorted(used for (used,) in await people.fetchall())


async def test_a_code_for_one_is_taken_by_one_of_a_hundred(wide: Database) -> None:
    once = await make(wide, total_limit=1, person_limit=1)
    answers = await crowd(wide, once, [str(number).encode() for number in range(100)])
    assert sorted(answers) == ["promo-code-used-up"] * 99 + ["taken"]
    assert await counted(wide, once) == (1, [1])


async def test_one_person_takes_a_code_as_often_as_one_may_however_many_ask_at_once(wide: Database) -> None:
    twice = await make(wide, total_limit=50, person_limit=2)
    answers = await crowd(wide, twice, [b"an"] * 20)
    assert sorted(answers) == ["promo-code-used-by-you"] * 18 + ["taken"] * 2
    assert await counted(wide, twice) == (2, [2]), "who was refused left nothing behind"


async def test_control_who_looks_first_and_then_writes_gives_it_to_everybody(wide: Database) -> None:
    once = await make(wide, person_limit=1)
    looked = asyncio.Barrier(10)

    async def look_then_write() -> None:
        async with wide.begin() as work:
            row = await work.execute("SELECT used FROM promotion_person WHERE promotion_id = %s", (once.id,))
            assert await row.fetchone() is None
            await looked.wait()
            await work.execute(
                "INSERT INTO promotion_person VALUES (%s, %s, 1)"
                " ON CONFLICT (promotion_id, person) DO UPDATE SET used = promotion_person.used + 1",
                (once.id, b"an"),
            )

    await asyncio.gather(*(look_then_write() for _ in range(10)))
    assert (await counted(wide, once))[1] == [10]


async def test_what_is_given_back_can_be_taken_again(database: Database) -> None:
    once = await make(database, total_limit=1, person_limit=1)
    assert await take(database, once, b"an") == "taken"
    assert await take(database, once, b"an") == "promo-code-used-up"
    async with database.begin() as work:
        await release_promotion(work, once.id, person=b"an")
    assert await counted(database, once) == (0, [])
    assert await take(database, once, b"an") == "taken"


async def test_a_code_is_found_however_it_is_typed_and_only_in_its_time(database: Database) -> None:
    promotion = await make(
        database, "tet-2027", starts_at=datetime.now(UTC) - timedelta(days=1), ends_at=datetime.now(UTC) + timedelta(1)
    )
    assert promotion.code == "TET-2027"
    await make(database, "LATER", starts_at=datetime.now(UTC) + timedelta(days=1))
    await make(database, "BEFORE", ends_at=datetime.now(UTC) - timedelta(seconds=1))
    ended = await make(database, "ENDED")
    async with database.begin() as work:
        await end_promotion(work, ended.id, actor=SYSTEM)
    async with database.begin() as work:
        assert await find_promotion(work, " tet -2027 ") == promotion
        for typed, code in {
            "NOTHING": "unknown-promo-code",
            "later": "promo-code-not-yet",
            "BEFORE": "promo-code-expired",
            "ended": "promo-code-expired",
        }.items():
            with pytest.raises(Invalid) as refusal:
                await find_promotion(work, typed)
            assert codes(refusal.value) == [code]
    assert await take(database, ended, b"an") == "promo-code-used-up", "who found it just before gets it no more"


@pytest.mark.parametrize(
    ("facts", "field", "code"),
    [
        ({"code": "A B"}, "code", "invalid-code"),
        ({"code": "ÄÖÜ"}, "code", "invalid-code"),
        ({"amount": Money(100, "EUR")}, "percentBp", "percent-or-amount"),
        ({"percent_bp": None}, "percentBp", "percent-or-amount"),
        ({"percent_bp": 10_001}, "percentBp", "out-of-range"),
        ({"percent_bp": None, "amount": Money(0, "EUR")}, "amount", "out-of-range"),
        ({"minimum": Money(-1, "EUR")}, "minimum", "out-of-range"),
        ({"starts_at": AT, "ends_at": AT}, "endsAt", "ends-before-start"),
        ({"total_limit": 0}, "totalLimit", "out-of-range"),
        ({"person_limit": 10**12}, "personLimit", "out-of-range"),
        (
            {"percent_bp": None, "amount": Money(1, "EUR"), "minimum": Money(1, "VND")},
            "minimum",
            "other-currency",
        ),
    ],
)
async def test_a_promotion_that_makes_no_sense_is_refused(
    database: Database, facts: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        await make(database, **facts)
    assert [(error.field, error.code) for error in refusal.value.errors] == [(field, code)]


async def test_codes_are_seen_and_ended_by_who_sets_those_fares_alone(database: Database) -> None:
    async with database.begin() as work:
        ids = [
            (await upsert_operator(work, code=code, name=code, timezone="UTC", currency="EUR")).id
            for code in ("ours", "theirs")
        ]
    ours, theirs = ids
    office = Actor("user", new_id(), grants=((ours, frozenset({Permission.FARES_CHANGE})),))
    driver = Actor("user", new_id(), grants=((ours, frozenset({Permission.BOARDING_SCAN})),))
    own = await make(database, "OWN", operator_id=ours)
    other = await make(database, "OTHER", operator_id=theirs)
    everywhere = await make(database, "EVERYWHERE")
    async with database.begin() as work:
        assert await list_promotions(work, actor=office) == ([own], 1)
        assert await list_promotions(work, actor=office, operator_id=theirs) == ([], 0)
        assert await list_promotions(work, actor=driver) == ([], 0)
        assert await list_promotions(work, actor=SYSTEM) == ([everywhere, other, own], 3)
        for hidden in (other, everywhere):
            with pytest.raises(PromotionNotFound):
                await get_promotion(work, hidden.id, actor=office)
            with pytest.raises(PromotionNotFound):
                await end_promotion(work, hidden.id, actor=office)
        assert not (await end_promotion(work, own.id, actor=office)).is_active
        with pytest.raises(NotAllowed):
            await make_promotion(work, NewPromotion(operator_id=None, code="ALL", percent_bp=1), actor=office)
    with pytest.raises(PromotionCodeTaken):
        await make(database, "own", operator_id=theirs)
