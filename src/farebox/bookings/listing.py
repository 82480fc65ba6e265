"""Lists of bookings: filtered, searched, sorted, a page at a time."""

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Date, cast, exists, false, func, or_, select, true

from farebox.accounts import Actor, Permission, PersonNotFound
from farebox.bookings.details import contact_key
from farebox.bookings.expiry import expire_if_due
from farebox.bookings.models import BookingItemRow, BookingPassengerRow, BookingRow
from farebox.bookings.queries import fresh, reached_by, shown, sold_by
from farebox.bookings.references import normalise_reference
from farebox.bookings.states import UNPAID, BookingStatus, CancelReason
from farebox.bookings.views import Booking
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.settings import Settings

ListedStatus: TypeAlias = Literal[
    "upcoming", "pending", "payment_processing", "confirmed", "completed", "cancelled", "expired", "refunded"
]
BookingOrder: TypeAlias = Literal[
    "created", "-created", "departure", "-departure", "date", "-date", "status", "-status", "reference", "-reference"
]

_COLUMNS: Final = {
    "created": BookingRow.created_at,
    "departure": BookingRow.starts_at,
    "date": BookingRow.starts_at,
    "status": BookingRow.status,
    "reference": BookingRow.reference,
}


async def list_bookings(
    work: UnitOfWork,
    *,
    actor: Actor,
    person_id: UUID | None = None,
    status: ListedStatus | None = None,
    search: str = "",
    first_day: date | None = None,
    last_day: date | None = None,
    sort: BookingOrder = "-created",
    limit: int = 20,
    offset: int = 0,
) -> tuple[list[Booking], int]:
    """The bookings that an actor reaches, and how many there are in all.

    Args:
        person_id: only those of this person: all for themselves, for staff those with something of their operators.
        status: `upcoming`: confirmed or waiting for money, and not begun yet; `pending`: waiting for money, being paid
            or not; `cancelled`: refunded or not; `expired`: cancelled since its time to pay was over.
        search: a part of a reference, or, in one's own bookings, of a passenger's or place's name; accents and case do
            not matter.
        first_day, last_day: when one of the rides begins, by the calendar where it does; both included.
        sort: downwards where it begins with a hyphen; `date` is that of the departure. Of two alike, the one made
            earlier is the smaller.

    Raises:
        PersonNotFound: `person_id` is somebody else, there or not, who has booked nothing that the actor may see.
    """
    which = reached_by(actor)
    if person_id is not None:
        which &= BookingRow.owner == Actor("user", person_id).owner
        await _refuse_strangers(work, which, actor, person_id)
    reached = select(BookingRow).where(
        which, listed_as(status), _begins_within(first_day, last_day), _is_found(search, actor)
    )
    count = await work.session.scalar(select(func.count()).select_from(reached.subquery()))
    order = [_COLUMNS[sort.removeprefix("-")], BookingRow.id]
    in_order = reached.order_by(*(column.desc() for column in order) if sort.startswith("-") else order)
    rows = (await work.session.scalars(fresh(in_order.limit(limit).offset(offset)))).all()
    return await _listed(work, rows, actor), count or 0


async def list_bookings_of_contact(
    work: UnitOfWork,
    operator_id: UUID,
    typed: str,
    *,
    actor: Actor,
    settings: Settings,
    secrets: Secrets,
    limit: int = 20,
) -> tuple[list[Booking], bool]:
    """The bookings with something of an operator's whose contact has this e-mail address or phone number, the newest
    first, for who may read bookings there; and whether there are more."""
    indexes = secrets.blind_indexes(contact_key(typed, region=settings.phone_region))
    column = BookingRow.contact_email_index if "@" in typed else BookingRow.contact_phone_index
    sold = sold_by(operator_id, actor, Permission.BOOKINGS_READ).with_only_columns(BookingRow.id)
    query = select(BookingRow).where(column.in_(indexes), BookingRow.id.in_(sold), reached_by(actor))
    rows = (await work.session.scalars(fresh(query.order_by(BookingRow.id.desc()).limit(limit + 1)))).all()
    return await _listed(work, rows[:limit], actor), len(rows) > limit


