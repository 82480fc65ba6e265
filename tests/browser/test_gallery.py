"""Every page with made-up content, also those that a journey seldom meets, in the dark and in the light."""

import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import expect
from tests.browser.journey import AXE, inspect
from tests.web import samples
from tests.web.gallery import create_gallery

NAMES = sorted(set(samples.PAGES) - {"mail"})  # its frame shows a page that refuses to be framed


@pytest.fixture(scope="module")
def gallery() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_gallery(), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/gallery"
        server.should_exit = True
        thread.join(timeout=10)


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_every_page_is_whole(chromium, gallery, dark):
    """Half of the pages narrow, half wide, and the other way round in the light.

    All narrow ones in one tab, all wide ones in another: a tab is a process, and costs more than three pages.
    """
    tabs = {
        width: chromium.new_page(
            viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
        )
        for width in (360, 1280)
    }
    for tab in tabs.values():
        tab.add_init_script(AXE)  # less work than telling each page anew
    for position, name in enumerate(NAMES):
        page = tabs[360 if (position % 2 == 0) == dark else 1280]
        page.goto(f"{gallery}/{name}")
        inspect(page)
        page.context.clear_cookies()
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")


def test_a_day_that_is_left_is_counted_in_hours(chromium, gallery):
    page = chromium.new_page()
    page.goto(f"{gallery}/booking-paid-in-part")
    expect(page.locator("[data-clock-text]")).to_have_text(re.compile(r"^Held for you: 23:59:[0-5]\d$"))
    page.close()


@pytest.mark.parametrize(("name", "table"), [("wallet", ".statement"), ("booking-money", ".ledger")])
def test_amounts_are_seen_on_a_phone_without_moving_a_table(chromium, gallery, name, table):
    page = chromium.new_page(viewport={"width": 360, "height": 800})
    page.goto(f"{gallery}/{name}")
    ends = page.locator(f"{table} tbody .is-number").evaluate_all(
        "cells => cells.filter(cell => cell.checkVisibility()).map(cell => cell.getBoundingClientRect().right)"
    )
    assert len(ends) >= 3
    assert max(ends) <= 360
    page.close()
