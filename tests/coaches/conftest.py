"""One coach on sale from tomorrow: five stops, four legs, 45 seats. Nobody gets on at Dorf, nobody gets off at Bach."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from tests.apps import app_of
from tests.coaches.coach import Coach, open_coach
from tests.coaches.visitors import API, Visitor
from tests.counting import counted_statements

from farebox.wiring import Services, build_services


@pytest.fixture
async def coach(database, settings, tmp_path) -> Coach:
    return await open_coach(database, settings, tmp_path)


@pytest.fixture
async def services(settings, secrets, coach) -> AsyncIterator[Services]:
    built = build_services(settings)
    yield replace(built, secrets=secrets)
    await built.dispose()


@pytest.fixture
async def client(services) -> AsyncIterator[httpx.AsyncClient]:
    app = app_of(services)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://farebox.example") as client:
        yield client


@pytest.fixture
def statements():
    """Everything that is sent to the database, but for what the desk sends for all."""
    with counted_statements() as sent:
        yield sent


@pytest.fixture
def visit(client, coach):
    async def visit():
        answer = await client.post(f"{API}/guest-sessions")
        assert answer.status_code == 201
        return Visitor(client, coach, answer.json()["guestToken"])

    return visit


@pytest.fixture
async def an(visit):
    return await visit()


@pytest.fixture
async def bo(visit):
    return await visit()


@pytest.fixture
def nobody(client, coach):
    return Visitor(client, coach, None)
