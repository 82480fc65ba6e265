"""Who changed fares, rules, terms and codes: written in the same transaction, of each thing what it was and is."""

from dataclasses import replace

import psycopg
import pytest
from tests.pricing.test_fare_parts import BACK, EARLY, book_of, lines, places
from tests.staff import make_operator

from farebox.accounts import SYSTEM, Actor, OperatorNotFound, Permission
from farebox.core.errors import Invalid
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.pricing import (
    DistanceFare,
    FareCell,
    NewPromotion,
    PriceRule,
    SaleTerms,
    SeatSurcharge,
    change_price_rule,
    end_fare,
    end_promotion,
    list_fare_changes,
    make_promotion,
    set_fare,
    set_fare_book,
    set_general_terms,
    set_sale_terms,
)

__all__ = ["lines", "places"]

PARTS = ("fare", "distance", "surcharge", "rule", "sale-terms", "money", "code")


@pytest.fixture
def boss(lines):
    may = frozenset({Permission.FARES_CHANGE})
    return Actor("user", new_id(), grants=((lines.id, may),))


async def noted(database, lines, actor=SYSTEM, parts=PARTS, limit=50):
    """What was written down, the oldest first."""
    async with database.begin(reach=actor.reach) as work:
        found = await list_fare_changes(work, lines.id, parts, actor=actor, limit=limit)
    return found[::-1]


async def changes(database, lines):
    return [(each.change.part, each.change.before, each.change.after) for each in await noted(database, lines)]


async def test_each_change_is_written_with_what_it_was_and_is_and_by_whom(database, lines, places, boss):
    cell = FareCell(places[0], places[1], adult=Money(250_000, "VND"), child=Money(100_000, "VND"))
    dearer = replace(cell, adult=Money(260_000, "VND"))
    terms = SaleTerms(change_hours=None)
    off = replace(EARLY, is_on=False)
    async with database.begin(reach=boss.reach) as work:
        await set_fare(work, lines.id, cell, actor=boss)
        await set_fare(work, lines.id, dearer, actor=boss)
        await end_fare(work, lines.id, places[0], places[1], "", actor=boss)
        await change_price_rule(work, lines.id, None, EARLY, actor=boss)
        await change_price_rule(work, lines.id, EARLY, off, actor=boss)
        await change_price_rule(work, lines.id, off, None, actor=boss)
        await set_sale_terms(work, lines.id, "sleeper", terms, actor=boss)
        await set_general_terms(work, lines.id, lambda known: replace(known, tax_rate_bp=800), actor=boss)
        code = await make_promotion(
            work, NewPromotion(operator_id=lines.id, code="tet 27", percent_bp=1000), actor=boss
        )
        for _ in range(2):
            await end_promotion(work, code.id, actor=boss)
    made = NewPromotion(operator_id=lines.id, code="TET27", percent_bp=1000)
    before = (await changes(database, lines))[7][1]
    assert await changes(database, lines) == [
        ("fare", None, cell),
        ("fare", cell, dearer),
        ("fare", dearer, None),
        ("rule", None, EARLY),
        ("rule", EARLY, off),
        ("rule", off, None),
        ("sale-terms", None, terms),
        ("money", before, replace(before, tax_rate_bp=800)),
        ("code", None, made),
        ("code", made, None),
    ]
    assert {each.actor for each in await noted(database, lines, boss)} == {f"user:{boss.id}"}


async def test_of_a_whole_document_only_what_differs_is_written(database, lines, places, boss):
    async with database.begin(reach=boss.reach) as work:
        await change_price_rule(work, lines.id, None, EARLY, actor=boss)
        await change_price_rule(work, lines.id, None, EARLY, actor=boss)
    book = await book_of(database, lines)
    weekend = PriceRule(kind="weekday", name="Weekend", percent_bp=1000, weekdays=0b1100000)
    dong = Money(1000, "VND")
    other = replace(
        book,
        price_rules=[EARLY, BACK, weekend],
        surcharges=[SeatSurcharge(dong, "sleeper", "window")],
        by_distance={**book.by_distance, "vip": DistanceFare(dong, dong, dong, dong)},
    )
    for again in range(2):
        async with database.begin(reach=boss.reach) as work:
            await set_fare_book(work, lines.id, other, actor=boss)
        assert (await changes(database, lines))[2:] == [
            ("distance", None, DistanceFare(dong, dong, dong, dong)),
            ("surcharge", None, SeatSurcharge(dong, "sleeper", "window")),
            ("rule", EARLY, BACK),
            ("rule", None, weekend),
        ], again


async def test_what_is_refused_or_rolled_back_leaves_no_trace(database, lines, boss):
    with pytest.raises(Invalid):
        async with database.begin(reach=boss.reach) as work:
            await change_price_rule(work, lines.id, None, replace(EARLY, name=""), actor=boss)
    async with database.begin(reach=boss.reach) as work:
        await change_price_rule(work, lines.id, None, EARLY, actor=boss)
        await work.rollback()
    assert await noted(database, lines) == []
    assert (await book_of(database, lines)).price_rules == ()


async def test_only_who_sets_the_fares_reads_it_and_only_of_their_own(database, secrets, lines, boss):
    rival = await make_operator(database, secrets, "hai-van")
    async with database.begin(reach=boss.reach) as work:
        await change_price_rule(work, lines.id, None, EARLY, actor=boss)
    assert await noted(database, rival) == []
    agent = Actor("user", new_id(), grants=((lines.id, frozenset({Permission.BOOKINGS_READ})),))
    other = Actor("user", new_id(), grants=((rival.id, frozenset({Permission.FARES_CHANGE})),))
    for actor in (agent, other):
        with pytest.raises(OperatorNotFound):
            await noted(database, lines, actor)
    count = "SELECT count(*) FROM fare_audit"
    for reach, seen in ((), 0), ([rival.id], 0), ([lines.id], 1), ("*", 1):
        async with database.begin(reach=reach) as work:
            assert await (await work.execute(count)).fetchone() == (seen,)


async def test_nobody_changes_what_was_written(database, lines, boss, server_dsn):
    async with database.begin(reach=boss.reach) as work:
        await change_price_rule(work, lines.id, None, EARLY, actor=boss)
    for change in ("UPDATE fare_audit SET actor = 'nobody'", "DELETE FROM fare_audit"):
        async with database.begin(reach="*") as work:
            assert (await work.execute(change)).rowcount == 0  # the wall shows no row to be changed
        with (
            psycopg.connect(server_dsn, dbname=database.url.database) as connection,
            pytest.raises(psycopg.errors.IntegrityError),
        ):
            connection.execute(change)  # whoever goes through the wall meets the trigger


async def test_the_platforms_own_codes_are_for_the_platform(database, lines, boss):
    async with database.begin(reach="*") as work:
        await make_promotion(work, NewPromotion(operator_id=None, code="EVERYWHERE", percent_bp=500), actor=SYSTEM)
    async with database.begin(reach=boss.reach) as work:
        assert await (await work.execute("SELECT count(*) FROM fare_audit")).fetchone() == (0,)
    async with database.begin(reach="*") as work:
        assert await (await work.execute("SELECT actor, part FROM fare_audit")).fetchone() == ("system", "code")
    assert await noted(database, lines) == []
