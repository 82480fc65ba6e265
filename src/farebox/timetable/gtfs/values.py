"""The types of GTFS: texts become times, dates, positions. Each raises `ValueError` for what it cannot read."""

import math
import re
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

MAX_TIME_S = 31 * 86400
"""No run lasts longer than a month."""

EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)

_TIME = re.compile(r"(\d{1,3}):([0-5]?\d)(?::([0-5]?\d))?", re.ASCII)
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)
_COLOR = re.compile(r"#?([0-9A-Fa-f]{6})")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)*")


@lru_cache(maxsize=100_000)
def parse_time(text: str) -> int:
    """Seconds after noon minus 12 hours of the service date; may pass 24 hours ("25:10:00")."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    hours, minutes, seconds = match.groups(default="0")
    total = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    if total > MAX_TIME_S:
        raise ValueError(text)
    return total


@lru_cache(maxsize=100_000)
def parse_date(text: str) -> int:
    """The proleptic ordinal of a day ("20190318"), as `date.toordinal` counts."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day = date(*map(int, match.groups()))
    if not EARLIEST <= day <= LATEST:
        raise ValueError(text)
    return day.toordinal()


def parse_position(lat: str, lon: str) -> tuple[float, float]:
    """WGS 84 degrees. 0, 0 is in the sea off Ghana and means that somebody did not know."""
    position = (float(lat), float(lon))
    if not all(map(math.isfinite, position)) or abs(position[0]) > 90 or abs(position[1]) > 180:  # noqa: PLR2004
        raise ValueError(f"{lat}, {lon}")
    if position == (0.0, 0.0):
        raise ValueError(f"{lat}, {lon}")
    return position


def parse_count(text: str) -> int:
    """A whole number, not negative. Some programs write "3.0"."""
    value = float(text)
    if not value.is_integer() or not 0 <= value < 2**31:
        raise ValueError(text)
    return int(value)


def parse_length(text: str) -> float:
    """A distance along the way, in whatever unit the feed has."""
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise ValueError(text)
    return value


def parse_color(text: str) -> str:
    """Six hexadecimal digits, in lower case, or nothing."""
    if not text:
        return ""
    match = _COLOR.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return match[1].lower()


def parse_language(text: str) -> str:
    """The language of a BCP 47 tag: "pt-BR" and "PT" are "pt". Empty stays empty ("mul" too: it names none)."""
    match = _LANGUAGE.fullmatch(text)
    if match is None:
        if text:
            raise ValueError(text)
        return ""
    code = match[1].lower()
    return "" if code in {"mul", "und"} else code


@lru_cache(maxsize=1000)
def parse_zone(text: str) -> str:
    """The IANA name of a time zone that this machine knows."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        raise ValueError(text) from None
    return text
