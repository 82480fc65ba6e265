"""What promotion codes gave: how many bookings have one now, and what it took off their prices."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from farebox.bookings.models import BookingPriceLineRow, BookingRow
from farebox.bookings.states import SOLD
from farebox.core.db import UnitOfWork
from farebox.core.money import Money

LABEL: Final = "promotion"
"""Of the lines of price that a code makes."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a code took off sold bookings that still stand, in one currency."""

    promotion_id: UUID
    bookings: int
    amount: Money


async def list_given(work: UnitOfWork, promotion_ids: Collection[UUID]) -> list[Given]:
    """What each of these codes gave; those that gave nothing are left out."""
    rows = await work.session.execute(
        select(
            BookingRow.promotion_id,
            BookingRow.currency,
            func.count(BookingRow.id.distinct()),
            func.sum(BookingPriceLineRow.amount_minor),
        )
        .join(
            BookingPriceLineRow,
            (BookingPriceLineRow.booking_id == BookingRow.id)
            & (BookingPriceLineRow.revision == BookingRow.price_revision),
        )
        .where(
            BookingRow.promotion_id.in_(promotion_ids),
            BookingRow.status.in_(SOLD),
            BookingPriceLineRow.label == LABEL,
        )
        .group_by(BookingRow.promotion_id, BookingRow.currency)
        .order_by(BookingRow.currency)
    )
    return [
        Given(promotion_id, bookings, Money(-int(minor), currency))
        for promotion_id, currency, bookings, minor in rows
        if promotion_id is not None
    ]
