"""Instants, stretches of time, zones, people and documents in words of the reader's language."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from farebox.bookings import Passenger, SeatDescription
from farebox.core.crypto import Secrets
from farebox.core.i18n import N_, format_day, format_time, gettext, pgettext

PASSENGER_TYPES = {"adult": N_("Adult"), "child": N_("Child"), "senior": N_("Senior")}

ID_TYPES = {"citizen_id": N_("Citizen ID card"), "passport": N_("Passport")}

STATUSES = {
    "confirmed": N_("Confirmed"),
    "completed": N_("Completed"),
    "cancelled": N_("Cancelled"),
    "refunded": N_("Refunded"),
}

SEAT_TYPES = {
    "standard": N_("Standard seat"),
    "limousine": N_("Limousine armchair"),
    "sleeper": N_("Sleeper berth"),
}

DECKS = {"lower": N_("lower deck"), "upper": N_("upper deck")}


def day_in_words(instant: datetime, zone: ZoneInfo) -> str:
    """Wed 25 Nov 2026."""
    return format_day(instant.astimezone(zone), pgettext("date pattern, short", "EEE d MMM y"))


def full_day_in_words(instant: datetime, zone: ZoneInfo) -> str:
    """Wednesday 25 November 2026."""
    return format_day(instant.astimezone(zone), pgettext("date pattern, long", "EEEE d MMMM y"))


def moment_in_words(instant: datetime, zone: ZoneInfo) -> str:
    """Wed 25 Nov 2026, 06:30."""
    return f"{day_in_words(instant, zone)}, {format_time(instant, zone)}"


def duration_in_words(length: timedelta) -> str:
    """6 h 40, 55 min."""
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    if not hours:
        return gettext("{minutes} min").format(minutes=minutes)
    if not minutes:
        return gettext("{hours} h").format(hours=hours)
    return gettext("{hours} h {minutes}").format(hours=hours, minutes=f"{minutes:02d}")


def days_between(start: datetime, start_zone: ZoneInfo, end: datetime, end_zone: ZoneInfo) -> int:
    """How many calendar days later the end is, each in its own zone."""
    return (end.astimezone(end_zone).date() - start.astimezone(start_zone).date()).days


def document_in_words(passenger: Passenger, secrets: Secrets) -> str:
    """Passport ••••• 123: enough for the crew to compare, too little to be of use to a finder."""
    return f"{gettext(ID_TYPES[passenger.id_type])} {passenger.id_number.masked(secrets)}"


def seat_in_words(seat: SeatDescription | None) -> str:
    """Sleeper berth, upper deck."""
    if seat is None:
        return ""
    kind = gettext(SEAT_TYPES[seat.type]) if seat.type in SEAT_TYPES else seat.type.replace("-", " ").capitalize()
    return ", ".join([kind, *(gettext(DECKS[feature]) for feature in seat.features if feature in DECKS)])
