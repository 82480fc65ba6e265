"""Quotes: exact sums, the tax in them, and what their lines say."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.i18n import LANGUAGES, language
from farebox.core.money import Money
from farebox.pricing import (
    FareBook,
    Fares,
    FareTerms,
    NotForSale,
    PassengerType,
    PriceLine,
    Quote,
    SeatSurcharge,
    default_distance_fares,
    describe_line,
    quote_seats,
)
from farebox.pricing.fares import FareRule
from farebox.pricing.quotes import LABELS
from farebox.timetable import SLEEPER_34, STANDARD_45, LineView, Seat, SeatPlan

FEED, LINE, OPERATOR, PLACE = (UUID(int=number) for number in range(1, 5))


@dataclass(frozen=True)
class Halt:
    index: int
    distance_m: int
    place_id: UUID = PLACE
    zone_id: str | None = None
    area_ids: tuple[str, ...] = ()
    arrival: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    departure: datetime = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Segment:
    board: Halt
    alight: Halt


@dataclass(frozen=True)
class Run:
    line: LineView
    seat_plan: SeatPlan
    calls: tuple[Halt, ...] = (Halt(0, 0), Halt(1, 100_000))

    @property
    def segment(self) -> Segment:
        return Segment(*self.calls)


COACH = Run(LineView(LINE, "1", (), "", FEED), STANDARD_45)


def money(text: str) -> Money:
    return Money.parse(text, "EUR")


def make(amount: str | None = "25.00", *, surcharges: tuple[SeatSurcharge, ...] = (), **terms: Any) -> Fares:
    fee = money(terms.pop("service_fee", "0.00"))
    rules = [FareRule(FEED, {"adult": money(amount)})] if amount else []
    table = default_distance_fares("EUR")
    book = FareBook(terms=FareTerms(fee, **terms), by_distance=table, surcharges=surcharges)
    return Fares(OPERATOR, book, rules)


def seats(*wanted: tuple[str, PassengerType], plan: SeatPlan = STANDARD_45) -> list[tuple[Seat, PassengerType]]:
    by_number = {seat.number: seat for seat in plan.seats}
    return [(by_number[number], kind) for number, kind in wanted]


def test_twice_25_with_tax_included_is_50() -> None:
    quote = quote_seats(make(tax_rate_bp=1900), COACH, COACH.segment, seats(("5A", "adult"), ("5B", "adult")))
    assert quote.total == money("50.00")
    assert [str(line.amount) for line in quote.lines] == ["25.00 EUR", "25.00 EUR"]
    assert [str(line.tax_included) for line in quote.lines] == ["3.99 EUR", "3.99 EUR"]  # 3.9916
    assert quote.tax == money("7.98")


def test_a_quote_lists_fares_surcharges_and_one_service_fee() -> None:
    fares = make(
        "10.00",
        surcharges=(SeatSurcharge(money("4.00"), feature="extra-legroom"),),
        service_fee="1.00",
        tax_rate_bp=800,
        child_discount_bp=2500,
    )
    quote = quote_seats(fares, COACH, COACH.segment, seats(("2A", "adult"), ("5B", "child")))
    assert [(line.kind, line.label, line.seat_number, str(line.amount)) for line in quote.lines] == [
        ("fare", "fare-adult", "2A", "10.00 EUR"),
        ("seat", "seat-extra-legroom", "2A", "4.00 EUR"),
        ("fare", "fare-child", "5B", "7.50 EUR"),
        ("fee", "service-fee", None, "1.00 EUR"),
    ]
    assert quote.total == money("22.50")
    assert quote.for_seat("2A") == money("14.00")
    assert quote.lines[2].facts == {"seat": "5B", "passenger": 1, "passenger_type": "child", "tax_rate_bp": 800}


def test_a_free_ride_costs_nothing() -> None:
    quote = quote_seats(make("0.00"), COACH, COACH.segment, seats(("5A", "adult")))
    assert quote.total == money("0.00")
    assert len(quote.lines) == 1


def test_no_seats_cost_no_service_fee() -> None:
    assert quote_seats(make(service_fee="1.00"), COACH, COACH.segment, []).lines == ()


def test_what_the_operator_does_not_sell_is_not_quoted() -> None:
    with pytest.raises(NotForSale):
        quote_seats(make(None, sells_by_distance=False), COACH, COACH.segment, seats(("5A", "adult")))


@pytest.mark.parametrize(("amount", "tax"), [(-1, 0), (5, 6), (5, -1)])
def test_a_line_that_is_negative_or_has_more_tax_than_worth_cannot_be_made(amount: int, tax: int) -> None:
    with pytest.raises(ValueError, match="negative"):
        PriceLine("fare", "fare-adult", Money(amount, "EUR"), Money(tax, "EUR"))


@given(
    fare=st.integers(0, 10**9),
    fee=st.integers(0, 10**6),
    surcharge=st.integers(0, 10**6),
    rate=st.integers(0, 10_000),
    discount=st.integers(0, 10_000),
    kinds=st.lists(st.sampled_from(["adult", "child", "senior"]), min_size=1, max_size=8),
)
def test_a_quote_adds_up_exactly_and_no_line_is_negative(
    fare: int, fee: int, surcharge: int, rate: int, discount: int, kinds: list[PassengerType]
) -> None:
    book = FareBook(
        terms=FareTerms(Money(fee, "VND"), tax_rate_bp=rate, child_discount_bp=discount, senior_discount_bp=discount),
        by_distance=default_distance_fares("VND"),
        surcharges=[SeatSurcharge(Money(surcharge, "VND"), feature="upper")],
    )
    fares = Fares(OPERATOR, book, [FareRule(FEED, {"adult": Money(fare, "VND")})])
    run = replace(COACH, seat_plan=SLEEPER_34)
    chosen = list(zip(SLEEPER_34.seats[15:], kinds, strict=False))
    quote = quote_seats(fares, run, run.segment, chosen)
    assert sum(line.amount.minor for line in quote.lines) == quote.total.minor
    assert sum(line.tax_included.minor for line in quote.lines) == quote.tax.minor
    assert all(0 <= line.tax_included.minor <= line.amount.minor for line in quote.lines)
    board, alight = run.calls
    by_seat = sum(quote.for_seat(seat.number).minor for seat, _ in chosen)
    assert by_seat + fee == quote.total.minor
    for seat, kind in chosen:
        assert quote.for_seat(seat.number) == fares.price(run, board, alight, seat, kind), "the map and the quote agree"
    for seat, _ in chosen:
        tax = sum(line.tax_included.minor for line in quote.lines if line.seat_number == seat.number)
        exact = Fraction(quote.for_seat(seat.number).minor * rate, 10_000 + rate)
        assert abs(tax - exact) <= Fraction(1, 2), "rounded once for each seat"


def test_every_label_has_a_text_in_every_language() -> None:
    for code in LANGUAGES:
        with language(code):
            for label in LABELS:
                line = PriceLine("fare", label, money("1.00"), money("0.00"), facts={"seat": "4A"})
                text = describe_line(line)
                assert text
                assert "{" not in text
                assert ("4A" in text) == (not label.startswith(("service-fee", "open-return")))


def test_a_line_of_an_unknown_label_or_without_facts_is_still_shown() -> None:
    line = PriceLine("fee", "winter-tyres", money("1.00"), money("0.00"))
    assert describe_line(line) == "winter-tyres"
    assert describe_line(replace(line, label="fare-adult")) == "Seat"


def test_an_empty_quote_is_worth_nothing() -> None:
    assert Quote((), "VND").total == Money(0, "VND")
