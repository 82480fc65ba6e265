"""Public ids: UUIDv7, so that new rows land at the end of their index."""

from datetime import datetime
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

_VERSION_AND_VARIANT: Final = 7 << 76 | 2 << 62


def new_id() -> UUID:
    """A new time-ordered UUID (version 7, RFC 9562)."""
    return uuid7()


def first_id_at(instant: datetime) -> UUID:
    """The smallest id that can have been made at an instant or after it: where an index of ids is to be read from."""
    return UUID(int=int(instant.timestamp() * 1000) << 80 | _VERSION_AND_VARIANT)
