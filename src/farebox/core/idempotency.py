"""Answers kept for requests that may be sent twice: same key and body, same answer, and the work is done once.

A request is begun before it is worked on, in a unit of work of its own, so two that are sent at once do not both run.
Answers are kept sealed for a day; of the key, whose it is and the body only digests are kept.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import LargeBinary, SmallInteger, delete, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.crypto import Secrets
from farebox.core.db import Base, UnitOfWork
from farebox.core.errors import DomainError
from farebox.core.i18n import N_

KEPT: Final = timedelta(hours=24)
GIVEN_UP: Final = timedelta(seconds=60)
"""A request that has not been answered for so long has died with its process; it may be sent again."""
BODY: Final = "idempotent_request.body"
"""The place that answers are sealed for."""


class IdempotencyMismatch(DomainError):
    """The key was used for another request."""

    code = "idempotency-mismatch"
    message = N_("This Idempotency-Key was used before, for another request. Use a new one.")


class IdempotencyRunning(DomainError):
    """The first request with this key is still being worked on. `retry_after` is in seconds."""

    code = "idempotency-running"
    message = N_("The first request with this Idempotency-Key is still being worked on. Ask again in a moment.")

    def __init__(self) -> None:
        super().__init__(retry_after=1)


class IdempotentRequestRow(Base):
    """A request with a key: begun, and answered once `status` is there."""

    __tablename__ = "idempotent_request"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    body_digest: Mapped[bytes] = mapped_column(LargeBinary)
    begun_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: status, headers by lower-case name, body."""

    status: int
    headers: dict[str, str]
    body: str


async def begin_request(work: UnitOfWork, digest: bytes, body_digest: bytes, *, secrets: Secrets) -> Answer | None:
    """Begin a request, or find its answer. `None`: it is begun, and is yours to work on.

    Args:
        digest: of whose key it is, and the key.

    Raises:
        IdempotencyMismatch: the key was used with another body.
        IdempotencyRunning: somebody works on it now.
    """
    fresh = insert(IdempotentRequestRow).values(digest=digest, body_digest=body_digest, begun_at=work.now)
    begun = await work.session.scalar(
        fresh.on_conflict_do_update(
            index_elements=["digest"],
            set_={"body_digest": body_digest, "begun_at": work.now, "status": None, "headers": None, "body": None},
            where=or_(
                IdempotentRequestRow.begun_at < work.now - KEPT,
                IdempotentRequestRow.status.is_(None) & (IdempotentRequestRow.begun_at < work.now - GIVEN_UP),
            ),
        ).returning(IdempotentRequestRow.digest)
    )
    if begun is not None:
        return None
    row = await work.session.scalar(select(IdempotentRequestRow).where(IdempotentRequestRow.digest == digest))
    if row is not None and row.body_digest != body_digest:
        raise IdempotencyMismatch
    if row is None or row.status is None or row.body is None:
        raise IdempotencyRunning
    return Answer(row.status, row.headers or {}, secrets.decrypt(row.body, place=BODY))


async def keep_answer(work: UnitOfWork, digest: bytes, answer: Answer, *, secrets: Secrets) -> None:
    """The request has been worked on, and this was the answer."""
    await work.session.execute(
        update(IdempotentRequestRow)
        .where(IdempotentRequestRow.digest == digest)
        .values(status=answer.status, headers=answer.headers, body=secrets.encrypt(answer.body, place=BODY))
    )


async def forget_request(work: UnitOfWork, digest: bytes) -> None:
    """The request came to nothing, and sending it again is right."""
    await work.session.execute(delete(IdempotentRequestRow).where(IdempotentRequestRow.digest == digest))


async def forget_old_requests(work: UnitOfWork) -> None:
    """Forget the answers of yesterday."""
    await work.session.execute(delete(IdempotentRequestRow).where(IdempotentRequestRow.begun_at < work.now - KEPT))
