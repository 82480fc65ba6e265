"""Quotes: what travellers pay, line by line. Lines are facts; their text is made where they are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from farebox.core.i18n import N_, gettext
from farebox.core.money import Money, total
from farebox.pricing.errors import NotForSale
from farebox.pricing.fares import Fares, PricedRun, Ride, RideCall
from farebox.pricing.terms import PassengerType
from farebox.timetable import Seat

LineKind: TypeAlias = Literal["fare", "seat", "fee"]

LABELS = {
    "fare-adult": N_("Seat {seat}"),
    "fare-child": N_("Seat {seat}, child"),
    "fare-senior": N_("Seat {seat}, senior"),
    "seat": N_("Seat {seat}, chosen place"),
    "seat-extra-legroom": N_("Seat {seat}, extra legroom"),
    "seat-front": N_("Seat {seat}, at the front"),
    "seat-window": N_("Seat {seat}, at the window"),
    "seat-lower": N_("Seat {seat}, lower berth"),
    "seat-upper": N_("Seat {seat}, upper berth"),
    "service-fee": N_("Service fee"),
}
"""Label of a price line -> its text, in the source language."""


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One amount of a quote.

    Attributes:
        label: which text describes it, a key of `LABELS`.
        facts: what the text and others may want to know: `seat`, `passenger` (position in the order of the seats
            quoted), `passenger_type`, `feature`, `tax_rate_bp`. JSON values only.
        seat_number: the seat that it is for; `None` for what is paid once.
        amount: tax included.
        tax_included: the tax in it.
    """

    kind: LineKind
    label: str
    amount: Money
    tax_included: Money
    seat_number: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.tax_included.minor <= self.amount.minor:
            raise ValueError("a price line is not negative, and includes no more tax than it is worth")


@dataclass(frozen=True, slots=True)
class Quote:
    """What is to be paid: the total is the sum of the lines, and the tax the sum of the tax in them, exactly."""

    lines: tuple[PriceLine, ...]
    currency: str

    @property
    def total(self) -> Money:
        return total([line.amount for line in self.lines], self.currency)

    @property
    def tax(self) -> Money:
        """The tax that the total includes."""
        return total([line.tax_included for line in self.lines], self.currency)

    def for_seat(self, seat_number: str) -> Money:
        """What is paid for one seat: its fare and its surcharge."""
        return total([line.amount for line in self.lines if line.seat_number == seat_number], self.currency)


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
    fares: Fares, departure: PricedRun, segment: QuotedSegment, seats: Sequence[tuple[Seat, PassengerType]]
) -> Quote:
    """The price of seats for passengers on one departure, with the service fee (none for no seats).

    Raises:
        NotForSale: the operator sells no such ride.
    """
    return quote_ride(fares, Ride.of(departure, segment.board, segment.alight), seats)


def quote_ride(fares: Fares, ride: Ride, seats: Sequence[tuple[Seat, PassengerType]]) -> Quote:
    """The same for who knows the ride. Raises `NotForSale`."""
    terms = fares.terms
    lines: list[PriceLine] = []
    for passenger, (seat, passenger_type) in enumerate(seats):
        price = fares.seat_fare(ride, seat, passenger_type)
        if price is None:
            raise NotForSale
        facts = {
            "seat": seat.number,
            "passenger": passenger,
            "passenger_type": passenger_type,
            "tax_rate_bp": terms.tax_rate_bp,
        }
        fare, surcharge = price.fare, price.surcharge
        lines.append(PriceLine("fare", f"fare-{passenger_type}", fare, terms.tax_in(fare), seat.number, facts))
        if surcharge:
            label = f"seat-{price.feature}" if f"seat-{price.feature}" in LABELS else "seat"
            facts = {**facts, "feature": price.feature}
            lines.append(PriceLine("seat", label, surcharge, terms.tax_in(surcharge), seat.number, facts))
    if seats and terms.service_fee:
        facts = {"tax_rate_bp": terms.tax_rate_bp}
        lines.append(PriceLine("fee", "service-fee", terms.service_fee, terms.tax_in(terms.service_fee), None, facts))
    return Quote(tuple(lines), fares.currency)


def describe_line(line: DescribedLine) -> str:
    """What a price line is for, in the language of the request ("Seat 4A, child")."""
    return gettext(LABELS.get(line.label, line.label)).format_map(_Facts(line.facts)).strip()


class _Facts(dict[str, Any]):
    """The facts of a line; one that an old booking lacks is left out of the text."""

    def __missing__(self, name: str) -> str:
        return ""
