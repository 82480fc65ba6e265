"""What codes gave: of bookings that were sold and stand, as their prices are now."""

from unittest.mock import patch

import psycopg

from farebox.accounts import SYSTEM
from farebox.bookings import confirm_booking, list_given
from farebox.core.money import Money
from farebox.pricing import NewPromotion, make_promotion


async def given(box, *promotions):
    async with box.database.begin() as work:
        found = await list_given(work, [promotion.id for promotion in promotions])
    return [(each.promotion_id, each.bookings, each.amount) for each in found]


async def test_a_code_gave_what_it_took_off_what_was_sold(box):
    async with box.database.begin() as work:
        code, other = [
            await make_promotion(
                work, NewPromotion(operator_id=None, code=name, amount=Money(200, "EUR")), actor=SYSTEM
            )
            for name in ("GIFT", "OTHER")
        ]
    bookings = []
    for _ in range(3):
        actor, show = await box.guest(), await box.show(seats=4)
        bookings.append(await box.book(actor, await box.hold(actor, show, (0, 1)), promo_code="GIFT"))
    assert await given(box, code, other) == []  # nobody has paid yet
    for booking in bookings[:2]:
        async with box.database.begin() as work:
            await confirm_booking(work, booking.id, actor=SYSTEM)
    assert await given(box, code, other) == [(code.id, 2, Money(400, "EUR"))]


async def plan_of(box, promotion):
    """How the database would find out what a code gave, among thousands of bookings that have none."""
    asked = []
    execute = psycopg.AsyncCursor.execute

    async def remembering(self, query, parameters=None, **options):
        asked.append((str(query), parameters))
        return await execute(self, query, parameters, **options)

    async with box.database.begin() as work:
        with patch.object(psycopg.AsyncCursor, "execute", remembering):
            await list_given(work, [promotion.id])
        [(query, parameters)] = [each for each in asked if "booking_price_line" in each[0]]
        cursor = await work.execute(f"EXPLAIN {query}", parameters)
        return "\n".join(line for (line,) in await cursor.fetchall())


async def test_what_a_code_gave_is_found_by_an_index(box):
    async with box.database.begin() as work:
        code = await make_promotion(
            work, NewPromotion(operator_id=None, code="GIFT", amount=Money(200, "EUR")), actor=SYSTEM
        )
    actor, show = await box.guest(), await box.show()
    await box.book(actor, await box.hold(actor, show), promo_code="GIFT")
    async with box.database.begin() as work:
        await work.execute(
            "INSERT INTO booking SELECT (jsonb_populate_record(booking, jsonb_build_object("
            " 'id', gen_random_uuid(), 'reference', 'X' || number, 'promotion_id', NULL))).*"
            " FROM booking, generate_series(1, 4000) AS number"
        )
        await work.execute("ANALYZE booking")
    assert "Index Scan using ix_booking_promotion_id on booking" in await plan_of(box, code)
    async with box.database.begin() as work:
        await work.execute("DROP INDEX ix_booking_promotion_id")
    assert "Seq Scan on booking" in await plan_of(box, code)  # the control
