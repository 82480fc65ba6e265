"""Keys and what is done with them: field encryption, blind indexes, ticket signatures, token digests.

The root key (`FAREBOX_SECRET_KEY`) gives each purpose a key of its own. Sealed fields have further keys beside it, so
that they can be sealed anew with another one while the product runs: the newest seals, all of them open.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from farebox.core.keys import SealingKeys, encoded, kept_key, read_key, read_keys

NONCE_BYTES: Final = 12
KEY_ID_BYTES: Final = 4
VERSION: Final = b"\x01"
HEADER_BYTES: Final = len(VERSION) + KEY_ID_BYTES


@dataclass(frozen=True, slots=True, repr=False)
class _FieldKey:
    """What seals and indexes fields under one key. `header` begins everything sealed with it."""

    header: bytes
    cipher: AESGCM
    index_key: bytes

    @classmethod
    def of(cls, key: bytes) -> "_FieldKey":
        return cls(
            VERSION + _derive(key, "key-id")[:KEY_ID_BYTES],
            AESGCM(_derive(key, "field-encryption")),
            _derive(key, "blind-index"),
        )


class Secrets:
    """What is derived from the installation's keys.

    Args:
        secret_key: 32 random bytes, the root; each purpose gets a key of its own, derived from it.
        signing_key: 32 random bytes: the seed of the Ed25519 key that signs tickets.
        old_keys: former roots, or the next one: they open what they sealed.
        newer_keys: tells at any time the keys that seal in the root's place, the newest last.
    """

    def __init__(
        self,
        secret_key: bytes,
        signing_key: bytes,
        *,
        old_keys: Sequence[bytes] = (),
        newer_keys: Callable[[], Sequence[bytes]] = tuple,
    ) -> None:
        self._secret_key = secret_key
        self._old_keys = tuple(old_keys)
        self._newer_keys = newer_keys
        self._known: tuple[bytes, ...] | None = None
        self._ring: tuple[_FieldKey, ...] = ()
        self._signer = Ed25519PrivateKey.from_private_bytes(signing_key)

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose only (HKDF-SHA256, RFC 5869)."""
        return _derive(self._secret_key, purpose)

    def encrypt(self, text: str, *, place: str = "") -> bytes:
        """Seal a text with the newest key: version, key id, nonce, AES-256-GCM.

        Args:
            place: where it will be kept, such as `booking.contact_email`. It opens there and nowhere else.
        """
        key = self._keys()[0]
        nonce = os.urandom(NONCE_BYTES)
        return key.header + nonce + key.cipher.encrypt(nonce, text.encode(), _associated(key.header, place))

    def decrypt(self, sealed: bytes, *, place: str = "") -> str:
        """The text that was sealed, with whichever of our keys.

        What was sealed for no place, or before there were key ids, opens in every place.

        Raises:
            ValueError: it was sealed with a key that we do not have, for another place, or changed.
        """
        header, rest = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:]
        keys = self._keys()
        for key in keys:
            if key.header == header:
                for bound_to in dict.fromkeys([place, ""]):
                    text = _open(key.cipher, rest, _associated(header, bound_to))
                    if text is not None:
                        return text
        for key in reversed(keys):  # the former form is a nonce and what was sealed; it may begin with any bytes
            text = _open(key.cipher, sealed, None)
            if text is not None:
                return text
        raise ValueError("sealed with another key, for another place, or changed")

    @property
    def header(self) -> bytes:
        """How everything begins that the newest key seals."""
        return self._keys()[0].header

    def blind_index(self, text: str) -> bytes:
        """A keyed digest (HMAC-SHA256) by which a sealed text can be found again: the one to write.

        To search, compare with any of `blind_indexes`: what was written under an older key has its digest.
        """
        return self.blind_indexes(text)[0]

    def blind_indexes(self, text: str) -> list[bytes]:
        """The digests of a text under all keys, the newest first."""
        return [hmac.digest(key.index_key, text.encode(), hashlib.sha256) for key in self._keys()]

    def sign(self, payload: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""
        return self._signer.sign(payload)

    @property
    def public_key(self) -> bytes:
        """The 32 raw bytes with which anybody can check a ticket without asking us."""
        return self._signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def _keys(self) -> tuple[_FieldKey, ...]:
        """The newest first, each once."""
        newer = tuple(self._newer_keys())
        if newer != self._known:
            self._ring = tuple(
                _FieldKey.of(key) for key in dict.fromkeys([*reversed(newer), self._secret_key, *self._old_keys])
            )
            self._known = newer
        return self._ring


def load_secrets(home: Path, environ: Mapping[str, str] | None = None) -> Secrets:
    """The installation's keys, from the environment (base64url, 32 bytes each), else from `home`, made once.

    Raises:
        ValueError: a key that is none.
    """
    source = os.environ if environ is None else environ
    directory = home / "secrets"
    return Secrets(
        _load(source, "FAREBOX_SECRET_KEY", directory / "secret.key"),
        _load(source, "FAREBOX_SIGNING_KEY", directory / "signing.key"),
        old_keys=read_keys(source.get("FAREBOX_OLD_SECRET_KEYS", ""), "FAREBOX_OLD_SECRET_KEYS"),
        newer_keys=SealingKeys(directory),
    )


def once_made_password(home: Path, name: str) -> str:
    """A random password made at the first call and kept in `home`, for its owner to read."""
    return encoded(kept_key(home / "secrets" / name)[:15])


def new_token(prefix: str) -> str:
    """An unguessable token of 256 bits, with a prefix by which people and scanners know its kind."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def token_digest(token: str) -> bytes:
    """What is stored of a random token: its SHA-256 (a token of full entropy needs no salt)."""
    return hashlib.sha256(token.encode()).digest()


def _load(source: Mapping[str, str], name: str, path: Path) -> bytes:
    given = source.get(name, "")
    return read_key(given, name) if given else kept_key(path)


def _derive(key: bytes, purpose: str) -> bytes:
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"farebox:{purpose}".encode())
    return kdf.derive(key)


def _associated(header: bytes, place: str) -> bytes:
    return header + place.encode()


def _open(cipher: AESGCM, sealed: bytes, associated: bytes | None) -> str | None:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated).decode()
    except InvalidTag:
        return None
