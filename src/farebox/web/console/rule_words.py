"""Price rules in plain sentences, and what a form tells of one."""

import hashlib
from datetime import date, timedelta
from typing import Any, Final, Literal

from babel.dates import get_day_names
from babel.lists import format_list

from farebox.core.i18n import N_, locale
from farebox.core.i18n import gettext as _
from farebox.pricing import PriceRule, RuleKind
from farebox.web.console.typed import Typed, percent_text, plain_percent
from farebox.web.days import day_in_words
from farebox.web.views.console import Choice

WEEKDAYS: Final = range(7)

KINDS: Final[dict[RuleKind, tuple[str, str]]] = {
    "season": (N_("Season"), N_("On the days of a holiday or a season")),
    "weekday": (N_("Day of the week"), N_("On some days of each week")),
    "load": (N_("Demand"), N_("Once so many seats of a vehicle are gone")),
    "early": (N_("Early booking"), N_("For who books so many days before")),
    "round-trip": (N_("There and back"), N_("For who books the way back along with it")),
}
"""Kind -> what it is called, and what it is for."""

_SENTENCES: Final[dict[tuple[RuleKind, bool], str]] = {
    ("season", True): N_("From {first} to {last}, fares are {percent} higher."),
    ("season", False): N_("From {first} to {last}, fares are {percent} lower."),
    ("weekday", True): N_("On {days}, fares are {percent} higher."),
    ("weekday", False): N_("On {days}, fares are {percent} lower."),
    ("load", True): N_("Once {load} of the seats are gone, fares are {percent} higher."),
    ("load", False): N_("Once {load} of the seats are gone, fares are {percent} lower."),
    ("early", True): N_("Booked {ahead} days ahead or earlier, fares are {percent} higher."),
    ("early", False): N_("Booked {ahead} days ahead or earlier, fares are {percent} lower."),
    ("round-trip", False): N_("With the way back in the same booking, both ways are {percent} cheaper."),
}

FIELDS: Final = {
    ".name": "name",
    ".percentBp": "percent",
    ".firstDay": "first_day",
    ".lastDay": "last_day",
    ".weekdays": "weekday-0",
    ".fromLoadBp": "load",
    ".daysAhead": "ahead",
}
"""The end of a domain error's field -> the form's."""


def sentence_of(rule: PriceRule) -> str:
    """What a rule does, in the reader's language."""
    return _(_SENTENCES[rule.kind, rule.percent_bp > 0]).format(
        percent=percent_text(rule.percent_bp),
        first=day_in_words(rule.first_day, "date"),
        last=day_in_words(rule.last_day, "date"),
        days=weekdays_in_words(rule.weekdays),
        load=percent_text(rule.from_load_bp),
        ahead=rule.days_ahead,
    )


def weekdays_in_words(weekdays: int) -> str:
    """Bit 0 is Monday."""
    names = get_day_names("wide", locale=locale())
    return str(format_list([names[day] for day in WEEKDAYS if weekdays >> day & 1], locale=locale()))


def change_of(rule: PriceRule) -> str:
    """+25%, −10%."""
    return f"{'+' if rule.percent_bp > 0 else '−'}{percent_text(rule.percent_bp)}"


def state_of(rule: PriceRule, today: date) -> Literal["", "to-come", "runs", "over"]:
    """Of a season, whether it is to come, runs, or is over; empty for other kinds."""
    if rule.kind != "season":
        return ""
    if today < rule.first_day:
        return "to-come"
    return "runs" if today <= rule.last_day else "over"


def key_of(rule: PriceRule) -> str:
    """A name for a rule as it is now: once it was changed it has another, so nobody changes what they did not see."""
    return hashlib.blake2b(repr(rule).encode(), digest_size=8).hexdigest()


def kind_choices() -> tuple[Choice, ...]:
    return tuple(Choice(kind, _(name), _(hint)) for kind, (name, hint) in KINDS.items())


def weekday_choices() -> tuple[Choice, ...]:
    names = get_day_names("wide", context="stand-alone", locale=locale())
    return tuple(Choice(f"weekday-{day}", names[day][:1].upper() + names[day][1:]) for day in WEEKDAYS)


def fields_of(rule: PriceRule) -> dict[str, str]:
    """A rule as its form has it."""
    typed = {
        "kind": rule.kind,
        "name": rule.name,
        "way": "more" if rule.percent_bp > 0 else "less",
        "percent": plain_percent(abs(rule.percent_bp)),
    }
    if rule.kind == "season":
        typed |= {"first_day": rule.first_day.isoformat(), "last_day": rule.last_day.isoformat()}
    if rule.kind == "weekday":
        typed |= {f"weekday-{day}": "yes" for day in WEEKDAYS if rule.weekdays >> day & 1}
    if rule.kind == "load":
        typed["load"] = plain_percent(rule.from_load_bp)
    if rule.kind == "early":
        typed["ahead"] = str(rule.days_ahead)
    return typed


def read_rule(typed: Typed) -> PriceRule | None:
    """What the form says, as far as it makes a rule; only the fields of its kind count."""
    kind = next((kind for kind in KINDS if kind == typed.text("kind")), None)
    if kind is None:
        typed.refuse("kind", _("Choose one."))
        return None
    percent = typed.percent("percent")
    if percent is None:
        typed.refuse("percent", _("Enter a percentage, with two decimals at most."))
    is_more = typed.text("way") == "more" and kind != "round-trip"
    conditions: dict[str, Any] = {}
    if kind == "season":
        conditions = {"first_day": typed.day("first_day"), "last_day": typed.day("last_day")}
    elif kind == "weekday":
        conditions = {"weekdays": sum(1 << day for day in WEEKDAYS if typed.text(f"weekday-{day}") == "yes")}
    elif kind == "load":
        conditions = {"from_load_bp": typed.percent("load")}
    elif kind == "early":
        conditions = {"days_ahead": typed.whole("ahead")}
    given = {name: value for name, value in conditions.items() if value is not None}
    if typed.errors:
        return None
    percent = abs(percent or 0)
    return PriceRule(kind=kind, name=typed.text("name"), percent_bp=percent if is_more else -percent, **given)


def example_day(rule: PriceRule, today: date) -> date:
    """A day on which a rule counts, from today on where there is one."""
    if rule.kind == "season":
        return max(rule.first_day, min(today, rule.last_day))
    if rule.kind == "early":
        return today + timedelta(days=rule.days_ahead)
    days = (today + timedelta(days=ahead) for ahead in range(1, 15))
    return next((day for day in days if rule.weekdays >> day.weekday() & 1), today)
