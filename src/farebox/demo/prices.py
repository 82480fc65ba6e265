"""What the demo's operators sell under: fees, fares by hand, rules, codes and terms, as operators have them."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from farebox.accounts import SYSTEM, OperatorView
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.demo.feed import CURRENCY
from farebox.pricing import (
    FareCell,
    FareTerms,
    NewPromotion,
    PriceRule,
    SaleTerms,
    SeatSurcharge,
    make_promotion,
    set_fare_terms,
)
from farebox.timetable import list_served_places

TERMS: Final = FareTerms(
    service_fee=Money(10_000, CURRENCY), tax_rate_bp=800, child_discount_bp=2500, senior_discount_bp=1000
)
WEEKEND: Final = 0b111_0000
"""Friday, Saturday and Sunday: bit 0 is Monday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Of one operator.

    Attributes:
        code: what it is called, and its basis points.
        by_hand: from, to and the fare, both ways alike.
        terms: of sale; `None`: as ours are.
    """

    surcharge: SeatSurcharge
    rules: tuple[PriceRule, ...]
    code: tuple[str, int]
    by_hand: tuple[tuple[str, str, int], ...] = ()
    terms: SaleTerms | None = None


def prices_of(operator: str, today: date) -> Prices:
    """By the operator's id in the feed; a season is of the year in which the demo begins."""
    year = today.year
    return {
        "truong-son-lines": Prices(
            surcharge=SeatSurcharge(Money(60_000, CURRENCY), feature="extra-legroom"),
            rules=(
                PriceRule(kind="weekday", name="Weekend", percent_bp=1000, weekdays=WEEKEND),
                PriceRule(kind="early", name="Early bird", percent_bp=-1000, days_ahead=14),
                PriceRule(kind="round-trip", name="There and back", percent_bp=-500),
            ),
            code=("WELCOME10", 1000),
            by_hand=(("Hanoi", "Hai Phong", 110_000), ("Hanoi", "Ninh Binh", 95_000)),
            terms=SaleTerms(
                tiers=((48, 10_000), (24, 8_000), (4, 5_000)),
                change_hours=4,
                change_fee_minor=20_000,
                rename_hours=2,
                open_return_days=60,
                open_return_refund_bp=8_000,
            ),
        ),
        "sao-dem-sleeper": Prices(
            surcharge=SeatSurcharge(Money(30_000, CURRENCY), feature="lower"),
            rules=(
                PriceRule(kind="load", name="Many have booked", percent_bp=500, from_load_bp=6_000),
                PriceRule(kind="load", name="Last berths", percent_bp=1500, from_load_bp=8_500),
                PriceRule(kind="early", name="Early bird", percent_bp=-1500, days_ahead=10),
            ),
            code=("NIGHT15", 1500),
        ),
        "may-trang-limousine": Prices(
            surcharge=SeatSurcharge(Money(40_000, CURRENCY), feature="front"),
            rules=(
                PriceRule(
                    kind="season",
                    name="New Year",
                    percent_bp=2000,
                    first_day=date(year, 12, 28),
                    last_day=date(year + 1, 1, 3),
                ),
                PriceRule(kind="weekday", name="Weekend", percent_bp=800, weekdays=WEEKEND),
            ),
            code=("CLOUD10", 1000),
            terms=SaleTerms(tiers=((12, 10_000),), change_hours=1, rename_hours=1),
        ),
    }[operator]


async def set_prices(work: UnitOfWork, code: str, operator: OperatorView, *, today: date) -> None:
    """Sell under them, and give the code out."""
    prices = prices_of(code, today)
    names = {name: place_id for place_id, name in (await list_served_places(work, operator.id)).items()}
    cells = [
        FareCell(names[origin], names[destination], Money(minor, CURRENCY))
        for one, other, minor in prices.by_hand
        for origin, destination in ((one, other), (other, one))
    ]
    await set_fare_terms(
        work,
        operator.id,
        TERMS,
        surcharges=[prices.surcharge],
        cells=cells,
        price_rules=prices.rules,
        sale_terms={"": prices.terms} if prices.terms else {},
    )
    name, percent_bp = prices.code
    new = NewPromotion(operator_id=operator.id, code=name, percent_bp=percent_bp, total_limit=500, person_limit=1)
    await make_promotion(work, new, actor=SYSTEM)
