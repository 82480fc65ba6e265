"""Tickets as files: PDF, printable page, calendar entry."""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from farebox.accounts import Actor
from farebox.bookings import Booking
from farebox.core import i18n
from farebox.core.crypto import Secrets
from farebox.core.db import Database, UnitOfWork
from farebox.ticketing.errors import TicketNotFound
from farebox.ticketing.models import TicketDocumentRow
from farebox.ticketing.pdf import document_of, print_aside
from farebox.ticketing.qr import qr_svg
from farebox.ticketing.queries import get_ticketed_booking, ticket_cards

STYLESHEETS = ("/static/now/css/tokens.css", "/static/now/css/base.css", "/static/now/css/ticket.css")
"""Of the preview. They are served from any version's address; `now` is never kept by browsers."""


async def render_booking_pdf(
    database: Database,
    booking_id: UUID,
    *,
    actor: Actor,
    secrets: Secrets,
    ticket_id: UUID | None = None,
    passenger_ids: Sequence[UUID] | None = None,
) -> tuple[Booking, bytes]:
    """A booking, and its tickets as a PDF in the current language, one A4 page each.

    Args:
        database: this has units of work of its own, and none while it prints.
        ticket_id: this ticket only.
        passenger_ids: the tickets of these passengers only.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
        NotTicketed: the booking is not confirmed.
        TicketNotFound: no such ticket in it.
    """
    async with database.begin(reach=actor.reach) as work:
        booking = await get_ticketed_booking(work, booking_id, actor=actor)
        cards = await ticket_cards(work, booking, secrets=secrets)
        if ticket_id is not None:
            cards = [card for card in cards if card.ticket_id == ticket_id]
        if passenger_ids is not None:
            cards = [card for card in cards if card.passenger_id in passenger_ids]
        if not cards:
            raise TicketNotFound
        document = document_of(cards)
        digest = hashlib.sha256(_template_digest() + json.dumps(document, sort_keys=True).encode()).digest()
        kept = await work.session.scalar(select(TicketDocumentRow.content).where(TicketDocumentRow.digest == digest))
    if kept is not None:
        return booking, kept
    content = await print_aside(document)
    async with database.begin() as work:
        row = {"digest": digest, "content": content, "created_at": work.now}
        await work.session.execute(insert(TicketDocumentRow).values(row).on_conflict_do_nothing())
    return booking, content


async def render_preview(work: UnitOfWork, booking_id: UUID, *, actor: Actor, secrets: Secrets) -> str:
    """The tickets of a booking as one HTML page for screen and printer, in the current language.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
        NotTicketed: the booking is not confirmed.
    """
    booking = await get_ticketed_booking(work, booking_id, actor=actor)
    cards = await ticket_cards(work, booking, secrets=secrets)
    return (
        _templates()
        .get_template("preview.html")
        .render(cards=cards, language=i18n.current_language(), stylesheets=STYLESHEETS)
    )


async def calendar(work: UnitOfWork, booking_id: UUID, *, actor: Actor, base_url: str) -> tuple[Booking, bytes]:
    """A confirmed booking's entry for the traveller's own calendar (`.ics`), in the current language.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
        NotTicketed: the booking is not confirmed.
    """
    from farebox.ticketing.ics import write_calendar  # noqa: PLC0415  (takes 0.2 s, and few ask for it)

    booking = await get_ticketed_booking(work, booking_id, actor=actor)
    return booking, write_calendar(booking, base_url=base_url)


@cache
def _template_digest() -> bytes:
    """A new template prints everything anew."""
    templates = files("farebox.ticketing") / "templates"
    return hashlib.sha256(b"".join((templates / name).read_bytes() for name in ("look.typ", "ticket.typ"))).digest()


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("farebox.ticketing"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["qr_svg"] = qr_svg
    return environment
