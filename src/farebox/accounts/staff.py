"""Acting for an operator: whom one reaches, what one may give, and what an operator asks of its staff."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, false, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute

from farebox.accounts.actor import Actor, has_second_proof
from farebox.accounts.errors import OperatorNotFound
from farebox.accounts.models import OperatorRow
from farebox.accounts.operators import OperatorView, list_operators
from farebox.accounts.permissions import Permission
from farebox.accounts.staff_errors import RoleNotGrantable, SecondProofRequired
from farebox.accounts.staff_models import MembershipRow, OperatorPolicyRow
from farebox.core.db import UnitOfWork

MOST_OPERATORS = 200
"""How many operators a list names, for admins of the platform, who reach all."""


@dataclass(frozen=True, slots=True)
class Post:
    """An operator for whom somebody acts.

    Attributes:
        role: for that operator; `admin` for who reaches it as an admin of the platform.
        lacks_proof: nothing is open there until the person has signed in with a second factor.
    """

    operator: OperatorView
    role: str
    lacks_proof: bool


def reached_operators(
    column: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None], actor: Actor, permission: Permission
) -> ColumnElement[bool]:
    """The condition that keeps a query to the operators for whom this actor may do that: part of every such query."""
    if actor.is_everywhere and actor.may(permission):
        return true()
    operators = actor.operators_with(permission)
    return column.in_(operators) if operators else false()


async def get_reached_operator(
    work: UnitOfWork, operator_id: UUID, *, actor: Actor, permission: Permission
) -> OperatorView:
    """The operator, for somebody who may do that there.

    Raises:
        OperatorNotFound: there is none, or this actor may not.
        SecondProofRequired: they may, with a second proof.
    """
    row = await work.session.scalar(
        select(OperatorRow).where(OperatorRow.id == operator_id, reached_operators(OperatorRow.id, actor, permission))
    )
    if row is None:
        if actor.lacks_proof(permission, operator_id):
            raise SecondProofRequired
        raise OperatorNotFound
    return OperatorView(**{field: getattr(row, field) for field in OperatorView.__dataclass_fields__})


async def list_posts(work: UnitOfWork, *, actor: Actor) -> list[Post]:
    """The operators for whom somebody acts, by name; all there are for admins of the platform."""
    held = [holding for holding, _ in actor.withheld if holding is not None]
    if held:
        await work.reach([*(operator_id for operator_id, _ in actor.grants), *held])
    mine = await work.session.execute(
        select(MembershipRow.operator_id, MembershipRow.role).where(MembershipRow.person_id == actor.id)
    )
    roles = {operator_id: role for operator_id, role in mine}  # noqa: C416  (rows are no pairs to the type checker)
    wanted: Any = true() if actor.is_everywhere else OperatorRow.id.in_(roles)
    ids = (await work.session.scalars(select(OperatorRow.id).where(wanted).limit(MOST_OPERATORS))).all()
    operators = await list_operators(work, ids)
    posts = [
        Post(operator, roles.get(operator.id, "admin"), operator.id in held and not actor.is_everywhere)
        for operator in operators.values()
    ]
    return sorted(posts, key=lambda post: (post.operator.name.casefold(), str(post.operator.id)))


def refuse_more_than_own(actor: Actor, operator_id: UUID, permissions: frozenset[Permission]) -> None:
    """Raises `RoleNotGrantable` where somebody would give what they may not do themselves."""
    if not permissions <= actor.permissions_for(operator_id):
        raise RoleNotGrantable


async def requires_second_factor(work: UnitOfWork, operator_id: UUID, *, actor: Actor) -> bool:
    """Whether an operator asks its staff for a second factor.

    Raises:
        OperatorNotFound: there is none, or this actor does not manage its staff.
    """
    await get_reached_operator(work, operator_id, actor=actor, permission=Permission.STAFF_MANAGE)
    asks = select(
        exists().where(OperatorPolicyRow.operator_id == operator_id, OperatorPolicyRow.requires_second_factor)
    )
    return bool(await work.session.scalar(asks))


async def require_second_factor(work: UnitOfWork, operator_id: UUID, *, is_required: bool, actor: Actor) -> None:
    """Ask an operator's staff for a second factor from now on, or no longer. It holds from their next request.

    Raises:
        OperatorNotFound: there is none, or this actor does not manage its staff.
        SecondProofRequired: who asks others for it must have given one: nobody locks themselves out.
    """
    await get_reached_operator(work, operator_id, actor=actor, permission=Permission.STAFF_MANAGE)
    if is_required and actor.kind == "user" and not has_second_proof(actor):
        raise SecondProofRequired
    values = {"requires_second_factor": is_required, "updated_at": work.now}
    await work.session.execute(
        insert(OperatorPolicyRow)
        .values(operator_id=operator_id, **values)
        .on_conflict_do_update(index_elements=["operator_id"], set_=values)
    )
