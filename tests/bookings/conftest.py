from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from tests.apps import app_of
from tests.bookings.shows import Box

from farebox.wiring import Services, build_services


@pytest.fixture
def box(database, settings, secrets) -> Box:
    return Box(database, settings, secrets)


@pytest.fixture
async def services(settings, secrets, box) -> AsyncIterator[Services]:
    """A process that sells the box office's shows."""
    built = build_services(settings)
    yield replace(built, verticals=box.verticals, secrets=secrets)
    await built.dispose()


@pytest.fixture
async def client(services) -> AsyncIterator[httpx.AsyncClient]:
    app = app_of(services)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://farebox.example") as client:
        yield client
