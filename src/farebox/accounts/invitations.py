"""Invitations to work for an operator: mailed to an address, good once, for a week, for who has proved that address.

The link's token is made by the job that mails it and stored as its digest, so it exists nowhere but in the mail.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import exists, func, select, update

from farebox.accounts.actor import Actor
from farebox.accounts.attempts import attempt_key, note_failure
from farebox.accounts.errors import TooManyAttempts
from farebox.accounts.memberships import StaffRole, add_member, is_member
from farebox.accounts.operators import OperatorView, get_operator
from farebox.accounts.people import email_key
from farebox.accounts.people_models import PersonRow
from farebox.accounts.permissions import ROLES, Permission
from farebox.accounts.registering import check_email
from farebox.accounts.staff import get_reached_operator, reached_operators, refuse_more_than_own
from farebox.accounts.staff_errors import (
    AlreadyStaff,
    InvitationForAnother,
    InvitationNotFound,
    InvitationOver,
    InvitedTooOften,
    TooManyOfThem,
)
from farebox.accounts.staff_events import StaffInvited
from farebox.accounts.staff_models import InvitationRow
from farebox.core.crypto import Secrets, new_token, token_digest
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid, SignInRequired
from farebox.core.ids import new_id

LASTS: Final = timedelta(days=7)
MOST_OPEN: Final = 100
PREFIX: Final = "fbi"
PLACE: Final = "invitation.email"
LONGEST_TOKEN: Final = 100


@dataclass(frozen=True, slots=True, repr=False)
class Invitation:
    """An invitation that waits. No `repr`: it has somebody's address."""

    id: UUID
    email: str
    role: StaffRole
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class InvitationMail:
    """What the mail says. No `repr`: the token is nowhere else."""

    email: str
    operator: OperatorView
    role: StaffRole
    language: str
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class InvitationOffer:
    """What whoever has the link is told before they sign in."""

    operator: OperatorView
    role: StaffRole
    expires_at: datetime


async def invite(
    work: UnitOfWork,
    operator_id: UUID,
    email: str,
    role: StaffRole,
    *,
    actor: Actor,
    secrets: Secrets,
    language: str,
) -> Invitation:
    """Invite somebody to work for an operator. An invitation of the same address that waits is taken back.

    Raises:
        OperatorNotFound: there is none, or this actor does not manage its staff.
        Invalid: this is no e-mail address.
        RoleNotGrantable: more than the actor may do.
        AlreadyStaff: they work there already.
        TooManyOfThem: too many wait already.
        InvitedTooOften: this address was mailed ten times within a quarter of an hour.
    """
    operator = await get_reached_operator(work, operator_id, actor=actor, permission=Permission.STAFF_MANAGE)
    refuse_more_than_own(actor, operator.id, ROLES[role])
    address, wrong = check_email(email)
    if wrong:
        raise Invalid(wrong)
    if await is_member(work, operator.id, address, secrets=secrets):
        raise AlreadyStaff
    await work.session.execute(
        update(InvitationRow)
        .where(
            InvitationRow.operator_id == operator.id,
            InvitationRow.email_index.in_(secrets.blind_indexes(email_key(address))),
            *_waiting(work),
        )
        .values(revoked_at=work.now, token_digest=None)
    )
    waiting = select(func.count()).where(InvitationRow.operator_id == operator.id, *_waiting(work))
    if (await work.session.scalar(waiting) or 0) >= MOST_OPEN:
        raise TooManyOfThem(most=MOST_OPEN)
    row = InvitationRow(
        id=new_id(),
        operator_id=operator.id,
        email=secrets.encrypt(address, place=PLACE),
        email_index=secrets.blind_index(email_key(address)),
        role=role,
        language=language,
        invited_by=actor.id or operator.id,
        created_at=work.now,
        expires_at=work.now + LASTS,
    )
    work.session.add(row)
    await work.session.flush()
    await _ask_for_mail(work, row, secrets)
    return _view(row, secrets)


async def list_invitations(work: UnitOfWork, operator_id: UUID, *, actor: Actor, secrets: Secrets) -> list[Invitation]:
    """The invitations that wait, the newest first.

    Raises:
        OperatorNotFound: there is none, or this actor does not manage its staff.
    """
    await get_reached_operator(work, operator_id, actor=actor, permission=Permission.STAFF_MANAGE)
    rows = await work.session.scalars(
        select(InvitationRow)
        .where(InvitationRow.operator_id == operator_id, *_waiting(work))
        .order_by(InvitationRow.id.desc())
    )
    return [_view(row, secrets) for row in rows]


async def revoke_invitation(work: UnitOfWork, operator_id: UUID, invitation_id: UUID, *, actor: Actor) -> None:
    """Take an invitation back; its link works no more.

    Raises:
        InvitationNotFound: none like that waits, or this actor does not manage the operator's staff.
    """
    row = await _lock(work, operator_id, invitation_id, actor=actor)
    row.revoked_at, row.token_digest = work.now, None


