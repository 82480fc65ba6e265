from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.bookings.shows import Box

from farebox.app import create_app
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
    app: Any = create_app(services)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://farebox.example") as client:
        yield client
