"""What travellers are told of changes, each once."""

import re
from uuid import UUID

import pytest
import zxingcpp
from msgspec.structs import replace
from tests.notifications.test_mail import inbox, parts_of, shop
from tests.ticketing.paper import pages_of

from farebox.bookings import BookingChanged, BookingChangeFailed, BookingRenamed
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import RefundRequested
from farebox.ticketing import list_tickets

__all__ = ["inbox", "shop"]

INSTEAD = "The earlier tickets of who changed are not valid any more. Please use these."
BESIDE = "These are all tickets of your booking. Those that you had already stay valid."


def changed(booking, change_id: UUID) -> BookingChanged:
    total = {"total_price": str(booking.total.amount), "currency": booking.total.currency}
    return BookingChanged(booking_id=booking.id, reference=booking.reference, change_id=change_id, **total)


def returned(booking, change_id: UUID) -> BookingChanged:
    return replace(changed(booking, change_id), is_return=True)


def renamed(booking, change_id: UUID) -> BookingRenamed:
    return BookingRenamed(booking_id=booking.id, reference=booking.reference, change_id=change_id)


def failed(booking, change_id: UUID, reason: str) -> BookingChangeFailed:
    return BookingChangeFailed(booking_id=booking.id, reference=booking.reference, change_id=change_id, reason=reason)


def text_in(mail) -> str:
    return " ".join(mail.get_body(("plain",)).get_content().split())


async def told(shop, *events) -> None:
    async with shop.database.begin() as work:
        for event in events:
            work.publish(event)
    await shop.run_jobs()


@pytest.mark.parametrize(
    ("event", "headline", "subject", "lead"),
    [
        (changed, "Your booking has changed", "Your booking {} has changed", INSTEAD),
        (renamed, "There are other names on your booking", "There are other names on your booking {}", INSTEAD),
        (returned, "Your ride back is booked", "Your ride back is booked: booking {}", BESIDE),
    ],
)
async def test_who_changed_gets_the_tickets_anew_and_once(shop, inbox, event, headline, subject, lead) -> None:
    booking = await shop.sell(emails=("anh@example.com",))
    await shop.run_jobs()
    inbox.mails.clear()
    one = event(booking, new_id())
    await told(shop, one, one)
    mail = inbox.to("anh@example.com")
    assert mail["Subject"] == subject.format(booking.reference)
    text = text_in(mail)
    assert text.startswith(f"{headline} {lead}")
    page = mail.get_body(("html",)).get_content()
    assert lead in page
    assert re.search(
        r'<img src="cid:[^>]*background:#ffffff;color:#15171a', page
    )  # its words, where no picture is shown
    [pdf] = parts_of(mail)["application/pdf"]
    async with shop.database.begin() as work:
        tokens = [ticket.token for ticket in await list_tickets(work, booking.id)]
    codes = [code.text for page in pages_of(pdf.get_content()) for code in zxingcpp.read_barcodes(page)]
    assert codes == tokens


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("seats-gone", "were taken by others before your payment came"),
        ("expired", "The time to pay for the change was over"),
    ],
)
async def test_a_change_that_was_not_made_leaves_the_tickets_as_they_are(shop, inbox, reason, why) -> None:
    booking = await shop.sell(emails=("anh@example.com",))
    await shop.run_jobs()
    inbox.mails.clear()
    one = failed(booking, new_id(), reason)
    await told(shop, one, one)
    mail = inbox.to("anh@example.com")
    assert mail["Subject"] == f"Your booking {booking.reference} was not changed"
    text = text_in(mail)
    assert why in text
    assert "Your booking is as it was before, and its tickets are valid." in text


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("changed", "Your booking costs less than before, since you changed it."),
        ("change-not-made", "Your payment was for a change of your booking that was not made"),
        ("rest-unpaid", "Only a part of the price had come when the time to pay was over"),
        ("cancelled-before-rest", "The booking was cancelled before the rest of its price was paid."),
    ],
)
async def test_money_of_a_change_that_goes_back_is_told_as_that(shop, inbox, reason, why) -> None:
    booking = await shop.sell(emails=("anh@example.com",))
    await shop.run_jobs()
    inbox.mails.clear()
    amount = Money(300, "EUR")
    refund = RefundRequested(
        refund_id=new_id(),
        payment_id=new_id(),
        booking_id=booking.id,
        amount=str(amount.amount),
        currency=amount.currency,
        reason=reason,
    )
    await told(shop, refund)
    assert why in text_in(inbox.to("anh@example.com"))
