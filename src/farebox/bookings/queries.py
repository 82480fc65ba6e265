"""Reading bookings. Whom a credential reaches is part of the query: what it does not reach is not found."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal, TypeAlias, TypeVarTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, exists, false, func, select, true

from farebox.accounts import SYSTEM, Actor, Permission, booking_subject, note_accesses
from farebox.bookings.errors import BookingNotFound
from farebox.bookings.expiry import expire_if_due
from farebox.bookings.models import (
    BookingAuditRow,
    BookingItemRow,
    BookingPassengerRow,
    BookingPriceLineRow,
    BookingRow,
)
from farebox.bookings.references import normalise_reference
from farebox.bookings.states import UNPAID, BookingStatus, CancelReason
from farebox.bookings.verticals import ChangePolicy, ItemDescription
from farebox.bookings.views import (
    AuditEntry,
    BookedLine,
    Booking,
    BookingItem,
    Passenger,
    Sealed,
    SealedContact,
)
from farebox.core.db import UnitOfWork
from farebox.core.money import Money

Columns = TypeVarTuple("Columns")

UNNOTED: Final = frozenset({"anonymous", "guest", "system"})
"""Kinds of actors who see their own bookings only, and the system, which sees nothing in the sense of the audit."""

ListedStatus: TypeAlias = Literal["upcoming", "pending", "completed", "cancelled"]


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
        BookingNotFound: no such booking, or not for this actor.
    """
    row = await _get_row(work, BookingRow.reference == normalise_reference(reference), actor=actor)
    return (await shown(work, [row], actor, "read"))[0]


async def list_bookings(
    work: UnitOfWork, *, actor: Actor, status: ListedStatus | None = None, limit: int = 20, offset: int = 0
) -> tuple[list[Booking], int]:
    """The bookings that this actor made, the latest first, and how many there are in all.

    Args:
        status: `upcoming`: confirmed, and not begun yet; `pending`: waiting for money; `cancelled`: refunded or not.
    """
    reached = select(BookingRow).where(reached_by(actor), _listed_as(status))
    count = await work.session.scalar(select(func.count()).select_from(reached.subquery()))
    page = reached.order_by(BookingRow.created_at.desc(), BookingRow.id.desc()).limit(limit).offset(offset)
    rows = (await work.session.scalars(_fresh(page))).all()
    for row in rows:
        if row.expires_at is not None and row.expires_at <= work.now and await expire_if_due(work, row.id):
            await work.session.refresh(row)
    return await shown(work, rows, actor, "list"), count or 0


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


def _listed_as(status: ListedStatus | None) -> ColumnElement[bool]:
    is_open = BookingRow.status.in_(UNPAID)
    is_over = func.coalesce(BookingRow.expires_at <= func.clock_timestamp(), false())
    ended = BookingRow.status.in_([BookingStatus.CANCELLED, BookingStatus.REFUNDED])
    clauses: dict[ListedStatus | None, ColumnElement[bool]] = {
        None: true(),
        "upcoming": (BookingRow.status == BookingStatus.CONFIRMED) & (BookingRow.starts_at > func.now()),
        "pending": is_open & ~is_over,
        "completed": BookingRow.status == BookingStatus.COMPLETED,
        "cancelled": ended | (is_open & is_over),
    }
    return clauses[status]


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


async def get_row(
    work: UnitOfWork, booking_id: UUID, *, actor: Actor = SYSTEM, as_it_stands: bool = False
) -> BookingRow:
    """The row itself, locked, for commands of this module. `as_it_stands`: see `get_booking`.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
    """
    return await _get_row(work, BookingRow.id == booking_id, actor=actor, lock=True, as_it_stands=as_it_stands)


def contact_of(row: BookingRow) -> SealedContact:
    return SealedContact(
        Sealed(row.contact_email, "booking.contact_email"), Sealed(row.contact_phone, "booking.contact_phone")
    )


