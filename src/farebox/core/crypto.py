"""Keys and what is done with them: field encryption, blind indexes, ticket signatures, token digests.

Keys come from the environment (`FAREBOX_SECRET_KEY`, `FAREBOX_SIGNING_KEY`) or are made once and kept, readable by
their owner only, in the data directory.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NONCE_BYTES = 12


class Secrets:
    """What is derived from the installation's one secret key.

    Args:
        secret_key: 32 random bytes; each purpose gets a key of its own, derived from it.
        signing_key: 32 random bytes: the seed of the Ed25519 key that signs tickets.
    """

    def __init__(self, secret_key: bytes, signing_key: bytes) -> None:
        self._secret_key = secret_key
        self._cipher = AESGCM(self.derive("field-encryption"))
        self._index_key = self.derive("blind-index")
        self._signer = Ed25519PrivateKey.from_private_bytes(signing_key)

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose only (HKDF-SHA256, RFC 5869)."""
        kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"farebox:{purpose}".encode())
        return kdf.derive(self._secret_key)

    def encrypt(self, text: str) -> bytes:
        """AES-256-GCM; the random nonce comes first."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), None)

    def decrypt(self, sealed: bytes) -> str:
        """Raises `ValueError` when the text was not sealed with this key, or was changed."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None).decode()
        except InvalidTag:
            raise ValueError("sealed with another key, or changed") from None

    def blind_index(self, text: str) -> bytes:
        """A keyed digest (HMAC-SHA256) by which an encrypted text can be found again."""
        return hmac.digest(self._index_key, text.encode(), hashlib.sha256)

    def sign(self, payload: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""
        return self._signer.sign(payload)

    @property
    def public_key(self) -> bytes:
        """The 32 raw bytes with which anybody can check a ticket without asking us."""
        return self._signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def load_secrets(home: Path, environ: Mapping[str, str] | None = None) -> Secrets:
    """The installation's keys, from the environment (base64url, 32 bytes each), else from `home`, made once."""
    source = os.environ if environ is None else environ
    return Secrets(
        _load(source.get("FAREBOX_SECRET_KEY", ""), home / "secrets" / "secret.key"),
        _load(source.get("FAREBOX_SIGNING_KEY", ""), home / "secrets" / "signing.key"),
    )


def once_made_password(home: Path, name: str) -> str:
    """A random password made at the first call and kept in `home`, for its owner to read."""
    return base64.urlsafe_b64encode(_load("", home / "secrets" / name)[:15]).decode()


def new_token(prefix: str) -> str:
    """An unguessable token of 256 bits, with a prefix by which people and scanners know its kind."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def token_digest(token: str) -> bytes:
    """What is stored of a random token: its SHA-256 (a token of full entropy needs no salt)."""
    return hashlib.sha256(token.encode()).digest()


def _load(given: str, path: Path) -> bytes:
    if given:
        key = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))
        if len(key) != 32:  # noqa: PLR2004
            raise ValueError(f"a key must be 32 bytes in base64url; this one, meant for {path.name}, has {len(key)}")
        return key
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(32))
        try:
            os.link(draft, path)  # the first of two starting at once wins; the other reads what it wrote
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
