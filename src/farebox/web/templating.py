"""Jinja2 as the pages use it: escaped, strict about names, translated, with money and times by locale."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_name
from babel.numbers import format_compact_currency
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig

from farebox.core import i18n
from farebox.core.contacts import spaced_phone
from farebox.core.i18n import LANGUAGES, current_language, locale
from farebox.core.money import Money
from farebox.web.days import day_in_words
from farebox.web.labels import amenity_icon, amenity_label
from farebox.web.static_files import ASSETS

SHORTEN_FROM = 10_000
"""Amounts from here on are shortened where space is narrow: 260K."""


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """The template engine, for the application's `template_config`."""
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment()))


def environment() -> Environment:
    """Jinja's environment with all that templates may use."""
    env = Environment(
        loader=PackageLoader("farebox.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.globals.update(static_url=ASSETS.url, languages=LANGUAGES, current_language=current_language)
    env.filters.update(
        money=i18n.format_money,
        count=i18n.format_count,
        money_short=money_short,
        day=day_in_words,
        day_part=day_part,
        time=time_of_day,
        duration=duration,
        zone_name=zone_name,
        iso=lambda instant: instant.isoformat(),
        phone=spaced_phone,
        amenity=amenity_label,
        amenity_icon=amenity_icon,
    )
    return env


def money_short(money: Money) -> str:
    """An amount for narrow places; whole where shortening would lie."""
    if abs(money.amount) < SHORTEN_FROM:
        return i18n.format_money(money)
    short = format_compact_currency(money.amount, money.currency, locale=locale(), fraction_digits=1)
    return short.replace("\N{NO-BREAK SPACE}N\N{NO-BREAK SPACE}", "K\N{NO-BREAK SPACE}")  # CLDR's Vietnamese "500 N ₫"


def day_part(day: date | datetime, pattern: str) -> str:
    """A day by a CLDR pattern, or by what a translator has put in its place."""
    return i18n.format_day(day, i18n.pgettext("date pattern, date", pattern))


def time_of_day(instant: datetime, zone: str | None = None) -> str:
    """Wall-clock time in `zone`, or in the instant's own."""
    return i18n.format_time(instant, ZoneInfo(zone) if zone else None)


def duration(minutes: int) -> str:
    """6 h 40, 55 min."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return i18n.gettext("{minutes} min").format(minutes=rest)
    if not rest:
        return i18n.gettext("{hours} h").format(hours=hours)
    return i18n.gettext("{hours} h {minutes}").format(hours=hours, minutes=f"{rest:02d}")


def zone_name(zone: str, at: datetime) -> str:
    """A zone as people say it, with its distance from Greenwich at that instant: China Time (GMT+8)."""
    offset = at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    distance = f"GMT{sign}{hours}" + (f":{rest:02d}" if rest else "")
    return f"{get_timezone_name(zone, width='long', locale=locale())} ({distance})"


__all__ = ["duration", "environment", "money_short", "template_config", "time_of_day", "zone_name"]