async def _listed(work: UnitOfWork, rows: Sequence[BookingRow], actor: Actor) -> list[Booking]:
    for row in rows:
        if row.expires_at is not None and row.expires_at <= work.now and await expire_if_due(work, row.id):
            await work.session.refresh(row)
    return await shown(work, rows, actor, "list")


async def _refuse_strangers(work: UnitOfWork, which: ColumnElement[bool], actor: Actor, person_id: UUID) -> None:
    """Staff learn of people by their bookings only, and others of nobody."""
    if (actor.kind, actor.id) == ("user", person_id):
        return
    if not actor.may(Permission.BOOKINGS_READ) or not await work.session.scalar(select(exists().where(which))):
        raise PersonNotFound


def listed_as(status: ListedStatus | None) -> ColumnElement[bool]:
    """Which bookings a filter shows. One whose time to pay is over is cancelled, swept or not."""
    is_unpaid = BookingRow.status.in_(UNPAID)
    is_over = func.coalesce(BookingRow.expires_at <= func.clock_timestamp(), false())
    is_open, has_lapsed = is_unpaid & ~is_over, is_unpaid & is_over
    is_confirmed = BookingRow.status == BookingStatus.CONFIRMED
    ended = BookingRow.status.in_([BookingStatus.CANCELLED, BookingStatus.REFUNDED])
    clauses: dict[ListedStatus | None, ColumnElement[bool]] = {
        None: true(),
        "upcoming": (is_confirmed | is_open) & (BookingRow.starts_at > func.now()),
        "pending": is_open,
        "payment_processing": is_open & (BookingRow.status == BookingStatus.PAYMENT_PROCESSING),
        "confirmed": is_confirmed,
        "completed": BookingRow.status == BookingStatus.COMPLETED,
        "cancelled": ended | has_lapsed,
        "expired": (ended & (BookingRow.reason == CancelReason.EXPIRED)) | has_lapsed,
        "refunded": BookingRow.status == BookingStatus.REFUNDED,
    }
    return clauses[status]


def _begins_within(first_day: date | None, last_day: date | None) -> ColumnElement[bool]:
    """Whether a ride that the booking has begins on one of the days."""
    if first_day is None and last_day is None:
        return true()
    zone = BookingItemRow.description["origin"]["timezone"].astext
    day = cast(func.timezone(zone, BookingItemRow.starts_at), Date)
    within = [BookingItemRow.booking_id == BookingRow.id, BookingItemRow.ended_as.is_(None)]
    within += [day >= first_day] if first_day else []
    within += [day <= last_day] if last_day else []
    return select(BookingItemRow.id).where(*within).exists()


def _is_found(search: str, actor: Actor) -> ColumnElement[bool]:
    """Whether a booking is what was searched for."""
    if not search.strip():
        return true()
    reference = normalise_reference(search)
    named = BookingRow.reference.contains(reference, autoescape=True) if reference else false()
    if actor.booking_id is not None or actor.kind == "anonymous":
        return named
    folded = select(func.public.search_fold(search)).scalar_subquery()  # once, and not for each row anew

    def is_like(column: ColumnElement[str]) -> ColumnElement[bool]:
        return (folded != "") & (func.strpos(func.public.search_fold(column), folded) > 0)

    ends = [BookingItemRow.description[end] for end in ("origin", "destination")]
    places = or_(*(is_like(end[name].astext) for end in ends for name in ("name", "place")))
    passenger = (BookingPassengerRow.booking_id == BookingRow.id) & is_like(BookingPassengerRow.full_name.expression)
    item = (BookingItemRow.booking_id == BookingRow.id) & places
    is_own = BookingRow.owner == actor.owner
    who, where = select(BookingPassengerRow.id).where(passenger), select(BookingItemRow.id).where(item)
    return named | (is_own & (who.exists() | where.exists()))
