"""What other seats do to a booking's price, line by line: arithmetic over the lines and the terms of the old seats.

What was paid for the old seats pays for the new ones and for the change fees. Of what is left, as much is paid back as
a cancellation would pay back at that instant: to change first and to cancel then wins nothing, and costs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import Final
from uuid import UUID

from farebox.bookings.changes import SeatChange
from farebox.bookings.policy import WHOLE_BP, rate_when_given_up
from farebox.bookings.sharing import SeatPrice, Shares, less, share_out_item
from farebox.bookings.views import BookedLine, Booking, BookingItem
from farebox.core.i18n import N_
from farebox.core.money import Money, total
from farebox.pricing import Quote, share_out

CHANGE_FEE: Final = N_("Seat {seat}, change fee")
"""Label of the price line of what a change costs, with the seat that the change led to. It stays with who has that
seat, whatever is changed or cancelled later."""

DIFFERENCE_KEPT: Final = N_("Seat {seat}, kept of what seat {former} cost more ({percent}% of it is paid back)")
"""Label of the price line of what is not paid back where the new seat costs less. It stays with the seat, too."""


@dataclass(frozen=True, slots=True)
class Repriced:
    """A booking's price with other seats.

    Attributes:
        gone, added: the lines that fall away and those that come; `lines`: all, as they will be.
    """

    gone: tuple[BookedLine, ...]
    added: tuple[BookedLine, ...]
    lines: tuple[BookedLine, ...]


def reprice(booking: Booking, item: BookingItem, change: SeatChange, quote: Quote, at: datetime) -> Repriced:
    """What a booking costs with the seats of a change in place of those that its people have on an item.

    Args:
        quote: of the new seats. What is paid once was paid with the first seats, and is not asked for again.
        at: the instant of the change, by which the terms of the old seats say how much of a difference is paid back.
    """
    old = share_out_item(item, booking.lines, booking.total.currency)
    sorted_out = _sort_out(booking, item, change, old)
    new = lines_of_seats(quote, change.new_item_id)
    taken_off, too_much = _within(sorted_out.discounts, new, change.new_item_id)
    fee = Money(item.policy.change_fee_minor, quote.currency)
    fees = [_fee_line(change.new_item_id, move.seat_number, fee, fee_tax(fee, new)) for move in change.moves if fee]
    kept = _difference_kept(booking, item, change, old, [*new, *taken_off, *fees], at)
    added = (*new, *fees, *kept)
    return Repriced(gone=(*sorted_out.gone, *too_much), added=added, lines=(*sorted_out.staying, *taken_off, *added))


def fee_tax(fee: Money, lines: Sequence[BookedLine]) -> Money:
    """The tax in a fee: as much of it as of what it is a fee for."""
    price = total([line.amount for line in lines], fee.currency)
    tax = total([line.tax_included for line in lines], fee.currency)
    return fee.times(Fraction(tax.minor, price.minor)) if price else Money.zero(fee.currency)


def lines_of_seats(quote: Quote, item_id: UUID) -> list[BookedLine]:
    """A quote's lines of seats, as lines of an item. What is paid once was paid with the booking's first seats."""
    return [
        BookedLine(
            item_id=item_id,
            kind=line.kind,
            label=line.label,
            facts=line.facts,
            seat_number=line.seat_number,
            amount=line.amount,
            tax_included=line.tax_included,
        )
        for line in quote.lines
        if line.seat_number is not None
    ]


@dataclass(frozen=True, slots=True)
class _SortedOut:
    """A booking's lines when people leave an item: what stays, what falls away, and the discounts of the whole item
    that go along with them, each as far as it was off their seats."""

    staying: list[BookedLine] = field(default_factory=list)
    gone: list[BookedLine] = field(default_factory=list)
    discounts: list[BookedLine] = field(default_factory=list)


def _sort_out(booking: Booking, item: BookingItem, change: SeatChange, old: Shares) -> _SortedOut:
    """Fees of a seat go along with who had it, and what is paid once with the last of an item."""
    people = {person.id: person for person in item.passengers}
    leaving = {people[move.passenger_id].seat_number: move.seat_number for move in change.moves}
    found = _SortedOut()
    for position, line in enumerate(booking.lines):
        if line.item_id != item.id:
            found.staying.append(line)
        elif line.seat_number in leaving and line.kind != "fee":
            found.gone.append(line)
        elif position in old.portions:
            theirs = [old.portions[position][move.passenger_id] for move in change.moves]
            rest = less(line, theirs)
            if rest.amount:
                found.staying.append(_carried(rest, change, leaving))
            part = _part(line, theirs)
            if part.amount:
                (found.discounts if line.kind == "discount" else found.gone).append(part)
        else:
            found.staying.append(_carried(line, change, leaving))
    return found


def _carried(line: BookedLine, change: SeatChange, leaving: Mapping[str, str]) -> BookedLine:
    """A line that goes along: it counts for the new seat, and goes on naming the one that it was for."""
    if line.seat_number is not None and line.seat_number in leaving:
        return replace(line, item_id=change.new_item_id, seat_number=leaving[line.seat_number])
    if line.seat_number is None and change.is_whole:
        return replace(line, item_id=change.new_item_id)
    return line


def _part(line: BookedLine, portions: Sequence[SeatPrice]) -> BookedLine:
    """The part of a line that counted for some of its seats."""
    currency = line.amount.currency
    return replace(
        line,
        amount=total([portion.amount for portion in portions], currency),
        tax_included=total([portion.tax for portion in portions], currency),
    )


def _within(
    discounts: Sequence[BookedLine], new: Sequence[BookedLine], item_id: UUID
) -> tuple[list[BookedLine], list[BookedLine]]:
    """Discounts as far as the new seats cost so much, with the new seats' part of tax; and what falls away of them."""
    taken_off: list[BookedLine] = []
    too_much: list[BookedLine] = []
    for line in discounts:
        currency = line.amount.currency
        price = total([each.amount for each in (*new, *taken_off)], currency)
        tax = total([each.tax_included for each in (*new, *taken_off)], currency)
        off = min(Money(-line.amount.minor, currency), price)
        if off:
            less_tax = tax.times(Fraction(off.minor, price.minor))
            taken_off.append(
                replace(
                    line,
                    item_id=item_id,
                    amount=Money(-off.minor, currency),
                    tax_included=Money(-less_tax.minor, currency),
                )
            )
        if line.amount + off:
            too_much.append(replace(line, amount=line.amount + off, tax_included=Money.zero(currency)))
    return taken_off, too_much


