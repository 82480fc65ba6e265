"""Programs that stay signed in: refresh tokens, each used once for the next one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from farebox.accounts.errors import InvalidRefreshToken
from farebox.accounts.people import Person, get_person
from farebox.accounts.people_models import PersonSessionRow, RefreshTokenRow
from farebox.accounts.person_events import RefreshTokenReused
from farebox.accounts.person_sessions import REFRESH_PREFIX, end_session_of_refresh_token
from farebox.core.crypto import Secrets, new_token, token_digest
from farebox.core.db import Database, UnitOfWork
from farebox.core.settings import Settings

LONGEST: Final = 100


@dataclass(frozen=True, slots=True, repr=False)
class Refreshed:
    """The next refresh token. No `repr`: it is told this once."""

    person: Person
    session_id: UUID
    token: str
    expires_at: datetime


async def refresh(database: Database, token: str, *, settings: Settings, secrets: Secrets) -> Refreshed:
    """Exchange a refresh token for the next one.

    One that comes a second time was copied, or its answer was lost; nobody can tell which, so its session ends, and
    with it all tokens. That is committed although the request is refused, so the unit of work is begun here.

    Raises:
        InvalidRefreshToken: unknown, run out, its session ended, or used before.
    """
    async with database.begin() as work:
        refreshed = await _refresh(work, token[:LONGEST], settings=settings, secrets=secrets)
    if refreshed is None:
        raise InvalidRefreshToken
    return refreshed


async def staff_roles_of(work: UnitOfWork, person_id: UUID) -> dict[UUID, str]:
    """What a person is for which operator."""
    row = await (await work.execute("SELECT staff_grants(%s)", [person_id])).fetchone()
    return {UUID(operator_id): role for operator_id, role, _ in (row[0] if row else None) or ()}


async def _refresh(work: UnitOfWork, token: str, *, settings: Settings, secrets: Secrets) -> Refreshed | None:
    digest = token_digest(token)
    # Two that come with one token at the same time: the second waits here, and finds it used.
    found = await work.session.execute(
        select(RefreshTokenRow, PersonSessionRow)
        .join(PersonSessionRow, PersonSessionRow.id == RefreshTokenRow.session_id)
        .where(RefreshTokenRow.token_digest == digest)
        .with_for_update()
    )
    row = found.one_or_none()
    if row is None:
        return None
    used, session = row
    if used.used_at is not None:
        await end_session_of_refresh_token(work, token)
        work.publish(RefreshTokenReused(user_id=session.person_id, session_id=session.id))
        return None
    if min(used.expires_at, session.expires_at, session.ends_at) <= work.now:
        return None
    expires_at = min(work.now + timedelta(seconds=settings.refresh_token_seconds), session.ends_at)
    next_token = new_token(REFRESH_PREFIX)
    used.used_at = work.now
    work.session.add(
        RefreshTokenRow(
            token_digest=token_digest(next_token), session_id=session.id, created_at=work.now, expires_at=expires_at
        )
    )
    await work.session.execute(
        update(PersonSessionRow)
        .where(PersonSessionRow.id == session.id)
        .values(used_at=work.now, expires_at=expires_at)
    )
    person = await get_person(work, session.person_id, secrets=secrets)
    return Refreshed(person, session.id, next_token, expires_at)
