"""How often something was wrong for one account, whether it exists or not.

A try is counted before it is looked at: a hundred that come at once are still ten.
"""

from datetime import datetime, timedelta
from math import ceil
from typing import Final

from sqlalchemy import case, delete
from sqlalchemy.dialects.postgresql import insert

from farebox.accounts.errors import TooManyAttempts
from farebox.accounts.people_models import AttemptRow
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork

MOST: Final = 10
WINDOW_SECONDS: Final = 900


def attempt_key(secrets: Secrets, name: str) -> bytes:
    """The key of what is guessed at, such as `password:an@example.com`: the table names nobody."""
    return secrets.blind_index(f"attempt:{name}")


async def note_failure(work: UnitOfWork, key: bytes) -> None:
    """Count a try. To be committed whatever becomes of the request, and before the answer is known.

    Raises:
        TooManyAttempts: it was one too many.
    """
    is_over = AttemptRow.ends_at <= work.now
    ends_at = work.now + timedelta(seconds=WINDOW_SECONDS)
    counted = await work.session.execute(
        insert(AttemptRow)
        .values(key=key, failures=1, ends_at=ends_at)
        .on_conflict_do_update(
            index_elements=["key"],
            set_={
                "failures": case((is_over, 1), else_=AttemptRow.failures + 1),
                "ends_at": case((is_over, ends_at), else_=AttemptRow.ends_at),
            },
        )
        .returning(AttemptRow.failures, AttemptRow.ends_at)
    )
    failures, ends = counted.one()
    if failures > MOST:
        raise _too_many(ends, work.now)


async def forget_failures(work: UnitOfWork, key: bytes) -> None:
    """It was right: the count begins anew."""
    await work.session.execute(delete(AttemptRow).where(AttemptRow.key == key))


async def delete_old_attempts(work: UnitOfWork) -> None:
    """Forget counts whose time is over."""
    await work.session.execute(delete(AttemptRow).where(AttemptRow.ends_at <= work.now))


def _too_many(ends_at: datetime, now: datetime) -> TooManyAttempts:
    return TooManyAttempts(retry_after=max(1, ceil((ends_at - now).total_seconds())))