async def resend_invitation(
    work: UnitOfWork, operator_id: UUID, invitation_id: UUID, *, actor: Actor, secrets: Secrets
) -> Invitation:
    """Mail a new link, good for another week; the earlier one works no more.

    Raises:
        InvitationNotFound: none like that waits, or this actor does not manage the operator's staff.
        InvitedTooOften: see `invite`.
    """
    row = await _lock(work, operator_id, invitation_id, actor=actor)
    row.expires_at, row.token_digest = work.now + LASTS, None
    await _ask_for_mail(work, row, secrets)
    return _view(row, secrets)


async def make_invitation_mail(work: UnitOfWork, invitation_id: UUID, *, secrets: Secrets) -> InvitationMail | None:
    """What to mail, with a new token; `None` where the invitation waits no longer. Needs the reach of the system."""
    row = await work.session.scalar(
        select(InvitationRow).where(InvitationRow.id == invitation_id, *_waiting(work)).with_for_update()
    )
    if row is None:
        return None
    token = new_token(PREFIX)
    row.token_digest = token_digest(token)
    await work.session.flush()
    invitation = _view(row, secrets)
    operator = await get_operator(work, row.operator_id)
    return InvitationMail(invitation.email, operator, invitation.role, row.language, token, row.expires_at)


async def get_invitation_offer(work: UnitOfWork, token: str) -> InvitationOffer:
    """What a link is for.

    Raises:
        InvitationOver: used, taken back, run out, or none at all.
    """
    row = await _open(work, token)
    return InvitationOffer(await get_operator(work, row.operator_id), row.role, row.expires_at)  # type: ignore[arg-type]  # CHECK


async def accept_invitation(work: UnitOfWork, token: str, *, actor: Actor, secrets: Secrets) -> OperatorView:
    """Begin to work for an operator, as who has proved that the invited address is theirs.

    Raises:
        SignInRequired: nobody is signed in.
        InvitationOver: used, taken back, run out, or none at all.
        InvitationForAnother: it was sent to another address.
        AlreadyStaff: they work there already.
    """
    if actor.kind != "user" or actor.id is None:
        raise SignInRequired
    row = await _open(work, token, lock=True)
    is_theirs = exists().where(
        PersonRow.id == actor.id,
        PersonRow.email_index == row.email_index,
        PersonRow.email_verified_at.is_not(None),
        PersonRow.erased_at.is_(None),
    )
    if not await work.session.scalar(select(is_theirs)):
        raise InvitationForAnother
    row.accepted_at, row.token_digest = work.now, None
    await add_member(work, row.operator_id, actor.id, row.role, invited_by=row.invited_by)  # type: ignore[arg-type]  # CHECK
    return await get_operator(work, row.operator_id)


def _waiting(work: UnitOfWork) -> tuple[Any, ...]:
    return (
        InvitationRow.accepted_at.is_(None),
        InvitationRow.revoked_at.is_(None),
        InvitationRow.expires_at > work.now,
    )


async def _lock(work: UnitOfWork, operator_id: UUID, invitation_id: UUID, *, actor: Actor) -> InvitationRow:
    row = await work.session.scalar(
        select(InvitationRow)
        .where(
            InvitationRow.id == invitation_id,
            InvitationRow.operator_id == operator_id,
            reached_operators(InvitationRow.operator_id, actor, Permission.STAFF_MANAGE),
            *_waiting(work),
        )
        .with_for_update()
    )
    if row is None:
        raise InvitationNotFound
    return row


async def _open(work: UnitOfWork, token: str, *, lock: bool = False) -> InvitationRow:
    """The invitation of a link. From here on this transaction reaches its operator, and no other."""
    digest = token_digest(token[:LONGEST_TOKEN])
    operator_id = await work.session.scalar(select(func.operator_of_secret(digest)))
    if operator_id is None:
        raise InvitationOver
    await work.reach([operator_id])
    query = select(InvitationRow).where(InvitationRow.token_digest == digest, *_waiting(work))
    row = await work.session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise InvitationOver
    return row


async def _ask_for_mail(work: UnitOfWork, row: InvitationRow, secrets: Secrets) -> None:
    """Nobody's mailbox is ours to fill: whoever manages some operator's staff could name anybody's."""
    try:
        await note_failure(work, attempt_key(secrets, f"invitation:{row.operator_id}:{row.email_index.hex()}"))
    except TooManyAttempts as refusal:
        raise InvitedTooOften(**refusal.fields) from None
    work.publish(StaffInvited(invitation_id=row.id, operator_id=row.operator_id, role=row.role, occasion=str(new_id())))


def _view(row: InvitationRow, secrets: Secrets) -> Invitation:
    email = secrets.decrypt(row.email, place=PLACE)
    return Invitation(row.id, email, row.role, row.created_at, row.expires_at)  # type: ignore[arg-type]  # CHECK
