"""Erasing a person's account: all that names them, and every way in. The row stays, empty, for what law keeps."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, exists, func, literal, select, update
from sqlalchemy.orm import aliased

from farebox.accounts.avatars import DELETE_AVATAR
from farebox.accounts.consent import list_consents, say_consent
from farebox.accounts.people import email_key, get_person
from farebox.accounts.people_models import (
    FactorRow,
    IdentityRow,
    MailTokenRow,
    PersonRow,
    PersonSessionRow,
    RecoveryCodeRow,
    SignInChallengeRow,
)
from farebox.accounts.staff_models import InvitationRow, MembershipRow
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.jobs import Jobs

THEIRS: Final = (
    PersonSessionRow,
    IdentityRow,
    FactorRow,
    RecoveryCodeRow,
    MailTokenRow,
    SignInChallengeRow,
    MembershipRow,
)


@dataclass(frozen=True, slots=True, repr=False)
class Erased:
    """What is needed once more: where to say that it is done, and in which language."""

    email: str
    language: str | None


async def is_last_admin(work: UnitOfWork, person_id: UUID) -> bool:
    """Whether an operator, or the platform, would have no administrator left. Needs the reach of all operators."""
    theirs, others = aliased(MembershipRow), aliased(MembershipRow)
    alone_there = exists().where(
        theirs.person_id == person_id,
        theirs.role == "operator_admin",
        ~exists().where(
            others.operator_id == theirs.operator_id,
            others.role == "operator_admin",
            others.person_id != person_id,
        ),
    )
    admins = select(func.count(), func.bool_or(PersonRow.id == person_id)).where(
        literal("admin") == func.any(PersonRow.roles), PersonRow.erased_at.is_(None)
    )
    count, is_one = (await work.session.execute(admins)).one()
    return bool(await work.session.scalar(select(alone_there))) or (bool(is_one) and count == 1)


async def erase_person(work: UnitOfWork, person_id: UUID, *, jobs: Jobs, secrets: Secrets) -> Erased:
    """Erase who somebody is and how they sign in. All their sessions end. Needs the reach of all operators.

    What they once agreed to is withdrawn and kept, without their name: it proves that mails were sent rightly.

    Raises:
        PersonNotFound: there is no such person, or they have been erased.
    """
    person = await get_person(work, person_id, secrets=secrets)
    for consent in await list_consents(work, person_id):
        if consent.is_given:
            await say_consent(work, person_id, consent.purpose, is_given=False, source="erasure")
    for table in THEIRS:
        await work.session.execute(delete(table).where(table.person_id == person_id))
    await work.session.execute(
        delete(InvitationRow).where(InvitationRow.email_index.in_(secrets.blind_indexes(email_key(person.email))))
    )
    if person.avatar:
        await jobs.defer(work, DELETE_AVATAR, avatar=person.avatar)
    await work.session.execute(
        update(PersonRow)
        .where(PersonRow.id == person_id)
        .values(
            email=None,
            email_index=None,
            email_verified_at=None,
            password_hash=None,
            password_changed_at=None,
            first_name="",
            last_name="",
            phone=None,
            phone_index=None,
            birth_date=None,
            avatar=None,
            roles=["user"],
            language=None,
            currency=None,
            timezone=None,
            preferences={},
            settings={},
            signed_in_at=None,
            updated_at=work.now,
            erased_at=work.now,
        )
        .execution_options(synchronize_session=False)
    )
    return Erased(person.email, person.language)


async def list_unverified(work: UnitOfWork, *, days: int, limit: int) -> list[UUID]:
    """Accounts made so many days ago whose address nobody has confirmed: probably nobody's."""
    ids = await work.session.scalars(
        select(PersonRow.id)
        .where(
            PersonRow.email_verified_at.is_(None),
            PersonRow.erased_at.is_(None),
            PersonRow.created_at < work.now - timedelta(days=days),
        )
        .order_by(PersonRow.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(ids)
