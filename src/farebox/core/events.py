"""Facts that a module publishes: past tense, named on the wire by `type` ("booking.confirmed")."""

from typing import Any, ClassVar

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all events. A subclass sets `type` and its fields: ids and facts, never personal data."""

    type: ClassVar[str]


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it travels: `{id: "evt_…", type, timestamp, source, data, metadata}`."""

    id: str
    type: str
    timestamp: str
    source: str
    data: dict[str, Any]
    metadata: dict[str, Any]
