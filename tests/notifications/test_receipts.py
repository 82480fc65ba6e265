"""The receipt of a payment: once, with the invoice of what was paid for."""

import re
from datetime import timedelta
from uuid import uuid4

import pypdfium2
import pytest
from tests.bookings.shows import scalar
from tests.notifications.test_cancellation_mail import HALF, PAID
from tests.notifications.test_mail import inbox, shop, shop_without_mail
from tests.payments.wallets import fill_wallet
from tests.people import make_person
from tests.ticketing.travel import NAMES

from farebox.accounts import SYSTEM
from farebox.core.money import Money
from farebox.notifications import MessageKind, get_attachment
from farebox.payments import InvoiceTo, PaymentCompleted, cancel_booking, change_invoice_to, issue_invoices
from farebox.payments.events import InvoiceIssued, WalletDisputed, WalletToppedUp
from farebox.ticketing import item_in_words

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
    assert f"It is for: {item_in_words(booking.items[0].description)}." in message.text
    assert booking.reference in message.subject
    [filename] = message.filenames
    assert filename.startswith("INV-")
    file = await get_attachment(shop.database, message, filename, secrets=shop.secrets, settings=shop.settings)
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


async def test_it_is_the_invoice_that_was_written_last_whatever_the_clocks_say(shop_without_mail):
    shop = shop_without_mail
    booking = await shop.sell()
    async with shop.database.begin() as work:
        await issue_invoices(work, booking.id, secrets=shop.secrets)
        await change_invoice_to(work, booking.id, InvoiceTo("Sông Hương"), actor=SYSTEM, secrets=shop.secrets)
    now = shop.database.clock
    shop.database.clock = lambda: now() - timedelta(days=1)  # another process, whose clock is behind
    async with shop.database.begin() as work:
        _, latest = await issue_invoices(work, booking.id, secrets=shop.secrets)
    shop.database.clock = now
    [message] = await receipts(shop, booking)
    assert list(message.filenames) == [f"{latest.number}.pdf"]


async def credit_notes(shop):
    return [message for message in await shop.messages() if message.kind is MessageKind.CREDIT_NOTE]


async def test_a_credit_note_is_sent_once_with_what_was_written_together_with_it(shop_without_mail):
    """What is kept of a seat is invoiced anew."""
    shop = shop_without_mail
    booking = await shop.sell(names=NAMES[:2])
    async with shop.database.begin() as work:
        await issue_invoices(work, booking.id, secrets=shop.secrets)
        await work.execute(HALF)
        await work.execute(PAID)
    await shop.run_jobs()
    assert await credit_notes(shop) == []
    async with shop.database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM, passengers=[booking.passengers[0].id])
    async with shop.database.begin() as work:
        issued = await issue_invoices(work, booking.id, secrets=shop.secrets)
        [note] = [each for each in issued if each.kind == "credit-note"]
        again = InvoiceIssued(
            invoice_id=note.id,
            booking_id=booking.id,
            operator_id=note.operator_id,
            kind=note.kind,
            number=note.number,
            amount=str(note.total.amount),
            currency=note.total.currency,
        )
        work.publish(again)
    await shop.run_jobs()
    [message] = await credit_notes(shop)
    kinds = sorted(filename[:3] for filename in message.filenames)
    assert kinds == ["CN-", "INV"]
    assert "₫320,000" in message.text
    assert booking.reference in message.subject
    for filename in message.filenames:
        file = await get_attachment(shop.database, message, filename, secrets=shop.secrets, settings=shop.settings)
        page = pypdfium2.PdfDocument(file.content)[0].get_textpage().get_text_bounded()
        assert filename.removesuffix(".pdf") in page


async def test_who_puts_money_into_the_wallet_gets_a_receipt_for_each_charge_once(shop_without_mail):
    shop = shop_without_mail
    person = await make_person(shop.database, shop.secrets)
    for _ in range(2):
        await fill_wallet(shop.database, person, Money(2500, "EUR"))
    charge = await scalar(shop.database, "SELECT id FROM payment_charge LIMIT 1")
    again = WalletToppedUp(
        wallet_id=uuid4(),
        person_id=person.id,
        payment_id=uuid4(),
        charge_id=charge,
        amount="25.00",
        currency="EUR",
    )
    async with shop.database.begin() as work:
        work.publish(again)
    await shop.run_jobs()
    told = [message for message in await shop.messages() if message.kind is MessageKind.TOP_UP_RECEIPT]
    assert len(told) == 2
    payments = await scalar(shop.database, "SELECT array_agg(id::text) FROM payment")
    for message in told:
        assert message.recipient == person.email
        assert "€25.00" in message.subject
        assert sum(payment in message.text for payment in payments) == 1
        assert "/account/wallet/receipts/" in message.text
    numbers = {f"WALLET{payment.replace('-', '')[-8:].upper()}" for payment in payments}
    told_numbers = {match[1] for message in told if (match := re.search(r"Receipt number: (\w+)\.", message.text))}
    assert told_numbers == numbers  # as the receipts say themselves


