"""Seat plans: what a vehicle looks like inside, seat by seat, and the plans that come with Farebox.

A plan is drawn on one grid a deck, seen from above with the front at the top. The unit that the inventory sells is the
index of a seat in `SeatPlan.seats`, so the order of seats in a stored plan never changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID, uuid5

import msgspec

from farebox.core.i18n import N_

Side = Literal["left", "right"]

MAX_NUMBER_LENGTH = 10
"""Characters a seat number may have: it must fit on a seat, a ticket and a boarding list."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One place to sit or lie.

    Attributes:
        number: what is printed at the seat, unique in the plan ("4A", "U2C").
        type: `standard`, `limousine` or `sleeper`.
        deck: index in `SeatPlan.decks`.
        row, column: position in the deck's grid, counted from 1 at the front left; aisles take columns too.
        features: of `window`, `aisle`, `front`, `rear`, `extra-legroom`, `lower`, `upper`.
        accessible: meant for a passenger with reduced mobility.
    """

    number: str
    type: str
    deck: int
    row: int
    column: int
    features: tuple[str, ...] = ()
    accessible: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """A door, to be drawn on `side` just ahead of grid row `row`."""

    side: Side
    row: int


@dataclass(frozen=True, slots=True)
class Deck:
    """One floor of a vehicle: a grid of `rows` x `columns` with the things that are not seats.

    Attributes:
        name: English source text, translated where it is shown.
        driver: the side on which the driver sits ahead of row 1; `None` where there is no driver on this deck.
    """

    name: str
    rows: int
    columns: int
    doors: tuple[Door, ...] = ()
    driver: Side | None = None


@dataclass(frozen=True, slots=True)
class SeatPlan:
    """The seats of one kind of vehicle. The position of a seat in `seats` is its unit in the inventory."""

    id: UUID
    name: str
    decks: tuple[Deck, ...]
    seats: tuple[Seat, ...]

    def __post_init__(self) -> None:
        numbers = {seat.number for seat in self.seats}
        if len(numbers) != len(self.seats):
            raise ValueError(f"seat plan {self.name!r} uses a seat number twice")
        if len({(seat.deck, seat.row, seat.column) for seat in self.seats}) != len(self.seats):
            raise ValueError(f"seat plan {self.name!r} puts two seats in one position")
        for seat in self.seats:
            if not 0 < len(seat.number) <= MAX_NUMBER_LENGTH:
                raise ValueError(f"seat number {seat.number!r} is not 1 to {MAX_NUMBER_LENGTH} characters long")
            if not 0 <= seat.deck < len(self.decks):
                raise ValueError(f"seat {seat.number} is on deck {seat.deck}, which the plan does not have")
            deck = self.decks[seat.deck]
            if not (1 <= seat.row <= deck.rows and 1 <= seat.column <= deck.columns):
                raise ValueError(f"seat {seat.number} lies outside the grid of its deck")

    @property
    def seat_types(self) -> tuple[str, ...]:
        """The kinds of seat on board, in the order of the seats."""
        return tuple(dict.fromkeys(seat.type for seat in self.seats))

    def document(self) -> dict[str, Any]:
        """The plan as plain JSON values, as it is stored: name, decks and seats, without the id."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        del document["id"]
        return document

    @classmethod
    def from_document(cls, plan_id: UUID, document: Mapping[str, Any]) -> "SeatPlan":
        """Read what `document` made.

        Raises:
            ValueError: not the form of a seat plan, or one that breaks its rules (`msgspec.ValidationError`).
        """
        return msgspec.convert({**document, "id": str(plan_id)}, cls)


_TEMPLATES_NAMESPACE = UUID("4f0a5f0e-6d0c-5c55-9f6e-0c8f8a2d1b45")


def _draw(deck: int, kind: str, picture: list[str], *, prefix: str = "", level: tuple[str, ...] = ()) -> list[Seat]:
    """The seats of a deck drawn as text: one line a row, a letter for a seat, a dot for the aisle."""
    seats = []
    for row, line in enumerate(picture, start=1):
        ahead = picture[max(row - 2, 0)]
        for column, letter in enumerate(line, start=1):
            if letter == ".":
                continue
            features = [*level]
            if column in {1, len(line)}:
                features.append("window")
            if "." in line[max(column - 2, 0) : column + 1] or ahead[column - 1] == ".":
                features.append("aisle")
            if row == 1:
                features.append("front")
            if row == len(picture):
                features.append("rear")
            seats.append(Seat(f"{prefix}{row}{letter}", kind, deck, row, column, tuple(features)))
    return seats


def _plan(code: str, name: str, decks: tuple[Deck, ...], seats: list[Seat], accessible: set[str]) -> SeatPlan:
    marked = tuple(replace(seat, accessible=seat.number in accessible) for seat in seats)
    return SeatPlan(uuid5(_TEMPLATES_NAMESPACE, code), name, decks, marked)


def _with_extra_legroom(seats: list[Seat], rows: int) -> list[Seat]:
    return [replace(seat, features=(*seat.features, "extra-legroom")) if seat.row <= rows else seat for seat in seats]


_FRONT_DOOR = (Door("right", 1),)

STANDARD_45 = _plan(
    "standard-45",
    N_("Coach, 45 seats"),
    (Deck(N_("Main deck"), rows=11, columns=5, doors=_FRONT_DOOR, driver="left"),),
    _with_extra_legroom(_draw(0, "standard", ["AB.CD"] * 10 + ["ABCDE"]), rows=2),
    accessible={"1C", "1D"},
)
"""2 + 2 in ten rows and a rear bench of five; two rows with extra legroom."""

LIMOUSINE_9 = _plan(
    "limousine-9",
    N_("Limousine, 9 seats"),
    (Deck(N_("Main deck"), rows=3, columns=4, doors=_FRONT_DOOR, driver="left"),),
    _draw(0, "limousine", ["A.BC"] * 3),
    accessible={"1B", "1C"},
)
"""1 + 2 captain's chairs in three rows."""

SLEEPER_34 = _plan(
    "sleeper-34",
    N_("Sleeper, 34 berths"),
    (
        Deck(N_("Lower deck"), rows=6, columns=5, doors=_FRONT_DOOR, driver="left"),
        Deck(N_("Upper deck"), rows=6, columns=5),
    ),
    [
        *_draw(0, "sleeper", ["A.B.C"] * 5 + ["A...C"], prefix="L", level=("lower",)),
        *_draw(1, "sleeper", ["A.B.C"] * 5 + ["A...C"], prefix="U", level=("upper",)),
    ],
    accessible={"L1B", "L1C"},
)
"""Berths in three columns with two aisles on two decks: five rows of three, and two at the back."""

TEMPLATES = {"standard-45": STANDARD_45, "limousine-9": LIMOUSINE_9, "sleeper-34": SLEEPER_34}
"""The plans that come with Farebox, by the code that feeds (`vehicle_kinds.txt`) and settings use."""
