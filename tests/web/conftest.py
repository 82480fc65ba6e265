"""A small coach on sale, and browsers without a window: they keep cookies, follow forms, and read pages."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from litestar.testing import TestClient
from tests.apps import app_of
from tests.coaches.coach import Coach, open_coach
from tests.web.gallery import create_gallery

from farebox.wiring import Services, build_services


class Browser:
    """Pages over HTTP as a browser without scripts asks for them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, url: str, **options: Any) -> httpx.Response:
        return await self.client.get(url, **options)

    async def post(self, url: str, *, page: str = "/help", **form: Any) -> httpx.Response:
        """Send a form with the token of `page`, as its own page would have it."""
        token = await self.token(page)
        return await self.client.post(url, data={"_csrf_token": token, **form})

    async def token(self, page: str = "/help") -> str:
        found = re.search(r'name="_csrf_token" value="([^"]+)"', (await self.client.get(page)).text)
        assert found
        return found[1]


@pytest.fixture(scope="module")
def gallery() -> Iterator[Any]:
    """Every page with made-up content."""
    with TestClient(create_gallery()) as client:
        yield client


def path_of(answer: httpx.Response) -> str:
    """Where an answer sends the browser."""
    return urlsplit(answer.headers["location"]).path


@pytest.fixture
async def coach(database, settings, tmp_path) -> Coach:
    return await open_coach(database, settings, tmp_path)


@pytest.fixture
async def services(settings, secrets, coach) -> AsyncIterator[Services]:
    built = build_services(settings)
    yield replace(built, secrets=secrets)
    await built.dispose()


@pytest.fixture
async def visit(services) -> AsyncIterator[Callable[[], Browser]]:
    app = app_of(services)
    clients: list[httpx.AsyncClient] = []

    def open_browser() -> Browser:
        clients.append(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=services.settings.base_url
            )
        )
        return Browser(clients[-1])

    yield open_browser
    for client in clients:
        await client.aclose()


@pytest.fixture
def browser(visit: Callable[[], Browser]) -> Browser:
    return visit()
