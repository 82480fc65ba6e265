"""How a vehicle is drawn: decks, aisles, prices, words."""

from dataclasses import dataclass, replace

from farebox.core.i18n import language
from farebox.core.money import Money
from farebox.timetable import LIMOUSINE_9, SLEEPER_34, STANDARD_45, SeatPlan
from farebox.web.shop.seat_drawing import draw_decks, draw_tiers, seat_label
from farebox.web.views.seats import SeatStatus


@dataclass(frozen=True)
class Priced:
    number: str
    type: str
    deck: int
    row: int
    column: int
    features: tuple[str, ...]
    accessible: bool
    price: Money | None
    status: SeatStatus = "available"


def priced(plan: SeatPlan, minor: int = 1000, extra: dict[str, int] | None = None) -> list[Priced]:
    """The plan's seats at one price, dearer by `extra` for a feature."""
    surcharges = extra or {}
    return [
        Priced(
            seat.number,
            seat.type,
            seat.deck,
            seat.row,
            seat.column,
            seat.features,
            seat.accessible,
            Money(minor + sum(surcharges.get(feature, 0) for feature in seat.features), "EUR"),
        )
        for seat in plan.seats
    ]


def test_every_seat_is_drawn_once_where_it_is():
    for plan in (STANDARD_45, LIMOUSINE_9, SLEEPER_34):
        drawn = [
            (cell.number, deck, row.number, column)
            for deck, view in enumerate(draw_decks(plan.decks, priced(plan)))
            for row in view.rows
            for column, cell in enumerate(row.cells, start=1)
            if cell
        ]
        assert sorted(drawn) == sorted((seat.number, seat.deck, seat.row, seat.column) for seat in plan.seats)


def test_the_aisle_stays_one_where_a_bench_closes_it():
    (deck,) = draw_decks(STANDARD_45.decks, priced(STANDARD_45))
    assert deck.rows[0].aisle == (False, False, True, False, False)
    assert deck.narrow == (False,) * 5  # the bench's middle seat needs its width
    assert deck.rows[-1].cells[2] is not None
    lower, upper = draw_decks(SLEEPER_34.decks, priced(SLEEPER_34))
    assert lower.narrow == upper.narrow == (False, True, False, True, False)
    assert (lower.driver, upper.driver) == ("left", "")
    assert lower.doors == (("right", 1),)


def test_prices_are_told_with_what_they_are_for():
    tiers = draw_tiers(priced(STANDARD_45, extra={"extra-legroom": 300}))
    assert [(tier.tier, tier.price.minor, tier.label) for tier in tiers] == [
        (0, 1000, "Standard seat"),
        (1, 1300, "Extra legroom"),
    ]
    berths = draw_tiers(priced(SLEEPER_34, extra={"lower": 100}))
    assert [tier.label for tier in berths] == ["Upper deck", "Lower deck"]


def test_one_price_needs_one_line_and_none_needs_none():
    assert len(draw_tiers(priced(LIMOUSINE_9))) == 1
    assert draw_tiers([replace(seat, price=None) for seat in priced(LIMOUSINE_9)]) == ()


def test_more_prices_than_marks_share_the_highest():
    seats = [replace(seat, price=Money(1000 + seat.row * 100, "EUR")) for seat in priced(STANDARD_45)]
    assert [tier.tier for tier in draw_tiers(seats)] == [0, 1, 2, *[3] * 8]


def test_a_seat_says_everything_but_its_status():
    seat = next(seat for seat in priced(STANDARD_45, extra={"extra-legroom": 250}) if seat.number == "1D")
    assert seat_label(seat) == (
        "Seat 1D, window, front row, extra legroom, standard seat, for passengers with reduced mobility, €12.50"
    )
    with language("vi"):
        assert "12,50" in seat_label(seat)
