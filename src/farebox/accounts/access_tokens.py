"""Access tokens of programs: signed (EdDSA, RFC 8037), short-lived, and good only while their session runs.

The keys are in the database, their private halves sealed. The newest signs; those before it verify until they retire,
so that a change of keys signs nobody out.
"""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import or_, select, update

from farebox.accounts.people import Person
from farebox.accounts.people_models import SigningKeyRow
from farebox.core.crypto import Secrets
from farebox.core.db import Database, UnitOfWork
from farebox.core.errors import SignInRequired
from farebox.core.ids import new_id
from farebox.core.settings import Settings

ALGORITHM: Final = "EdDSA"
CLAIMS: Final = ("iss", "sub", "sid", "iat", "exp", "jti")
"""What each of our tokens has."""

RELOAD_SECONDS: Final = 60.0
"""A key made elsewhere signs here after this time at the latest."""

IMPATIENCE_SECONDS: Final = 1.0
"""A token that names a key which we do not know makes us look, this often at most: anybody can invent names."""

RETIREMENT: Final = timedelta(hours=1)
"""How long a key verifies after the next one was made: processes that have not heard of that still sign with it."""


@dataclass(frozen=True, slots=True)
class _Key:
    kid: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> Ed25519PublicKey:
        return self.private.public_key()


class AccessTokens:
    """Signs and reads access tokens, with keys that are read from the database now and then.

    Args:
        settings: `base_url` is the issuer that tokens name.
    """

    def __init__(self, database: Database, settings: Settings, secrets: Secrets) -> None:
        self._database = database
        self._issuer = settings.base_url.rstrip("/")
        self._lasts = timedelta(seconds=settings.access_token_seconds)
        self._secrets = secrets
        self._keys: dict[str, _Key] = {}
        self._loaded_at = float("-inf")
        self._loading = asyncio.Lock()

    async def issue(self, person: Person, session_id: UUID, staff_roles: Mapping[UUID, str]) -> str:
        """A token for a running session.

        What it says of roles and operators is for the program that has it: we ourselves read what holds now.

        Args:
            staff_roles: what the person is for which operator.
        """
        await self._load(RELOAD_SECONDS)
        key = next(iter(self._keys.values()))
        now = self._database.clock()
        claims = {
            "iss": self._issuer,
            "sub": str(person.id),
            "id": str(person.id),
            "email": person.email,
            "roles": sorted(person.roles),
            "operators": [{"operatorId": str(operator_id), "role": role} for operator_id, role in staff_roles.items()],
            "sid": str(session_id),
            "iat": now,
            "exp": now + self._lasts,
            "jti": str(new_id()),
        }
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})

    async def session_of(self, token: str) -> UUID:
        """The session that a token is of. Whether that still runs is not asked here.

        Raises:
            SignInRequired: not signed by us, by another algorithm, or its time is over.
        """
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            if not isinstance(kid, str):
                raise SignInRequired
            await self._load(RELOAD_SECONDS if kid in self._keys else IMPATIENCE_SECONDS)
            if kid not in self._keys:
                raise SignInRequired
            claims = jwt.decode(
                token,
                self._keys[kid].public,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                # our clock is not the system's in tests, so that times are compared below
                options={"require": list(CLAIMS), "verify_exp": False, "verify_iat": False, "verify_aud": False},
            )
            if claims["exp"] <= self._database.clock().timestamp():
                raise SignInRequired
            return UUID(claims["sid"])
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            raise SignInRequired from None

    async def public_keys(self) -> list[dict[str, Any]]:
        """The keys with which anybody can check our tokens, as a JWK set has them (RFC 7517)."""
        await self._load(RELOAD_SECONDS)
        return [
            {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM, "kid": key.kid, "x": _public_part(key)}
            for key in self._keys.values()
        ]

    async def _load(self, patience_seconds: float) -> None:
        """Read the keys, unless that was done so recently; make one where there is none."""
        async with self._loading:  # who comes meanwhile waits for the answer
            if monotonic() - self._loaded_at < patience_seconds:
                return
            async with self._database.begin() as work:
                rows = await _usable(work)
                if not rows:
                    await rotate_signing_key(work, secrets=self._secrets)
                    rows = await _usable(work)
                self._keys = {row.kid: _Key(row.kid, self._opened(row)) for row in rows}
            self._loaded_at = monotonic()

    def _opened(self, row: SigningKeyRow) -> Ed25519PrivateKey:
        sealed = self._secrets.decrypt(row.private_key)
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(sealed))


async def rotate_signing_key(work: UnitOfWork, *, secrets: Secrets) -> str:
    """Make a key that signs from now on; those before it verify for one more hour. Returns the new one's name."""
    private = Ed25519PrivateKey.generate()
    await work.session.execute(
        update(SigningKeyRow).where(SigningKeyRow.retires_at.is_(None)).values(retires_at=work.now + RETIREMENT)
    )
    row = SigningKeyRow(
        kid=str(new_id()),
        private_key=secrets.encrypt(base64.b64encode(private.private_bytes_raw()).decode()),
        created_at=work.now,
        retires_at=None,
    )
    work.session.add(row)
    await work.session.flush()
    return row.kid


async def _usable(work: UnitOfWork) -> Sequence[SigningKeyRow]:
    """The newest first."""
    usable = or_(SigningKeyRow.retires_at.is_(None), SigningKeyRow.retires_at > work.now)
    newest = select(SigningKeyRow).where(usable).order_by(SigningKeyRow.created_at.desc(), SigningKeyRow.kid.desc())
    return (await work.session.scalars(newest)).all()


def _public_part(key: _Key) -> str:
    raw = key.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
