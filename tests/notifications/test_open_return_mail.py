"""What travellers are told about open returns: in the confirmation, before they end, and when they are over."""

from tests.notifications.test_cancellation_mail import HALF, PAID
from tests.notifications.test_mail import inbox, shop, shop_without_mail
from tests.ticketing.travel import NAMES

from farebox.accounts import SYSTEM
from farebox.bookings import CancelReason, announce_ends
from farebox.notifications import MessageKind
from farebox.payments import cancel_booking, end_unused_returns

__all__ = ["inbox", "shop", "shop_without_mail"]


async def bought(shop, **wishes):
    """A confirmed booking of two people with open returns, and what was mailed about it."""
    booking = await shop.sell(names=NAMES[:2], open_return=True, **wishes)
    async with shop.database.begin() as work:
        await work.execute(PAID)
    await shop.run_jobs()
    return booking, await shop.messages()


async def new_messages(shop, known):
    await shop.run_jobs()
    ids = {message.id for message in known}
    return [message for message in await shop.messages() if message.id not in ids]


async def make(shop, *statements):
    """What a test alone can do: change what was bought."""
    async with shop.database.begin() as work:
        await work.execute("ALTER TABLE open_return DISABLE TRIGGER holds")
        for statement in statements:
            await work.execute(statement)
        await work.execute("ALTER TABLE open_return ENABLE TRIGGER holds")


async def test_the_confirmation_says_what_was_bought(shop_without_mail):
    booking, messages = await bought(shop_without_mail)
    [message] = [each for each in messages if each.kind is MessageKind.BOOKING_CONFIRMED]
    until = booking.open_returns[0].valid_until
    for said in (message.text, message.html):
        assert "You have 2 open returns from Vinh to Hà Nội." in said
        assert f"it must begin by {until.day} {until:%B} {until.year}." in said
        assert "75% of the part of its price that you do not use is paid back." in said


async def test_a_booking_without_any_says_nothing_of_it(shop_without_mail):
    await shop_without_mail.sell(names=NAMES[:2])
    await shop_without_mail.run_jobs()
    assert not any("open return" in message.text.casefold() for message in await shop_without_mail.messages())


async def test_somebody_else_on_the_booking_is_told_of_their_ticket_alone(shop_without_mail):
    _, messages = await bought(shop_without_mail, emails=["", "linh@example.com"])
    told = {message.recipient: "open return" in message.text for message in messages}
    assert told == {"anh@example.com": True, "linh@example.com": False}


async def test_before_the_end_one_reminder_is_sent(shop_without_mail):
    shop = shop_without_mail
    booking, known = await bought(shop)
    await make(
        shop,
        "UPDATE open_return SET created_at = now() - interval '9 days', valid_until = now() + interval '3 days'",
    )
    for _ in range(2):
        async with shop.database.begin() as work:
            await announce_ends(work)
    [message] = await new_messages(shop, known)
    assert message.kind is MessageKind.OPEN_RETURNS_ENDING
    assert booking.reference in message.subject
    for said in (message.text, message.html):
        assert "Your open return from Vinh to Hà Nội ends soon." in said
        assert "If you do not use it, 75% of its price is paid back." in said


async def test_who_has_given_it_up_since_is_not_reminded(shop_without_mail):
    shop = shop_without_mail
    booking, known = await bought(shop)
    await make(
        shop,
        "UPDATE open_return SET created_at = now() - interval '9 days', valid_until = now() + interval '3 days'",
    )
    async with shop.database.begin() as work:
        await announce_ends(work)
        returns = [each.id for each in booking.open_returns]
        await cancel_booking(work, booking.id, actor=SYSTEM, open_returns=returns)
    assert [message.kind for message in await new_messages(shop, known)] == [MessageKind.OPEN_RETURNS_CANCELLED]


async def test_who_gives_it_up_is_told_what_goes_back(shop_without_mail):
    shop = shop_without_mail
    booking, known = await bought(shop)
    async with shop.database.begin() as work:
        returns = [booking.open_returns[0].id]
        await cancel_booking(work, booking.id, actor=SYSTEM, open_returns=returns)
    [message] = await new_messages(shop, known)
    for said in (message.text, message.html):
        assert "You have given up your ride back." in said
        assert "Paid back: ₫225,000. Kept, under the terms of your booking: ₫75,000." in said


async def test_with_a_seat_it_is_told_with_the_seat(shop_without_mail):
    shop = shop_without_mail
    booking, known = await bought(shop)
    async with shop.database.begin() as work:
        await work.execute(HALF)
        await cancel_booking(work, booking.id, actor=SYSTEM, passengers=[booking.passengers[0].id])
    [message] = await new_messages(shop, known)
    assert message.kind is MessageKind.BOOKING_REDUCED
    for said in (message.text, message.html):
        assert "Open return" in said
        assert "We pay ₫385,000 back to you." in said


async def test_when_it_has_ended_one_message_tells_of_the_money(shop_without_mail):
    shop = shop_without_mail
    booking, known = await bought(shop)
    await make(shop, "UPDATE open_return SET valid_until = now() - interval '1 minute'")
    for _ in range(2):
        async with shop.database.begin() as work:
            await end_unused_returns(work, limit=10)
    [message] = await new_messages(shop, known)
    assert message.kind is MessageKind.OPEN_RETURNS_ENDED
    assert message.subject == f"The open return of your booking {booking.reference} has ended"
    for said in (message.text, message.html):
        assert "Paid back, the way it came: ₫450,000. Kept, under the terms of your booking: ₫150,000." in said


async def test_what_a_bank_took_the_money_back_for_was_not_given_up_by_the_traveller(shop_without_mail):
    shop = shop_without_mail
    booking, known = await bought(shop)
    returns = [each.id for each in booking.open_returns]
    async with shop.database.begin() as work:
        await work.execute("UPDATE payment_charge SET dispute = 'lost'")
        await cancel_booking(work, booking.id, actor=SYSTEM, open_returns=returns, reason=CancelReason.DISPUTE_LOST)
    [message] = await new_messages(shop, known)
    assert message.kind is MessageKind.OPEN_RETURNS_UNPAID
    for said in (message.text, message.html):
        assert (
            "Your bank has taken your payment back, so the ride back that you had not chosen is not paid for." in said
        )
        assert "You have given up" not in said
        assert "Paid back" not in said
