"""The tickets' doors over HTTP: files with names, for the booking's owner alone."""

from uuid import uuid4

import icalendar
import pytest
import zxingcpp
from litestar.testing import AsyncTestClient
from tests.apps import app_of
from tests.ticketing.paper import pages_of
from tests.ticketing.travel import NAMES, book, book_and_confirm

from farebox.accounts import authenticate, open_booking_session, open_guest_session
from farebox.notifications import list_messages
from farebox.ticketing import issue_tickets, list_tickets
from farebox.wiring import build_services


class Counter:
    """The application, a confirmed booking of two, and the credentials of its owner and of others."""

    def __init__(self, services) -> None:
        self.services = services
        self.client = AsyncTestClient(app_of(services))

    async def open(self) -> None:
        async with self.services.database.begin() as work:
            _, self.owner = await open_guest_session(work, ttl_seconds=3600)
            _, self.stranger = await open_guest_session(work, ttl_seconds=3600)
            actor = await authenticate(work, self.owner)
            wishes = {"settings": self.services.settings, "secrets": self.services.secrets, "actor": actor}
            self.booking = await book_and_confirm(work, names=NAMES[:2], **wishes)
            issue_tickets(work, self.booking, signer=self.services.secrets)
            self.tickets = await list_tickets(work, self.booking.id)
            self.pending = await book(work, **wishes)
            self.after_code = await open_booking_session(work, self.booking.id, ttl_seconds=3600)
            self.other_code = await open_booking_session(work, self.pending.id, ttl_seconds=3600)

    async def ask(self, path: str, token: str = "", *, method: str = "GET", booking_id=None, headers=None):
        url = f"/api/v1/bookings/{booking_id or self.booking.id}{path}"
        credential = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.client.request(method, url, headers=credential | (headers or {}))


@pytest.fixture
async def counter(settings):
    services = build_services(settings)
    counter = Counter(services)
    await counter.open()
    async with counter.client:
        yield counter
    await services.dispose()


DOORS = [("GET", "/e-ticket"), ("GET", "/e-ticket/preview"), ("GET", "/e-ticket.ics"), ("POST", "/email-ticket")]


@pytest.mark.parametrize(("method", "path"), DOORS)
async def test_only_the_owner_gets_in_and_only_once_confirmed(counter, method: str, path: str) -> None:
    for token, booking_id, status, code in (
        ("", None, 401, "credential-required"),
        (counter.stranger, None, 404, "booking-not-found"),
        (counter.other_code, None, 404, "booking-not-found"),
        (counter.owner, uuid4(), 404, "booking-not-found"),
        (counter.owner, counter.pending.id, 409, "not-ticketed"),
    ):
        answer = await counter.ask(path, token, method=method, booking_id=booking_id)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    for token in (counter.owner, counter.after_code):
        answer = await counter.ask(path, token, method=method)
        assert answer.status_code == (202 if method == "POST" else 200)


async def test_the_pdf_comes_with_its_name_and_is_kept_by_nobody(counter) -> None:
    answer = await counter.ask("/e-ticket", counter.owner)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == f'attachment; filename="{counter.booking.reference}.pdf"'
    assert answer.headers["cache-control"] == "private, no-store"
    codes = [code.text for page in pages_of(answer.content) for code in zxingcpp.read_barcodes(page)]
    assert codes == [ticket.token for ticket in counter.tickets]


async def test_one_ticket_of_the_group(counter) -> None:
    ticket = counter.tickets[1]
    answer = await counter.ask(f"/e-ticket?ticket={ticket.id}", counter.owner)
    [page] = pages_of(answer.content)
    assert [code.text for code in zxingcpp.read_barcodes(page)] == [ticket.token]
    missing = await counter.ask(f"/e-ticket?ticket={uuid4()}", counter.owner)
    assert (missing.status_code, missing.json()["code"]) == (404, "ticket-not-found")


async def test_the_preview_lives_with_the_strict_policy(counter) -> None:
    answer = await counter.ask("/e-ticket/preview", counter.owner, headers={"Accept-Language": "vi"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert '<html lang="vi">' in answer.text
    assert "style=" not in answer.text
    for sheet in ("tokens", "base", "ticket"):
        address = f"/static/now/css/{sheet}.css"
        assert address in answer.text
    for name in NAMES[:2]:
        assert name in answer.text


async def test_the_calendar_file(counter) -> None:
    answer = await counter.ask("/e-ticket.ics", counter.owner)
    assert answer.headers["content-type"].startswith("text/calendar")
    assert answer.headers["content-disposition"] == f'attachment; filename="{counter.booking.reference}.ics"'
    assert len(icalendar.Calendar.from_ical(answer.content).walk("VEVENT")) == 1


async def test_the_mail_is_queued_and_the_address_stays_masked(counter) -> None:
    answer = await counter.ask("/email-ticket", counter.owner, method="POST")
    assert answer.json() == {"status": "queued", "recipient": "a•••@example.com"}
    async with counter.services.database.begin() as work:
        [message] = await list_messages(work, secrets=counter.services.secrets)
        assert len(await list_tickets(work, counter.booking.id)) == 2
    assert (message.recipient, message.status) == ("anh@example.com", "queued")
