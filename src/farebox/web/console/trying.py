"""What a ride would cost: on a line, a day, with so many people, bought when and with how full a vehicle."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.core.i18n import N_, ngettext
from farebox.core.i18n import gettext as _
from farebox.pricing import (
    Fares,
    FareSource,
    Occasion,
    PassengerType,
    PriceLine,
    PriceRule,
    Ride,
    describe_line,
    quote_ride,
)
from farebox.timetable import Departure, LineName, NotBoardable, Seat, Segment, list_patterns
from farebox.web.console.rule_words import sentence_of
from farebox.web.console.typed import percent_text
from farebox.web.days import day_in_words
from farebox.web.views.fares import QuoteRow, TriedQuote
from farebox.web.views.trips import Option

MOST_PEOPLE: Final = 9

SOURCES: Final[dict[FareSource, tuple[str, str]]] = {
    "hand": (N_("By hand"), N_("Set by hand for this way.")),
    "feed": (N_("Timetable"), N_("From the fares that came with the imported timetable.")),
    "distance": (N_("Distance"), N_("By distance: about {km} km on the road.")),
}
"""What says what a ride costs -> its name in a list, and in a sentence."""


@dataclass(frozen=True, slots=True)
class Example:
    """A trip to be priced. `seat_type`: empty for the cheapest seats on board."""

    way: Departure
    stretch: Segment
    occasion: Occasion
    people: tuple[PassengerType, ...] = ("adult",)
    seat_type: str = ""


def price_example(fares: Fares, example: Example) -> TriedQuote:
    """Line by line, each with why it is there.

    Raises:
        NotForSale: the operator sells no such ride.
    """
    way, board, alight = example.way, example.stretch.board, example.stretch.alight
    ride = Ride.of(way, board, alight)
    rules = fares.rules_for(example.occasion)
    seats = list(islice(_cheapest_first(fares, ride, example), len(example.people)))
    quote = quote_ride(fares, ride, list(zip(seats, example.people, strict=False)), rules)
    rows = [QuoteRow(describe_line(line), _why(fares, ride, seats, line, rules), line.amount) for line in quote.lines]
    return TriedQuote(
        title=_("{origin} to {destination}").format(origin=board.place_name, destination=alight.place_name),
        facts=(f"{way.line.name}, {_(way.vehicle.name)}", *occasion_in_words(example.occasion)),
        rows=tuple(rows),
        total=quote.total,
        tax=quote.tax,
    )


def occasion_in_words(occasion: Occasion) -> tuple[str, ...]:
    booked = ngettext("booked {count} day before", "booked {count} days before", occasion.days_ahead)
    facts = [
        f"{day_in_words(occasion.day, 'full')}, {booked.format(count=occasion.days_ahead)}",
        _("{load} of the seats gone").format(load=percent_text(occasion.load_bp)),
    ]
    return (*facts, _("with the way back")) if occasion.is_round_trip else tuple(facts)


async def first_example(
    work: UnitOfWork, operator_id: UUID, line_id: UUID | None, occasion: Occasion
) -> Example | None:
    """All of the first way of a line; `None` where no coach is on sale there."""
    ways = await list_patterns(work, operator_id, line_id) if line_id else []
    for way in ways:
        try:
            return Example(way, way.segment(None, None), occasion)
        except NotBoardable:
            continue
    return None


def find_stretch(ways: Sequence[Departure], from_place: UUID, to_place: UUID) -> tuple[Departure, Segment] | None:
    """The first way that carries anybody from one place to the other."""
    for way in ways:
        try:
            return way, way.segment(from_place, to_place)
        except NotBoardable:
            continue
    return None


def line_options(lines: Sequence[LineName], chosen: str) -> tuple[Option, ...]:
    return tuple(Option(str(line.id), line_in_words(line), str(line.id) == chosen) for line in lines)


def line_in_words(line: LineName) -> str:
    """Its name alone may be a number."""
    ends = f"{line.origin} – {line.destination}"
    return line.name if line.origin in line.name and line.destination in line.name else f"{line.name}: {ends}"


def chosen_line(lines: Sequence[LineName], wanted: str) -> UUID | None:
    """The line that was asked for, else the first there is."""
    ids = {str(line.id): line.id for line in lines}
    return ids.get(wanted) or next(iter(ids.values()), None)


def _cheapest_first(fares: Fares, ride: Ride, example: Example) -> list[Seat]:
    seats = [seat for seat in example.way.seat_plan.seats if example.seat_type in {"", seat.type}]
    priced = [(fares.seat_fare(ride, seat), seat) for seat in seats]
    return [seat for _fare, seat in sorted(priced, key=lambda each: each[0].total.minor if each[0] else 0)]


def _why(fares: Fares, ride: Ride, seats: Sequence[Seat], line: PriceLine, rules: Sequence[PriceRule]) -> str:
    if line.kind == "fare":
        seat = next(seat for seat in seats if seat.number == line.seat_number)
        named = fares.named(ride, seat.type, line.facts["passenger_type"])
        return _(SOURCES[named[1]][1]).format(km=round(ride.kilometres)) if named else ""
    if line.label.startswith("rule-"):
        return next((sentence_of(rule) for rule in rules if f"rule-{rule.kind}" == line.label), "")
    if line.kind == "fee":
        return _("Once for each departure that is booked.")
    if line.kind == "tax":
        return _("Amounts are without the tax; it is added.")
    return _("What this seat costs on top.")
