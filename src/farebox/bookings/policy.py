"""What is paid back for seats that are given up: arithmetic over a booking's price and the terms of its sale.

Pure: the same booking, people and instant give the same answer, so what is quoted is what is paid back.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from msgspec import structs

from farebox.bookings.sharing import (
    KEPT_OF_RETURN,
    SeatPrice,
    Shares,
    is_of_return,
    is_paid_once,
    less,
    share_out_item,
)
from farebox.bookings.verticals import ChangePolicy, RefundTier
from farebox.bookings.views import BookedLine, Booking, BookingItem, OpenReturn, Passenger
from farebox.core.i18n import N_
from farebox.core.money import Money, total

WHOLE_BP: Final = 10_000

SEAT: Final = N_("Seat {seat}")
KEPT: Final = N_("Kept for seat {seat}, cancelled")
"""Label of the price line of what is not paid back for a seat. It stays, whatever else is cancelled later."""

OPEN_RETURN: Final = N_("Open return")


@dataclass(frozen=True, slots=True)
class RefundLine:
    """What is paid back of the price of one seat, or of what is paid once for an item (the service fee).

    Attributes:
        passenger_id, seat_number: whose seat; `None` for what is paid once.
        label, facts: what the line is for, as in a `BookedLine`.
        price: what was paid for it, all discounts taken off.
        refund_bp: how much of it is paid back, in basis points.
        until: the last instant at which it is as much; `None` where that does not depend on time.
    """

    item_id: UUID
    passenger_id: UUID | None
    seat_number: str | None
    label: str
    price: Money
    refund: Money
    refund_bp: int
    until: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kept(self) -> Money:
        return self.price - self.refund


@dataclass(frozen=True, slots=True)
class CancellationQuote:
    """What giving up some seats of a booking comes to, at one instant.

    Attributes:
        passenger_ids: whose seats, in the booking's order.
        open_return_ids: which open returns.
        is_whole: nobody is left, so the booking is over.
        refund: comes off the booking's total.
        left: the booking's price lines afterwards.
    """

    passenger_ids: tuple[UUID, ...]
    is_whole: bool
    lines: tuple[RefundLine, ...]
    left: tuple[BookedLine, ...]
    currency: str
    open_return_ids: tuple[UUID, ...] = ()

    @property
    def price(self) -> Money:
        """What was paid for all that is given up."""
        return total([line.price for line in self.lines], self.currency)

    @property
    def refund(self) -> Money:
        return total([line.refund for line in self.lines], self.currency)

    @property
    def kept(self) -> Money:
        return self.price - self.refund

    @property
    def until(self) -> datetime | None:
        """The last instant at which the quote holds."""
        return min((line.until for line in self.lines if line.until is not None), default=None)


def is_cancellable(item: BookingItem, at: datetime) -> bool:
    """Whether a traveller may give up seats of an item: it has not begun, and its terms allow it."""
    latest = item.policy.cancel_until
    return latest is not None and at <= latest and at < item.starts_at


def rate_at(policy: ChangePolicy, at: datetime) -> tuple[int, datetime | None]:
    """How much of a seat's price is paid back, in basis points, and until when it is as much."""
    for tier in policy.tiers:
        if at <= tier.until:
            return tier.refund_bp, tier.until
    return (0 if policy.tiers else WHOLE_BP), policy.cancel_until


def rate_when_given_up(policy: ChangePolicy, at: datetime) -> int:
    """How much of a seat's price a cancellation would pay back at an instant, in basis points: also 0, if too late."""
    latest = policy.cancel_until
    return rate_at(policy, at)[0] if latest is not None and at <= latest else 0


def no_better_than(new: ChangePolicy, old: ChangePolicy, at: datetime) -> ChangePolicy:
    """The terms of seats that others are given for at an instant: they pay back no larger a part than those would then.

    Else whoever is late would change to a later trip first, and cancel that one.
    """
    rate_bp = rate_when_given_up(old, at)
    return paying_back_at_most(new, rate_bp)