def booking_of(
    row: BookingRow,
    items: Iterable[BookingItemRow],
    passengers: Sequence[BookingPassengerRow],
    lines: Iterable[BookingPriceLineRow],
) -> Booking:
    """A booking from its rows; lines of older revisions are left out."""
    return Booking(
        id=row.id,
        reference=row.reference,
        status=BookingStatus(row.status),
        reason=CancelReason(row.reason) if row.reason else None,
        owner=row.owner,
        language=row.language,
        total=Money(row.total_minor, row.currency),
        tax=Money(row.tax_minor, row.currency),
        contact=contact_of(row),
        items=tuple(
            _item(item, [person for person in passengers if person.item_id == item.id])
            for item in sorted(items, key=lambda item: item.position)
        ),
        lines=tuple(
            _line(line) for line in sorted(lines, key=lambda line: line.position) if line.revision == row.price_revision
        ),
        created_at=row.created_at,
        expires_at=row.expires_at,
        confirmed_at=row.confirmed_at,
        cancelled_at=row.cancelled_at,
    )


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
    found = (await work.session.execute(_fresh(query))).one_or_none()
    if found is None:
        raise BookingNotFound
    row, due = found
    if due and not as_it_stands and await expire_if_due(work, row.id):
        await work.session.refresh(row)
    return row


def _fresh(query: Select[*Columns]) -> Select[*Columns]:
    """Rows that this session has seen before are read anew: others may have changed them since."""
    return query.execution_options(populate_existing=True)


async def shown(work: UnitOfWork, rows: Sequence[BookingRow], actor: Actor, action: str) -> list[Booking]:
    """Bookings for somebody to see. Who sees other people's is written down, once in a unit of work."""
    bookings = await _assemble(work, rows)
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


async def _assemble(work: UnitOfWork, rows: Sequence[BookingRow]) -> list[Booking]:
    """Bookings with all that belongs to them: three queries, however many they are."""
    ids = [row.id for row in rows]
    items = (await work.session.scalars(select(BookingItemRow).where(BookingItemRow.booking_id.in_(ids)))).all()
    passengers = (
        await work.session.scalars(
            select(BookingPassengerRow)
            .where(BookingPassengerRow.booking_id.in_(ids))
            .order_by(BookingPassengerRow.unit)
            .execution_options(populate_existing=True)
        )
    ).all()
    lines = (
        await work.session.scalars(
            select(BookingPriceLineRow)
            .join(BookingRow, BookingRow.id == BookingPriceLineRow.booking_id)
            .where(BookingRow.id.in_(ids), BookingPriceLineRow.revision == BookingRow.price_revision)
        )
    ).all()
    return [
        booking_of(
            row,
            [item for item in items if item.booking_id == row.id],
            [person for person in passengers if person.booking_id == row.id],
            [line for line in lines if line.booking_id == row.id],
        )
        for row in rows
    ]


def _item(row: BookingItemRow, passengers: Sequence[BookingPassengerRow]) -> BookingItem:
    order = {unit: place for place, unit in enumerate(row.units)}
    return BookingItem(
        id=row.id,
        position=row.position,
        kind=row.kind,
        hold_id=row.hold_id,
        inventory_id=row.inventory_id,
        units=tuple(row.units),
        seat_numbers=tuple(row.labels),
        first_slot=row.first_slot,
        end_slot=row.end_slot,
        resource_id=row.resource_id,
        operator_id=row.operator_id,
        from_id=row.from_id,
        to_id=row.to_id,
        starts_at=row.starts_at,
        completes_at=row.completes_at,
        description=msgspec.convert(row.description, ItemDescription),
        policy=msgspec.convert(row.policy, ChangePolicy),
        passengers=tuple(_passenger(person) for person in sorted(passengers, key=lambda person: order[person.unit])),
    )


def _passenger(row: BookingPassengerRow) -> Passenger:
    return Passenger(
        id=row.id,
        item_id=row.item_id,
        unit=row.unit,
        seat_number=row.seat_number,
        full_name=row.full_name,
        id_type=row.id_type,  # type: ignore[arg-type]  # the table's CHECK says so
        id_number=Sealed(row.id_number, "booking_passenger.id_number"),
        phone=Sealed(row.phone, "booking_passenger.phone"),
        email=Sealed(row.email, "booking_passenger.email") if row.email else None,
        passenger_type=row.passenger_type,  # type: ignore[arg-type]  # the table's CHECK says so
        special_needs=row.special_needs,
    )


def _line(row: BookingPriceLineRow) -> BookedLine:
    return BookedLine(
        item_id=row.item_id,
        kind=row.kind,  # type: ignore[arg-type]  # the table's CHECK says so
        label=row.label,
        facts=row.facts,
        seat_number=row.seat_number,
        amount=Money(row.amount_minor, row.currency),
        tax_included=Money(row.tax_minor, row.currency),
    )
