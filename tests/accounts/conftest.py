"""The API with nothing on sale, for people with accounts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.apps import app_of
from tests.buckets import bucket_keys, place, s3_server
from tests.people import Somebody, make_person, open_session_of

from farebox.accounts.access_tokens import AccessTokens
from farebox.accounts.recognising import People
from farebox.accounts.sessions import Sessions
from farebox.core.db import Database
from farebox.wiring import Services, build_services

__all__ = ["bucket_keys", "place", "s3_server"]

ClientOf = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def services(settings, secrets) -> AsyncIterator[Services]:
    built = build_services(settings)
    tokens = AccessTokens(built.database, settings, secrets)
    people = People(built.database, tokens, settings)
    yield replace(built, secrets=secrets, access_tokens=tokens, sessions=Sessions(built.database, people))
    await built.dispose()


@pytest.fixture
async def client_of(services) -> AsyncIterator[ClientOf]:
    """Opens a program at the API for somebody, with a sign-in of their own; for nobody without one."""
    app = app_of(services)
    opened: list[httpx.AsyncClient] = []

    async def open_client(person: Somebody | None = None, **session: Any) -> httpx.AsyncClient:
        headers = {}
        if person is not None:
            headers["Authorization"] = f"Bearer {(await open_session_of(person, **session)).token}"
        opened.append(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, raise_app_exceptions=False),
                base_url=f"{services.settings.base_url}/api/v1",
                headers=headers,
            )
        )
        return opened[-1]

    yield open_client
    for client in opened:
        await client.aclose()


@pytest.fixture
async def an(services: Services, secrets) -> Somebody:
    return await make_person(services.database, secrets)


@pytest.fixture
async def client(client_of: ClientOf, an: Somebody) -> httpx.AsyncClient:
    """An's own program."""
    return await client_of(an)


@pytest.fixture
def database(services: Services) -> Database:
    """The application's own, so that what is published is delivered."""
    return services.database
