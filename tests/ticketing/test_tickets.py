"""Issuing tickets, who may have them, and what their documents say."""

from uuid import uuid4

import icalendar
import pytest
import zxingcpp
from sqlalchemy import func, select, update
from tests.ticketing.paper import pages_of, text_of
from tests.ticketing.travel import NAMES, book, book_and_confirm, hanoi_to_nanning

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import BookingNotFound, confirm_booking
from farebox.core.db import Database
from farebox.core.i18n import language
from farebox.ticketing import (
    NotTicketed,
    TicketNotFound,
    TicketStatus,
    calendar,
    forget_documents,
    issue_tickets,
    list_tickets,
    qr_svg,
    render_booking_pdf,
    render_preview,
    ticket_cards,
    verify_token,
    void_tickets,
)
from farebox.ticketing.models import TicketDocumentRow


@pytest.fixture
async def sold(database, settings, secrets):
    """A confirmed and ticketed booking of two, and its owner."""
    actor = Actor("guest", uuid4(), None)
    async with database.begin() as work:
        booking = await book_and_confirm(work, settings=settings, secrets=secrets, names=NAMES[:2], actor=actor)
        issue_tickets(work, booking, signer=secrets)
    return booking, actor


async def test_each_passenger_gets_one_ticket_for_the_seat_and_the_stretch(database, secrets, sold) -> None:
    booking, _ = sold
    async with database.begin() as work:
        tickets = await list_tickets(work, booking.id)
    [item] = booking.items
    assert [ticket.seat for ticket in tickets] == ["1A", "1B"]
    assert {ticket.status for ticket in tickets} == {TicketStatus.ISSUED}
    for ticket, passenger in zip(tickets, item.passengers, strict=True):
        claims = verify_token(ticket.token, secrets.public_key)
        assert (claims.ticket_id, claims.resource_id, claims.seat) == (ticket.id, item.resource_id, ticket.seat)
        assert (claims.first_slot, claims.end_slot) == (2, 5)
        assert (claims.starts_at, claims.ends_at) == (item.description.origin.time, item.description.destination.time)
        assert (ticket.passenger_id, claims.needs_assistance) == (passenger.id, passenger.special_needs)


async def test_issuing_again_issues_nothing_more(database, secrets, sold) -> None:
    booking, _ = sold
    async with database.begin() as work:
        before = await list_tickets(work, booking.id)
        issue_tickets(work, booking, signer=secrets)
        assert await list_tickets(work, booking.id) == before


async def test_tickets_are_issued_by_a_plan_that_was_made_for_others_too(database, secrets, sold) -> None:
    """A statement that a connection has often seen is prepared, and then planned without its values."""
    booking, _ = sold
    async with database.begin() as work:
        await work.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        for _ in range(8):
            issue_tickets(work, booking, signer=secrets)
            assert len(await list_tickets(work, booking.id)) == 2


async def test_void_tickets_are_gone_and_can_be_issued_anew(database, secrets, sold) -> None:
    booking, _ = sold
    async with database.begin() as work:
        old = await list_tickets(work, booking.id)
        await void_tickets(work, booking.id)
        assert await list_tickets(work, booking.id) == []
        issue_tickets(work, booking, signer=secrets)
        new = await list_tickets(work, booking.id)
    assert len(new) == 2
    assert {ticket.token for ticket in new}.isdisjoint(ticket.token for ticket in old)


async def test_documents_are_for_the_owner_of_a_confirmed_booking(database, settings, secrets, sold) -> None:
    booking, actor = sold
    stranger = Actor("guest", uuid4(), None)
    async with database.begin() as work:
        pending = await book(work, settings=settings, secrets=secrets, actor=actor)
    async with database.begin() as work:
        for who, booking_id, refusal in (
            (stranger, booking.id, BookingNotFound),
            (Actor("anonymous", None, None), booking.id, BookingNotFound),
            (actor, uuid4(), BookingNotFound),
            (actor, pending.id, NotTicketed),
        ):
            with pytest.raises(refusal):
                await render_booking_pdf(database, booking_id, actor=who, secrets=secrets)
            with pytest.raises(refusal):
                await render_preview(work, booking_id, actor=who, secrets=secrets)
            with pytest.raises(refusal):
                await calendar(work, booking_id, actor=who, base_url=settings.base_url)
        with pytest.raises(TicketNotFound):
            await render_booking_pdf(database, booking.id, actor=actor, secrets=secrets, ticket_id=uuid4())
        assert await ticket_cards(work, pending, secrets=secrets) == []


async def test_the_group_has_one_pdf_and_each_ticket_its_own(database, secrets, sold) -> None:
    booking, actor = sold
    async with database.begin() as work:
        tickets = await list_tickets(work, booking.id)
    _, group = await render_booking_pdf(database, booking.id, actor=actor, secrets=secrets)
    _, single = await render_booking_pdf(database, booking.id, actor=actor, secrets=secrets, ticket_id=tickets[1].id)
    codes = [[code.text for code in zxingcpp.read_barcodes(page)] for page in pages_of(group)]
    assert codes == [[tickets[0].token], [tickets[1].token]]
    assert [[code.text for code in zxingcpp.read_barcodes(page)] for page in pages_of(single)] == [[tickets[1].token]]
    assert NAMES[1] in text_of(single)
    assert NAMES[0] not in text_of(single)


