"""API keys: what a partner's program, or an operator's own, shows instead of a sign-in. Each is for one operator."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from farebox.accounts.actor import Actor
from farebox.accounts.permissions import KEY_SCOPES, Permission
from farebox.accounts.staff import get_reached_operator, reached_operators, refuse_more_than_own
from farebox.accounts.staff_errors import KeyNotFound, RoleNotGrantable, TooManyOfThem
from farebox.accounts.staff_models import ApiKeyRow
from farebox.core.crypto import new_token, token_digest
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id

KEY_PREFIX: Final = "fbk"
LONGEST_LIFE: Final = timedelta(days=365)
MOST_KEYS: Final = 100
SHOWN_OF_KEY: Final = 10
"""How many characters of a key are kept for people to know it again: its prefix and six that say nothing."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its operator sees it.

    Attributes:
        hint: how it begins.
        used_at: to the minute.
    """

    id: UUID
    name: str
    hint: str
    scopes: tuple[Permission, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


async def make_key(
    work: UnitOfWork,
    operator_id: UUID,
    *,
    name: str,
    scopes: Collection[Permission],
    lasts: timedelta,
    actor: Actor,
) -> tuple[ApiKey, str]:
    """Make a key for an operator, good for `lasts`, a year at most.

    Returns:
        The key and its text (`fbk_…`), which is told this once and cannot be read again.

    Raises:
        OperatorNotFound: there is none, or this actor does not manage its keys.
        RoleNotGrantable: a scope that no key can have, or that the actor has not.
        TooManyOfThem: it has too many already.
    """
    operator = await get_reached_operator(work, operator_id, actor=actor, permission=Permission.KEYS_MANAGE)
    granted = frozenset(scopes)
    if not granted or not granted <= KEY_SCOPES:
        raise RoleNotGrantable
    refuse_more_than_own(actor, operator.id, granted)
    living = select(func.count()).where(
        ApiKeyRow.operator_id == operator.id, ApiKeyRow.revoked_at.is_(None), ApiKeyRow.expires_at > work.now
    )
    if (await work.session.scalar(living) or 0) >= MOST_KEYS:
        raise TooManyOfThem(most=MOST_KEYS)
    token = new_token(KEY_PREFIX)
    row = ApiKeyRow(
        id=new_id(),
        operator_id=operator.id,
        name=name,
        hint=token[:SHOWN_OF_KEY],
        token_digest=token_digest(token),
        scopes=sorted(granted),
        created_by=actor.id or operator.id,
        created_at=work.now,
        expires_at=work.now + min(lasts, LONGEST_LIFE),
    )
    work.session.add(row)
    await work.session.flush()
    return _view(row), token


async def list_keys(work: UnitOfWork, operator_id: UUID, *, actor: Actor) -> Sequence[ApiKey]:
    """All keys of an operator, those of no use any more included, the newest first.

    Raises:
        OperatorNotFound: there is none, or this actor does not manage its keys.
    """
    await get_reached_operator(work, operator_id, actor=actor, permission=Permission.KEYS_MANAGE)
    rows = await work.session.scalars(
        select(ApiKeyRow).where(ApiKeyRow.operator_id == operator_id).order_by(ApiKeyRow.id.desc())
    )
    return [_view(row) for row in rows]


async def revoke_key(work: UnitOfWork, operator_id: UUID, key_id: UUID, *, actor: Actor) -> None:
    """Let a key open nothing any more, from the next request on.

    Raises:
        KeyNotFound: no such key, or this actor does not manage the operator's keys.
    """
    row = await work.session.scalar(
        select(ApiKeyRow)
        .where(
            ApiKeyRow.id == key_id,
            ApiKeyRow.operator_id == operator_id,
            reached_operators(ApiKeyRow.operator_id, actor, Permission.KEYS_MANAGE),
        )
        .with_for_update()
    )
    if row is None:
        raise KeyNotFound
    row.revoked_at = row.revoked_at or work.now


def _view(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        hint=row.hint,
        scopes=tuple(Permission(scope) for scope in row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
