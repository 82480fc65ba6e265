"""Days as the pages write them, in the order that the language puts them."""

from datetime import date, datetime
from typing import Literal, TypeAlias

from farebox.core.i18n import format_day, pgettext

DayStyle: TypeAlias = Literal["strip", "month", "brief", "date", "day", "full"]


def day_in_words(day: date | datetime, style: DayStyle = "day") -> str:
    """A day of the shop's calendar.

    Args:
        style: `strip`: Sat 21; `month`: November; `brief`: 21 November; `date`: 21 November 2026;
            `day`: Saturday 21 November; `full`: Saturday 21 November 2026.
    """
    return format_day(day, _pattern(style))


def _pattern(style: DayStyle) -> str:
    """The CLDR pattern, which a translator can change."""
    match style:
        case "strip":
            return pgettext("date pattern, strip", "EEE d")
        case "month":
            return "MMMM"
        case "brief":
            return pgettext("date pattern, brief", "d MMMM")
        case "date":
            return pgettext("date pattern, date", "d MMMM y")
        case "day":
            return pgettext("date pattern, day", "EEEE d MMMM")
        case "full":
            return pgettext("date pattern, long", "EEEE d MMMM y")
