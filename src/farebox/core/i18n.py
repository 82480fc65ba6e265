"""Languages: gettext catalogues, the language of the running request, and money and times by locale (CLDR).

Catalogues are the `.po` files in `farebox/locale/<language>/LC_MESSAGES/`; they are compiled in memory on first use,
so no build step is needed. `N_` marks a text for translation where it is defined; `gettext` translates it where it
is shown.
"""

import io
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files

from babel import Locale
from babel.core import get_global
from babel.dates import format_date as babel_format_date
from babel.dates import format_datetime as babel_format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, get_currency_precision

from farebox.core.money import Money

LANGUAGES = {"en": "English", "vi": "Tiếng Việt"}
"""Code and own name of each language that is complete; the first is the source language."""

DEFAULT_LANGUAGE = "en"

ISO_CODE = re.compile("[A-Z]{2}")

_language: ContextVar[str] = ContextVar("farebox_language", default=DEFAULT_LANGUAGE)


def N_(message: str) -> str:
    """Mark a text for extraction; it is translated later, by `gettext`, in the reader's language."""
    return message


def current_language() -> str:
    return _language.get()


@contextmanager
def language(code: str) -> Iterator[None]:
    """Speak `code` (a key of `LANGUAGES`; anything else means the default) inside the block."""
    token = _language.set(code if code in LANGUAGES else DEFAULT_LANGUAGE)
    try:
        yield
    finally:
        _language.reset(token)


def negotiate(accept_language: str) -> str:
    """The best language for an Accept-Language header (RFC 9110), the default where none fits."""
    wanted: list[tuple[float, int, str]] = []
    for position, part in enumerate(accept_language.split(",")[:20]):
        tag, _, parameter = part.strip().partition(";")
        quality = parameter.strip().removeprefix("q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        code = tag.split("-")[0].strip().lower()
        if code in LANGUAGES and weight > 0:
            wanted.append((-weight, position, code))
    return min(wanted)[2] if wanted else DEFAULT_LANGUAGE


def gettext(message: str) -> str:
    return _catalogue(_language.get()).gettext(message) if message else ""


def ngettext(singular: str, plural: str, n: int) -> str:
    return _catalogue(_language.get()).ngettext(singular, plural, n)


def pgettext(context: str, message: str) -> str:
    return _catalogue(_language.get()).pgettext(context, message)


def locale() -> Locale:
    """The CLDR locale of the current language."""
    return Locale.parse(_language.get())


def is_country(code: str) -> bool:
    """Whether that is the ISO 3166-1 alpha-2 code of a country."""
    return code in _countries(current_language())


def country_name(code: str) -> str:
    """A country in the current language; the code of one that the language has no name for."""
    return _countries(current_language()).get(code, code)


def list_countries() -> list[tuple[str, str]]:
    """Codes and names of all countries, by name as the current language's readers look for them."""

    def letters(name: str) -> str:
        return unicodedata.normalize("NFD", name.replace("Đ", "D")).encode("ascii", "ignore").decode().casefold()

    return sorted(_countries(current_language()).items(), key=lambda each: letters(each[1]))


def format_money(money: Money) -> str:
    """An amount as its currency is usually written; with all its decimals where the usual way would hide some."""
    usual = Decimal(1).scaleb(-get_currency_precision(money.currency))
    is_whole = money.amount == money.amount.quantize(usual)
    return format_currency(
        money.amount, money.currency, locale=locale(), currency_digits=is_whole, decimal_quantization=is_whole
    )


def format_count(count: int) -> str:
    """A number as one reads it: 1,204."""
    return format_decimal(count, locale=locale())


def format_day(day: date | datetime, style: str = "EEE d MMM") -> str:
    """A date in the current language. `style` is a CLDR pattern, or short, medium, long, full."""
    return babel_format_date(day, style, locale=locale())


def format_time(instant: datetime, zone: tzinfo | None = None, style: str = "HH:mm") -> str:
    """The wall-clock time of an instant at a place, 24-hour as timetables print it."""
    return babel_format_datetime(instant, style, tzinfo=zone or instant.tzinfo, locale=locale())


def zone_name(instant: datetime, zone: tzinfo) -> str:
    """A zone as people say it and its distance from Greenwich, at that instant: Central European Summer Time, GMT+2."""
    there = instant.astimezone(zone)
    names = locale().meta_zones.get(_metazones().get(str(zone), ""), {}).get("long", {})
    name = names.get("daylight" if there.dst() else "standard") or names.get("generic", "")
    minutes = int((there.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    offset = f"GMT{'-' if minutes < 0 else '+'}{hours}{f':{rest:02d}' if rest else ''}" if minutes else "GMT"
    return f"{name}, {offset}" if name else offset


@cache
def _metazones() -> dict[str, str]:
    """Zone -> what CLDR calls the zones that tell the same time, found by the zone's present name too.

    Babel keeps them under names that the time zone database has given up: Asia/Saigon, not Asia/Ho_Chi_Minh.
    """
    known: dict[str, str] = dict(get_global("meta_zones"))
    renamed = {new: known[old] for old, new in get_global("zone_aliases").items() if old in known}
    return renamed | known


@cache
def _countries(language_code: str) -> dict[str, str]:
    """Code -> name. CLDR has groups of countries (EU) and areas that are none (ZZ) under codes of two letters, too."""
    territories = Locale.parse(language_code).territories
    no_country = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
    return {code: name for code, name in territories.items() if ISO_CODE.fullmatch(code) and code not in no_country}


@cache
def _catalogue(code: str) -> NullTranslations:
    source = files("farebox") / "locale" / code / "LC_MESSAGES" / "farebox.po"
    if not source.is_file():
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=code))
    compiled.seek(0)
    return GNUTranslations(compiled)
