"""What each seat of a booking costs: arithmetic over its price lines, of which some count for all seats of an item."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from farebox.bookings.views import BookedLine, BookingItem, Passenger
from farebox.core.i18n import N_
from farebox.core.money import Money, total
from farebox.pricing import share_out

KEPT_OF_RETURN: Final = N_("Kept for an open return, not used")
"""Label of the price line of what is not paid back of an open return's price."""

FEE_TAX: Final = "service-fee-tax"
"""Label of the price line of the tax that is added to what is paid once, as pricing names it."""


@dataclass(frozen=True, slots=True)
class SeatPrice:
    """What one seat costs in a booking: its own lines, and its share of what counts for all seats of the item."""

    amount: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Shares:
    """What each seat of an item costs, and which part of each shared line (by its position) is in that, by person."""

    prices: dict[UUID, SeatPrice]
    portions: dict[int, dict[UUID, SeatPrice]]


def share_out_item(item: BookingItem, lines: Sequence[BookedLine], currency: str) -> Shares:
    """Give each seat its own lines, and of those that count for all seats of the item a part by what the seats cost.

    Nothing is taken off a seat beyond its price: the rest of such a discount is off what is paid once.
    """
    own = {person.id: _own_lines(item, person, lines) for person in item.passengers}
    amounts = {who: sum(line.amount.minor for line in mine) for who, mine in own.items()}
    taxes = {who: sum(line.tax_included.minor for line in mine) for who, mine in own.items()}
    portions: dict[int, dict[UUID, SeatPrice]] = {}
    for position, line in enumerate(lines):
        if line.item_id == item.id and line.seat_number is None and not (is_paid_once(line) or is_of_return(line)):
            weights = [max(0, amount) for amount in amounts.values()]
            amount = max(line.amount.minor, -sum(weights))
            split = _split(amount, weights)
            if amount < 0:
                costs = [weight + part for weight, part in zip(weights, split, strict=True)]
                tax_split = _tax_off(line, costs, list(taxes.values()))
            else:
                tax_split = _split(line.tax_included.minor if amount else 0, weights)
            parts = list(zip(amounts, split, tax_split, strict=True))
            portions[position] = {
                who: SeatPrice(Money(part, currency), Money(tax_part, currency)) for who, part, tax_part in parts
            }
            for who, part, tax_part in parts:
                amounts[who] += part
                taxes[who] += tax_part
    prices = {who: SeatPrice(Money(amounts[who], currency), Money(taxes[who], currency)) for who in own}
    return Shares(prices, portions)


def _tax_off(discount: BookedLine, costs: Sequence[int], taxes: Sequence[int]) -> list[int]:
    """The parts of a discount's tax: each seat keeps tax in proportion to what it has, and no more than it `costs` now.

    What does not fit is the tax in what else the discount is off; whichever seats go, those that stay so keep theirs.
    """
    most = [max(0, min(cost, tax)) for cost, tax in zip(costs, taxes, strict=True)]
    kept = min(max(0, sum(taxes) + discount.tax_included.minor), sum(most))
    return [part - tax for part, tax in zip(share_out(kept, most), taxes, strict=True)]


def is_of_return(line: BookedLine) -> bool:
    """Whether it is for a ride back that was not chosen, and so neither for the item that it is with nor its seats."""
    return line.open_return_id is not None or line.label == KEPT_OF_RETURN


def is_paid_once(line: BookedLine) -> bool:
    """Whether it is for the item and not for its seats: the service fee, and the tax on that."""
    return line.seat_number is None and (line.kind == "fee" or line.label == FEE_TAX)


def _own_lines(item: BookingItem, person: Passenger, lines: Sequence[BookedLine]) -> list[BookedLine]:
    return [
        line
        for line in lines
        if line.item_id == item.id and line.seat_number == person.seat_number and line.kind != "fee"
    ]


def _split(amount: int, weights: Sequence[int]) -> list[int]:
    """An amount of either sign in parts by weight, exact to the minor unit."""
    parts = share_out(abs(amount), weights)
    return parts if amount >= 0 else [-part for part in parts]


def less(line: BookedLine, portions: Sequence[SeatPrice]) -> BookedLine:
    """A line that counted for several seats, without the parts of some."""
    currency = line.amount.currency
    return replace(
        line,
        amount=line.amount - total([portion.amount for portion in portions], currency),
        tax_included=line.tax_included - total([portion.tax for portion in portions], currency),
    )