async def told_of_wallet(shop, person, step, in_wallet="15.00", held="15.00"):
    """The messages that a step of a dispute brings to the owner of a wallet, told twice."""
    known = {message.id for message in await shop.messages()}
    event = WalletDisputed(
        wallet_id=uuid4(),
        person_id=person.id,
        dispute_id=uuid4(),
        step=step,
        amount="25.00",
        held=held,
        in_wallet=in_wallet,
        currency="EUR",
    )
    for _ in range(2):
        async with shop.database.begin() as work:
            work.publish(event)
    await shop.run_jobs()
    return [message for message in await shop.messages() if message.id not in known]


@pytest.mark.parametrize(
    ("code", "step", "kind", "said"),
    [
        ("en", "open", MessageKind.WALLET_DISPUTE_OPENED, ("€15.00 of what is in your wallet", "tell your bank")),
        ("vi", "open", MessageKind.WALLET_DISPUTE_OPENED, ("bị tạm giữ", "hãy báo cho ngân hàng")),
        ("en", "won", MessageKind.WALLET_DISPUTE_WON, ("Nothing in it is held back for that any more",)),
        ("vi", "won", MessageKind.WALLET_DISPUTE_WON, ("không còn khoản nào bị tạm giữ",)),
        ("en", "lost", MessageKind.WALLET_DISPUTE_LOST, ("what was left of that: €15.00",)),
        ("vi", "lost", MessageKind.WALLET_DISPUTE_LOST, ("phần còn lại của khoản đó: 15,00",)),
    ],
)
async def test_the_owner_of_a_wallet_is_told_once_and_in_their_language_what_a_bank_does(
    shop_without_mail, code, step, kind, said
):
    shop = shop_without_mail
    person = await make_person(shop.database, shop.secrets)
    await scalar(shop.database, "UPDATE person SET language = %s RETURNING 1", code)
    [message] = await told_of_wallet(shop, person, step)
    assert (message.kind, message.recipient) == (kind, person.email)
    assert "25" in message.subject or step == "won"
    for words in (*said, "/account/wallet"):
        assert words in message.text.replace("\n", " ").replace("\u00a0", " "), words


async def test_of_money_that_has_gone_back_already_there_is_nothing_to_tell(shop_without_mail):
    person = await make_person(shop_without_mail.database, shop_without_mail.secrets)
    assert await told_of_wallet(shop_without_mail, person, "open", in_wallet="0.00", held="0.00") == []


async def test_who_was_told_of_a_hold_hears_of_its_end_though_nothing_was_left_to_take(shop_without_mail):
    person = await make_person(shop_without_mail.database, shop_without_mail.secrets)
    [message] = await told_of_wallet(shop_without_mail, person, "lost", in_wallet="0.00")
    assert message.kind == MessageKind.WALLET_DISPUTE_UNTAKEN
    assert message.subject.replace("\u00a0", " ") == "Your bank has taken back €25.00 that you had put into your wallet"
    text = message.text.replace("\n", " ").replace("\u00a0", " ")
    assert "Your bank has given €25.00 back to you" in text
    assert "Nothing of that was left in the wallet, so nothing was taken out of it." in text
    assert "0.00" not in text


async def test_that_nothing_was_left_to_take_is_told_in_vietnamese_too(shop_without_mail):
    person = await make_person(shop_without_mail.database, shop_without_mail.secrets)
    await scalar(shop_without_mail.database, "UPDATE person SET language = 'vi' RETURNING 1")
    [message] = await told_of_wallet(shop_without_mail, person, "lost", in_wallet="0.00")
    text = message.text.replace("\n", " ").replace("\u00a0", " ")
    assert "Ngân hàng đã thu hồi 25,00 €" in message.subject.replace("\u00a0", " ")
    assert "nên chúng tôi không trừ gì cả" in text
    assert "0,00" not in text
