"""Sessions of visitors: opened at the first selection of a seat, or for one booking after its code was given.

A token is random and of full entropy; its digest is what is stored, so a stolen table opens nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete

from farebox.accounts.actor import Actor
from farebox.accounts.models import GuestSessionRow
from farebox.core.crypto import new_token, token_digest
from farebox.core.db import UnitOfWork
from farebox.core.errors import SignInRequired
from farebox.core.ids import new_id

GUEST_PREFIX = "fbg"
BOOKING_PREFIX = "fbb"
LONGEST_TOKEN = 100

SLIDE_AFTER = timedelta(seconds=60)
"""A session slides forward at most this often, so that polling a seat map does not write a row each time."""


@dataclass(frozen=True, slots=True)
class GuestSession:
    id: UUID
    expires_at: datetime


async def open_guest_session(work: UnitOfWork, *, ttl_seconds: int) -> tuple[GuestSession, str]:
    """Begin a visitor's session of `ttl_seconds`, which slides with use.

    Returns:
        The session and its token (`fbg_…`), which is told this once and cannot be read again.
    """
    return _open(work, GUEST_PREFIX, ttl_seconds, booking_id=None)


async def open_booking_session(work: UnitOfWork, booking_id: UUID, *, ttl_seconds: int) -> str:
    """Begin a session that reaches one booking only, for somebody who has proved that it is theirs.

    Returns:
        The token (`fbb_…`).
    """
    _, token = _open(work, BOOKING_PREFIX, ttl_seconds, booking_id=booking_id)
    return token


async def authenticate(work: UnitOfWork, token: str) -> Actor:
    """Who holds this token. Its session slides forward.

    Raises:
        SignInRequired: unknown, or its time is over.
    """
    if not token.startswith((f"{GUEST_PREFIX}_", f"{BOOKING_PREFIX}_")) or len(token) > LONGEST_TOKEN:
        raise SignInRequired
    cursor = await work.execute(
        "SELECT id, booking_id, expires_at, ttl_seconds FROM guest_session WHERE token_digest = %s AND expires_at > %s",
        (token_digest(token), work.now),
    )
    row = await cursor.fetchone()
    if row is None:
        raise SignInRequired
    session_id, booking_id, expires_at, ttl_seconds = row
    slid = work.now + timedelta(seconds=ttl_seconds)
    if slid - expires_at > SLIDE_AFTER:
        # Another request of the same visitor may be sliding it now: then this one need not, and must not wait for it.
        await work.execute(
            "UPDATE guest_session SET expires_at = %s"
            " WHERE id IN (SELECT id FROM guest_session WHERE id = %s FOR UPDATE SKIP LOCKED)",
            (slid, session_id),
        )
    return Actor("guest", session_id, booking_id)


async def delete_expired_sessions(work: UnitOfWork) -> int:
    """Forget sessions whose time is over; how many there were."""
    expired = delete(GuestSessionRow).where(GuestSessionRow.expires_at <= work.now).returning(GuestSessionRow.id)
    return len((await work.session.scalars(expired)).all())


def _open(work: UnitOfWork, prefix: str, ttl_seconds: int, *, booking_id: UUID | None) -> tuple[GuestSession, str]:
    token = new_token(prefix)
    row = GuestSessionRow(
        id=new_id(),
        token_digest=token_digest(token),
        booking_id=booking_id,
        ttl_seconds=ttl_seconds,
        created_at=work.now,
        expires_at=work.now + timedelta(seconds=ttl_seconds),
    )
    work.session.add(row)
    return GuestSession(row.id, row.expires_at), token