async def test_a_pdf_is_printed_once_until_something_changes(database: Database, secrets, sold) -> None:
    booking, actor = sold
    kept = select(func.count()).select_from(TicketDocumentRow)
    first = await render_booking_pdf(database, booking.id, actor=actor, secrets=secrets)
    assert await render_booking_pdf(database, booking.id, actor=actor, secrets=secrets) == first
    async with database.begin() as work:
        assert await work.session.scalar(kept) == 1
    with language("vi"):
        await render_booking_pdf(database, booking.id, actor=actor, secrets=secrets)
    async with database.begin() as work:
        assert await work.session.scalar(kept) == 2
        await work.session.execute(
            update(TicketDocumentRow).values(created_at=TicketDocumentRow.created_at - func.make_interval(0, 0, 0, 8))
        )
        assert await forget_documents(work) == 2
        assert await work.session.scalar(kept) == 0


async def test_cards_say_what_the_ticket_is(database, secrets, sold) -> None:
    booking, _ = sold
    async with database.begin() as work:
        first, second = await ticket_cards(work, booking, secrets=secrets)
    assert first.alight
    assert (first.heading, first.subheading) == ("Hà Nội to Vinh", "Wednesday 25 November 2026")
    assert (first.board.time, first.alight.time, first.duration) == ("06:30", "13:10", "6 h 40")
    assert (first.board.zone, first.alight.zone) == ("", "")
    assert first.zone_note == "Times are local: Indochina Time, GMT+7."
    assert first.board.iso == "2026-11-25T06:30:00+07:00"
    assert (first.passenger, first.document, first.seat) == ("Nguyễn Thị Ánh", "Passport •••••500", "1A")
    assert (first.passenger_type, second.passenger_type) == ("Adult", "Adult, needs assistance")
    assert (first.counted, second.counted) == ("Ticket 1 of 2", "Ticket 2 of 2")
    assert [(line.label, line.value) for line in first.lines] == [("Seat 1A", "₫320,000")]
    assert (first.total.label, first.total.value) == ("This ticket", "₫320,000")
    assert [(line.label, line.value) for line in first.beside] == [
        ("Tax included", "₫23,704"),
        ("Service fee", "₫10,000"),
        ("Whole booking", "₫650,000"),
    ]
    assert (first.brand, first.on_brand) == ("#0b5d4b", "#ffffff")


async def test_zones_are_named_at_each_end_where_they_differ(database, settings, secrets) -> None:
    async with database.begin() as work:
        booking = await book_and_confirm(work, settings=settings, secrets=secrets, about=hanoi_to_nanning())
        issue_tickets(work, booking, signer=secrets)
        [card] = await ticket_cards(work, booking, secrets=secrets)
    assert card.alight
    assert (card.board.time, card.board.zone) == ("22:30", "Indochina Time, GMT+7")
    assert (card.alight.time, card.alight.zone) == ("05:40", "China Standard Time, GMT+8")
    assert (card.alight.days_later, card.alight.day, card.zone_note) == ("+1", "Thu 26 Nov 2026", "")


async def test_the_calendar_entry_is_at_the_stops_and_keeps_its_identity(database, settings, secrets) -> None:
    actor = Actor("guest", uuid4(), None)
    async with database.begin() as work:
        booking = await book_and_confirm(
            work, settings=settings, secrets=secrets, about=hanoi_to_nanning(), actor=actor
        )
        _, file = await calendar(work, booking.id, actor=actor, base_url="https://go.example/shop")
        _, again = await calendar(work, booking.id, actor=actor, base_url="https://go.example/shop")
    assert file == again
    entry = icalendar.Calendar.from_ical(file)
    [event] = entry.walk("VEVENT")
    assert event["UID"] == f"{booking.items[0].id}@go.example"
    assert event.decoded("DTSTART").isoformat() == "2026-11-25T22:30:00+07:00"
    assert event.decoded("DTEND").isoformat() == "2026-11-26T05:40:00+08:00"
    assert event["DTSTART"].params["TZID"] == "Asia/Ho_Chi_Minh"
    assert {zone["TZID"] for zone in entry.walk("VTIMEZONE")} == {"Asia/Ho_Chi_Minh", "Asia/Shanghai"}
    assert event["SUMMARY"] == "Trường Sơn Lines: Hà Nội to Nanning"
    assert booking.reference in str(event["DESCRIPTION"])
    [alarm] = event.walk("VALARM")
    assert alarm.decoded("TRIGGER").total_seconds() == -7200


async def test_the_preview_escapes_what_people_wrote_and_needs_no_inline_style(database, settings, secrets) -> None:
    name = "Ann O'Hara <b>"
    about = hanoi_to_nanning()
    async with database.begin() as work:
        booking = await book_and_confirm(work, settings=settings, secrets=secrets, about=about)
        issue_tickets(work, booking, signer=secrets)
        [ticket] = await list_tickets(work, booking.id)
        await work.execute("UPDATE booking_passenger SET full_name = %s", (name,))
        page = await render_preview(work, booking.id, actor=SYSTEM, secrets=secrets)
    assert "Ann O&#39;Hara &lt;b&gt;" in page
    assert "<b>" not in page
    assert "style=" not in page
    assert "<style" not in page
    assert qr_svg(ticket.token) in page


async def test_a_booking_that_is_confirmed_twice_keeps_its_tickets(database, secrets, sold) -> None:
    booking, _ = sold
    async with database.begin() as work:
        again = await confirm_booking(work, booking.id, actor=SYSTEM)
        issue_tickets(work, again, signer=secrets)
        assert [ticket.seat for ticket in await list_tickets(work, again.id)] == ["1A", "1B"]
