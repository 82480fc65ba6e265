"""People with accounts, put into the tables as registering and signing in would, and browsers that are theirs."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from argon2 import PasswordHasher

from farebox.accounts import Actor
from farebox.accounts.people_models import PersonRow, PersonSessionRow
from farebox.core.crypto import Secrets, new_token, token_digest
from farebox.core.db import Database
from farebox.core.ids import new_id
from farebox.edge.access import SESSION_COOKIE

PASSWORD = "green coach over the bridge"
IDLE = timedelta(hours=12)
LONGEST = timedelta(days=30)

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Tests are many, and their passwords are no secrets."""


@dataclass(frozen=True)
class Somebody:
    """A person in this test's database."""

    id: UUID
    email: str
    password: str | None
    roles: frozenset[str]
    database: Database = field(repr=False)

    @property
    def actor(self) -> Actor:
        """As the door would know them."""
        return Actor("user", self.id, roles=self.roles)


@dataclass(frozen=True)
class SignIn:
    """A running session of a person. Send the token as a cookie, or as `Authorization: Bearer …`."""

    id: UUID
    token: str = field(repr=False)


async def make_person(
    database: Database,
    secrets: Secrets,
    *,
    email: str = "an.nguyen@example.com",
    first_name: str = "An",
    last_name: str = "Nguyễn",
    roles: Collection[str] = ("user",),
    is_verified: bool = True,
    password: str | None = PASSWORD,
    phone: str | None = None,
    birth_date: str | None = None,
    **columns: Any,
) -> Somebody:
    """Somebody with an account. `phone` is E.164, `birth_date` as 1990-12-31; other columns go in as they are."""
    person_id = new_id()
    async with database.begin() as work:
        values: dict[str, Any] = {
            "id": person_id,
            "email": secrets.encrypt(email),
            "email_index": secrets.blind_index(email.strip().lower()),
            "email_verified_at": work.now if is_verified else None,
            "password_hash": CHEAP.hash(password) if password else None,
            "password_changed_at": work.now if password else None,
            "first_name": first_name,
            "last_name": last_name,
            "phone": secrets.encrypt(phone) if phone else None,
            "phone_index": secrets.blind_index(phone) if phone else None,
            "birth_date": secrets.encrypt(birth_date) if birth_date else None,
            "roles": sorted(roles),
            "preferences": {},
            "settings": {},
            "created_at": work.now,
            "updated_at": work.now,
        }
        work.session.add(PersonRow(**(values | columns)))
    return Somebody(person_id, email, password, frozenset(roles), database)


async def open_session_of(person: Somebody, **columns: Any) -> SignIn:
    """A sign-in of theirs; columns of the session (`kind`, `proved`, `proved_at`, `device`, `place` …) as given."""
    session_id, token = new_id(), new_token("fbs")
    async with person.database.begin() as work:
        values: dict[str, Any] = {
            "id": session_id,
            "person_id": person.id,
            "kind": "browser",
            "token_digest": token_digest(token),
            "proved": ["password"],
            "proved_at": work.now,
            "device": "Firefox on Linux",
            "place": "192.0.2.0/24",
            "created_at": work.now,
            "used_at": work.now,
            "expires_at": work.now + IDLE,
            "ends_at": work.now + LONGEST,
        }
        work.session.add(PersonSessionRow(**(values | columns)))
    return SignIn(session_id, token)


async def sign_in_as(client: httpx.AsyncClient | httpx.Client, person: Somebody, **columns: Any) -> SignIn:
    """Give a browser the cookie of a new sign-in of theirs; for columns see `open_session_of`."""
    session = await open_session_of(person, **columns)
    host = client.base_url.host
    client.cookies.set(SESSION_COOKIE, session.token, domain=host if "." in host else f"{host}.local")
    return session
