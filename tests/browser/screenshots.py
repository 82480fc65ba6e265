"""Pictures of every page of a running demo: `python -m tests.browser.screenshots OUT [--url http://127.0.0.1:8000]`.

Walks from the home page to a ticket at 360, 768 and 1280 px, light and dark, and books a seat each time.
"""

import argparse
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.journey import (
    choose,
    free_seats,
    go_on,
    name_people,
    open_seats,
    pay,
    search,
    to_payment,
    to_review,
)

WIDTHS = (360, 768, 1280)
SCHEMES = ("light", "dark")
HEIGHT = 800
TOLD = ("help", "terms", "find", "dev/mailbox", "no-such-page")


class Camera:
    """Takes pictures of one browser's pages, whole."""

    def __init__(self, page: Page, folder: Path, suffix: str) -> None:
        self._page, self._folder, self._suffix = page, folder, suffix
        self._count = 0

    def take(self, name: str) -> None:
        self._count += 1
        self._page.wait_for_timeout(300)  # type drawn, suggestions closed
        path = self._folder / f"{self._count:02d}-{name}-{self._suffix}.png"
        self._page.screenshot(path=path, full_page=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--language", default="en")
    parser.add_argument("--from", dest="start", default="Hà Nội")
    parser.add_argument("--to", dest="end", default="Huế")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for width in WIDTHS:
            for scheme in SCHEMES:
                _walk(browser, arguments, width, scheme)
        browser.close()


def _walk(browser: Browser, arguments: argparse.Namespace, width: int, scheme: str) -> None:
    context = browser.new_context(
        base_url=arguments.url,
        viewport={"width": width, "height": HEIGHT},
        locale=arguments.language,
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    camera = Camera(page, arguments.folder, f"{width}-{scheme}")
    page.goto("/")
    camera.take("home")
    search(page, arguments.start, arguments.end)
    camera.take("results")
    page.locator(".trip__more summary").first.click()
    page.locator("#trip-details").first.wait_for()
    camera.take("trip")
    open_seats(page, -1)  # the last of the day has seats left
    choose(page, free_seats(page)[8:10])
    page.mouse.move(0, 0)
    camera.take("seats")
    go_on(page)
    page.locator(".step-buttons button[name=go]").click()
    page.locator("#problems").wait_for()
    camera.take("passengers-wrong")
    name_people(page, 2)
    camera.take("passengers")
    to_review(page)
    camera.take("review")
    to_payment(page)
    camera.take("sandbox")
    pay(page, "decline")
    page.wait_for_url("**/failed")
    camera.take("failed")
    page.locator(".step-buttons .btn").click()
    page.wait_for_url("**/pay/sandbox/**")
    pay(page)
    page.wait_for_url("**booked=1")
    camera.take("booked")
    page.goto("/search?from=Dong Hoi&to=Sa Pa")
    camera.take("nothing-found")
    for path in TOLD:
        page.goto(f"/{path}")
        camera.take(path.replace("/", "-"))
    context.close()


if __name__ == "__main__":
    main()
