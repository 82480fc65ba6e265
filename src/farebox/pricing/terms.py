"""The terms of an operator's fares, and what they are when nobody has said: a currency and a price by distance."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from babel.core import get_global
from babel.numbers import get_territory_currencies

from farebox.core.money import Money, exponent

PassengerType: TypeAlias = Literal["adult", "child", "senior"]

BASIS_POINTS = 10_000
"""Basis points in one: rates are whole basis points, 8 % is 800."""

FALLBACK_CURRENCY = "EUR"

# What a coach traveller pays where a traveller in the euro area pays one euro: rough, by the price level of coach
# travel and not by the exchange rate. Good enough to open a shop with; the operator sets its own.
UNITS_PER_EURO: dict[str, int | str] = {
    "AED": 4, "ARS": 900, "AUD": "1.6", "BDT": 60, "BGN": "1.2", "BOB": 4, "BRL": 4, "CAD": "1.5", "CHF": "1.2",
    "CLP": 600, "CNY": 5, "COP": 2500, "CZK": 18, "DKK": 7, "EGP": 15, "EUR": 1, "GBP": "0.9", "GEL": 1, "GTQ": 5,
    "HKD": 9, "HUF": 250, "IDR": 7000, "ILS": 4, "INR": 25, "ISK": 160, "JPY": 130, "KES": 60, "KHR": 3000, "KRW": 1100,
    "KZT": 250, "LAK": 9000, "LKR": 120, "MAD": 6, "MXN": 15, "MYR": 2, "NGN": 500, "NOK": 11, "NPR": 50, "NZD": "1.8",
    "PEN": 3, "PHP": 30, "PKR": 100, "PLN": 3, "RON": 4, "RSD": 80, "RUB": 50, "SAR": 4, "SEK": 11, "SGD": "1.5",
    "THB": 16, "TRY": 20, "TWD": 25, "TZS": 1200, "UAH": 18, "USD": "1.1", "UYU": 35, "VND": 7500, "ZAR": 12,
}  # fmt: skip

# Of a ride in euros: to get on, for each 100 km, the least it costs, and what it is rounded to.
_EUROS = {"base": Decimal(4), "per_100_km": Decimal(6), "minimum": Decimal(5), "step": Decimal("0.10")}

# Where the table above would be too far from what people pay.
_LOCAL = {
    "VND": {"base": Decimal(30_000), "per_100_km": Decimal(90_000), "minimum": Decimal(50_000), "step": Decimal(5_000)}
}

CLASS_PERCENT = {"standard": 100, "sleeper": 130, "limousine": 160}
"""What a class of seat costs beside a standard seat, where the operator has not said."""


@dataclass(frozen=True, slots=True)
class DistanceFare:
    """A price by distance: `base` + `per_100_km` by the distance, not under `minimum`, rounded to whole `step`s."""

    base: Money
    per_100_km: Money
    minimum: Money
    step: Money

    def price(self, kilometres: Fraction) -> Money:
        """The price of so many kilometres on the road (half a step rounds up)."""
        exact = Fraction(self.base.minor) + self.per_100_km.minor * kilometres / 100
        steps = int(exact / self.step.minor + Fraction(1, 2))
        return max(Money(steps * self.step.minor, self.base.currency), self.minimum, key=lambda money: money.minor)


@dataclass(frozen=True, slots=True)
class SeatSurcharge:
    """What a seat costs on top. An empty `seat_type` or `feature` means any; the dearest that fits counts, alone."""

    amount: Money
    seat_type: str = ""
    feature: str = ""


@dataclass(frozen=True, slots=True)
class FareTerms:
    """What holds for everything that an operator sells.

    Attributes:
        service_fee: added once for each departure that is booked.
        tax_rate_bp: tax that every amount already includes, in basis points.
        child_discount_bp, senior_discount_bp: off the adult fare, where the feed has no fare for them.
        sells_by_distance: whether a ride that the feed names no fare for is sold, by distance.
    """

    service_fee: Money
    tax_rate_bp: int = 0
    child_discount_bp: int = 0
    senior_discount_bp: int = 0
    sells_by_distance: bool = True

    @property
    def currency(self) -> str:
        return self.service_fee.currency

    def discounted(self, fare: Money, passenger_type: PassengerType) -> Money:
        """An adult's fare for somebody else, under the operator's discounts."""
        off = {"adult": 0, "child": self.child_discount_bp, "senior": self.senior_discount_bp}[passenger_type]
        return fare.times(Fraction(BASIS_POINTS - off, BASIS_POINTS)) if off else fare

    def tax_in(self, amount: Money) -> Money:
        """The tax that an amount includes."""
        return amount.times(Fraction(self.tax_rate_bp, BASIS_POINTS + self.tax_rate_bp))


def currency_of_zone(timezone: str, on: date) -> str:
    """The currency of the territory that a time zone lies in (CLDR), if we know what a ride costs in it; else the euro.

    Args:
        timezone: IANA name, old aliases too.
        on: the day, since territories change their currency.
    """
    zone = get_global("zone_aliases").get(timezone, timezone)
    territory = get_global("zone_territories").get(zone)
    if territory is None or territory == "001":
        return FALLBACK_CURRENCY
    currency = next(iter(get_territory_currencies(territory, on)), FALLBACK_CURRENCY)
    return currency if currency in UNITS_PER_EURO else FALLBACK_CURRENCY


def default_distance_fares(currency: str) -> dict[str, DistanceFare]:
    """A sensible price by distance for each class of seat, in a currency (any; unknown ones count like the euro)."""
    scale = Decimal(UNITS_PER_EURO.get(currency, 1))
    euros = {name: _round_figure(amount * scale, currency) for name, amount in _EUROS.items()}
    euros["step"] = Decimal(1).scaleb(euros["step"].adjusted())
    amounts = _LOCAL.get(currency, euros)
    fares = {}
    for seat_type, percent in CLASS_PERCENT.items():
        base, per_100_km, minimum, step = (
            Money.parse(str(amounts[name]), currency) for name in ("base", "per_100_km", "minimum", "step")
        )
        factor = Fraction(percent, 100)
        fares[seat_type] = DistanceFare(base.times(factor), per_100_km.times(factor), minimum.times(factor), step)
    return fares


def _round_figure(amount: Decimal, currency: str) -> Decimal:
    """To one significant digit, and at least the currency's smallest amount: 28.80 becomes 30."""
    smallest = Decimal(1).scaleb(-exponent(currency))
    return max(Decimal(f"{amount:.1g}").quantize(smallest), smallest)
