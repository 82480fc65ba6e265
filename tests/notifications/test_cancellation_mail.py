"""What travellers are told when their booking, or a seat of it, was given up: what, by whom, and about the money."""

from tests.notifications.test_mail import inbox, shop, shop_without_mail
from tests.ticketing.travel import NAMES

from farebox.accounts import SYSTEM
from farebox.bookings import CancelReason
from farebox.notifications import MessageKind
from farebox.payments import cancel_booking

__all__ = ["inbox", "shop", "shop_without_mail"]

HALF = """
UPDATE booking_item SET starts_at = now() + interval '3 days', policy = jsonb_build_object(
  'cancel_until', now() + interval '3 days',
  'tiers', jsonb_build_array(jsonb_build_object('until', now() + interval '2 days', 'refund_bp', 5000)))
"""


PAID = """
WITH paid AS (
  INSERT INTO payment (id, booking_id, provider, method, status, amount_minor, currency, created_at, updated_at)
  SELECT gen_random_uuid(), id, 'sandbox', 'sandbox', 'completed', total_minor, currency, now(), now() FROM booking
  RETURNING *
)
INSERT INTO payment_charge
  (id, payment_id, provider, external_id, amount_minor, currency, disposition, refunded_minor, received_at)
SELECT gen_random_uuid(), id, provider, 'ch_1', amount_minor, currency, 'applied', 0, now() FROM paid
"""

OTHER = """
WITH first AS (UPDATE payment_charge SET amount_minor = 200000 RETURNING *)
INSERT INTO payment_charge
  (id, payment_id, provider, external_id, amount_minor, currency, disposition, refunded_minor, dispute, received_at)
SELECT gen_random_uuid(), payment_id, provider, 'ch_2', 450000, currency, 'applied', 0, 'open', now() FROM first"""
"""Two charges for it, of which a bank has the second."""


async def told_after(shop, *, passengers=None, reason=CancelReason.CUSTOMER, spoil="SELECT 1"):
    """The one message that cancelling a booking of two seats brings."""
    booking = await shop.sell(names=NAMES[:2])
    async with shop.database.begin() as work:
        await work.execute(HALF)
        await work.execute(PAID)
        await work.execute(spoil)
    await shop.run_jobs()
    known = {message.id for message in await shop.messages()}
    chosen = None if passengers is None else [booking.passengers[place].id for place in passengers]
    async with shop.database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM, passengers=chosen, reason=reason)
    await shop.run_jobs()
    [message] = [message for message in await shop.messages() if message.id not in known]
    assert booking.reference in message.subject
    return message


async def test_who_cancels_a_booking_is_told_what_goes_back_and_what_does_not(shop_without_mail):
    message = await told_after(shop_without_mail)
    assert (message.kind, message.subject[:12]) == (MessageKind.BOOKING_CANCELLED, "Your booking")
    for said in (message.text, message.html):
        assert "As you wished, these seats are free for others now." in said
        assert "We pay ₫320,000 back to you." in said
        assert "Under the terms of your booking, ₫330,000 is not paid back." in said
        assert "It goes back the way it came." in said
        assert "are still yours" not in said


async def test_what_the_operator_cancels_is_paid_back_wholly(shop_without_mail):
    message = await told_after(shop_without_mail, reason=CancelReason.OPERATOR)
    for said in (message.text, message.html):
        assert "The operator cannot carry you as booked" in said
        assert "We pay ₫650,000 back to you." in said
        assert "is not paid back" not in said


async def test_after_a_lost_dispute_it_is_the_bank_that_is_named_and_not_the_operator(shop_without_mail):
    lost = "UPDATE payment_charge SET dispute = 'lost'"
    message = await told_after(shop_without_mail, reason=CancelReason.DISPUTE_LOST, spoil=lost)
    assert (message.kind, message.subject[:12]) == (MessageKind.BOOKING_CANCELLED, "Your booking")
    for said in (message.text, message.html):
        assert "Your bank has taken your payment back, so this is not paid for any more and was cancelled." in said
        assert "₫650,000 come from your bank." in said
        assert "cannot carry you" not in said
        assert "As you wished" not in said
        assert "back to you" not in said
        assert "once your bank has decided" not in said


async def test_after_a_lost_dispute_what_else_was_paid_comes_from_us(shop_without_mail):
    message = await told_after(shop_without_mail, reason=CancelReason.DISPUTE_LOST, spoil=OTHER.replace("open", "lost"))
    for said in (message.text, message.html):
        assert "We pay ₫200,000 back to you." in said
        assert "₫450,000 come from your bank." in said
        assert "It goes back the way it came." in said


async def test_of_a_part_it_is_told_whose_seats_and_that_the_others_stay(shop_without_mail):
    message = await told_after(shop_without_mail, passengers=[1])
    assert message.kind is MessageKind.BOOKING_REDUCED
    for said in (message.text, message.html):
        assert "1B · Łukasz Żółć" in said
        assert "Nguyễn Thị Ánh" not in said
        assert "We pay ₫160,000 back to you." in said
        assert "The other seats are still yours, and their tickets are valid." in said


async def test_what_the_payers_bank_has_taken_back_is_not_promised_again(shop_without_mail):
    message = await told_after(shop_without_mail, spoil="UPDATE payment_charge SET dispute = 'lost'")
    for said in (message.text, message.html):
        assert "Your booking was cancelled" in said
        assert "back to you" not in said
        assert "It goes back the way it came." not in said
        assert "so ₫320,000 cannot come from us now. You get it from your bank, or from us once" in said
        assert "₫330,000 is not paid back" in said


async def test_while_the_bank_has_a_part_it_is_told_what_comes_from_us_and_what_from_there(shop_without_mail):
    message = await told_after(shop_without_mail, spoil=OTHER)
    for said in (message.text, message.html):
        assert "We pay ₫200,000 back to you." in said
        assert "so ₫120,000 cannot come from us now." in said


async def test_it_is_written_in_the_bookings_language(shop_without_mail):
    shop = shop_without_mail
    booking = await shop.sell(names=NAMES[:2])
    async with shop.database.begin() as work:
        await work.execute(HALF)
        await work.execute("UPDATE booking SET language = 'vi'")
    async with shop.database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM)
    await shop.run_jobs()
    [message] = [each for each in await shop.messages() if each.kind is MessageKind.BOOKING_CANCELLED]
    assert 'lang="vi"' in message.html
