"""Taking something off the price of a booking that was sold, by the operator's will: for a delay, a broken seat."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final
from uuid import UUID

from farebox.accounts import SYSTEM, Actor
from farebox.bookings.events import BookingRepriced
from farebox.bookings.queries import get_booking, get_row
from farebox.bookings.repricing import write_revision
from farebox.bookings.states import BookingStatus, record
from farebox.bookings.views import BookedLine, Booking
from farebox.core.db import UnitOfWork
from farebox.core.i18n import N_
from farebox.core.money import Money, total

ALLOWANCE: Final = N_("Allowance")
REASON: Final = "allowance"


async def lower_price(
    work: UnitOfWork, booking_id: UUID, amount: Money, *, actor: Actor, note: str
) -> tuple[Booking, Booking]:
    """Take an amount off a booking's price: from what costs most first. The booking before, and after.

    Ledger and refund are the caller's, in the same unit of work.

    Args:
        note: why, in words; kept in the audit.

    Raises:
        BookingNotFound: no such booking.
        ValueError: a mistake of the caller: more than the price, or another currency.
    """
    row = await get_row(work, booking_id, as_it_stands=True)
    before = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
    await write_revision(work, row, [*before.lines, *_discounts(before.lines, amount)])
    status = BookingStatus(row.status)
    facts = {"amount": str(amount.amount), "currency": amount.currency, "note": note}
    record(work, booking_id, actor=actor, source=status, target=status, reason=REASON, facts=facts)
    after = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
    work.publish(
        BookingRepriced(
            booking_id=booking_id,
            reference=after.reference,
            total_price=str(after.total.amount),
            currency=after.total.currency,
        )
    )
    return before, after


def _discounts(lines: Sequence[BookedLine], amount: Money) -> list[BookedLine]:
    prices = {item_id: [line for line in lines if line.item_id == item_id] for item_id in _in_order(lines)}
    sums = {item_id: total([line.amount for line in theirs], amount.currency) for item_id, theirs in prices.items()}
    found = []
    left = amount.minor
    for item_id, price in sorted(sums.items(), key=lambda each: -each[1].minor):
        part = min(left, price.minor)
        if part <= 0:
            break
        tax = total([line.tax_included for line in prices[item_id]], amount.currency).times(Fraction(part, price.minor))
        found.append(
            BookedLine(
                item_id=item_id,
                kind="discount",
                label=ALLOWANCE,
                facts={},
                seat_number=None,
                amount=Money(-part, amount.currency),
                tax_included=Money(-tax.minor, amount.currency),
            )
        )
        left -= part
    if left:
        raise ValueError(f"{amount} is more than the price")
    return found


def _in_order(lines: Sequence[BookedLine]) -> list[UUID]:
    return list(dict.fromkeys(line.item_id for line in lines))
