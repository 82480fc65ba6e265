"""Mail goes out once for each occasion and address, over a real socket, and what became of it is kept."""

import email
import email.policy
import socket
from datetime import timedelta
from email.message import EmailMessage
from uuid import UUID, uuid4

import msgspec
import pytest
import zxingcpp
from aiosmtpd.controller import Controller
from sqlalchemy import select
from tests.people import make_person
from tests.ticketing.paper import pages_of, text_of
from tests.ticketing.travel import NAMES, book, book_and_confirm

from farebox.accounts import Actor
from farebox.bookings import BookingConfirmed, cancel_booking, request_lookup, verify_lookup
from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.core.outbox import Outbox
from farebox.core.settings import BadSetting
from farebox.notifications import (
    MessageKind,
    MessageNotFound,
    MessageStatus,
    Office,
    TooManyMessages,
    get_attachment,
    get_message,
    html_to_show,
    list_messages,
    parse_smtp_url,
    reactions,
    register_jobs,
)
from farebox.notifications.delivery import MAX_ATTEMPTS, NotSentYet, Postman
from farebox.notifications.models import MessageRow
from farebox.payments import RefundRequested
from farebox.ticketing import NotTicketed, issue_tickets, list_tickets


class Inbox:
    """A mail server of our own. `refusal` is its answer to every recipient, if any."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refusal = ""
        self.url = ""

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((list(envelope.rcpt_tos), mail))
        return "250 OK"

    def to(self, address: str) -> EmailMessage:
        [mail] = [mail for recipients, mail in self.mails if recipients == [address]]
        return mail


@pytest.fixture
def inbox():
    inbox = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    inbox.url = f"smtp://127.0.0.1:{port}"
    yield inbox
    server.stop()


class Shop:
    """The parts of the product that make mail, wired as in production."""

    def __init__(self, database: Database, settings, secrets) -> None:
        self.database, self.settings, self.secrets = database, settings, secrets
        self.jobs = Jobs(database.dsn)
        register_jobs(self.jobs, database=database, settings=settings, secrets=secrets)
        self.office = Office(jobs=self.jobs, settings=settings, secrets=secrets)
        self.postman = Postman(database=database, settings=settings, secrets=secrets)
        database.deliver_events_to(Outbox(self.jobs, reactions()))

    async def run_jobs(self) -> None:
        async with self.jobs.app.open_async():
            await self.jobs.run_worker(wait=False)  # what writes messages
            await self.jobs.run_worker(wait=False)  # what sends them

    async def sell(self, **wishes: object):
        async with self.database.begin() as work:
            booking = await book_and_confirm(work, settings=self.settings, secrets=self.secrets, **wishes)
            issue_tickets(work, booking, signer=self.secrets)
        return booking

    async def messages(self):
        async with self.database.begin() as work:
            return await list_messages(work, secrets=self.secrets)


@pytest.fixture
def shop(database, settings, secrets, inbox) -> Shop:
    return Shop(database, msgspec.structs.replace(settings, smtp_url=inbox.url), secrets)


@pytest.fixture
def shop_without_mail(database, settings, secrets) -> Shop:
    return Shop(database, settings, secrets)


def parts_of(mail: EmailMessage) -> dict[str, list[EmailMessage]]:
    found: dict[str, list[EmailMessage]] = {}
    for part in mail.walk():
        if not part.is_multipart():
            found.setdefault(part.get_content_type(), []).append(part)
    return found


async def test_tickets_reach_the_contact_and_each_passenger_with_an_address(shop, inbox) -> None:
    booking = await shop.sell(names=NAMES[:3], emails=("ANH@example.com", "lukasz@example.com", None))
    await shop.run_jobs()
    assert sorted(recipients for recipients, _ in inbox.mails) == [["anh@example.com"], ["lukasz@example.com"]]
    async with shop.database.begin() as work:
        tokens = [ticket.token for ticket in await list_tickets(work, booking.id)]
    for address, expected in (("anh@example.com", tokens), ("lukasz@example.com", tokens[1:2])):
        parts = parts_of(inbox.to(address))
        [pdf] = parts["application/pdf"]
        assert pdf.get_filename() == f"{booking.reference}.pdf"
        pages = pages_of(pdf.get_content())
        assert [code.text for page in pages for code in zxingcpp.read_barcodes(page)] == expected
        assert len(parts["image/png"]) == len(expected)
        assert parts["text/calendar"][0].get_filename() == f"{booking.reference}.ics"
    own = inbox.to("lukasz@example.com")
    assert "Łukasz Żółć" in own.get_body(("plain",)).get_content()
    for said in (own.get_body(("plain",)).get_content(), own.get_body(("html",)).get_content()):
        assert "Nguyễn Thị Ánh" not in said
        assert "650,000" not in said
    assert "Nguyễn Thị Ánh" not in text_of(parts_of(own)["application/pdf"][0].get_content())


@pytest.mark.parametrize(
    ("chosen", "told"), [(False, ["lukasz@example.com"]), (True, ["anh@example.com", "lukasz@example.com"])]
)
async def test_who_switched_news_of_bookings_off_gets_none_and_fellow_travellers_theirs(
    shop, inbox, chosen, told
) -> None:
    settings = {"notifications": {"booking": {"email": chosen}}}
    person = await make_person(shop.database, shop.secrets, email="anh@example.com", settings=settings)
    emails = ("anh@example.com", "lukasz@example.com")
    await shop.sell(names=NAMES[:2], emails=emails, actor=Actor("user", person.id))
    await shop.run_jobs()
    assert sorted(address for recipients, _ in inbox.mails for address in recipients) == told


async def test_a_mail_is_whole_text_html_pictures_and_headers(shop, inbox) -> None:
    booking = await shop.sell(names=NAMES[:1])
    await shop.run_jobs()
    [message] = await shop.messages()
    mail = inbox.to("anh@example.com")
    assert mail["Subject"] == "Your ticket: Hà Nội to Vinh, Wed 25 Nov 2026"
    assert mail["From"] == shop.settings.mail_from
    assert mail["Reply-To"] == "hello@truongson.example"
    assert mail["Message-ID"] == f"<{message.id}@farebox.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "en"
    plain = mail.get_body(("plain",)).get_content()
    for expected in (booking.reference, "06:30", "Bến xe Giáp Bát", "Seat: 1A", "Platform: 12", "₫330,000"):
        assert expected in plain
    assert "<" not in plain
    assert "&" not in plain
    html = mail.get_body(("html",)).get_content()
    [picture] = parts_of(mail)["image/png"]
    assert f"cid:{picture['Content-ID'].strip('<>')}" in html
    assert 'alt="QR code of the ticket of Nguyễn Thị Ánh, seat 1A"' in html
    assert html.count("<img") == html.count(" alt=") == 1
    assert '<html lang="en">' in html
    assert (message.status, message.attempts, message.failure) == (MessageStatus.SENT, 1, "")
    assert message.sent_at is not None


async def test_the_mail_speaks_the_bookings_language(shop, inbox) -> None:
    await shop.sell(language="vi")
    await shop.run_jobs()
    mail = inbox.to("anh@example.com")
    assert mail["Content-Language"] == "vi"
    assert '<html lang="vi">' in mail.get_body(("html",)).get_content()
    assert "320.000" in text_of(parts_of(mail)["application/pdf"][0].get_content())


async def test_an_event_that_is_delivered_twice_makes_one_mail(shop, inbox) -> None:
    booking = await shop.sell()
    await shop.run_jobs()
    async with shop.database.begin() as work:
        work.publish(
            BookingConfirmed(booking_id=booking.id, reference=booking.reference, total_price="1", currency="VND")
        )
    await shop.run_jobs()
    [message] = await shop.messages()
    await shop.postman.deliver(message.id)
    assert len(inbox.mails) == 1


async def test_without_the_occasion_in_the_key_it_would_be_two(shop, inbox, monkeypatch) -> None:
    """The control: drafts of one event that differ in their occasion are all sent."""
    booking = await shop.sell()
    await shop.run_jobs()
    original = shop.office._row
    monkeypatch.setattr(shop.office, "_row", lambda *given: original(*given) | {"occasion": str(uuid4())})
    async with shop.database.begin() as work:
        await shop.office.send_tickets(work, booking.id)
    await shop.run_jobs()
    assert len(inbox.mails) == 2


async def test_a_rollback_sends_nothing(shop, inbox) -> None:
    work = shop.database.open()
    booking = await book_and_confirm(work, settings=shop.settings, secrets=shop.secrets)
    await shop.office.send_tickets(work, booking.id)
    await work.rollback()
    await work.abandon()
    await shop.run_jobs()
    assert inbox.mails == []


async def test_a_server_that_is_away_is_tried_again_and_then_given_up(shop_without_mail) -> None:
    shop = shop_without_mail
    settings = msgspec.structs.replace(shop.settings, smtp_url="smtp://127.0.0.1:1")
    postman = Postman(database=shop.database, settings=settings, secrets=shop.secrets)
    message_id = await _queued(shop)
    for attempt in range(1, MAX_ATTEMPTS):
        with pytest.raises(NotSentYet) as later:
            await postman.deliver(message_id)
        assert "example.com" not in str(later.value)
        async with shop.database.begin() as work:
            message = await get_message(work, message_id, secrets=shop.secrets)
        assert (message.status, message.attempts) == (MessageStatus.QUEUED, attempt)
    await postman.deliver(message_id)
    async with shop.database.begin() as work:
        message = await get_message(work, message_id, secrets=shop.secrets)
    assert (message.status, message.failure) == (MessageStatus.FAILED, "SMTPConnectError")


async def test_a_busy_server_is_asked_again(shop, inbox) -> None:
    message_id = await _queued(shop)
    inbox.refusal = "451 come back to anh@example.com later"
    with pytest.raises(NotSentYet):
        await shop.postman.deliver(message_id)
    async with shop.database.begin() as work:
        assert (await get_message(work, message_id, secrets=shop.secrets)).failure == "451: the address was refused"
    inbox.refusal = ""
    await shop.postman.deliver(message_id)
    assert len(inbox.mails) == 1


async def test_an_address_that_does_not_exist_is_not_tried_again(shop, inbox) -> None:
    message_id = await _queued(shop)
    inbox.refusal = "550 no such user anh@example.com"
    await shop.postman.deliver(message_id)
    async with shop.database.begin() as work:
        message = await get_message(work, message_id, secrets=shop.secrets)
    assert (message.status, message.failure) == (MessageStatus.FAILED, "550: the address was refused")


async def test_without_a_mail_server_the_mail_is_kept_for_the_mailbox(shop_without_mail) -> None:
    shop = shop_without_mail
    booking = await shop.sell(names=NAMES[:2])
    await shop.run_jobs()
    [message] = await shop.messages()
    assert (message.status, message.kind) == (MessageStatus.KEPT, MessageKind.BOOKING_CONFIRMED)
    assert message.filenames == (f"{booking.reference}.pdf", f"{booking.reference}.ics")
    assert html_to_show(message).count("data:image/png;base64,") == 2
    assert "cid:" not in html_to_show(message)
    file = await get_attachment(
        shop.database, message, f"{booking.reference}.pdf", secrets=shop.secrets, settings=shop.settings
    )
    assert (file.media_type, len(pages_of(file.content))) == ("application/pdf", 2)
    with pytest.raises(MessageNotFound):
        await get_attachment(shop.database, message, "other", secrets=shop.secrets, settings=shop.settings)
    async with shop.database.begin() as work:
        with pytest.raises(MessageNotFound):
            await get_message(work, uuid4(), secrets=shop.secrets)


async def test_nothing_of_a_message_is_readable_in_the_database(shop_without_mail) -> None:
    shop = shop_without_mail
    await shop.sell()
    await shop.run_jobs()
    async with shop.database.begin() as work:
        [row] = (await work.session.scalars(select(MessageRow))).all()
    for sealed in (row.recipient, row.html, row.text):
        assert b"anh@example.com" not in sealed
        assert "Nguyễn".encode() not in sealed
    assert "Nguyễn" not in row.subject


async def test_the_tickets_can_be_sent_again_but_not_for_ever(shop_without_mail) -> None:
    shop = shop_without_mail
    owner = Actor("guest", uuid4(), None)
    booking = await shop.sell(names=NAMES[:2], emails=(None, "lukasz@example.com"), actor=owner)
    start = shop.database.clock()
    for minute in range(5):
        shop.database.clock = lambda minute=minute: start + timedelta(minutes=minute)
        async with shop.database.begin() as work:
            assert await shop.office.resend_tickets(work, booking.id, actor=owner) == "a•••@example.com"
        async with shop.database.begin() as work:  # a second press of the button
            if minute < 4:
                await shop.office.resend_tickets(work, booking.id, actor=owner)
    async with shop.database.begin() as work:
        with pytest.raises(TooManyMessages):
            await shop.office.resend_tickets(work, booking.id, actor=owner)
    again = [message for message in await shop.messages() if message.kind is MessageKind.TICKETS]
    assert [message.recipient for message in again] == ["anh@example.com"] * 5


async def test_only_the_owner_of_a_confirmed_booking_can_have_them_sent(shop_without_mail) -> None:
    shop = shop_without_mail
    owner = Actor("guest", uuid4(), None)
    async with shop.database.begin() as work:
        pending = await book(work, settings=shop.settings, secrets=shop.secrets, actor=owner)
        with pytest.raises(NotTicketed):
            await shop.office.resend_tickets(work, pending.id, actor=owner)


async def test_a_lookup_mails_a_code_that_works_and_is_then_forgotten(shop, inbox) -> None:
    booking = await shop.sell()
    await shop.run_jobs()
    inbox.mails.clear()
    async with shop.database.begin() as work:
        await request_lookup(work, booking.reference, "anh@example.com", settings=shop.settings, secrets=shop.secrets)
    await shop.run_jobs()
    mail = inbox.to("anh@example.com")
    text = mail.get_body(("plain",)).get_content()
    code = next(word for word in text.split() if word.isdigit() and len(word) == 6)
    assert code not in mail["Subject"]
    assert code in mail.get_body(("html",)).get_content()
    [message, _] = await shop.messages()
    assert (message.kind, message.html, message.text) == (MessageKind.LOOKUP_CODE, "", "")
    async with shop.database.begin() as work:
        found = await verify_lookup(
            work, booking.reference, "anh@example.com", code, settings=shop.settings, secrets=shop.secrets
        )
    assert found is not None
    assert found.booking.id == booking.id


async def test_a_lookup_that_misses_mails_nothing(shop, inbox) -> None:
    booking = await shop.sell()
    await shop.run_jobs()
    inbox.mails.clear()
    async with shop.database.begin() as work:
        for reference, contact in ((booking.reference, "other@example.com"), ("BUS20260101ABCDEF", "anh@example.com")):
            await request_lookup(work, reference, contact, settings=shop.settings, secrets=shop.secrets)
    await shop.run_jobs()
    assert inbox.mails == []


async def test_a_lookup_whose_job_runs_twice_keeps_the_code_that_was_mailed(shop_without_mail) -> None:
    shop = shop_without_mail
    booking = await shop.sell()
    async with shop.database.begin() as work:
        await request_lookup(work, booking.reference, "anh@example.com", settings=shop.settings, secrets=shop.secrets)
        await work.session.flush()
        cursor = await work.execute("SELECT id FROM booking_lookup")
        [[lookup_id]] = await cursor.fetchall()
    for _ in range(2):
        async with shop.database.begin() as work:
            await shop.office.send_lookup_code(work, lookup_id)
    [message] = [message for message in await shop.messages() if message.kind is MessageKind.LOOKUP_CODE]
    code = next(word for word in message.text.split() if word.isdigit() and len(word) == 6)
    async with shop.database.begin() as work:
        assert await verify_lookup(
            work, booking.reference, "anh@example.com", code, settings=shop.settings, secrets=shop.secrets
        )


async def test_a_booking_that_ran_out_is_explained_and_one_cancelled_by_its_owner_is_not(shop_without_mail) -> None:
    shop = shop_without_mail
    owner = Actor("guest", uuid4(), None)
    async with shop.database.begin() as work:
        left = await book(work, settings=shop.settings, secrets=shop.secrets)
        cancelled = await book(work, settings=shop.settings, secrets=shop.secrets, actor=owner)
        await cancel_booking(work, cancelled.id, actor=owner)
    async with shop.database.begin() as work:
        await work.execute("UPDATE booking SET expires_at = now() - interval '1 second' WHERE id = %s", (left.id,))
    async with shop.database.begin() as work:
        from farebox.bookings import expire_bookings

        await expire_bookings(work)
    await shop.run_jobs()
    [message] = await shop.messages()
    assert (message.kind, message.booking_id) == (MessageKind.BOOKING_EXPIRED, left.id)
    assert left.reference in message.subject
    assert "nothing was charged" in message.text


@pytest.mark.parametrize(
    ("reason", "explanation"),
    [
        ("late", "the seats had been sold to others"),
        ("duplicate", "This booking was paid twice."),
        ("mismatched", "is not the amount of the booking"),
        ("unwanted", "after the booking had been cancelled"),
        ("surplus", "what was too much goes back to you"),
        ("allowance", "taken something off the price"),
        ("dispute-settled", "Your bank has decided about your payment."),
        ("something-new", "does not belong to a booking that is still open"),
    ],
)
async def test_money_that_goes_back_is_explained(shop_without_mail, reason: str, explanation: str) -> None:
    shop = shop_without_mail
    async with shop.database.begin() as work:
        booking = await book(work, settings=shop.settings, secrets=shop.secrets)
        refund = RefundRequested(
            refund_id=uuid4(),
            payment_id=uuid4(),
            booking_id=booking.id,
            amount="330000",
            currency="VND",
            reason=reason,
        )
        work.publish(refund)
        work.publish(refund)
    await shop.run_jobs()
    [message] = await shop.messages()
    assert message.kind is MessageKind.REFUND
    for said in (message.text, message.html):
        assert explanation in said
        assert "₫330,000" in said


async def test_people_and_feeds_cannot_write_markup_into_a_mail_or_its_headers(shop_without_mail) -> None:
    shop = shop_without_mail
    booking = await shop.sell()
    async with shop.database.begin() as work:
        await work.execute("UPDATE booking_passenger SET full_name = %s", ('<img src=x onerror="alert(1)"> {{ 7*7 }}',))
        await work.execute(
            "UPDATE booking_item SET description = jsonb_set(description, '{origin,place}', %s)",
            ('"Hà Nội\\r\\nBcc: all@example.com"',),
        )
        await shop.office.send_tickets(work, booking.id)
    message = (await shop.messages())[0]
    assert "<img src=x" not in message.html
    assert "&lt;img src=x" in message.html
    assert "{{ 7*7 }}" in message.html
    assert "\r" not in message.subject
    assert "\n" not in message.subject


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("mail.example", 25, None, None, False, None)),
        ("smtp://mail.example?starttls", ("mail.example", 587, None, None, False, True)),
        ("smtp://mail.example:2525?starttls=no", ("mail.example", 2525, None, None, False, False)),
        ("smtps://me%40x.example:p%3Aw%2F@mail.example", ("mail.example", 465, "me@x.example", "p:w/", True, False)),
    ],
)
def test_mail_servers_are_named_by_a_url(url: str, expected: tuple[object, ...]) -> None:
    server = parse_smtp_url(url)
    named = (server.host, server.port, server.username, server.password, server.use_tls, server.start_tls)
    assert named == expected
    assert "p:w/" not in repr(server)


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://", "smtp://mail.example:no"])
def test_an_address_that_is_none_is_explained(url: str) -> None:
    with pytest.raises(BadSetting, match="FAREBOX_SMTP_URL"):
        parse_smtp_url(url)


async def _queued(shop: Shop) -> UUID:
    """A message that waits to be sent."""
    booking = await shop.sell()
    async with shop.database.begin() as work:
        await shop.office.send_tickets(work, booking.id)
    [message] = await shop.messages()
    message_id: UUID = message.id
    return message_id
