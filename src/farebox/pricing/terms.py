"""The terms of an operator's fares, and what they are when nobody has said: a price by distance."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias
from uuid import UUID

from farebox.core.money import Money, exponent

PassengerType: TypeAlias = Literal["adult", "child", "senior"]

BASIS_POINTS = 10_000
"""Basis points in one: rates are whole basis points, 8% is 800."""

# What a coach traveller pays where a traveller in the euro area pays one euro: rough, by the price level of coach
# travel and not by the exchange rate. Good enough to open a shop with; the operator sets its own.
UNITS_PER_EURO: dict[str, int | str] = {
    "AED": 4, "ALL": 90, "AMD": 350, "AOA": 600, "ARS": 900, "AUD": "1.6", "AZN": "1.5", "BAM": "1.8", "BBD": 2,
    "BDT": 60, "BGN": "1.2", "BHD": "0.4", "BIF": 2500, "BND": "1.5", "BOB": 4, "BRL": 4, "BSD": 1, "BTN": 30,
    "BWP": 10, "BYN": 2, "BZD": 2, "CAD": "1.5", "CDF": 2500, "CHF": "1.2", "CLP": 600, "CNY": 5, "COP": 2500,
    "CRC": 500, "CUP": 25, "CVE": 100, "CZK": 18, "DKK": 7, "DOP": 45, "DZD": 100, "EGP": 15, "ETB": 60, "EUR": 1,
    "FJD": 2, "GBP": "0.9", "GEL": 1, "GHS": 8, "GMD": 60, "GNF": 8000, "GTQ": 5, "GYD": 200, "HKD": 9, "HNL": 20,
    "HTG": 130, "HUF": 250, "IDR": 7000, "ILS": 4, "INR": 25, "IQD": 1000, "IRR": 200000, "ISK": 160, "JMD": 130,
    "JOD": "0.6", "JPY": 130, "KES": 60, "KGS": 50, "KHR": 3000, "KRW": 1100, "KWD": "0.3", "KZT": 250,
    "LAK": 9000, "LBP": 80000, "LKR": 120, "LSL": 12, "LYD": 4, "MAD": 6, "MDL": 12, "MGA": 3000, "MKD": 45,
    "MMK": 2000, "MNT": 2500, "MOP": 9, "MRU": 30, "MUR": 35, "MWK": 1000, "MXN": 15, "MYR": 2, "MZN": 50,
    "NAD": 12, "NGN": 500, "NIO": 25, "NOK": 11, "NPR": 50, "NZD": "1.8", "OMR": "0.4", "PAB": 1, "PEN": 3,
    "PGK": 4, "PHP": 30, "PKR": 100, "PLN": 3, "PYG": 5000, "QAR": 4, "RON": 4, "RSD": 80, "RUB": 50, "RWF": 800,
    "SAR": 4, "SEK": 11, "SGD": "1.5", "SRD": 30, "SZL": 12, "THB": 16, "TJS": 7, "TMT": 3, "TND": 2, "TRY": 20,
    "TTD": 6, "TWD": 25, "TZS": 1200, "UAH": 18, "UGX": 2500, "USD": "1.1", "UYU": 35, "UZS": 6000, "VES": 40,
    "VND": 7500, "XAF": 400, "XOF": 400, "YER": 500, "ZAR": 12, "ZMW": 15,
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
class FareCell:
    """A fare set by hand from place to place, in this direction. It goes before the feed's and the one by distance.

    Attributes:
        seat_type: of the seats that it is for; empty: of all for which there is none of their own.
        child, senior: `None`: the operator's discount is taken off the adult's.
    """

    from_place: UUID
    to_place: UUID
    adult: Money
    child: Money | None = None
    senior: Money | None = None
    seat_type: str = ""


@dataclass(frozen=True, slots=True)
class Tax:
    """How prices are taxed: `rate_bp` basis points, which they include, or which are added to them (`is_added`)."""

    rate_bp: int = 0
    is_added: bool = False

    def included_in(self, amount: Money) -> Money:
        """The tax that an amount includes; none where it is added."""
        if self.is_added or not self.rate_bp:
            return Money.zero(amount.currency)
        return amount.times(Fraction(self.rate_bp, BASIS_POINTS + self.rate_bp))

    def added_to(self, amount: Money) -> Money:
        """The tax that is added to an amount; none where it is included."""
        if not self.is_added or not self.rate_bp:
            return Money.zero(amount.currency)
        return amount.times(Fraction(self.rate_bp, BASIS_POINTS))


@dataclass(frozen=True, slots=True)
class FareTerms:
    """What holds for everything that an operator sells.

    Attributes:
        service_fee: added once for each departure that is booked.
        tax_rate_bp: tax on every amount, in basis points; `is_tax_added`: amounts are without it, and it is added.
        child_discount_bp, senior_discount_bp: off the adult fare, where there is no fare for them.
        sells_by_distance: whether a ride that nothing else names a fare for is sold, by distance.
    """

    service_fee: Money
    tax_rate_bp: int = 0
    child_discount_bp: int = 0
    senior_discount_bp: int = 0
    sells_by_distance: bool = True
    is_tax_added: bool = False

    @property
    def currency(self) -> str:
        return self.service_fee.currency

    @property
    def tax(self) -> Tax:
        return Tax(self.tax_rate_bp, self.is_tax_added)

    @property
    def whole_service_fee(self) -> Money:
        """The service fee as it is paid, with the tax."""
        return self.service_fee + self.tax.added_to(self.service_fee)

    def discounted(self, fare: Money, passenger_type: PassengerType) -> Money:
        """An adult's fare for somebody else, under the operator's discounts."""
        off = {"adult": 0, "child": self.child_discount_bp, "senior": self.senior_discount_bp}[passenger_type]
        return fare.times(Fraction(BASIS_POINTS - off, BASIS_POINTS)) if off else fare


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
