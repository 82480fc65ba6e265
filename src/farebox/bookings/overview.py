"""What a traveller wants to know at a glance: what comes next, and what there was so far."""

from dataclasses import dataclass

from sqlalchemy import func, select

from farebox.accounts import Actor
from farebox.bookings.models import BookingItemRow, BookingRow
from farebox.bookings.queries import reached_by, shown
from farebox.bookings.states import SOLD, BookingStatus
from farebox.bookings.views import Booking
from farebox.core.db import UnitOfWork
from farebox.core.money import Money


@dataclass(frozen=True, slots=True)
class TravelSummary:
    """What somebody has booked and kept so far.

    Attributes:
        trips: each way of a round trip is one.
        spent: the totals of those bookings, by currency, the most used currency first.
    """

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
    """What an actor's bookings come to, those that were cancelled left out."""
    items = (
        select(func.count()).where(BookingItemRow.booking_id == BookingRow.id).correlate(BookingRow).scalar_subquery()
    )
    rows = (
        await work.session.execute(
            select(BookingRow.currency, func.sum(BookingRow.total_minor), func.count(), func.sum(items))
            .where(reached_by(actor), BookingRow.status.in_(SOLD))
            .group_by(BookingRow.currency)
            .order_by(func.count().desc(), BookingRow.currency)
        )
    ).all()
    return TravelSummary(
        bookings=sum(count for _, _, count, _ in rows),
        trips=sum(int(trips) for _, _, _, trips in rows),
        spent=tuple(Money(int(total), currency) for currency, total, _, _ in rows),
    )
