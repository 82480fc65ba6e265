"""Reading tickets."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from farebox.accounts import Actor
from farebox.bookings import SOLD, Booking, get_booking
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.pipeline import Rows
from farebox.core.rows import Selection
from farebox.ticketing.cards import TicketCard, cards_of
from farebox.ticketing.errors import NotTicketed
from farebox.ticketing.models import TicketRow
from farebox.ticketing.views import Ticket, TicketStatus

TICKETS: Final = Selection(TicketRow, "WHERE ticket.booking_id = $1 AND ticket.status <> 'void' ORDER BY ticket.id")
_TICKETS_OF_MANY: Final = Selection(
    TicketRow, "WHERE ticket.booking_id = ANY ($1::uuid[]) AND ticket.status <> 'void' ORDER BY ticket.id"
)


async def list_tickets(work: UnitOfWork, *booking_ids: UUID) -> list[Ticket]:
    """The tickets of some bookings that are not void, in the order of their making."""
    [rows] = await work.send([_TICKETS_OF_MANY.about(booking_ids)])
    return tickets_of(rows)


def tickets_of(rows: Rows) -> list[Ticket]:
    """What `TICKETS` found."""
    return [
        Ticket(
            id=row.id,
            booking_id=row.booking_id,
            booking_item_id=row.booking_item_id,
            passenger_id=row.passenger_id,
            seat=row.seat,
            token=row.token,
            status=TicketStatus(row.status),
            issued_at=row.issued_at,
        )
        for row in TICKETS.read(rows)
    ]


async def ticket_cards(work: UnitOfWork, booking: Booking, *, secrets: Secrets) -> list[TicketCard]:
    """The tickets of a booking as they are shown, in the current language; none before it is confirmed."""
    return (await ticket_cards_of(work, [booking], secrets=secrets))[booking.id]


async def ticket_cards_of(
    work: UnitOfWork, bookings: Sequence[Booking], *, secrets: Secrets
) -> dict[UUID, list[TicketCard]]:
    """The same for several bookings at once, by their ids."""
    sold = [booking.id for booking in bookings if booking.status in SOLD]
    tickets = {ticket.passenger_id: ticket for ticket in await list_tickets(work, *sold)} if sold else {}
    return {booking.id: cards_of(booking, tickets, secrets) for booking in bookings}


async def get_ticketed_booking(work: UnitOfWork, booking_id: UUID, *, actor: Actor) -> Booking:
    """A booking that has tickets.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
        NotTicketed: it is not confirmed.
    """
    booking = await get_booking(work, booking_id, actor=actor)
    if booking.status not in SOLD:
        raise NotTicketed
    return booking
