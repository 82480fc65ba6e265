"""Who works for an operator. What somebody may do is read with each request, so a change holds from the next one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from farebox.accounts.actor import SYSTEM, Actor
from farebox.accounts.errors import OperatorNotFound
from farebox.accounts.operators import find_operator_by_code
from farebox.accounts.people import email_key
from farebox.accounts.people_models import FactorRow, PersonRow
from farebox.accounts.permissions import ROLES, Permission
from farebox.accounts.staff import get_reached_operator, reached_operators, refuse_more_than_own
from farebox.accounts.staff_errors import AlreadyStaff, LastOperatorAdmin, MemberNotFound, RoleNotGrantable
from farebox.accounts.staff_events import StaffJoined, StaffRemoved, StaffRoleChanged
from farebox.accounts.staff_models import MembershipRow
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork

StaffRole: TypeAlias = Literal["agent", "driver", "operator_admin"]
STAFF_ROLES: Sequence[StaffRole] = get_args(StaffRole)


@dataclass(frozen=True, slots=True, repr=False)
class Member:
    """Somebody who works for an operator. No `repr`: it has their name and address."""

    person_id: UUID
    name: str
    email: str
    role: StaffRole
    since: datetime
    has_second_factor: bool


async def list_members(work: UnitOfWork, operator_id: UUID, *, actor: Actor, secrets: Secrets) -> list[Member]:
    """Everybody who works for an operator, administrators first.

    Raises:
        OperatorNotFound: there is none, or this actor does not manage its staff.
    """
    await get_reached_operator(work, operator_id, actor=actor, permission=Permission.STAFF_MANAGE)
    has_factor = exists().where(FactorRow.person_id == PersonRow.id, FactorRow.confirmed_at.is_not(None))
    found = await work.session.execute(
        select(MembershipRow.role, MembershipRow.created_at, PersonRow, has_factor)
        .join(PersonRow, PersonRow.id == MembershipRow.person_id)
        .where(*_reached(operator_id, actor))
    )
    members = [
        Member(
            person_id=person.id,
            name=f"{person.first_name} {person.last_name}".strip(),
            email=secrets.decrypt(person.email) if person.email else "",
            role=role,  # type: ignore[arg-type]  # the CHECK of the table says so
            since=since,
            has_second_factor=has_one,
        )
        for role, since, person, has_one in found
    ]
    return sorted(members, key=lambda member: (member.role != "operator_admin", member.name.casefold(), member.email))


async def list_colleagues(
    work: UnitOfWork, operator_id: UUID, *, actor: Actor, permission: Permission
) -> dict[UUID, str]:
    """The names of who works for an operator, by person, for colleagues who may do that there; nobody's for others."""
    found = await work.session.execute(
        select(PersonRow.id, PersonRow.first_name, PersonRow.last_name)
        .join(MembershipRow, MembershipRow.person_id == PersonRow.id)
        .where(
            MembershipRow.operator_id == operator_id, reached_operators(MembershipRow.operator_id, actor, permission)
        )
    )
    return {person_id: f"{first_name} {last_name}".strip() for person_id, first_name, last_name in found}


async def change_role(work: UnitOfWork, operator_id: UUID, person_id: UUID, role: StaffRole, *, actor: Actor) -> None:
    """Let somebody be something else for an operator.

    Raises:
        MemberNotFound: nobody like that works there, or this actor does not manage its staff.
        RoleNotGrantable: more than the actor may do, or more than before for oneself.
        LastOperatorAdmin: nobody would be left to manage the staff.
    """
    before = await _lock_member(work, operator_id, person_id, actor=actor)
    refuse_more_than_own(actor, operator_id, ROLES[role])
    if person_id == actor.id and not ROLES[role] <= ROLES[before]:
        raise RoleNotGrantable
    if before == role:
        return
    if before == "operator_admin":
        await _keep_an_admin(work, operator_id, person_id)
    await work.session.execute(update(MembershipRow).where(*_one(operator_id, person_id, actor)).values(role=role))
    work.publish(StaffRoleChanged(operator_id=operator_id, user_id=person_id, role=role))


