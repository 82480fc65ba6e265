"""What codes gave: of bookings that were sold and stand, as their prices are now."""

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
