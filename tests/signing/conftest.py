"""A house whose clock stands still until it is turned, whose mail is read as soon as it is written."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.apps import app_of
from tests.people import CHEAP

from farebox.accounts import Passwords
from farebox.notifications import Message, list_messages
from farebox.wiring import Services, build_services

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
EMAIL = "an.nguyen@example.com"
PASSWORD = "green coach over the bridge"
TOKEN = re.compile(r"[?&]token=([\w-]+)")


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **times: float) -> None:
        self.now += timedelta(**times)


class House:
    """The application, its clock and its mailbox."""

    def __init__(self, services: Services, clock: Clock) -> None:
        self.services = services
        self.clock = clock
        self.app = app_of(services)
        self._opened: list[httpx.AsyncClient] = []
        self._read: set[Any] = set()

    def client(self, token: str = "", **headers: str) -> httpx.AsyncClient:
        """A program at the API; with a token, one that has signed in."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        opened = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url=f"{self.services.settings.base_url}/api/v1/auth",
            headers=headers,
        )
        self._opened.append(opened)
        return opened

    async def mails(self) -> list[Message]:
        """What was mailed since this was last asked, oldest first."""
        async with self.services.jobs.app.open_async():
            await self.services.jobs.run_worker(wait=False)
        async with self.services.database.begin() as work:
            written = await list_messages(work, secrets=self.services.secrets)
        fresh = [message for message in written if message.id not in self._read]
        self._read |= {message.id for message in fresh}
        return fresh[::-1]

    async def mail(self) -> Message:
        """The one mail since this was last asked."""
        [message] = await self.mails()
        return message

    async def register(self, email: str = EMAIL, password: str = PASSWORD, **details: str) -> None:
        """Somebody registers and confirms the address."""
        answer = await self.client().post("/register", json={"email": email, "password": password, **details})
        assert answer.status_code == 202, answer.text
        token = token_of(await self.mail())
        answer = await self.client().post("/verify-email", json={"token": token})
        assert answer.status_code == 200, answer.text

    async def login(self, email: str = EMAIL, password: str = PASSWORD, **more: str) -> httpx.Response:
        return await self.client().post("/login", json={"email": email, "password": password, **more})

    async def tokens(self, **login: str) -> dict[str, Any]:
        """The tokens of an app that has just signed in."""
        answer = await self.login(client="app", **login)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def signed_in(self, **login: str) -> httpx.AsyncClient:
        return self.client((await self.tokens(**login))["accessToken"])

    async def ask(self, query: str, *parameters: Any) -> Any:
        """The first column of the first row."""
        async with self.services.database.begin() as work:
            row = await (await work.execute(query, parameters)).fetchone()
        return row[0] if row else None

    async def running(self) -> int:
        """How many sessions run."""
        count: int = await self.ask("SELECT count(*) FROM person_session WHERE expires_at > %s", self.clock.now)
        return count

    async def close(self) -> None:
        for client in self._opened:
            await client.aclose()
        await self.services.dispose()


def token_of(message: Message) -> str:
    """The token of the link in a mail."""
    found = TOKEN.search(message.text)
    assert found, message.text
    return found[1]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def house(settings, clock) -> AsyncIterator[House]:
    services = replace(build_services(settings, clock=clock), passwords=Passwords(CHEAP))
    opened = House(services, clock)
    yield opened
    await opened.close()
