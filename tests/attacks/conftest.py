"""A whole shop to be attacked: its clock, its mailbox, people with accounts, and browsers of several people."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from msgspec import structs
from tests.bookings.shows import Box
from tests.people import CHEAP, Somebody, make_person, sign_in_as
from tests.signing.conftest import Clock, House, clock, house

from farebox.accounts import Passwords
from farebox.core.settings import Settings
from farebox.wiring import build_services

__all__ = ["clock", "house"]

LURE = """"><img src=x onerror=alert(1)><script>alert(2)</script>'{{7*7}}${7*7}"""
"""What somebody types who hopes that it becomes a part of a page."""

PROVED = ["password", "totp"]
ID = "00000000-0000-7000-8000-000000000000"


class Browser:
    """Keeps cookies, and sends forms with the token that its own pages have. It comes from `address`."""

    def __init__(self, house: House, address: str = "127.0.0.1", **headers: str) -> None:
        self.house = house
        transport = httpx.ASGITransport(house.app, raise_app_exceptions=False, client=(address, 50_000))
        self.client = httpx.AsyncClient(transport=transport, base_url=house.services.settings.base_url, headers=headers)

    async def get(self, url: str, **options: Any) -> httpx.Response:
        return await self.client.get(url, **options)

    async def post(self, url: str, headers: dict[str, str] | None = None, **form: Any) -> httpx.Response:
        return await self.client.post(url, data={"_csrf_token": await self.token(), **form}, headers=headers)

    async def token(self) -> str:
        found = re.search(r'name="_csrf_token" value="([^"]+)"', (await self.client.get("/help")).text)
        assert found
        return found[1]


class _Reader(HTMLParser):
    """Collects what runs, or leads somewhere, in a document."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if given.get("src") == "x" or any(name.startswith("on") for name in given):
            self.foreign.append(f"<{tag} {given}>")
        for name in ("href", "src", "action", "formaction"):
            if re.sub(r"[\x00-\x20]", "", given.get(name) or "").lower().startswith(("javascript:", "vbscript:")):
                self.foreign.append(f"<{tag} {name}={given[name]}>")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script" and "alert(" in data:
            self.foreign.append(f"<script>{data[:80]}")


def foreign_in(document: str) -> list[str]:
    """What of a document was put there by somebody who typed `LURE`, or an address that runs something."""
    reader = _Reader()
    reader.feed(document)
    found = reader.foreign
    return [*found, "worked out: 49"] if "'49" in document else found


def handlers_of(app: Litestar) -> list[tuple[str, str, HTTPRouteHandler]]:
    """Each method and path that the application answers, with its handler."""
    return sorted(
        (
            (method, route.path, handler)
            for route in app.routes
            for handler in getattr(route, "route_handlers", [])
            for method in handler.http_methods
            if method != "OPTIONS"
        ),
        key=lambda each: each[:2],
    )


def filled(path: str, **values: object) -> str:
    """A route's path with its parameters: those given by name, and others made up."""

    def value(found: re.Match[str]) -> str:
        return str(values.get(found[1], ID if found[2] == "uuid" else "made-up"))

    return re.sub(r"\{(\w+):(\w+)\}", value, path)


async def ask_all(house: House, query: str) -> Any:
    """The first column of the first row, with the rows of all operators in sight."""
    async with house.services.database.begin(reach="*") as work:
        row = await (await work.execute(query)).fetchone()
    return row[0] if row else None


@pytest.fixture
async def limited(settings: Settings, clock: Clock) -> AsyncIterator[House]:
    """The same shop with its rate limits on."""
    services = build_services(structs.replace(settings, rate_limits="on"), clock=clock)
    opened = House(replace(services, passwords=Passwords(CHEAP)), clock)
    yield opened
    await opened.close()


@pytest.fixture
async def visit(house: House) -> AsyncIterator[Callable[..., Browser]]:
    """Opens a browser of its own at each call."""
    opened: list[Browser] = []

    def open_browser(at: House | None = None, address: str = "127.0.0.1", **headers: str) -> Browser:
        opened.append(Browser(at or house, address, **headers))
        return opened[-1]

    yield open_browser
    for browser in opened:
        await browser.client.aclose()


@pytest.fixture
def browser(visit: Callable[..., Browser]) -> Browser:
    return visit()


@pytest.fixture
async def an(house: House) -> Somebody:
    return await make_person(house.services.database, house.services.secrets)


@pytest.fixture
async def home(visit: Callable[..., Browser], an: Somebody) -> Browser:
    """An's own browser, signed in just now with a second proof."""
    browser = visit()
    await sign_in_as(browser.client, an, proved=PROVED)
    return browser


@pytest.fixture
def box(house: House) -> Box:
    """A theatre whose seats this shop sells."""
    services = house.services
    office = Box(services.database, services.settings, services.secrets)
    services.verticals.update(office.verticals)  # type: ignore[attr-defined]  # a dictionary, as it is made
    return office
