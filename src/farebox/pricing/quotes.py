"""Quotes: what travellers pay, line by line. Lines are facts; their text is made where they are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from farebox.core.i18n import N_, gettext
from farebox.core.money import Money, total
from farebox.pricing.errors import NotForSale
from farebox.pricing.fares import Fares, SeatFare
from farebox.pricing.rides import PricedRun, Ride, RideCall
from farebox.pricing.rules import PriceRule
from farebox.pricing.terms import FareTerms, PassengerType, Tax
from farebox.timetable import Seat

LineKind: TypeAlias = Literal["fare", "seat", "surcharge", "discount", "fee", "tax"]

LABELS = {
    "fare-adult": N_("Seat {seat}"),
    "fare-child": N_("Seat {seat}, child"),
    "fare-senior": N_("Seat {seat}, senior"),
    "rule-season": N_("Seat {seat}: {name} ({percent}%)"),
    "rule-weekday": N_("Seat {seat}: {name} ({percent}%)"),
    "rule-load": N_("Seat {seat}: {name} ({percent}%)"),
    "rule-early": N_("Seat {seat}: {name} ({percent}%)"),
    "rule-round-trip": N_("Seat {seat}: {name} ({percent}%)"),
    "seat": N_("Seat {seat}, chosen place"),
    "seat-extra-legroom": N_("Seat {seat}, extra legroom"),
    "seat-front": N_("Seat {seat}, at the front"),
    "seat-window": N_("Seat {seat}, at the window"),
    "seat-lower": N_("Seat {seat}, lower berth"),
    "seat-upper": N_("Seat {seat}, upper berth"),
    "promotion": N_("Seat {seat}, code {code}"),
    "tax": N_("Seat {seat}, tax ({percent}%)"),
    "open-return-fare-adult": N_("Open return"),
    "open-return-fare-child": N_("Open return, child"),
    "open-return-fare-senior": N_("Open return, senior"),
    "open-return-rule-season": N_("Open return: {name} ({percent}%)"),
    "open-return-rule-weekday": N_("Open return: {name} ({percent}%)"),
    "open-return-rule-round-trip": N_("Open return: {name} ({percent}%)"),
    "open-return-tax": N_("Open return, tax ({percent}%)"),
    "service-fee": N_("Service fee"),
    "service-fee-tax": N_("Service fee, tax ({percent}%)"),
}
"""Label of a price line -> its text, in the source language."""


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One amount of a quote.

    Attributes:
        label: which text describes it, a key of `LABELS`.
        facts: what the text and others may want to know: `seat`, `passenger` (position in the order of the seats
            quoted), `passenger_type`, `feature`, `tax_rate_bp`, of a price rule its `name` and `percent`, of a
            promotion its `code`. JSON values only.
        seat_number: the seat that it is for; `None` for what is paid once.
        amount: with the tax in it; not negative, but for discounts, which are not positive.
        tax_included: the tax in it, all of a line of tax.
    """

    kind: LineKind
    label: str
    amount: Money
    tax_included: Money
    seat_number: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sign = -1 if self.kind == "discount" else 1
        if not 0 <= sign * self.tax_included.minor <= sign * self.amount.minor:
            raise ValueError("a price line is negative for a discount alone, and has no more tax than it is worth")


@dataclass(frozen=True, slots=True)
class Quote:
    """What is to be paid: the total is the sum of the lines, and the tax the sum of the tax in them, exactly.

    `taxed` says how, for who takes something off.
    """

    lines: tuple[PriceLine, ...]
    currency: str
    taxed: Tax = field(default_factory=Tax)

    @property
    def total(self) -> Money:
        return total([line.amount for line in self.lines], self.currency)

    @property
    def tax(self) -> Money:
        """The tax that the total includes."""
        return total([line.tax_included for line in self.lines], self.currency)

    def for_seat(self, seat_number: str) -> Money:
        """What is paid for one seat, with everything but what is paid once."""
        return total([line.amount for line in self.lines if line.seat_number == seat_number], self.currency)

    def before_tax_is_added(self) -> dict[str, Money]:
        """Seat -> its price, without the tax where that is added."""
        prices: dict[str, Money] = {}
        for line in self.lines:
            if line.seat_number is not None and line.kind != "tax":
                prices[line.seat_number] = prices.get(line.seat_number, Money.zero(self.currency)) + line.amount
        return prices

    def less(self, off: Mapping[str, Money], label: str, facts: Mapping[str, Any]) -> "Quote":
        """With discounts of seats, and so much less tax.

        Args:
            off: seat -> how much, no more than `before_tax_is_added` says.
            label, facts: of the discounts' lines.
        """
        prices = self.before_tax_is_added()
        lines: list[PriceLine] = []
        for position, line in enumerate(self.lines):
            seat = line.seat_number
            if seat is None or not off.get(seat):
                lines.append(line)
                continue
            left = prices[seat] - off[seat]
            if line.kind == "tax":
                tax = self.taxed.added_to(left)
                if tax:
                    lines.append(PriceLine("tax", line.label, tax, tax, seat, line.facts))
                continue
            lines.append(line)
            if all(later.seat_number != seat or later.kind == "tax" for later in self.lines[position + 1 :]):
                tax = self.taxed.included_in(left) - self.taxed.included_in(prices[seat])
                minus = Money(-off[seat].minor, self.currency)
                own = {"seat": seat, "tax_rate_bp": self.taxed.rate_bp, **facts}
                lines.append(PriceLine("discount", label, minus, tax, seat, own))
        return Quote(tuple(lines), self.currency, self.taxed)


