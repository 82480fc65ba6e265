"""Money as integer minor units with the currency's own exponent. No floats, no rounding by accident."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from typing import Self

from babel.numbers import is_currency

MOST_DIGITS = 18
"""Of minor units: what the database's bigint can hold, and far more than anything costs."""


ISO_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""The currencies of ISO 4217 that do not have two decimals."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount of one currency.

    Attributes:
        minor: whole minor units (cents; đồng, since VND has no minor unit). May be negative in ledgers only.
        currency: ISO 4217 code, upper case.
    """

    minor: int
    currency: str

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @classmethod
    def parse(cls, amount: str, currency: str) -> Self:
        """Read a decimal text ("12.50").

        Raises:
            ValueError: unknown currency, not a number, more decimals than the currency has, or beyond all prices.
        """
        if not is_currency(currency):
            raise ValueError(f"unknown currency {currency!r}")
        try:
            scaled = Decimal(amount).scaleb(exponent(currency))
        except ArithmeticError:
            raise ValueError(f"{amount!r} is not an amount of money") from None
        # The size first: "1E+999999" is short, but writing it out as a whole number takes minutes.
        if not scaled.is_finite() or scaled.adjusted() >= MOST_DIGITS or scaled != scaled.to_integral_value():
            raise ValueError(f"{amount!r} is not an amount of {currency}")
        return cls(int(scaled), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with all the currency's decimals."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def times(self, factor: Fraction | Decimal | int) -> "Money":
        """Multiplied and rounded half up (away from zero at the half), the one rounding rule of the platform."""
        product = Fraction(self.minor) * Fraction(factor)
        exact = Decimal(product.numerator) / Decimal(product.denominator)
        return Money(int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)), self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other).minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other).minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")
        return other


@cache
def exponent(currency: str) -> int:
    """How many decimals a currency has by ISO 4217: EUR 2, VND 0, KWD 3.

    Not CLDR's, which says how prices are usually shown: none for RSD or LAK, although both have hundredths.
    """
    return next((decimals for decimals, codes in ISO_DECIMALS.items() if currency in codes.split()), 2)


def total(amounts: "list[Money]", currency: str) -> Money:
    """The sum, zero of `currency` when there is nothing to add."""
    result = Money.zero(currency)
    for amount in amounts:
        result += amount
    return result