def _fee_line(item_id: UUID, seat: str, fee: Money, tax: Money) -> BookedLine:
    return BookedLine(
        item_id=item_id,
        kind="fee",
        label=CHANGE_FEE,
        facts={"seat": seat},
        seat_number=seat,
        amount=fee,
        tax_included=tax,
    )


def _difference_kept(
    booking: Booking, item: BookingItem, change: SeatChange, old: Shares, new: Sequence[BookedLine], at: datetime
) -> list[BookedLine]:
    """What is not paid back of what the old seats cost more than the new ones with their fees, seat by seat.

    What is paid back is rounded down, so that many small changes win nothing that a cancellation would not have paid
    back. What is kept is shared out by what each old seat cost more.
    """
    currency = booking.total.currency
    people = {person.id: person for person in item.passengers}
    before = [old.prices[move.passenger_id] for move in change.moves]
    difference = total([price.amount for price in before], currency) - total([line.amount for line in new], currency)
    if difference.minor <= 0:
        return []
    rate = rate_when_given_up(item.policy, at)
    # Never more than the booking costs: earlier releases left discounts with a ride that people had changed away from.
    most = booking.total - booking.price_of_open_returns
    back = min(difference.minor * rate // WHOLE_BP, most.minor)
    weights = [
        max(0, price.amount.minor - cost) for price, cost in zip(before, _costs_of_seats(change, new), strict=True)
    ]
    parts = share_out(difference.minor - back, weights)
    return [
        BookedLine(
            item_id=change.new_item_id,
            kind="fee",
            label=DIFFERENCE_KEPT,
            facts={
                "seat": move.seat_number,
                "former": people[move.passenger_id].seat_number,
                "percent": f"{rate / 100:g}",
            },
            seat_number=move.seat_number,
            amount=Money(part, currency),
            tax_included=price.tax.times(Fraction(part, price.amount.minor)),
        )
        for move, price, part in zip(change.moves, before, parts, strict=True)
        if part
    ]


def _costs_of_seats(change: SeatChange, lines: Sequence[BookedLine]) -> list[int]:
    """What each new seat costs, with its part of the discounts of all of them."""
    own = [sum(line.amount.minor for line in lines if line.seat_number == move.seat_number) for move in change.moves]
    off = -sum(line.amount.minor for line in lines if line.seat_number is None)
    return [cost - part for cost, part in zip(own, share_out(off, own), strict=True)]
