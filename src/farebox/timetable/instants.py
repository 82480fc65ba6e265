"""Instants as they are told at a place."""

from datetime import datetime, timezone
from zoneinfo import ZoneInfo


def at_place(instant: datetime, zone: str) -> datetime:
    """The same instant with the offset that holds in an IANA zone at that moment.

    The offset is fixed on purpose. Python subtracts and compares two datetimes of one `ZoneInfo` by the clock on the
    wall, so a night ride would last an hour too long, or too short, when clocks change.
    """
    local = instant.astimezone(ZoneInfo(zone))
    offset = local.utcoffset()
    assert offset is not None
    return local.replace(tzinfo=timezone(offset))
