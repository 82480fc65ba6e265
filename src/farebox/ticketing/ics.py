"""The trip in the traveller's own calendar (iCalendar, RFC 5545)."""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import icalendar

from farebox.bookings import Booking, BookingItem, PlaceTime
from farebox.core.i18n import gettext

REMIND_BEFORE: Final = timedelta(hours=2)


def write_calendar(booking: Booking, *, base_url: str) -> bytes:
    """One event for each item of the booking, in the zones of its stops, in the current language.

    An event keeps its identity: importing the file again changes the entry and makes no second one.
    """
    document = icalendar.Calendar()
    document.add("prodid", "-//Farebox//Farebox//EN")
    document.add("version", "2.0")
    document.add("calscale", "GREGORIAN")
    document.add("method", "PUBLISH")
    for item in booking.items:
        document.add_component(_event(booking, item, base_url))
    document.add_missing_timezones()
    return bytes(document.to_ical())


def _event(booking: Booking, item: BookingItem, base_url: str) -> icalendar.Event:
    about = item.description
    event = icalendar.Event()
    event.add("uid", f"{item.id}@{urlsplit(base_url).hostname or 'farebox'}")
    event.add("dtstamp", booking.confirmed_at or booking.created_at)
    event.add("summary", _title(item))
    event.add("dtstart", _there(about.origin))
    event.add("dtend", _there(about.destination) if about.destination else item.completes_at)
    event.add("location", ", ".join(dict.fromkeys(filter(None, [about.origin.name, about.origin.place]))))
    if about.origin.lat is not None and about.origin.lon is not None:
        event.add("geo", (about.origin.lat, about.origin.lon))
    event.add("description", _description(booking, item))
    event.add_component(_alarm(_title(item)))
    return event


def _alarm(title: str) -> icalendar.Alarm:
    alarm = icalendar.Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", title)
    alarm.add("trigger", -REMIND_BEFORE)
    return alarm


def _title(item: BookingItem) -> str:
    about = item.description
    if about.destination is None:
        return about.title
    return gettext("{operator}: {origin} to {destination}").format(
        operator=about.operator_name, origin=about.origin.place, destination=about.destination.place
    )


def _description(booking: Booking, item: BookingItem) -> str:
    about = item.description
    platform = about.origin.platform
    lines = [
        gettext("Reference: {reference}").format(reference=booking.reference),
        gettext("Seats: {seats}").format(seats=", ".join(item.seat_numbers)),
        gettext("Platform: {platform}").format(platform=platform) if platform else "",
        about.title,
        about.operator_phone,
        gettext(about.note),
    ]
    return "\n".join(filter(None, lines))


def _there(end: PlaceTime) -> datetime:
    return end.time.astimezone(ZoneInfo(end.timezone))