def paying_back_at_most(new: ChangePolicy, rate_bp: int) -> ChangePolicy:
    """The same terms, with no larger part of a seat's price paid back than so much."""
    if rate_bp == WHOLE_BP or new.cancel_until is None:
        return new
    tiers = new.tiers or (RefundTier(until=new.cancel_until, refund_bp=WHOLE_BP),)
    capped = tuple(RefundTier(until=tier.until, refund_bp=min(tier.refund_bp, rate_bp)) for tier in tiers)
    return structs.replace(new, tiers=capped)


def quote_seats_given_up(
    booking: Booking,
    passenger_ids: Collection[UUID],
    at: datetime,
    *,
    open_returns: Collection[UUID] = (),
    in_full: bool = False,
) -> CancellationQuote:
    """What is paid back for the seats of these passengers, line by line, and the booking's price without them.

    By the terms of the sale, a seat's price is paid back at the rate of that instant, and what is paid once for the
    item where the terms say so and nobody of the item stays. What an earlier change or cancellation has cost stays.

    Args:
        open_returns: the same for these: at their own rate.
        in_full: all of it is paid back, whatever the terms: nothing was paid yet, or the operator is the cause.
    """
    given = [person for person in booking.passengers if person.id in passenger_ids]
    refunds: list[RefundLine] = []
    left = [line for line in booking.lines if line.open_return_id is None]
    of_returns = [line for line in booking.lines if line.open_return_id is not None]
    for item in booking.items:
        going = [person for person in item.passengers if person in given]
        if going:
            shares = share_out_item(item, left, booking.total.currency)
            rate, until = (WHOLE_BP, None) if in_full else rate_at(item.policy, at)
            seats = [_seat_refund(item, person, shares.prices[person.id], rate, until) for person in going]
            left, fees = _without(item, going, left, shares, in_full=in_full)
            left += [
                _kept_line(line, shares.prices[person.id])
                for person, line in zip(going, seats, strict=True)
                if line.kept
            ]
            _keep_tax_within(item, left)
            refunds += seats
            refunds += fees
    _keep_within(booking.total - booking.price_of_open_returns, refunds, left)
    ending = [each for each in booking.open_returns if each.id in open_returns]
    for each in ending:
        its_lines = [line for line in of_returns if line.open_return_id == each.id]
        refund = _return_refund(each, its_lines[0].item_id, in_full=in_full)
        refunds.append(refund)
        left += _kept_of_return(refund, its_lines)
    left += [line for line in of_returns if line.open_return_id not in {each.id for each in ending}]
    return CancellationQuote(
        passenger_ids=tuple(person.id for person in given),
        is_whole=len(given) == len(booking.passengers),
        lines=tuple(refunds),
        left=tuple(left),
        currency=booking.total.currency,
        open_return_ids=tuple(each.id for each in ending),
    )


def _return_refund(open_return: OpenReturn, item_id: UUID, *, in_full: bool) -> RefundLine:
    rate = WHOLE_BP if in_full else open_return.refund_bp
    return RefundLine(
        item_id=item_id,
        passenger_id=open_return.passenger_id,
        seat_number=None,
        label=OPEN_RETURN,
        price=open_return.price,
        refund=open_return.price.times(Fraction(rate, WHOLE_BP)),
        refund_bp=rate,
    )


def _kept_of_return(refund: RefundLine, its_lines: Sequence[BookedLine]) -> list[BookedLine]:
    """What is not paid back of an open return's price, with its part of the tax."""
    if not refund.kept:
        return []
    tax = total([line.tax_included for line in its_lines], refund.price.currency)
    kept = BookedLine(
        item_id=refund.item_id,
        kind="fee",
        label=KEPT_OF_RETURN,
        facts={},
        seat_number=None,
        amount=refund.kept,
        tax_included=tax.times(Fraction(refund.kept.minor, refund.price.minor)),
    )
    return [kept]


