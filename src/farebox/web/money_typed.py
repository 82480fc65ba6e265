"""Money and currencies in forms."""

from babel.numbers import NumberFormatError, get_currency_name, parse_decimal

from farebox.accounts import list_currencies
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_, locale
from farebox.core.money import Money
from farebox.web.views.trips import Option


def amount_typed(text: str, currency: str, field: str) -> Money | None:
    """What was typed as an amount, as the reader's language writes numbers; `None` for nothing.

    Raises:
        Invalid: for the field, where that is no amount of the currency.
    """
    if not text.strip():
        return None
    try:
        return Money.parse(str(parse_decimal(text.strip(), locale=locale(), strict=True)), currency)
    except (NumberFormatError, ValueError):
        message = N_("This is not an amount of money.")
        raise Invalid([FieldError(field, "invalid-amount", message)]) from None


def plain_amount(money: Money) -> str:
    """An amount for a form's field, without grouping, as the reader's language writes decimals."""
    text = format(money.amount.normalize() if money.amount == money.amount.to_integral() else money.amount, "f")
    return text.replace(".", locale().number_symbols["latn"]["decimal"])


def currency_options() -> tuple[Option, ...]:
    """All currencies by name."""
    named = ((get_currency_name(code, locale=locale()), code) for code in list_currencies())
    return tuple(Option(code, f"{name[:1].upper()}{name[1:]} ({code})") for name, code in sorted(named))
