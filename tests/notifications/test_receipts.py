"""The receipt of a payment: once, with the invoice of what was paid for."""

from uuid import uuid4

import pypdfium2
from tests.bookings.shows import scalar
from tests.notifications.test_mail import inbox, shop, shop_without_mail

from farebox.notifications import MessageKind, get_attachment
from farebox.payments import PaymentCompleted

__all__ = ["inbox", "shop", "shop_without_mail"]


async def receipts(shop, booking, *, times=1):
    """The receipts after a payment has been told about so often."""
    event = PaymentCompleted(payment_id=uuid4(), booking_id=booking.id, amount="330000", currency="VND")
    for _ in range(times):
        async with shop.database.begin() as work:
            work.publish(event)
    await shop.run_jobs()
    return [message for message in await shop.messages() if message.kind is MessageKind.RECEIPT]


async def test_a_receipt_has_the_invoice_with_it_and_comes_once_however_often_it_is_told(shop_without_mail):
    shop = shop_without_mail
    booking = await shop.sell()
    [message] = await receipts(shop, booking, times=2)
    assert "₫330,000" in message.text
    assert booking.reference in message.subject
    [filename] = message.filenames
    assert filename.startswith("INV-")
    async with shop.database.begin() as work:
        file = await get_attachment(work, message, filename, secrets=shop.secrets, settings=shop.settings)
    assert file.media_type == "application/pdf"
    page = pypdfium2.PdfDocument(file.content)[0].get_textpage().get_text_bounded()
    assert filename.removesuffix(".pdf") in page
    assert await scalar(shop.database, "SELECT count(*) FROM invoice") == 1


async def test_it_is_sent_with_its_file(shop, inbox):
    booking = await shop.sell()
    await receipts(shop, booking)
    [mail] = [mail for _, mail in inbox.mails if "Receipt" in str(mail["subject"])]
    names = [part.get_filename() for part in mail.walk() if part.get_filename()]
    assert [name[:4] for name in names] == ["INV-"]
