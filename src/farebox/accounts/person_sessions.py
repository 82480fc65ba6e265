"""Sessions of people who have signed in: one for each sign-in on each device."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from farebox.accounts.errors import SessionNotFound
from farebox.accounts.people_models import PersonSessionRow, RefreshTokenRow
from farebox.core.crypto import new_token, token_digest
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.settings import Settings

BROWSER_PREFIX: Final = "fbs"
REFRESH_PREFIX: Final = "fbr"
LONGEST_DEVICE: Final = 200

REMEMBERED: Final = timedelta(days=30)
"""A device counts as seen for so long after its session has ended."""

SessionKind: TypeAlias = Literal["browser", "app"]


@dataclass(frozen=True, slots=True, repr=False)
class OpenedSession:
    """A session just opened. No `repr`: its token is told this once.

    Attributes:
        token: a browser's goes into its cookie (`fbs_…`), a program's is its first refresh token (`fbr_…`).
        expires_at: when the token is of no use any more, if nothing happens.
    """

    id: UUID
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PersonSession:
    """A running session, as its owner sees it.

    Attributes:
        device: such as "Firefox on Windows".
        place: where it was opened, as far as it is known.
    """

    id: UUID
    kind: SessionKind
    device: str
    place: str
    proved: frozenset[str]
    created_at: datetime
    used_at: datetime
    expires_at: datetime


async def open_person_session(
    work: UnitOfWork,
    person_id: UUID,
    *,
    kind: SessionKind,
    proved: Collection[str],
    device: str,
    place: str,
    settings: Settings,
) -> OpenedSession:
    """Begin a session of somebody who has proved who they are; always with a new token."""
    lasts = timedelta(seconds=settings.session_idle_seconds if kind == "browser" else settings.refresh_token_seconds)
    ends_at = work.now + timedelta(seconds=settings.session_max_seconds)
    expires_at = min(work.now + lasts, ends_at)
    token = new_token(BROWSER_PREFIX if kind == "browser" else REFRESH_PREFIX)
    row = PersonSessionRow(
        id=new_id(),
        person_id=person_id,
        kind=kind,
        token_digest=token_digest(token) if kind == "browser" else None,
        proved=sorted(proved),
        proved_at=work.now,
        device=device[:LONGEST_DEVICE],
        place=place[:LONGEST_DEVICE],
        created_at=work.now,
        used_at=work.now,
        expires_at=expires_at,
        ends_at=ends_at,
    )
    work.session.add(row)
    if kind == "app":
        await work.session.flush()
        work.session.add(
            RefreshTokenRow(
                token_digest=token_digest(token), session_id=row.id, created_at=work.now, expires_at=expires_at
            )
        )
    await work.session.flush()
    return OpenedSession(row.id, token, expires_at)


async def list_sessions(work: UnitOfWork, person_id: UUID) -> list[PersonSession]:
    """A person's running sessions, the one used last first."""
    rows = await work.session.scalars(
        select(PersonSessionRow)
        .where(
            PersonSessionRow.person_id == person_id,
            PersonSessionRow.expires_at > work.now,
            PersonSessionRow.ends_at > work.now,
        )
        .order_by(PersonSessionRow.used_at.desc(), PersonSessionRow.id)
        .execution_options(populate_existing=True)
    )
    return [
        PersonSession(
            id=row.id,
            kind="browser" if row.kind == "browser" else "app",
            device=row.device,
            place=row.place,
            proved=frozenset(row.proved),
            created_at=row.created_at,
            used_at=row.used_at,
            expires_at=row.expires_at,
        )
        for row in rows
    ]


async def end_session(work: UnitOfWork, person_id: UUID, session_id: UUID) -> None:
    """End one session, and with it its refresh and access tokens, from the next request on.

    Raises:
        SessionNotFound: this person has no such session.
    """
    is_it = and_(PersonSessionRow.id == session_id, PersonSessionRow.person_id == person_id)
    if not await _end(work, is_it):
        raise SessionNotFound


async def end_sessions(work: UnitOfWork, person_id: UUID, *, but: UUID | None = None) -> int:
    """End all sessions of a person, but the one from where that was asked. How many there were."""
    theirs = PersonSessionRow.person_id == person_id
    return await _end(work, theirs if but is None else and_(theirs, PersonSessionRow.id != but))


async def end_session_of_token(work: UnitOfWork, token: str) -> None:
    """End the session of a browser's token; nothing where it has ended already."""
    await _end(work, PersonSessionRow.token_digest == token_digest(token))


async def end_session_of_refresh_token(work: UnitOfWork, token: str) -> None:
    """End the session of a program's refresh token, used or not; nothing where there is none."""
    owner = select(RefreshTokenRow.session_id).where(RefreshTokenRow.token_digest == token_digest(token))
    await _end(work, PersonSessionRow.id.in_(owner))


async def is_known_device(work: UnitOfWork, person_id: UUID, device: str) -> bool:
    """Whether the person has or lately had a session on such a device."""
    alike = select(PersonSessionRow.id).where(
        PersonSessionRow.person_id == person_id, PersonSessionRow.device == device
    )
    return await work.session.scalar(alike.limit(1)) is not None


async def note_proof(work: UnitOfWork, session_id: UUID, proof: str) -> None:
    """The person has proved again who they are, in this way, now."""
    proved = await work.session.scalar(
        select(PersonSessionRow.proved).where(PersonSessionRow.id == session_id).with_for_update()
    )
    if proved is not None:
        await work.session.execute(
            update(PersonSessionRow)
            .where(PersonSessionRow.id == session_id)
            .values(proved=sorted({*proved, proof}), proved_at=work.now)
        )


async def delete_old_person_sessions(work: UnitOfWork) -> None:
    """Forget sessions that ended long enough ago for their devices to be news again, and refresh tokens of no use."""
    old = work.now - REMEMBERED
    over = or_(PersonSessionRow.expires_at <= old, PersonSessionRow.ends_at <= old)
    await work.session.execute(delete(PersonSessionRow).where(over))
    await work.session.execute(delete(RefreshTokenRow).where(RefreshTokenRow.expires_at <= work.now))


async def _end(work: UnitOfWork, which: ColumnElement[bool]) -> int:
    """End those of these sessions that run. Their rows stay for a while, as devices that were seen."""
    ended = await work.session.scalars(
        update(PersonSessionRow)
        .where(which, PersonSessionRow.expires_at > work.now)
        .values(expires_at=work.now, token_digest=None)
        .returning(PersonSessionRow.id)
        .execution_options(synchronize_session=False)
    )
    return len(ended.all())
