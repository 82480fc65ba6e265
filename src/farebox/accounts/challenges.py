"""Things begun in a browser that are to be finished in a moment: what a passkey is to sign, a sign-in elsewhere.

The token of a challenge is random and known to the browser only; its digest is the row. It is used once, in one
statement: of two who come with it at the same time, one gets it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from farebox.accounts.people_models import SignInChallengeRow
from farebox.core.crypto import new_token, token_digest
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id

PREFIX = "fbc"
LONGEST = 100
MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Challenge:
    """What was begun: for whom, where that was known, and what was noted about it."""

    person_id: UUID | None
    data: dict[str, Any]


async def open_challenge(
    work: UnitOfWork, purpose: str, *, seconds: int, person_id: UUID | None = None, data: dict[str, Any] | None = None
) -> str:
    """Begin something that may be finished once, within `seconds`. Returns its token, which is told this once."""
    token = new_token(PREFIX)
    row = SignInChallengeRow(
        id=new_id(),
        token_digest=token_digest(token),
        person_id=person_id,
        purpose=purpose,
        data=data or {},
        tries=0,
        created_at=work.now,
        expires_at=work.now + timedelta(seconds=seconds),
    )
    work.session.add(row)
    return token


async def use_challenge(work: UnitOfWork, token: str, purpose: str) -> Challenge | None:
    """Finish what was begun; `None` when there is no such thing, or no longer."""
    if len(token) > LONGEST:
        return None
    used = await work.session.execute(
        update(SignInChallengeRow)
        .where(
            SignInChallengeRow.token_digest == token_digest(token),
            SignInChallengeRow.purpose == purpose,
            SignInChallengeRow.used_at.is_(None),
            SignInChallengeRow.expires_at > work.now,
        )
        .values(used_at=work.now)
        .returning(SignInChallengeRow.person_id, SignInChallengeRow.data)
        .execution_options(synchronize_session=False)
    )
    row = used.one_or_none()
    return Challenge(*row) if row else None


async def find_challenge(work: UnitOfWork, token: str, purpose: str) -> Challenge | None:
    """What was begun, without finishing it."""
    found = await work.session.scalar(
        select(SignInChallengeRow).where(
            SignInChallengeRow.token_digest == token_digest(token),
            SignInChallengeRow.purpose == purpose,
            SignInChallengeRow.used_at.is_(None),
            SignInChallengeRow.expires_at > work.now,
        )
    )
    return Challenge(found.person_id, found.data) if found else None


async def try_challenge(work: UnitOfWork, token: str, purpose: str) -> Challenge | None:
    """What was begun, for one try at finishing it; `None` also when its tries are used up.

    To be committed before the try is looked at: a hundred that come at once are still five.
    """
    tried = await work.session.execute(
        update(SignInChallengeRow)
        .where(
            SignInChallengeRow.token_digest == token_digest(token),
            SignInChallengeRow.purpose == purpose,
            SignInChallengeRow.used_at.is_(None),
            SignInChallengeRow.expires_at > work.now,
            SignInChallengeRow.tries < MOST_TRIES,
        )
        .values(tries=SignInChallengeRow.tries + 1)
        .returning(SignInChallengeRow.person_id, SignInChallengeRow.data)
        .execution_options(synchronize_session=False)
    )
    row = tried.one_or_none()
    return Challenge(*row) if row else None


async def delete_expired_challenges(work: UnitOfWork) -> None:
    """Forget what was never finished, and what was."""
    await work.session.execute(delete(SignInChallengeRow).where(SignInChallengeRow.expires_at <= work.now))