class QuotedSegment(Protocol):
    """The part of a departure that is travelled."""

    @property
    def board(self) -> RideCall: ...
    @property
    def alight(self) -> RideCall: ...


class DescribedLine(Protocol):
    """A price line, fresh or from a booking."""

    @property
    def label(self) -> str: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...


def quote_seats(
    fares: Fares,
    departure: PricedRun,
    segment: QuotedSegment,
    seats: Sequence[tuple[Seat, PassengerType]],
    rules: Sequence[PriceRule] = (),
) -> Quote:
    """The price of seats for passengers on one departure, with the service fee (none for no seats).

    Args:
        rules: those that count: see `Fares.rules_for`.

    Raises:
        NotForSale: the operator sells no such ride.
    """
    return quote_ride(fares, Ride.of(departure, segment.board, segment.alight), seats, rules)


def quote_ride(
    fares: Fares, ride: Ride, seats: Sequence[tuple[Seat, PassengerType]], rules: Sequence[PriceRule] = ()
) -> Quote:
    """The same for who knows the ride. Raises `NotForSale`."""
    terms, tax = fares.terms, fares.tax
    lines: list[PriceLine] = []
    for passenger, (seat, passenger_type) in enumerate(seats):
        price = fares.seat_fare(ride, seat, passenger_type, rules)
        if price is None:
            raise NotForSale
        facts = {
            "seat": seat.number,
            "passenger": passenger,
            "passenger_type": passenger_type,
            "tax_rate_bp": terms.tax_rate_bp,
        }
        lines += lines_of(tax, price, facts)
    if seats and terms.service_fee:
        lines += _fee_lines(terms, tax)
    return Quote(tuple(lines), fares.currency, tax)


def lines_of(tax: Tax, price: SeatFare, facts: Mapping[str, Any]) -> list[PriceLine]:
    """The lines of one seat's price. Args: facts: its `seat`, `passenger_type` and what else there is to know."""
    seat = facts["seat"]
    lines = [PriceLine("fare", f"fare-{facts['passenger_type']}", price.fare, tax.included_in(price.fare), seat, facts)]
    if price.by_rules or price.surcharge:
        lines += _further_lines(tax, price, facts)
    if price.added_tax:
        own = {**facts, "percent": f"{tax.rate_bp / 100:g}"}
        lines.append(PriceLine("tax", "tax", price.added_tax, price.added_tax, seat, own))
    return lines


def _further_lines(tax: Tax, price: SeatFare, facts: Mapping[str, Any]) -> list[PriceLine]:
    """What is added to a fare and taken off it. The tax in a seat's price is rounded once: each line has its share."""
    amounts: list[tuple[LineKind, str, Money, Mapping[str, Any]]] = []
    for rule, amount in price.by_rules:
        kind: LineKind = "surcharge" if rule.percent_bp > 0 else "discount"
        own = {"name": rule.name, "percent": f"{rule.percent_bp / 100:+g}"}
        amounts.append((kind, f"rule-{rule.kind}", amount, own))
    named = f"seat-{price.feature}"
    amounts.append(("seat", named if named in LABELS else "seat", price.surcharge, {"feature": price.feature}))
    running, taxed = price.fare, tax.included_in(price.fare)
    lines = []
    for kind, label, amount, of_line in amounts:
        if amount:
            running += amount
            before, taxed = taxed, tax.included_in(running)
            lines.append(PriceLine(kind, label, amount, taxed - before, facts["seat"], {**facts, **of_line}))
    return lines


def _fee_lines(terms: FareTerms, tax: Tax) -> list[PriceLine]:
    fee = terms.service_fee
    facts: dict[str, Any] = {"tax_rate_bp": tax.rate_bp}
    lines = [PriceLine("fee", "service-fee", fee, tax.included_in(fee), None, facts)]
    added = tax.added_to(fee)
    if added:
        percent = f"{tax.rate_bp / 100:g}"
        lines.append(PriceLine("tax", "service-fee-tax", added, added, None, {**facts, "percent": percent}))
    return lines


def describe_line(line: DescribedLine) -> str:
    """What a price line is for, in the language of the request ("Seat 4A, child")."""
    return gettext(LABELS.get(line.label, line.label)).format_map(_Facts(line.facts)).strip()


class _Facts(dict[str, Any]):
    """The facts of a line; one that an old booking lacks is left out of the text."""

    def __missing__(self, name: str) -> str:
        return ""