def _keep_within(price: Money, refunds: list[RefundLine], left: list[BookedLine]) -> None:
    """Pay back no more than the booking costs, and nothing less than nothing.

    Both could come of a discount that is more than the seats cost which are left of its ride: where some of its people
    have changed to another one.
    """
    refund = total([line.refund for line in refunds], price.currency).minor
    over = refund - min(max(refund, 0), price.minor)
    if not over:
        return
    choose = max if over > 0 else min
    place, line = choose(enumerate(refunds), key=lambda each: each[1].refund.minor)
    refunds[place] = replace(line, refund=line.refund - Money(over, price.currency))
    cost = total([each.amount for each in left], price.currency)
    tax = total([each.tax_included for each in left], price.currency)
    left.append(
        BookedLine(
            item_id=line.item_id,
            kind="fee" if over > 0 else "discount",
            label=KEPT if line.seat_number else line.label,
            facts={"seat": line.seat_number} if line.seat_number else line.facts,
            seat_number=line.seat_number,
            amount=Money(over, price.currency),
            tax_included=tax.times(Fraction(over, cost.minor)),
        )
    )


def _without(
    item: BookingItem, going: Sequence[Passenger], lines: Sequence[BookedLine], shares: Shares, *, in_full: bool
) -> tuple[list[BookedLine], list[RefundLine]]:
    """The booking's lines without some seats of an item, and what goes with the last of them."""
    seats = {person.seat_number for person in going}
    is_last = len(going) == len(item.passengers)
    left: list[BookedLine] = []
    once: list[BookedLine] = []
    for position, line in enumerate(lines):
        if line.item_id != item.id or line.label == KEPT or is_of_return(line):
            left.append(line)
        elif is_paid_once(line):
            (once if is_last else left).append(line)
        elif line.kind == "fee":
            (once if in_full and line.seat_number in seats else left).append(line)
        elif line.seat_number is None:
            rest = less(line, [shares.portions[position][person.id] for person in going])
            if rest.amount:
                (once if is_last else left).append(rest)
        elif line.seat_number not in seats:
            left.append(line)
    if not once:
        return left, []
    price = total([line.amount for line in once], once[0].amount.currency)
    is_refunded = in_full or item.policy.is_fee_refundable
    named = next((line for line in once if line.kind == "fee"), once[0])
    fees = RefundLine(
        item_id=item.id,
        passenger_id=None,
        seat_number=None,
        label=named.label,
        facts=named.facts,
        price=price,
        refund=price if is_refunded else Money.zero(price.currency),
        refund_bp=WHOLE_BP if is_refunded else 0,
    )
    return left if is_refunded else left + once, [fees]


def _keep_tax_within(item: BookingItem, left: list[BookedLine]) -> None:
    """Let the tax of what is left of an item be between none and all of its price.

    Fees of a seat go in full where the operator is the cause, with all their tax: of a discount that was off them too,
    the rest is then off less tax than it has in it, or off more.
    """
    own = [(place, line) for place, line in enumerate(left) if line.item_id == item.id]
    shared = [place for place, line in own if line.kind == "discount" and line.seat_number is None]
    if shared:
        price = sum(line.amount.minor for _, line in own)
        tax = sum(line.tax_included.minor for _, line in own)
        last = left[shared[-1]]
        over = Money(tax - max(0, min(tax, price)), last.amount.currency)
        left[shared[-1]] = replace(last, tax_included=last.tax_included - over)


def _seat_refund(
    item: BookingItem, person: Passenger, price: SeatPrice, rate: int, until: datetime | None
) -> RefundLine:
    return RefundLine(
        item_id=item.id,
        passenger_id=person.id,
        seat_number=person.seat_number,
        label=SEAT,
        facts={"seat": person.seat_number},
        price=price.amount,
        refund=price.amount.times(Fraction(rate, WHOLE_BP)),
        refund_bp=rate,
        until=until,
    )


def _kept_line(line: RefundLine, price: SeatPrice) -> BookedLine:
    """What is not paid back for a seat, with its part of the tax."""
    return BookedLine(
        item_id=line.item_id,
        kind="fee",
        label=KEPT,
        facts={"seat": line.seat_number},
        seat_number=line.seat_number,
        amount=line.kept,
        tax_included=price.tax.times(Fraction(line.kept.minor, price.amount.minor)),
    )