async def remove_member(work: UnitOfWork, operator_id: UUID, person_id: UUID, *, actor: Actor) -> None:
    """Let somebody work for an operator no longer; whatever they are signed in with opens nothing of it from now on.

    Raises:
        MemberNotFound: nobody like that works there, or this actor does not manage its staff.
        LastOperatorAdmin: nobody would be left to manage the staff.
    """
    before = await _lock_member(work, operator_id, person_id, actor=actor)
    if before == "operator_admin":
        await _keep_an_admin(work, operator_id, person_id)
    await work.session.execute(delete(MembershipRow).where(*_one(operator_id, person_id, actor)))
    work.publish(StaffRemoved(operator_id=operator_id, user_id=person_id))


async def add_member(
    work: UnitOfWork, operator_id: UUID, person_id: UUID, role: StaffRole, *, invited_by: UUID | None
) -> None:
    """Let a person work for an operator. Who may say so, the caller has seen to.

    Raises:
        AlreadyStaff: they do already.
    """
    added = await work.session.scalar(
        insert(MembershipRow)
        .values(operator_id=operator_id, person_id=person_id, role=role, created_at=work.now, invited_by=invited_by)
        .on_conflict_do_nothing()
        .returning(MembershipRow.person_id)
    )
    if added is None:
        raise AlreadyStaff
    work.publish(StaffJoined(operator_id=operator_id, user_id=person_id, role=role))


async def add_member_by_email(
    work: UnitOfWork, operator_code: str, email: str, role: StaffRole, *, secrets: Secrets
) -> bool:
    """For the command line, which needs to ask nobody: whether there was an account with this proven address.

    Raises:
        OperatorNotFound: no operator has this code.
        AlreadyStaff: they work there already.
    """
    operator = await find_operator_by_code(work, operator_code)
    if operator is None:
        raise OperatorNotFound
    person_id = await work.session.scalar(
        select(PersonRow.id).where(
            PersonRow.email_index.in_(secrets.blind_indexes(email_key(email))),
            PersonRow.email_verified_at.is_not(None),
        )
    )
    if person_id is None:
        return False
    await add_member(work, operator.id, person_id, role, invited_by=SYSTEM.id)
    return True


async def is_member(work: UnitOfWork, operator_id: UUID, email: str, *, secrets: Secrets) -> bool:
    """Whether somebody with this address works for an operator."""
    theirs = exists().where(
        MembershipRow.operator_id == operator_id,
        MembershipRow.person_id == PersonRow.id,
        PersonRow.email_index.in_(secrets.blind_indexes(email_key(email))),
    )
    return bool(await work.session.scalar(select(theirs)))


def _reached(operator_id: UUID, actor: Actor) -> tuple[Any, Any]:
    return (
        MembershipRow.operator_id == operator_id,
        reached_operators(MembershipRow.operator_id, actor, Permission.STAFF_MANAGE),
    )


def _one(operator_id: UUID, person_id: UUID, actor: Actor) -> tuple[Any, ...]:
    return *_reached(operator_id, actor), MembershipRow.person_id == person_id


async def _lock_member(work: UnitOfWork, operator_id: UUID, person_id: UUID, *, actor: Actor) -> str:
    """The role that somebody has, which stays so until this transaction ends.

    All administrators are locked with them, always in the same order: of two who remove each other, the second finds
    that it would be the last one.
    """
    rows = await work.session.execute(
        select(MembershipRow.person_id, MembershipRow.role)
        .where(
            *_reached(operator_id, actor),
            (MembershipRow.person_id == person_id) | (MembershipRow.role == "operator_admin"),
        )
        .order_by(MembershipRow.person_id)
        .with_for_update()
    )
    role: str | None = {each: role for each, role in rows}.get(person_id)  # noqa: C416  (rows are no pairs to the type checker)
    if role is None:
        raise MemberNotFound
    return role


async def _keep_an_admin(work: UnitOfWork, operator_id: UUID, leaving: UUID) -> None:
    another = select(
        exists().where(
            MembershipRow.operator_id == operator_id,
            MembershipRow.role == "operator_admin",
            MembershipRow.person_id != leaving,
        )
    )
    if not await work.session.scalar(another):
        raise LastOperatorAdmin
