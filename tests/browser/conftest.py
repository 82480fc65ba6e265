"""The real application in a process of its own, on a database with the demo network, and Chromium to visit it."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.databases import cloned
from tests.servers import serving

from farebox.core.clock import system_clock
from farebox.core.db import Database
from farebox.core.settings import load_settings
from farebox.demo.seed import seed_demo

CHROMIUM = os.environ.get("FAREBOX_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--js-flags=--no-turbofan --no-maglev",  # no page of a test stays long enough to earn back what optimising costs
]
HORIZON_DAYS = 6
TIMEOUT_MS = 30_000
"""So long a page may take for whatever is expected of it: on a busy machine, everything takes its time."""

TOLD_BY_ITSELF = ("Failed to load resource", "WebSocket connection to")
"""What the browser writes about requests that failed, which tests make them do; pages cannot keep it from doing so."""


@dataclass(frozen=True)
class Shop:
    """A running shop."""

    url: str
    database_url: str


Look = tuple[str | int | bool, ...]

MOST_IDLE = 8
"""So many tabs are kept for later tests: each is a process."""

TAMPERING = {
    "add_init_script",
    "emulate_media",
    "expose_binding",
    "expose_function",
    "grant_permissions",
    "install",  # another clock
    "new_cdp_session",
    "new_page",
    "on",
    "once",
    "route",
    "route_web_socket",
    "set_extra_http_headers",
    "set_offline",
    "set_viewport_size",
}
"""What a tab or its context does not forget."""


@dataclass
class Traveller:
    """Somebody with a browser of their own. `complaints` is what scripts and the content policy complained about."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    is_tampered: bool = False
    """More was done to the tab than visiting pages."""

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on(
            "console",
            lambda said: (
                self.complaints.append(f"console: {said.text}")
                if said.type == "error" and not said.text.startswith(TOLD_BY_ITSELF)
                else None
            ),
        )
        for thing in (self.page, self.context, self.page.clock):
            for name in TAMPERING & set(dir(thing)):
                setattr(thing, name, self._tampering(getattr(thing, name)))

    def forget(self) -> None:
        """Be somebody else, who was nowhere yet."""
        self.page.goto(urljoin(self.page.url, "/health/live"))  # where nothing goes on by itself any more
        self.page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
        self.page.goto("about:blank")
        self.context.clear_cookies()
        self.complaints.clear()

    def _tampering(self, deed: Callable[..., Any]) -> Callable[..., Any]:
        def do(*arguments: Any, **named: Any) -> Any:
            self.is_tampered = True
            return deed(*arguments, **named)

        return do


@pytest.fixture(scope="session")
def shop(server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with cloned(server_dsn, template) as database_url:
        home = tmp_path_factory.mktemp("shop")
        with ThreadPoolExecutor(1) as aside:  # Playwright's loop may be running here
            aside.submit(asyncio.run, _seed(database_url, home)).result()
        own = {"DATABASE_URL": database_url, "BASE_URL": "", "SALES_HORIZON_DAYS": str(HORIZON_DAYS)}
        with serving(home, [own]) as (server,):
            yield Shop(server.url, database_url)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("BROWSER TESTS DID NOT RUN: no chromium on the path; set FAREBOX_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        expect.set_options(timeout=TIMEOUT_MS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def idle(chromium: Browser) -> list[tuple[Look, Traveller]]:
    """Travellers whom nobody needs any more, and how they look at pages. A new tab costs more than a whole journey."""
    return []


@pytest.fixture
def visit(chromium: Browser, shop: Shop, idle: list[tuple[Look, Traveller]]) -> Iterator[Callable[..., Traveller]]:
    """Opens a browser of its own for each call: `visit(width=360, scripts=False, language="vi")`."""
    travellers: list[tuple[Look, Traveller]] = []

    def open_browser(
        *, width: int = 1280, height: int = 800, scripts: bool = True, language: str = "en", dark: bool = False
    ) -> Traveller:
        look = (shop.url, width, height, scripts, language, dark)
        found = next((each for each in idle if each[0] == look), None)
        if found:
            idle.remove(found)
            traveller = found[1]
        else:
            context = chromium.new_context(
                base_url=shop.url,
                viewport={"width": width, "height": height},
                locale=language,
                java_script_enabled=scripts,
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
                has_touch=width < 600,
            )
            context.set_default_timeout(TIMEOUT_MS)
            traveller = Traveller(context.new_page(), context)
        travellers.append((look, traveller))
        return traveller

    yield open_browser
    complaints = [complaint for _, traveller in travellers for complaint in traveller.complaints]
    for look, traveller in travellers:
        if traveller.is_tampered or not traveller.page.url.startswith(shop.url):
            traveller.context.close()
        else:
            traveller.forget()
            idle.append((look, traveller))
    for _, traveller in idle[:-MOST_IDLE]:
        traveller.context.close()
    del idle[:-MOST_IDLE]
    assert complaints == []


async def _seed(database_url: str, home: Path) -> None:
    settings = load_settings({}, env="demo", home=home, database_url=database_url, sales_horizon_days=HORIZON_DAYS)
    database = Database(database_url)
    await seed_demo(database, today=system_clock().date(), settings=settings)
    await database.dispose()
