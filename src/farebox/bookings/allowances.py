"""Taking something off the price of a booking that was sold, by the operator's will: for a delay, a broken seat."""

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import Final
from uuid import UUID

from farebox.accounts import SYSTEM, Actor
from farebox.bookings.events import BookingRepriced
from farebox.bookings.queries import get_booking, get_row
from farebox.bookings.repricing import write_revision
from farebox.bookings.sharing import SeatPrice, share_out_item
from farebox.bookings.states import BookingStatus, record
from farebox.bookings.views import BookedLine, Booking
from farebox.core.db import UnitOfWork
from farebox.core.i18n import N_
from farebox.core.money import Money, total

ALLOWANCE: Final = N_("Allowance")
REASON: Final = "allowance"


async def lower_price(
    work: UnitOfWork, booking_id: UUID, amount: Money, *, items: Collection[UUID], actor: Actor, note: str
) -> tuple[Booking, Booking]:
    """Take an amount off the price of some of a booking's items: of the dearest first. The booking before, and after.

    Ledger and refund are the caller's, in the same unit of work.

    Args:
        note: why, in words; kept in the audit.

    Raises:
        BookingNotFound: no such booking.
        ValueError: a mistake of the caller: more than they cost without open returns, or another currency.
    """
    row = await get_row(work, booking_id, as_it_stands=True)
    before = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
    await write_revision(work, row, [*before.lines, *discounts(before, amount, items=items)])
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


def discounts(booking: Booking, amount: Money, *, items: Collection[UUID]) -> list[BookedLine]:
    """An amount off some of a booking's items, the dearest first, as price lines.

    Raises:
        ValueError: see `lower_price`.
    """
    lines = [line for line in booking.lines if line.item_id in items and line.open_return_id is None]
    prices = {item_id: [line for line in lines if line.item_id == item_id] for item_id in _in_order(lines)}
    sums = {item_id: total([line.amount for line in theirs], amount.currency) for item_id, theirs in prices.items()}
    seats = {item.id: share_out_item(item, booking.lines, amount.currency).prices for item in booking.items}
    found = []
    left = amount
    for item_id, price in sorted(sums.items(), key=lambda each: -each[1].minor):
        part = min(left, price)
        if part.minor <= 0:
            break
        tax = _tax_in(part, prices[item_id], list(seats.get(item_id, {}).values()))
        found.append(
            BookedLine(
                item_id=item_id,
                kind="discount",
                label=ALLOWANCE,
                facts={},
                seat_number=None,
                amount=Money(-part.minor, amount.currency),
                tax_included=Money(-tax.minor, amount.currency),
            )
        )
        left -= part
    if left:
        raise ValueError(f"{amount} is more than the price")
    return found


def _tax_in(part: Money, lines: Sequence[BookedLine], seats: Sequence[SeatPrice]) -> Money:
    """The tax in a part of an item's price: of its seats, and, in what is more than they cost, of its fees.

    Each at its own rate, since whoever leaves takes the part of their seat along.
    """
    price = total([seat.amount for seat in seats], part.currency)
    tax = total([seat.tax for seat in seats], part.currency)
    fees = total([line.amount for line in lines], part.currency) - price
    fee_tax = total([line.tax_included for line in lines], part.currency) - tax
    off_seats = min(part, price)
    return _share(tax, off_seats, price) + _share(fee_tax, part - off_seats, fees)


def _share(tax: Money, part: Money, whole: Money) -> Money:
    return tax.times(Fraction(part.minor, whole.minor)) if part else part


def _in_order(lines: Sequence[BookedLine]) -> list[UUID]:
    return list(dict.fromkeys(line.item_id for line in lines))
