"""Who saw or changed whose personal data. Written once, shown to whom it is about."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import ColumnElement, delete, func, select, true

from farebox.accounts.actor import Actor
from farebox.accounts.people_models import PersonalAuditRow
from farebox.accounts.permissions import Permission
from farebox.core.db import UnitOfWork

BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Access:
    """One time that somebody saw or changed somebody's data.

    Attributes:
        actor: who, as `<kind>:<id>`, or a kind that needs no id.
        operator_id: for which operator they acted; `None`: for themselves, or for the platform.
        subject: whose or what, as `person:<id>` or `booking:<id>`.
        action: what was done, such as `read`, `list`, `changed`, `exported`, `erased`.
        fields: which kinds of data, such as `contact` and `documents`.
    """

    at: datetime
    actor: str
    operator_id: UUID | None
    subject: str
    action: str
    fields: tuple[str, ...]
    facts: Mapping[str, Any]


def person_subject(person_id: UUID) -> str:
    return f"person:{person_id}"


def booking_subject(booking_id: UUID) -> str:
    return f"booking:{booking_id}"


async def note_access(
    work: UnitOfWork,
    actor: Actor,
    subject: str,
    action: str,
    fields: Collection[str] = (),
    *,
    operator_id: UUID | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write down that somebody sees or changes somebody's data; kept if, and only if, this transaction commits.

    Args:
        subject: see `person_subject` and `booking_subject`.
        operator_id: for whom the actor acts.
        facts: names and counts things; personal data does not belong there.
    """
    await note_accesses(work, actor, [(subject, operator_id)], action, fields, facts=facts)


async def note_accesses(
    work: UnitOfWork,
    actor: Actor,
    subjects: Collection[tuple[str, UUID | None]],
    action: str,
    fields: Collection[str] = (),
    *,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """The same for several subjects at once, each with the operator for whom the actor acts."""
    if not subjects:
        return
    names, operators = zip(*subjects, strict=True)
    # Nothing is read back: who may note what they do may not therefore read what others did.
    await work.execute(
        "INSERT INTO personal_audit (at, actor, operator_id, subject, action, fields, facts)"
        " SELECT %s, %s, operator, subject, %s, %s, %s"
        " FROM unnest(%s::text[], %s::uuid[]) AS about (subject, operator)",
        (
            work.now,
            actor.kind if actor.id is None else f"{actor.kind}:{actor.id}",
            action,
            sorted(fields),
            Jsonb(dict(facts or {})),
            list(names),
            list(operators),
        ),
    )


async def list_accesses(
    work: UnitOfWork, subjects: Collection[str], *, but_by: str = "", limit: int = 50, offset: int = 0
) -> tuple[list[Access], int]:
    """Who saw or changed the data of these subjects, the latest first, and how often in all.

    The unit of work must reach all operators, whose staff it is.

    Args:
        but_by: leave out what this actor did.
    """
    return await _list(
        work, PersonalAuditRow.subject.in_(subjects) & (PersonalAuditRow.actor != but_by), limit=limit, offset=offset
    )


async def search_accesses(
    work: UnitOfWork, *, actor: Actor, subject: str = "", by: str = "", limit: int = 50, offset: int = 0
) -> tuple[list[Access], int]:
    """The same for whom it is a duty to look after it: what was done for the operators that they audit, or anything.

    Args:
        actor: reaches what `Permission.AUDIT_READ` gives them.
        subject: of this subject only.
        by: by this actor only.
    """
    operators = actor.operators_with(Permission.AUDIT_READ)
    reached: ColumnElement[bool] = true() if actor.is_everywhere else PersonalAuditRow.operator_id.in_(operators)
    wanted = [reached]
    if subject:
        wanted.append(PersonalAuditRow.subject == subject)
    if by:
        wanted.append(PersonalAuditRow.actor == by)
    return await _list(work, *wanted, limit=limit, offset=offset)


async def forget_accesses(work: UnitOfWork, *, years: int) -> int:
    """Forget what is older than so many years, a batch at a time; how many rows that were. Needs the reach of all."""
    old = (
        select(PersonalAuditRow.id)
        .where(PersonalAuditRow.at < work.now - timedelta(days=365 * years))
        .order_by(PersonalAuditRow.at)
        .limit(BATCH)
    )
    gone = await work.session.scalars(
        delete(PersonalAuditRow).where(PersonalAuditRow.id.in_(old)).returning(PersonalAuditRow.id)
    )
    return len(gone.all())


async def _list(work: UnitOfWork, *wanted: ColumnElement[bool], limit: int, offset: int) -> tuple[list[Access], int]:
    count = await work.session.scalar(select(func.count()).select_from(PersonalAuditRow).where(*wanted))
    rows = await work.session.scalars(
        select(PersonalAuditRow)
        .where(*wanted)
        .order_by(PersonalAuditRow.at.desc(), PersonalAuditRow.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [
        Access(row.at, row.actor, row.operator_id, row.subject, row.action, tuple(row.fields), row.facts)
        for row in rows
    ], count or 0
