"""Sessions of visitors: opened at the first selection of a seat, or for one booking after its code was given.

A token is random and of full entropy; its digest is what is stored, so a stolen table opens nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete

from farebox.accounts.actor import Actor
from farebox.accounts.models import GuestSessionRow
from farebox.accounts.programs import Programs, is_programs
from farebox.accounts.recognising import People, is_persons
from farebox.core.clock import Clock
from farebox.core.crypto import new_token, token_digest
from farebox.core.db import Database, UnitOfWork
from farebox.core.errors import SignInRequired
from farebox.core.ids import new_id
from farebox.core.pipeline import plain
from farebox.core.together import Reader, Together

GUEST_PREFIX = "fbg"
BOOKING_PREFIX = "fbb"
LONGEST_TOKEN = 100

SLIDE_AFTER = timedelta(seconds=60)
"""A session slides forward at most this often, so that polling a seat map does not write a row each time."""

_FIND: Final = f"""
    SELECT digest, id, booking_id,
           $2::timestamptz + ttl_seconds * interval '1 second' - expires_at > interval '{SLIDE_AFTER.seconds} seconds'
      FROM unnest($1::text[]) AS asked (digest),
   LATERAL (SELECT id, booking_id, ttl_seconds, expires_at FROM guest_session
             WHERE token_digest = decode(digest, 'hex')
               AND expires_at - $2::timestamptz > interval '0'  -- no way to use the index on the clock
            OFFSET 0) AS theirs
"""  # noqa: S608

_SLIDE: Final = """
    UPDATE guest_session SET expires_at = $2::timestamptz + ttl_seconds * interval '1 second'
     WHERE id IN (SELECT id FROM guest_session WHERE id = ANY($1::uuid[]) FOR UPDATE SKIP LOCKED)
"""
"""Another request of the same visitor may be sliding it now: then this one need not, and must not wait for it."""


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


class Sessions:
    """Who holds a token, looked up for all requests that arrive at the same time in one statement.

    Nothing is remembered from one request to the next: a session that has ended opens nothing from then on.

    Args:
        people: knows those who have signed in; without it only visitors are known.
    """

    def __init__(self, database: Database, people: People | None = None) -> None:
        self._database = database
        self._people = people
        self._programs = Programs(database)
        self._together: Together[str, Actor] = Together(database, self._find, (_FIND, _SLIDE))

    @property
    def clock(self) -> Clock:
        """What tells the time here."""
        return self._database.clock

    async def authenticate(self, token: str) -> Actor:
        """Who holds this token. Its session slides forward, whatever becomes of the request.

        Raises:
            SignInRequired: unknown, or its time is over.
        """
        if self._people is not None and is_persons(token):
            return await self._people.authenticate(token)
        if is_programs(token):
            return await self._programs.authenticate(token)
        actor = await self._together.find(_digest(token))
        if actor is None:
            raise SignInRequired
        return actor

    async def dispose(self) -> None:
        await self._together.dispose()
        await self._programs.dispose()
        if self._people is not None:
            await self._people.dispose()

    async def _find(self, reader: Reader, digests: Collection[str]) -> dict[str, Actor]:
        return await _find_actors(reader, digests, now=self._database.clock())


async def authenticate(work: UnitOfWork, token: str) -> Actor:
    """As `Sessions.authenticate`, inside a unit of work.

    Raises:
        SignInRequired: unknown, or its time is over.
    """
    digest = _digest(token)
    found = await _find_actors(work, [digest], now=work.now)
    if digest not in found:
        raise SignInRequired
    return found[digest]


async def delete_expired_sessions(work: UnitOfWork) -> int:
    """Forget sessions whose time is over; how many there were."""
    expired = delete(GuestSessionRow).where(GuestSessionRow.expires_at <= work.now).returning(GuestSessionRow.id)
    return len((await work.session.scalars(expired)).all())


def _digest(token: str) -> str:
    """In hexadecimal. Raises `SignInRequired` for what cannot be a token."""
    if not token.startswith((f"{GUEST_PREFIX}_", f"{BOOKING_PREFIX}_")) or len(token) > LONGEST_TOKEN:
        raise SignInRequired
    return token_digest(token).hex()


async def _find_actors(reader: Reader, digests: Collection[str], *, now: datetime) -> dict[str, Actor]:
    """Who holds the tokens with these digests; digests of no running session are left out. Sessions slide forward."""
    [rows] = await reader.send([(_FIND, (plain(digests), str(now)))])
    if used := [str(session_id) for _, session_id, _, is_used in rows if is_used]:
        await reader.send([(_SLIDE, (plain(used), str(now)))])
    return {digest: Actor("guest", session_id, booking_id) for digest, session_id, booking_id, _ in rows}


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
