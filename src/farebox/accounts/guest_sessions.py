"""Ending visitors' sessions: one has signed in and goes on as a person, or a booking is nobody's to see any more."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete

from farebox.accounts.models import GuestSessionRow
from farebox.core.db import UnitOfWork


async def end_guest_session(work: UnitOfWork, session_id: UUID) -> bool:
    """End a running session; its token opens nothing from then on. Of several who ask at once, one is told true."""
    ended = await work.session.scalar(
        delete(GuestSessionRow)
        .where(
            GuestSessionRow.id == session_id,
            GuestSessionRow.booking_id.is_(None),
            GuestSessionRow.expires_at > work.now,
        )
        .returning(GuestSessionRow.id)
    )
    return ended is not None


async def end_booking_sessions(work: UnitOfWork, booking_ids: Collection[UUID]) -> None:
    """End the sessions that reach one of these bookings each, opened with the code from a mail."""
    await work.session.execute(delete(GuestSessionRow).where(GuestSessionRow.booking_id.in_(booking_ids)))
