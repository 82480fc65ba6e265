"""Stripe's way of writing amounts, which is not ISO 4217's everywhere (docs.stripe.com/currencies)."""

from typing import Final

from farebox.core.money import Money, exponent

CURRENCIES: Final = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD
    JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD
    NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL
    THB TJS TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW
"""
"""What cards can be charged in."""

DECIMALS: Final = {
    0: "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF",
    3: "BHD JOD KWD OMR TND",
}
"""The currencies that Stripe does not write in hundredths. ISK and UGX it does, though they have none; MGA it does not,
though it has fifths. HUF and TWD are whole in payouts only, which do not concern us."""


def is_charged(currency: str) -> bool:
    """Whether Stripe takes money in a currency."""
    return currency in CURRENCIES.split()


def to_stripe(money: Money) -> int:
    """How Stripe writes an amount.

    Raises:
        ValueError: it cannot be charged: a part of an ariary, or dinars whose third decimal is not 0.
    """
    amount, rest = _scaled(money.minor, _decimals(money.currency) - exponent(money.currency))
    if rest or (money.currency in DECIMALS[3].split() and amount % 10):
        raise ValueError(f"Stripe cannot charge {money}")
    return amount


def from_stripe(amount: int, currency: str) -> Money:
    """Our way of writing Stripe's amounts.

    Args:
        currency: in lower case, as Stripe writes it.

    Raises:
        ValueError: it has a part smaller than the currency's smallest.
    """
    code = currency.upper()
    minor, rest = _scaled(amount, exponent(code) - _decimals(code))
    if rest:
        raise ValueError(f"{amount} is no amount of {code}")
    return Money(minor, code)


def _decimals(currency: str) -> int:
    return next((decimals for decimals, codes in DECIMALS.items() if currency in codes.split()), 2)


def _scaled(amount: int, shift: int) -> tuple[int, int]:
    """The amount with `shift` decimals more; where it has fewer, also what does not fit."""
    factor: int = 10 ** abs(shift)
    return (amount * factor, 0) if shift >= 0 else divmod(amount, factor)
