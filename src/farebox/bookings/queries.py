"""Reading bookings. Whom a credential reaches is part of the query: what it does not reach is not found."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, TypeVarTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, false, func, select, true

from farebox.accounts import SYSTEM, Actor, Permission, booking_subject, note_accesses
from farebox.bookings.assembling import PARTS_OF_ONE, assemble
from farebox.bookings.errors import BookingNotFound, ConcernsOthers
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
from farebox.core.pipeline import Statement, plain
from farebox.core.rows import Selection
from farebox.inventory import keep_locked, locking_holds

Columns = TypeVarTuple("Columns")

UNNOTED: Final = frozenset({"anonymous", "guest", "system"})
"""Kinds of actors who see their own bookings only, and the system, which sees nothing in the sense of the audit."""


async def get_booking(
    work: UnitOfWork,
    booking_id: UUID,
    *,
    actor: Actor,
    lock: bool = False,
    with_holds: bool = False,
    as_it_stands: bool = False,
) -> Booking:
    """A booking as it is at this instant: one whose time to pay is over reads as cancelled, swept or not.

    Args:
        lock: keep others from changing it until this unit of work ends.
        with_holds: and its holds, for who is going to change them; where that spares nobody a question, they are left.
        as_it_stands: for whoever settles money: leave one alone whose time was over a moment ago.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
    """
    if actor.kind == "system" or _has_only_own(actor, lock=lock):
        owner = None if actor.kind == "system" else actor.owner
        found = await _read(work, booking_id, owner=owner, lock=lock, with_holds=with_holds)
        if found is None:
            raise BookingNotFound
        booking, is_due = found
        if as_it_stands or not is_due:
            return booking
    row = await _get_row(work, BookingRow.id == booking_id, actor=actor, lock=lock, as_it_stands=as_it_stands)
    return (await shown(work, [row], actor, "read"))[0]


def expect_booking(work: UnitOfWork, booking_id: UUID) -> None:
    """Lock a booking and its holds, and read it, with whatever is asked next, for who then asks so as the system."""
    work.expect(_reading(booking_id, owner=None, lock=True, with_holds=True))


async def is_reached(work: UnitOfWork, booking_id: UUID, *, actor: Actor) -> bool:
    """Whether there is such a booking for this actor, for those who show something else of it."""
    if actor.kind == "system":
        return True
    reached = select(BookingRow.id).where(BookingRow.id == booking_id, reached_by(actor))
    return await work.session.scalar(reached) is not None


async def get_booking_by_reference(work: UnitOfWork, reference: str, *, actor: Actor) -> Booking:
    """A booking by its reference, however it was typed.

    Raises:
        ReferenceMistyped: no booking has such a reference, whoever asks.
        BookingNotFound: no such booking, or not for this actor.
    """
    row = await _get_row(work, BookingRow.reference == check_reference(reference), actor=actor)
    return (await shown(work, [row], actor, "read"))[0]


async def get_sold_booking(work: UnitOfWork, operator_id: UUID, which: UUID | str, *, actor: Actor) -> Booking:
    """A booking with something of an operator's, for who acts for it: by its id, or by its reference however typed.

    Raises:
        ReferenceMistyped: no booking has such a reference, whoever asks.
        BookingNotFound: no such booking, or not of this operator, or not for this actor.
    """
    named = BookingRow.id == which if isinstance(which, UUID) else BookingRow.reference == check_reference(which)
    row = await _get_row(work, named & _has_of(operator_id), actor=actor)
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


async def list_cancellation_notes(work: UnitOfWork, bookings: Collection[Booking]) -> dict[UUID, str]:
    """Why bookings that the caller has read were cancelled, in the travellers' own words; of those that wrote some.

    What somebody of an operator's wrote is for its staff.
    """
    ended = [str(each.id) for each in bookings if each.cancelled_at]
    if not ended:
        return {}
    [found] = await work.send([(_NOTES, (plain(ended),))])
    return {booking_id: note for booking_id, note in found}  # noqa: C416  (rows are no pairs to the type checker)


_NOTES: Final = (
    "SELECT DISTINCT ON (booking_id) booking_id, facts ->> 'note' FROM booking_audit"
    " JOIN booking ON booking.id = booking_id"
    " WHERE booking_id = ANY ($1::uuid[]) AND to_status = 'cancelled' AND facts ->> 'note' <> ''"
    " AND (booking_audit.actor = booking.owner OR booking_audit.actor LIKE 'guest%') ORDER BY booking_id, at DESC"
)


def reached_by(
    actor: Actor, permission: Permission = Permission.BOOKINGS_READ, *, wholly: bool = False
) -> ColumnElement[bool]:
    """Which bookings a credential reaches: a code's session that one, a visitor or a person their own, who acts for
    operators those with something of theirs, as far as they have the permission, and the system all.

    A booking names its passengers, so whoever reads one for an operator needs the permission for these, too.

    Args:
        wholly: of operators, only those with nothing of others (any more).
    """
    if actor.booking_id is not None:
        return BookingRow.id == actor.booking_id
    if actor.is_everywhere:
        return true()
    if actor.kind == "anonymous":
        return false()
    own = BookingRow.owner == actor.owner
    operators = _operators_of(actor, permission)
    if not operators:
        return own
    items = exists().where(BookingItemRow.booking_id == BookingRow.id)
    sold = items.where(BookingItemRow.operator_id.in_(operators))
    others = items.where(BookingItemRow.operator_id.not_in(operators), BookingItemRow.ended_as.is_(None))
    return own | (sold & ~others if wholly else sold)


def reaches_item(actor: Actor) -> ColumnElement[bool]:
    """Which items of bookings that a credential reaches it may change: all of its own, or those of its operators."""
    if actor.booking_id is not None or actor.is_everywhere:
        return true()
    own = exists().where(BookingRow.id == BookingItemRow.booking_id, BookingRow.owner == actor.owner)
    return own | BookingItemRow.operator_id.in_(_operators_of(actor, Permission.BOOKINGS_CHANGE))


def sold_for(actor: Actor, permission: Permission, operator_id: UUID | None = None) -> Select[UUID, str]:
    """`id` and `reference` of the bookings of which all was sold for operators for whom an actor has a permission.

    For what other modules ask. An actor's own bookings are not among them for being their own.

    Args:
        operator_id: something of them was sold for this one.
    """
    query = select(BookingRow.id, BookingRow.reference).where(_has_of(operator_id) if operator_id else true())
    if actor.is_everywhere:
        return query
    operators = actor.operators_with(permission)
    others = exists().where(BookingItemRow.booking_id == BookingRow.id, BookingItemRow.operator_id.not_in(operators))
    return query.where(~others)


def sold_by(operator_id: UUID, actor: Actor, permission: Permission) -> Select[UUID, str, str, datetime | None]:
    """`id`, `reference`, `status` and `expires_at` of the bookings of which something was sold for an operator; none
    for an actor who may not do that there. For what other modules ask."""
    query = select(BookingRow.id, BookingRow.reference, BookingRow.status, BookingRow.expires_at)
    return query.where(_has_of(operator_id) if actor.may(permission, operator_id) else false())


def _has_of(operator_id: UUID) -> ColumnElement[bool]:
    return exists().where(BookingItemRow.booking_id == BookingRow.id, BookingItemRow.operator_id == operator_id)


async def get_row(
    work: UnitOfWork, booking_id: UUID, *, actor: Actor = SYSTEM, as_it_stands: bool = False, wholly: bool = False
) -> BookingRow:
    """The row itself, locked, for commands of this module. `as_it_stands`: see `get_booking`; `wholly`: `reached_by`.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
        ConcernsOthers: `wholly`, and only a part of it is for this actor.
    """
    return await _get_row(
        work, BookingRow.id == booking_id, actor=actor, lock=True, as_it_stands=as_it_stands, wholly=wholly
    )


async def count_bookings_by_status(work: UnitOfWork) -> dict[str, int]:
    """How many bookings are in each status; statuses without any are left out."""
    rows = await work.session.execute(select(BookingRow.status, func.count()).group_by(BookingRow.status))
    return {status: count for status, count in rows}  # noqa: C416  (rows are no pairs to the type checker)


def _operators_of(actor: Actor, permission: Permission) -> frozenset[UUID]:
    return actor.operators_with(permission) & actor.operators_with(Permission.PASSENGERS_READ)


def _has_only_own(actor: Actor, *, lock: bool) -> bool:
    """Whether an actor reaches what they booked themselves, and nothing else."""
    is_somebody = actor.kind != "anonymous" and actor.booking_id is None and not actor.is_everywhere
    return is_somebody and not actor.operators_with(_needed(lock=lock))


def _needed(*, lock: bool) -> Permission:
    return Permission.BOOKINGS_CHANGE if lock else Permission.BOOKINGS_READ  # it is locked to be changed


async def _read(
    work: UnitOfWork, booking_id: UUID, *, owner: str | None, lock: bool, with_holds: bool
) -> tuple[Booking, bool] | None:
    """A booking, and whether its time is over, in one round trip: what nearly everybody asks who asks for one."""
    found = await work.send(_reading(booking_id, owner=owner, lock=lock, with_holds=with_holds))
    rows = _ANY.read(found[0])
    if not rows:
        return None
    if with_holds:
        keep_locked(work, found.pop())
    return PARTS_OF_ONE.assembled(rows, found[2:])[0], bool(found[1])


def _reading(booking_id: UUID, *, owner: str | None, lock: bool, with_holds: bool) -> list[Statement]:
    one = f"{'' if owner is None else ' AND booking.owner = $2'}{' FOR UPDATE' if lock else ''}"
    row = _ONE[one].about(booking_id, *([] if owner is None else [owner]))
    due = ("SELECT FROM booking WHERE id = $1 AND expires_at <= clock_timestamp()", (str(booking_id),))
    holds = [_locking_holds(booking_id, owner)] if with_holds else []
    return [row, due, *PARTS_OF_ONE.about(booking_id), *holds]


def _locking_holds(booking_id: UUID, owner: str | None) -> Statement:
    """Those that are still the booking's, for who reaches it. Others' are not waited for: they may wait for us."""
    holds = "SELECT hold_id FROM booking_item WHERE booking_id = $2::uuid AND ended_as IS NULL"
    holder = f"booking:{booking_id}"
    if owner is None:
        return locking_holds(holder, holds, booking_id)
    holds += " AND EXISTS (SELECT FROM booking WHERE id = $2::uuid AND owner = $3)"
    return locking_holds(holder, holds, booking_id, owner)


_ONE: Final = {
    f"{owned}{locked}": Selection(BookingRow, f"WHERE booking.id = $1{owned}{locked}")
    for owned in ("", " AND booking.owner = $2")
    for locked in ("", " FOR UPDATE")
}
_ANY: Final = _ONE[""]


async def _get_row(
    work: UnitOfWork,
    which: ColumnElement[bool],
    *,
    actor: Actor,
    lock: bool = False,
    as_it_stands: bool = False,
    wholly: bool = False,
) -> BookingRow:
    is_due = func.coalesce(BookingRow.expires_at <= func.clock_timestamp(), false())
    query = select(BookingRow, is_due).where(which, reached_by(actor, _needed(lock=lock), wholly=wholly))
    if lock:
        query = query.with_for_update()
    found = (await work.session.execute(fresh(query))).one_or_none()
    if found is None and wholly:
        await _get_row(work, which, actor=actor, lock=lock, as_it_stands=True)
        raise ConcernsOthers
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
