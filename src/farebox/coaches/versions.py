"""The version of a seat map: a text that says what every seat was, so that any process can tell what has changed since.

Nothing must be counted or remembered for it. Three bits a seat, after a checksum of what else there is to the map.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence

BITS = 3
CHECKSUM_BYTES = 6
LONGEST = 2000
"""Characters; a coach has some dozen."""


def pack_version(content: str, codes: Sequence[int]) -> str:
    """The version of a map.

    Args:
        content: everything about the seats but their statuses.
        codes: of the statuses, from 0 to 7.
    """
    packed = 0
    for code in reversed(codes):
        packed = packed << BITS | code
    raw = _checksum(content, len(codes)) + packed.to_bytes(_size(len(codes)), "little")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unpack_version(version: str, content: str, seats: int) -> tuple[int, ...] | None:
    """The codes at that version; `None` where it is not one of this content."""
    if len(version) > LONGEST:
        return None
    try:
        raw = base64.b64decode(version + "=" * (-len(version) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if raw[:CHECKSUM_BYTES] != _checksum(content, seats) or len(raw) != CHECKSUM_BYTES + _size(seats):
        return None
    packed = int.from_bytes(raw[CHECKSUM_BYTES:], "little")
    return tuple(packed >> BITS * seat & (1 << BITS) - 1 for seat in range(seats))


def _checksum(content: str, seats: int) -> bytes:
    return hashlib.blake2b(f"{seats} {content}".encode(), digest_size=CHECKSUM_BYTES).digest()


def _size(seats: int) -> int:
    return -(-seats * BITS // 8)
