"""What a booking costs after it was made: every change writes the whole price anew, under the next revision."""

from collections.abc import Sequence

from farebox.bookings.models import BookingPriceLineRow, BookingRow
from farebox.bookings.views import BookedLine
from farebox.core.db import UnitOfWork
from farebox.core.money import Money, total


async def write_revision(work: UnitOfWork, row: BookingRow, lines: Sequence[BookedLine]) -> Money:
    """Let these lines be the booking's price from now on; the earlier ones stay, as history.

    Args:
        row: the booking, locked by the caller.
        lines: all that counts from now on, also what stays as it was; none where nothing is owed for it any more.

    Returns:
        The new total, which is their sum.

    Raises:
        ValueError: a mistake of the caller: together less than nothing, or not in the booking's currency.
    """
    price = total([line.amount for line in lines], row.currency)
    tax = total([line.tax_included for line in lines], row.currency)
    if price.minor < 0 or tax.minor < 0:
        raise ValueError(f"a booking does not cost {price}, with {tax} of tax in it")
    row.price_revision += 1
    row.total_minor, row.tax_minor = price.minor, tax.minor
    row.updated_at = work.now
    work.session.add_all(
        BookingPriceLineRow(
            booking_id=row.id,
            item_id=line.item_id,
            revision=row.price_revision,
            position=position,
            kind=line.kind,
            label=line.label,
            facts=dict(line.facts),
            seat_number=line.seat_number,
            amount_minor=line.amount.minor,
            tax_minor=line.tax_included.minor,
            currency=row.currency,
            created_at=work.now,
        )
        for position, line in enumerate(lines)
    )
    await work.session.flush()
    return price
