"""Forms of the back office: what was typed, as the reader's language writes it, and what is wrong at each field."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from babel.numbers import NumberFormatError, format_percent, parse_decimal

from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import gettext as _
from farebox.core.i18n import locale
from farebox.core.money import Money
from farebox.web.console.office import LONGEST
from farebox.web.money_typed import amount_typed
from farebox.web.views.checkout import Problem

WHOLE_BP: Final = 10_000
LONGEST_WHOLE: Final = 10
YEARS: Final = range(2000, 2200)


class Typed:
    """Reads a form. `errors`: message by the name of the field; the first one of each counts."""

    def __init__(self, form: Mapping[str, str], currency: str) -> None:
        self.form, self.currency = form, currency
        self.errors: dict[str, str] = {}

    def text(self, name: str) -> str:
        return self.form.get(name, "").strip()[:LONGEST]

    def refuse(self, name: str, message: str) -> None:
        self.errors.setdefault(name, message)

    def amount(self, name: str) -> Money | None:
        """An amount of the operator's currency; `None` for nothing."""
        try:
            found = amount_typed(self.text(name), self.currency, name)
        except Invalid as invalid:
            self.refuse(name, invalid.errors[0].text())
            return None
        if found is not None and found.minor < 0:
            self.refuse(name, _("An amount must not be negative."))
            return None
        return found

    def needed_amount(self, name: str) -> Money:
        found = self.amount(name)
        if found is None:
            self.refuse(name, _("Enter an amount."))
        return found or Money.zero(self.currency)

    def percent(self, name: str) -> int | None:
        """A percentage in basis points; `None` for nothing."""
        text = self.text(name).removesuffix("%").strip()
        if not text:
            return None
        try:
            exact = parse_decimal(text, locale=locale(), strict=True) * 100
            if abs(exact) < WHOLE_BP * WHOLE_BP and exact == int(exact):
                return int(exact)
        except (NumberFormatError, ArithmeticError):
            pass
        self.refuse(name, _("Enter a percentage, with two decimals at most."))
        return None

    def whole(self, name: str) -> int | None:
        """A whole number, not negative; `None` for nothing."""
        text = self.text(name)
        if not text:
            return None
        if text.isascii() and text.isdecimal() and len(text) <= LONGEST_WHOLE:
            return int(text)
        self.refuse(name, _("Enter a whole number."))
        return None

    def day(self, name: str) -> date | None:
        text = self.text(name)
        if not text:
            return None
        try:
            found = date.fromisoformat(text)
            if found.year in YEARS:
                return found
        except ValueError:
            pass
        self.refuse(name, _("Enter a date."))
        return None

    def take(self, errors: Iterable[FieldError], names: Mapping[str, str]) -> None:
        """What the domain says.

        Args:
            names: the end of an error's field -> the form's field; for others the form as a whole (`main`).
        """
        for error in errors:
            name = next((form_name for end, form_name in names.items() if error.field.endswith(end)), "main")
            self.refuse(name, error.text())

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The summary above the form; each leads to its field."""
        return tuple(Problem(name, message) for name, message in self.errors.items())


def percent_text(basis_points: int) -> str:
    """12.5%, as the language writes it; without a sign."""
    return str(format_percent(Decimal(abs(basis_points)) / WHOLE_BP, "#,##0.##%", locale=locale()))


def plain_percent(basis_points: int) -> str:
    """For a form's field."""
    number = f"{Decimal(basis_points) / 100:f}"
    number = number.rstrip("0").rstrip(".") if "." in number else number
    return number.replace(".", locale().number_symbols["latn"]["decimal"])
