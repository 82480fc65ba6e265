"""What a ticket's QR code says: a compact signed statement that whoever has the public key can check without a network.

`FB1:`, then in base45 (RFC 9285, the alphabet that QR codes pack best) a payload and its 64-byte Ed25519 signature.
The payload, big-endian:

    ==========  =====  ==============================================================
    ticket        16   UUID of the ticket
    resource      16   UUID of what it admits to (a departure, `tripId` on the wire)
    first slot     2   where the stretch begins (position of the boarding call)
    end slot       2   where it ends (position of the alighting call)
    starts         4   minutes since 2020-01-01T00:00Z: departure of the boarding call
    duration       2   minutes until arrival
    flags          1   bits 0-1 passenger type, bit 2 needs assistance, others zero
    seat          1+n  length in bytes, then the seat's label in UTF-8
    ==========  =====  ==============================================================

No name and no document number: a code that is photographed tells nothing about its bearer.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from farebox.ticketing.errors import TicketInvalid

PREFIX: Final = "FB1:"
PASSENGER_TYPES: Final = ("adult", "child", "senior")
MAX_TOKEN_LENGTH: Final = 1000

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_DIGITS: Final = {character: value for value, character in enumerate(_ALPHABET)}
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
_HEAD: Final = struct.Struct(">16s16sHHIHBB")
_SIGNATURE_BYTES: Final = 64
_TYPE_BITS: Final = 0b011
_ASSISTANCE_BIT: Final = 0b100
_MAX_SEAT_BYTES: Final = 255
_BASE: Final = 45


class Signer(Protocol):
    """What signs: `core.crypto.Secrets`."""

    def sign(self, payload: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class TicketClaims:
    """What a ticket says of itself.

    Attributes:
        resource_id: the departure (or session, or stay) that it admits to.
        first_slot, end_slot: the stretch, as positions of calls: boards at the first, alights at the end.
        starts_at: departure of the boarding call, to the minute.
        ends_at: arrival at the alighting call, to the minute.
        seat: the label on the seat; empty where there are no numbered places.
        passenger_type: adult, child or senior.
        needs_assistance: the crew should look out for this passenger.
    """

    ticket_id: UUID
    resource_id: UUID
    first_slot: int
    end_slot: int
    starts_at: datetime
    ends_at: datetime
    seat: str
    passenger_type: str = "adult"
    needs_assistance: bool = False


def sign_token(claims: TicketClaims, signer: Signer) -> str:
    """The text of the QR code. Instants are cut to whole minutes."""
    payload = _pack(claims)
    return PREFIX + _base45(payload + signer.sign(payload))


def verify_token(token: str, public_key: bytes) -> TicketClaims:
    """Read a token and prove that the holder of the private key wrote it. Needs no database and no network.

    Args:
        public_key: the 32 raw bytes of the installation's Ed25519 key.

    Raises:
        TicketInvalid: whatever is wrong; nothing tells a forger how close they came.
    """
    try:
        if not token.startswith(PREFIX) or len(token) > MAX_TOKEN_LENGTH:
            raise TicketInvalid
        sealed = _unbase45(token[len(PREFIX) :])
        payload, signature = sealed[:-_SIGNATURE_BYTES], sealed[-_SIGNATURE_BYTES:]
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, payload)
        return _unpack(payload)
    except (InvalidSignature, ValueError, KeyError, IndexError, OverflowError, struct.error):
        raise TicketInvalid from None


def _pack(claims: TicketClaims) -> bytes:
    seat = claims.seat.encode()[:_MAX_SEAT_BYTES]
    flags = PASSENGER_TYPES.index(claims.passenger_type) | (_ASSISTANCE_BIT if claims.needs_assistance else 0)
    starts = (claims.starts_at - _EPOCH) // timedelta(minutes=1)
    duration = (claims.ends_at - _EPOCH) // timedelta(minutes=1) - starts
    head = _HEAD.pack(
        claims.ticket_id.bytes,
        claims.resource_id.bytes,
        claims.first_slot,
        claims.end_slot,
        starts,
        duration,
        flags,
        len(seat),
    )
    return head + seat


def _unpack(payload: bytes) -> TicketClaims:
    ticket, resource, first_slot, end_slot, starts, duration, flags, length = _HEAD.unpack_from(payload)
    seat = payload[_HEAD.size :]
    if len(seat) != length:
        raise ValueError("trailing bytes")
    starts_at = _EPOCH + timedelta(minutes=starts)
    return TicketClaims(
        ticket_id=UUID(bytes=ticket),
        resource_id=UUID(bytes=resource),
        first_slot=first_slot,
        end_slot=end_slot,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=duration),
        seat=seat.decode(),
        passenger_type=PASSENGER_TYPES[flags & _TYPE_BITS],
        needs_assistance=bool(flags & _ASSISTANCE_BIT),
    )


def _base45(data: bytes) -> str:
    text = []
    for start in range(0, len(data), 2):
        pair = data[start : start + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            value, digit = divmod(value, _BASE)
            text.append(_ALPHABET[digit])
    return "".join(text)


def _unbase45(text: str) -> bytes:
    if len(text) % 3 == 1:
        raise ValueError("a lone digit says nothing, so two texts would mean the same token")
    data = bytearray()
    for start in range(0, len(text), 3):
        group = text[start : start + 3]
        value = sum(_DIGITS[character] * _BASE**place for place, character in enumerate(group))
        data += value.to_bytes(len(group) - 1, "big")
    return bytes(data)
