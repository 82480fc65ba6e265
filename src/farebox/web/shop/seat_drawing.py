"""A seat plan with its statuses and prices, as rows of cells that the template draws."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from farebox.core.i18n import format_money, gettext
from farebox.core.money import Money
from farebox.timetable import Deck
from farebox.web.labels import SEAT_FEATURES, seat_place, seat_type_label
from farebox.web.views.seats import DeckView, PriceTier, SeatCell, SeatRow, SeatStatus

HIGHEST_TIER = 3
"""Dots that fit on a seat."""

TIER_FEATURES = ("extra-legroom", "front", "lower", "upper", "window", "table")
"""What a higher price may be for, the most telling first."""


class PricedSeat(Protocol):
    """A seat with its state for one traveller on one stretch."""

    @property
    def number(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def deck(self) -> int: ...
    @property
    def row(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def features(self) -> tuple[str, ...]: ...
    @property
    def accessible(self) -> bool: ...
    @property
    def status(self) -> SeatStatus: ...
    @property
    def price(self) -> Money | None: ...


@dataclass(frozen=True, slots=True)
class Marks:
    """What is shown of seats besides how they stand.

    Attributes:
        own: those that people have now who are to have others.
        ticked: those chosen that are not held.
    """

    own: Collection[str] = ()
    ticked: Collection[str] = ()


def draw_decks(decks: Sequence[Deck], seats: Sequence[PricedSeat], marks: Marks | None = None) -> tuple[DeckView, ...]:
    """Each deck as its grid of cells, front first."""
    tiers = _tier_of_price(seats)
    return tuple(
        _draw_deck(deck, [seat for seat in seats if seat.deck == index], tiers, marks or Marks())
        for index, deck in enumerate(decks)
    )


def draw_tiers(seats: Sequence[PricedSeat]) -> tuple[PriceTier, ...]:
    """The prices on this vehicle, lowest first, and what each is for. More than four share the highest mark."""
    prices = sorted({seat.price.minor: seat.price for seat in seats if seat.price}.items())
    groups = [[seat for seat in seats if _minor(seat) == minor] for minor, _price in prices]
    plain = _common_features(groups[0]) if groups else frozenset()
    return tuple(
        PriceTier(min(tier, HIGHEST_TIER), price, _tier_label(groups[tier], plain if tier else frozenset()))
        for tier, (_minor_units, price) in enumerate(prices)
    )


def seat_label(seat: PricedSeat) -> str:
    """A seat in words, without its status: "Seat 4A, window, standard seat, 12.50 EUR"."""
    facts = [seat_place(seat.features), seat_type_label(seat.type).lower()]
    if seat.accessible:
        facts.append(gettext("for passengers with reduced mobility"))
    if seat.price:
        facts.append(format_money(seat.price))
    return gettext("Seat {number}, {facts}").format(number=seat.number, facts=", ".join(filter(None, facts)))


def _draw_deck(deck: Deck, seats: Sequence[PricedSeat], tiers: dict[int, int], marks: Marks) -> DeckView:
    cells = {(seat.row, seat.column): _cell(seat, tiers, marks) for seat in seats}
    columns = range(1, deck.columns + 1)
    in_column = Counter(seat.column for seat in seats)
    # An aisle is a column that most rows leave free: a bench at the back may close it.
    aisles = tuple(in_column[column] * 2 < deck.rows for column in columns)
    rows = tuple(
        SeatRow(row, tuple(cells.get((row, column)) for column in columns), aisles) for row in range(1, deck.rows + 1)
    )
    kinds = Counter(seat.type for seat in seats)
    return DeckView(
        name=gettext(deck.name),
        rows=rows,
        narrow=tuple(not in_column[column] for column in columns),
        driver=deck.driver or "",
        doors=tuple((door.side, door.row) for door in deck.doors),
        kind=kinds.most_common(1)[0][0] if kinds else "standard",
    )


def _cell(seat: PricedSeat, tiers: dict[int, int], marks: Marks) -> SeatCell:
    return SeatCell(
        number=seat.number,
        type=seat.type,
        status="own" if seat.number in marks.own else seat.status,
        tier=tiers.get(_minor(seat), 0),
        label=seat_label(seat),
        accessible=seat.accessible,
        is_chosen=seat.status == "mine" or seat.number in marks.ticked,
    )


def _minor(seat: PricedSeat) -> int:
    return seat.price.minor if seat.price else -1


def _tier_of_price(seats: Sequence[PricedSeat]) -> dict[int, int]:
    prices = sorted({seat.price.minor for seat in seats if seat.price})
    return {minor: min(tier, HIGHEST_TIER) for tier, minor in enumerate(prices)}


def _common_features(seats: Sequence[PricedSeat]) -> frozenset[str]:
    shared = [frozenset(seat.features) for seat in seats]
    return frozenset.intersection(*shared) if shared else frozenset()


def _tier_label(seats: Sequence[PricedSeat], base: frozenset[str]) -> str:
    special = _common_features(seats) - base
    for feature in TIER_FEATURES:
        if feature in special:
            return gettext(SEAT_FEATURES[feature]).capitalize()
    kinds = dict.fromkeys(seat_type_label(seat.type) for seat in seats)
    return ", ".join(kinds)
