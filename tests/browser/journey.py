"""What travellers do, step by step, and what must hold on every page they see."""

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request, Route, expect

SERIOUS = {"serious", "critical", "moderate"}
SMALLEST_TARGET_PX = 24
"""WCAG 2.2, 2.5.8, which leaves out links within sentences. Most of ours are 44."""

PEOPLE = (("Nguyễn Thị Ánh", "001186004321"), ("Lê Minh Khôi", "C1234567"), ("Trần Văn An", "001099000123"))
EMAIL = "anh@example.com"

OVERFLOWING = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""
SMALL_TARGETS = """least => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, summary')]
  .filter(e => e.checkVisibility() && !e.closest('.quiet-voice, .skip') && !e.matches('p a:not([class])'))
  .map(e => [e.closest('label.tick, label.radio-card, label.box, label.switch, label.pick__seat') ?? e, e])
  .filter(([box]) => box.getBoundingClientRect().width > 0)
  .filter(([box]) => Math.min(box.getBoundingClientRect().width, box.getBoundingClientRect().height) < least)
  .map(([, e]) => e.outerHTML.slice(0, 120))"""

FREE = '.seat[data-status="available"] input'

TITLE = re.compile("^Farebox|Farebox$")

AXE = Axe().axe_script


class Gate:
    """Holds a page's requests to some addresses back until it is opened."""

    def __init__(self, page: Page, addresses: re.Pattern[str]) -> None:
        self.waiting: list[Route] = []
        self._is_open = False
        page.route(addresses, self._meet)

    def open(self) -> None:
        self._is_open = True
        for route in self.waiting:
            route.continue_()

    def _meet(self, route: Route) -> None:
        if self._is_open:
            route.continue_()
        else:
            self.waiting.append(route)


class Log:
    """What a page asked for at some addresses."""

    def __init__(self, page: Page, addresses: re.Pattern[str]) -> None:
        self.requests: list[Request] = []
        self._addresses = addresses
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if self._addresses.search(request.url):
            self.requests.append(request)


def inspect(page: Page, *, scripts: bool = True) -> None:
    """A page is whole: it fits its width, has a title and one h1, targets are large enough, axe finds nothing.

    Whoever has just pressed something first waits for what the new page says: the old one is whole, too.
    """
    page.wait_for_load_state()  # a press waits for the address, not for what stands there
    expect(page).to_have_title(TITLE)
    expect(page.locator("h1")).to_have_count(1)
    if not scripts:
        return
    assert page.evaluate(OVERFLOWING) <= 0, f"{page.url} scrolls sideways"
    small = page.evaluate(SMALL_TARGETS, SMALLEST_TARGET_PX)
    assert small == [], f"{page.url}: too small to press: {small}"
    found = [
        f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in _violations(page) if each["impact"] in SERIOUS
    ]
    assert found == [], f"{page.url}: {found}"


def _violations(page: Page) -> list[dict[str, Any]]:
    """What axe finds. A page gets it once, and of what it says only that much comes back."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run({ resultTypes: ['violations'] }).then(results => results.violations)"
    )
    return found


def search(page: Page, start: str = "Hà Nội", end: str = "Vinh", *, travellers: int = 2) -> None:
    """From the home page to results, by names typed in full."""
    page.goto("/")
    page.fill("#search-from", start)
    page.fill("#search-to", end)
    page.locator("#search-to").blur()  # its suggestions would lie over the button
    page.select_option("#search-travellers", str(travellers))
    page.locator(".search__go button").click()
    page.wait_for_url("**/search?**")


def open_seats(page: Page, index: int = 0) -> None:
    """The seat map of one of the results."""
    page.locator(".trip__buy .btn").nth(index).click()
    page.wait_for_url("**/seats?**")


def free_seats(page: Page) -> list[str]:
    """The numbers of the seats that can be had, once the whole map stands there."""
    expect(page.locator(FREE).first).to_be_attached()
    page.wait_for_load_state()
    return [str(number) for number in page.locator(FREE).evaluate_all("boxes => boxes.map(box => box.value)")]


def seat(page: Page, number: str) -> Any:
    return page.locator(f'input[name="seats"][value="{number}"]')


def choose(page: Page, numbers: list[str]) -> None:
    """Tick seats and wait until each is held."""
    for count, number in enumerate(numbers, start=1):
        seat(page, number).click()
        expect(page.locator(".sum__list dt", has_text=re.compile(r"^\s*(Seat|Ghế)"))).to_have_count(count)


def go_on(page: Page) -> None:
    page.locator(".sum__go button[name=go]").click()
    page.wait_for_url("**/passengers*")


def name_people(page: Page, count: int) -> None:
    page.fill("#contact-email", EMAIL)
    page.fill("#contact-phone", "0912 345 678")
    for index, (name, number) in enumerate(PEOPLE[:count]):
        page.fill(f"#passenger-{index}-name", name)
        page.fill(f"#passenger-{index}-number", number)


def to_review(page: Page) -> None:
    page.locator(".step-buttons button[name=go]").click()
    page.wait_for_url("**/review")


def to_payment(page: Page) -> None:
    page.check("#terms")
    page.locator(".step-buttons button[name=go]").click()
    page.wait_for_url("**/pay/sandbox/**")


def pay(page: Page, outcome: str = "pay") -> None:
    page.locator(f"button[value={outcome}]").click()


def book(page: Page, *, seats: int = 1, trip: int = 0) -> str:
    """All of it, without looking left or right; the booking's reference."""
    search(page, travellers=seats)
    open_seats(page, trip)
    choose(page, free_seats(page)[:seats])
    go_on(page)
    name_people(page, seats)
    to_review(page)
    to_payment(page)
    pay(page)
    page.wait_for_url("**booked=1")
    return page.locator("#reference").inner_text().strip()
