"""Tickets of a confirmed booking: as a PDF, a printable page, a calendar entry, and by mail once more."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, MediaType, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from litestar.status_codes import HTTP_202_ACCEPTED
from msgspec import Meta

from farebox import notifications, ticketing
from farebox.accounts import Actor
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.wire import Wire
from farebox.bookings import BookingNotFound
from farebox.core.db import UnitOfWork
from farebox.notifications import TooManyMessages
from farebox.ticketing import NotTicketed, TicketNotFound
from farebox.wiring import Services

PRIVATE = {"Cache-Control": "private, no-store"}


class TicketMail(Wire):
    """The tickets are on their way."""

    status: Annotated[str, Meta(examples=["queued"])]
    recipient: Annotated[str, Meta(examples=["a•••@example.com"], description="The booking's contact, masked.")]


def _file(media_type: str, description: str) -> ResponseSpec:
    return ResponseSpec(data_container=bytes, media_type=media_type, description=description, generate_examples=False)


class TicketsController(Controller):
    """Documents for the owner of a confirmed booking, in the reader's language."""

    path = "/bookings/{booking_id:uuid}"
    tags = ("Tickets",)
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)

    @get(
        "/e-ticket",
        summary="Get the tickets as a PDF",
        operation_id="getTicketPdf",
        responses={
            200: _file("application/pdf", "One A4 page a ticket, accessible (PDF/UA-1)."),
            **problems(BookingNotFound, NotTicketed, TicketNotFound),
        },
        response_headers=[
            ResponseHeader(name="Content-Disposition", description="The file's name.", value="attachment")
        ],
    )
    async def pdf(
        self,
        booking_id: UUID,
        actor: Actor,
        services: Services,
        ticket: Annotated[UUID | None, Parameter(description="This ticket only; all without it.")] = None,
    ) -> Response[bytes]:
        """The tickets of all passengers, or one of them."""
        booking, content = await ticketing.render_booking_pdf(
            services.database, booking_id, actor=actor, secrets=services.secrets, ticket_id=ticket
        )
        return _download(content, "application/pdf", f"{booking.reference}.pdf")

    @get(
        "/e-ticket.ics",
        summary="Get the calendar entry",
        operation_id="getTicketCalendar",
        responses={
            200: _file("text/calendar", "An iCalendar file with the zones of the stops and an alarm."),
            **problems(BookingNotFound, NotTicketed),
        },
    )
    async def calendar(self, booking_id: UUID, work: UnitOfWork, actor: Actor, services: Services) -> Response[bytes]:
        """One event for each trip of the booking; imported again, it changes the entry and makes no second one."""
        booking, content = await ticketing.calendar(work, booking_id, actor=actor, base_url=services.settings.base_url)
        return _download(content, "text/calendar", f"{booking.reference}.ics")

    @get(
        "/e-ticket/preview",
        summary="Get the tickets as a page",
        operation_id="getTicketPreview",
        media_type=MediaType.HTML,
        responses=problems(BookingNotFound, NotTicketed),
    )
    async def preview(self, booking_id: UUID, work: UnitOfWork, actor: Actor, services: Services) -> Response[str]:
        """The same tickets as HTML, to be read on any screen and printed, one sheet each."""
        page = await ticketing.render_preview(work, booking_id, actor=actor, secrets=services.secrets)
        return Response(page, media_type=MediaType.HTML, headers=PRIVATE)

    @post(
        "/email-ticket",
        summary="Mail the tickets again",
        operation_id="emailTicket",
        status_code=HTTP_202_ACCEPTED,
        responses=problems(BookingNotFound, NotTicketed, TooManyMessages, *IDEMPOTENT),
    )
    async def email(self, booking_id: UUID, work: UnitOfWork, actor: Actor, services: Services) -> TicketMail:
        """Sends the tickets to the booking's contact once more. Asked twice within a minute, it sends them once."""
        office = notifications.Office(jobs=services.jobs, settings=services.settings, secrets=services.secrets)
        recipient = await office.resend_tickets(work, booking_id, actor=actor)
        return TicketMail(status="queued", recipient=recipient)


def _download(content: bytes, media_type: str, filename: str) -> Response[bytes]:
    disposition = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return Response(content, media_type=media_type, headers=PRIVATE | disposition)
