"""An operator with its staff, keys and devices, put into the tables; and what each shows at the door."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Litestar
from litestar.testing import AsyncTestClient
from tests.people import Somebody, make_person, open_session_of

from farebox.accounts import (
    KEY_SCOPES,
    SYSTEM,
    Permission,
    StaffRole,
    add_member,
    make_device,
    make_key,
    pair_device,
    upsert_operator,
)
from farebox.core.crypto import Secrets
from farebox.core.db import Database

PROVED = ["password", "totp"]


@dataclass(frozen=True)
class Employer:
    """An operator of this test's database."""

    id: UUID
    code: str
    database: Database
    secrets: Secrets

    async def hire(self, role: StaffRole, *, email: str = "", **columns: Any) -> Somebody:
        """Somebody who works for it."""
        address = email or f"{role}@{self.code}.example"
        person = await make_person(self.database, self.secrets, email=address, **columns)
        async with self.database.begin(reach=[self.id]) as work:
            await add_member(work, self.id, person.id, role, invited_by=None)
        return person

    async def key(self, *scopes: Permission, name: str = "Screens") -> str:
        async with self.database.begin(reach="*") as work:
            wanted = scopes or KEY_SCOPES
            _, token = await make_key(work, self.id, name=name, scopes=wanted, lasts=timedelta(days=30), actor=SYSTEM)
        return token

    async def device(self, name: str = "Scanner") -> str:
        async with self.database.begin(reach="*") as work:
            _, code = await make_device(work, self.id, name=name, actor=SYSTEM)
        async with self.database.begin() as work:
            return (await pair_device(work, code)).token


async def make_operator(database: Database, secrets: Secrets, code: str) -> Employer:
    async with database.begin() as work:
        operator = await upsert_operator(
            work, code=code, name=code.title(), timezone="Asia/Ho_Chi_Minh", currency="VND"
        )
    return Employer(operator.id, code, database, secrets)


async def token_of(person: Somebody, **columns: Any) -> str:
    """What they show after signing in with a second factor, just now; other columns of the session as given."""
    return (await open_session_of(person, **({"proved": PROVED} | columns))).token


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def asking(app: Litestar, token: str = "") -> AsyncIterator[AsyncTestClient[Litestar]]:
    """A program with a credential."""
    async with AsyncTestClient(app) as client:
        client.headers.update(bearer(token) if token else {})
        yield client
