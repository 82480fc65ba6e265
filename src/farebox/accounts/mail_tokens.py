"""Links that are mailed: each works once, for one purpose, for a while. Only the digest of its token is stored."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update

from farebox.accounts.people_models import MailTokenRow, PersonRow
from farebox.core.crypto import new_token, token_digest
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id

PREFIX: Final = "fbl"
LONGEST: Final = 100

LINKS_IN_WINDOW: Final = 5
WINDOW: Final = timedelta(hours=1)
"""So many links of one purpose go to one person in this time; more are not mailed."""

Purpose: TypeAlias = Literal["verify-email", "reset-password", "change-email", "confirm-new-email", "link-identity"]


@dataclass(frozen=True, slots=True, repr=False)
class MailToken:
    """A link that was used: whose it is, and what was sealed with it."""

    person_id: UUID
    sealed: bytes | None


async def make_mail_token(
    work: UnitOfWork, person_id: UUID, purpose: Purpose, *, seconds: int, sealed: bytes | None = None
) -> str:
    """A token for a link. To be called by the job that mails it, so that it is nowhere but in the mail."""
    token = new_token(PREFIX)
    work.session.add(
        MailTokenRow(
            id=new_id(),
            person_id=person_id,
            purpose=purpose,
            token_digest=token_digest(token),
            sealed=sealed,
            created_at=work.now,
            expires_at=work.now + timedelta(seconds=seconds),
        )
    )
    await work.session.flush()
    return token


async def use_mail_token(work: UnitOfWork, token: str, purpose: Purpose) -> MailToken | None:
    """Use a link up; `None` where it is of no use. Of two who come with it at the same time, one gets it."""
    used = await work.session.execute(
        update(MailTokenRow)
        .where(
            MailTokenRow.token_digest == _digest(token),
            MailTokenRow.purpose == purpose,
            MailTokenRow.used_at.is_(None),
            MailTokenRow.expires_at > work.now,
        )
        .values(used_at=work.now)
        .returning(MailTokenRow.person_id, MailTokenRow.sealed)
        .execution_options(synchronize_session=False)
    )
    row = used.one_or_none()
    return MailToken(*row) if row else None


async def find_mail_token(work: UnitOfWork, token: str, purpose: Purpose) -> MailToken | None:
    """What a link is for, without using it up; `None` where it is of no use any more."""
    row = await work.session.scalar(
        select(MailTokenRow).where(
            MailTokenRow.token_digest == _digest(token),
            MailTokenRow.purpose == purpose,
            MailTokenRow.used_at.is_(None),
            MailTokenRow.expires_at > work.now,
        )
    )
    return MailToken(row.person_id, row.sealed) if row else None


async def was_used(work: UnitOfWork, person_id: UUID, purpose: Purpose) -> bool:
    """Whether the newest link of this purpose was used."""
    newest = await work.session.scalar(_newest(person_id, purpose))
    return newest is not None and newest.used_at is not None


async def newest_sealed(work: UnitOfWork, person_id: UUID, purpose: Purpose) -> bytes | None:
    """What was sealed with the newest link of this purpose."""
    newest = await work.session.scalar(_newest(person_id, purpose))
    return newest.sealed if newest is not None else None


async def is_mailed_too_often(work: UnitOfWork, person_id: UUID, purpose: Purpose) -> bool:
    """Whether this person got so many links of this purpose lately that no more are to be mailed.

    Locks the person, so that jobs which answer at the same time count one after the other.
    """
    await work.session.execute(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update())
    recent = await work.session.scalar(
        select(func.count()).where(
            MailTokenRow.person_id == person_id,
            MailTokenRow.purpose == purpose,
            MailTokenRow.created_at > work.now - WINDOW,
        )
    )
    return (recent or 0) >= LINKS_IN_WINDOW


async def void_mail_tokens(work: UnitOfWork, person_id: UUID, *purposes: Purpose) -> None:
    """No link of these purposes that was mailed to this person works any more."""
    await work.session.execute(
        update(MailTokenRow)
        .where(MailTokenRow.person_id == person_id, MailTokenRow.purpose.in_(purposes))
        .values(token_digest=None, sealed=None, expires_at=work.now)
    )


async def delete_old_mail_tokens(work: UnitOfWork) -> None:
    """Forget links whose time was over a day ago."""
    old = work.now - timedelta(days=1)
    await work.session.execute(delete(MailTokenRow).where(MailTokenRow.expires_at < old))


def _newest(person_id: UUID, purpose: Purpose) -> Select[MailTokenRow]:
    return (
        select(MailTokenRow)
        .where(MailTokenRow.person_id == person_id, MailTokenRow.purpose == purpose)
        .order_by(MailTokenRow.created_at.desc(), MailTokenRow.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def _digest(token: str) -> bytes:
    return token_digest(token[:LONGEST])
