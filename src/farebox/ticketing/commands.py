"""Issuing and voiding tickets."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, update

from farebox.bookings import Booking, BookingItem, Passenger
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.rows import inserted_many
from farebox.ticketing.models import TicketDocumentRow, TicketRow
from farebox.ticketing.tokens import Signer, TicketClaims, sign_token
from farebox.ticketing.views import TicketStatus

DOCUMENTS_KEPT = timedelta(days=7)


def issue_tickets(work: UnitOfWork, booking: Booking, *, signer: Signer) -> None:
    """One ticket for each passenger of each item of a booking that is being confirmed. Asked again, nothing more."""
    once = "ON CONFLICT (passenger_id) WHERE status <> 'void' DO NOTHING"
    tickets = [
        _ticket(work, booking, item, passenger, signer) for item in booking.items for passenger in item.passengers
    ]
    if tickets:
        work.put(inserted_many(TicketRow, tickets, rest=once))


async def void_tickets(work: UnitOfWork, booking_id: UUID, *, passengers: Collection[UUID] | None = None) -> None:
    """Make the tickets of a booking worthless: it was cancelled, or its passengers get others.

    Args:
        passengers: whose; `None` for everybody's.
    """
    voided = update(TicketRow).where(TicketRow.booking_id == booking_id, TicketRow.status == TicketStatus.ISSUED)
    if passengers is not None:
        voided = voided.where(TicketRow.passenger_id.in_(passengers))
    await work.session.execute(voided.values(status=TicketStatus.VOID))


async def forget_documents(work: UnitOfWork) -> int:
    """Delete the printed PDFs that are older than a week, and say how many; they are printed anew when asked for."""
    gone = await work.session.scalars(
        delete(TicketDocumentRow)
        .where(TicketDocumentRow.created_at < work.now - DOCUMENTS_KEPT)
        .returning(TicketDocumentRow.digest)
    )
    return len(gone.all())


def _ticket(
    work: UnitOfWork, booking: Booking, item: BookingItem, passenger: Passenger, signer: Signer
) -> dict[str, object]:
    about = item.description
    claims = TicketClaims(
        ticket_id=new_id(),
        resource_id=item.resource_id,
        first_slot=item.first_slot,
        end_slot=item.end_slot,
        starts_at=about.origin.time,
        ends_at=about.destination.time if about.destination else item.completes_at,
        seat=passenger.seat_number,
        passenger_type=passenger.passenger_type,
        needs_assistance=passenger.special_needs,
    )
    return {
        "id": claims.ticket_id,
        "booking_id": booking.id,
        "booking_item_id": item.id,
        "passenger_id": passenger.id,
        "seat": passenger.seat_number,
        "token": sign_token(claims, signer),
        "status": TicketStatus.ISSUED,
        "issued_at": work.now,
    }
