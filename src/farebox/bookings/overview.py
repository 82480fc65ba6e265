"""What a traveller wants to know at a glance: what comes next, and what there was so far."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, func, select

from farebox.accounts import Actor
from farebox.bookings.listing import ListedStatus, listed_as
from farebox.bookings.models import BookingItemRow, BookingRow
from farebox.bookings.queries import reached_by, shown
from farebox.bookings.states import SOLD, BookingStatus
from farebox.bookings.views import Booking
from farebox.core.db import UnitOfWork
from farebox.core.money import Money

LISTED: Final[tuple[ListedStatus, ...]] = ("upcoming", "pending", "completed", "cancelled")


@dataclass(frozen=True, slots=True)
class TravelSummary:
    """What somebody has booked so far.

    Attributes:
        made: all bookings ever made; `upcoming`, `pending`, `completed`, `cancelled`: as a list shows them so filtered.
        bookings: those that were kept; `trips`: their rides, each way of a round trip one.
        spent: what those cost, and what was kept of cancelled ones, by currency, the most used currency first.
    """

    made: int
    upcoming: int
    pending: int
    completed: int
    cancelled: int
    bookings: int
    trips: int
    spent: tuple[Money, ...]


async def list_bookings_ahead(
    work: UnitOfWork, *, actor: Actor, limit: int = 20, offset: int = 0
) -> tuple[list[Booking], int]:
    """Confirmed bookings that are not used up, the one that begins first, first; and how many there are in all."""
    ahead = reached_by(actor) & (BookingRow.status == BookingStatus.CONFIRMED) & (BookingRow.completes_at > work.now)
    rows = await work.session.execute(
        select(BookingRow, func.count().over())
        .where(ahead)
        .order_by(BookingRow.starts_at, BookingRow.id)
        .limit(limit)
        .offset(offset)
        .execution_options(populate_existing=True)
    )
    found = rows.all()
    return await shown(work, [row for row, _ in found], actor, "list"), found[0][1] if found else 0


async def summarise_bookings(work: UnitOfWork, *, actor: Actor) -> TravelSummary:
    """What an actor's bookings come to."""
    items = (
        select(func.count())
        .where(BookingItemRow.booking_id == BookingRow.id, BookingItemRow.ended_as.is_(None))
        .correlate(BookingRow)
        .scalar_subquery()
    )
    is_kept = BookingRow.status.in_(SOLD)
    was_sold = is_kept | BookingRow.confirmed_at.is_not(None)

    def number(which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(which)

    rows = (
        await work.session.execute(
            select(
                BookingRow.currency,
                func.coalesce(func.sum(BookingRow.total_minor).filter(was_sold), 0),
                func.count(),
                *(number(listed_as(each)) for each in LISTED),
                number(is_kept),
                func.coalesce(func.sum(items).filter(is_kept), 0),
            )
            .where(reached_by(actor))
            .group_by(BookingRow.currency)
            .order_by(number(is_kept).desc(), BookingRow.currency)
        )
    ).all()
    made, upcoming, pending, completed, cancelled, kept, trips = (
        sum(int(row[place]) for row in rows) for place in range(2, 9)
    )
    return TravelSummary(
        made=made,
        upcoming=upcoming,
        pending=pending,
        completed=completed,
        cancelled=cancelled,
        bookings=kept,
        trips=trips,
        spent=tuple(Money(int(spent), currency) for currency, spent, *_ in rows if spent),
    )
