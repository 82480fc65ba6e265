"""Reading bookings. Whom a credential reaches is part of the query: what it does not reach is not found."""

from collections.abc import Collection, Sequence
from typing import Final, TypeVarTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, false, func, select, true

from farebox.accounts import SYSTEM, Actor, Permission, booking_subject, note_accesses
from farebox.bookings.assembling import assemble
from farebox.bookings.errors import BookingNotFound
from farebox.bookings.expiry import expire_if_due
from farebox.bookings.models import (
    BookingAuditRow,
    BookingItemRow,
    BookingRow,
)
from farebox.bookings.references import check_reference
from farebox.bookings.states import BookingStatus
from farebox.bookings.views import (
    AuditEntry,
    Booking,
)
from farebox.core.db import UnitOfWork

Columns = TypeVarTuple("Columns")

UNNOTED: Final = frozenset({"anonymous", "guest", "system"})
"""Kinds of actors who see their own bookings only, and the system, which sees nothing in the sense of the audit."""


async def get_booking(
    work: UnitOfWork, booking_id: UUID, *, actor: Actor, lock: bool = False, as_it_stands: bool = False
) -> Booking:
    """A booking as it is at this instant: one whose time to pay is over reads as cancelled, swept or not.

    Args:
        lock: keep others from changing it until this unit of work ends.
        as_it_stands: for whoever settles money: leave one alone whose time was over a moment ago.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
    """
    row = await _get_row(work, BookingRow.id == booking_id, actor=actor, lock=lock, as_it_stands=as_it_stands)
    return (await shown(work, [row], actor, "read"))[0]


async def get_booking_by_reference(work: UnitOfWork, reference: str, *, actor: Actor) -> Booking:
    """A booking by its reference, however it was typed.

    Raises:
        ReferenceMistyped: no booking has such a reference, whoever asks.
        BookingNotFound: no such booking, or not for this actor.
    """
    row = await _get_row(work, BookingRow.reference == check_reference(reference), actor=actor)
    return (await shown(work, [row], actor, "read"))[0]


async def list_audit(work: UnitOfWork, booking_id: UUID, *, actor: Actor) -> list[AuditEntry]:
    """What happened to a booking, in order.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
    """
    await _get_row(work, BookingRow.id == booking_id, actor=actor)
    rows = await work.session.scalars(
        select(BookingAuditRow).where(BookingAuditRow.booking_id == booking_id).order_by(BookingAuditRow.id)
    )
    return [
        AuditEntry(
            row.at,
            row.actor,
            BookingStatus(row.from_status) if row.from_status else None,
            BookingStatus(row.to_status),
            row.reason,
            row.facts,
        )
        for row in rows
    ]


def reached_by(actor: Actor, permission: Permission = Permission.BOOKINGS_READ) -> ColumnElement[bool]:
    """Which bookings a credential reaches: a code's session that one, a visitor or a person their own, who acts for
    operators those with something of theirs, as far as they have the permission, and the system all.

    A booking names its passengers, so whoever reads one for an operator needs the permission for these, too.
    """
    if actor.booking_id is not None:
        return BookingRow.id == actor.booking_id
    if actor.is_everywhere:
        return true()
    if actor.kind == "anonymous":
        return false()
    own = BookingRow.owner == actor.owner
    operators = actor.operators_with(permission) & actor.operators_with(Permission.PASSENGERS_READ)
    if not operators:
        return own
    sold = exists().where(BookingItemRow.booking_id == BookingRow.id, BookingItemRow.operator_id.in_(operators))
    return own | sold


def sold_for(actor: Actor, permission: Permission) -> Select[UUID, str]:
    """`id` and `reference` of the bookings of which all was sold for operators for whom an actor has a permission.

    For what other modules ask. An actor's own bookings are not among them for being their own.
    """
    query = select(BookingRow.id, BookingRow.reference)
    if actor.is_everywhere:
        return query
    operators = actor.operators_with(permission)
    others = exists().where(BookingItemRow.booking_id == BookingRow.id, BookingItemRow.operator_id.not_in(operators))
    return query.where(~others)


async def get_row(
    work: UnitOfWork, booking_id: UUID, *, actor: Actor = SYSTEM, as_it_stands: bool = False
) -> BookingRow:
    """The row itself, locked, for commands of this module. `as_it_stands`: see `get_booking`.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
    """
    return await _get_row(work, BookingRow.id == booking_id, actor=actor, lock=True, as_it_stands=as_it_stands)


async def count_bookings_by_status(work: UnitOfWork) -> dict[str, int]:
    """How many bookings are in each status; statuses without any are left out."""
    rows = await work.session.execute(select(BookingRow.status, func.count()).group_by(BookingRow.status))
    return {status: count for status, count in rows}  # noqa: C416  (rows are no pairs to the type checker)


async def _get_row(
    work: UnitOfWork,
    which: ColumnElement[bool],
    *,
    actor: Actor,
    lock: bool = False,
    as_it_stands: bool = False,
) -> BookingRow:
    is_due = func.coalesce(BookingRow.expires_at <= func.clock_timestamp(), false())
    permission = Permission.BOOKINGS_CHANGE if lock else Permission.BOOKINGS_READ  # it is locked to be changed
    query = select(BookingRow, is_due).where(which, reached_by(actor, permission))
    if lock:
        query = query.with_for_update()
    found = (await work.session.execute(fresh(query))).one_or_none()
    if found is None:
        raise BookingNotFound
    row, due = found
    if due and not as_it_stands and await expire_if_due(work, row.id):
        await work.session.refresh(row)
    return row


def fresh(query: Select[*Columns]) -> Select[*Columns]:
    """Rows that this session has seen before are read anew: others may have changed them since."""
    return query.execution_options(populate_existing=True)


async def shown(work: UnitOfWork, rows: Sequence[BookingRow], actor: Actor, action: str) -> list[Booking]:
    """Bookings for somebody to see. Who sees other people's is written down, once in a unit of work."""
    bookings = await assemble(work, rows)
    if actor.kind not in UNNOTED and actor.booking_id is None:
        noted: set[UUID] = work.session.info.setdefault("bookings noted", set())
        seen = [booking for booking in bookings if booking.owner != actor.owner and booking.id not in noted]
        noted.update(booking.id for booking in seen)
        ours = actor.operators_with(Permission.BOOKINGS_READ)
        about = [(booking_subject(each.id), _acting_for(each, ours)) for each in seen]
        await note_accesses(work, actor, about, action, ("contact", "passengers"))
    return bookings


def _acting_for(booking: Booking, operators: Collection[UUID]) -> UUID | None:
    return next((item.operator_id for item in booking.items if item.operator_id in operators), None)
