"""The seat map while others choose too, moved in with keys, and the clock."""

import re

import pytest
from playwright.sync_api import expect
from tests.browser.journey import choose, free_seats, go_on, inspect, open_seats, search, seat
from tests.browser.test_without_scripts import run_out

POLL_MS = 9_000
"""A little more than the map's own pace."""


def test_two_browsers_want_one_seat(visit):
    first, second = visit().page, visit(width=360).page
    for page in (first, second):
        search(page, travellers=1)
        open_seats(page, 3)
    number = free_seats(first)[0]
    choose(first, [number])
    seat(second, number).click()  # its map has not heard of it yet
    expect(second.locator("#seat-notice")).to_contain_text(number)
    expect(seat(second, number)).not_to_be_checked()
    offered = second.locator("[data-take]").get_attribute("data-take")
    second.locator("[data-take]").click()
    expect(seat(second, str(offered))).to_be_checked()
    expect(second.locator(".sum__list dt").first).to_contain_text(str(offered))
    inspect(second)
    expect(first.locator(f'.seat[data-status="locked"] input[value="{offered}"]')).to_be_attached(timeout=POLL_MS)
    expect(seat(first, str(offered))).to_have_attribute("aria-disabled", "true")


def test_a_seat_given_back_comes_free_for_others(visit):
    first, second = visit().page, visit().page
    search(first, travellers=1)
    open_seats(first, 4)
    number = free_seats(first)[1]
    choose(first, [number])
    search(second, travellers=1)
    open_seats(second, 4)
    seat(second, number).click(force=True)  # it says of itself that it cannot be had
    expect(second.locator("[data-said]")).to_contain_text(f"about seat {number}")
    seat(first, number).click()
    expect(first.locator(".sum__none")).to_be_visible()
    expect(second.locator(f'.seat[data-status="available"] input[value="{number}"]')).to_be_attached(timeout=POLL_MS)


def test_keys_alone_choose_a_seat(visit):
    page = visit().page
    search(page, travellers=1)
    open_seats(page, 0)
    first = page.locator("[data-deck] input[tabindex='0']").first
    first.focus()
    start = first.get_attribute("value")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    focused = page.evaluate("document.activeElement.value")
    assert focused != start
    assert page.locator("[data-deck] input[tabindex='0']").count() == 1
    for _step in range(60):
        if "free" in page.evaluate("document.activeElement.getAttribute('aria-label')"):
            break
        page.keyboard.press("ArrowLeft")
        if page.evaluate("document.activeElement.value").endswith("A"):
            page.keyboard.press("ArrowDown")
            page.keyboard.press("End")
    number = page.evaluate("document.activeElement.value")
    page.keyboard.press("Space")
    expect(page.locator(".sum__list dt").first).to_contain_text(number)
    expect(seat(page, number)).to_have_attribute("aria-label", re.compile("yours$"))


def test_the_clock_warns_and_then_says_that_it_is_over(visit, shop):
    traveller = visit()
    page = traveller.page
    page.clock.install()
    search(page, travellers=1)
    open_seats(page, 2)
    choose(page, free_seats(page)[:1])
    page.clock.fast_forward("13:10")
    expect(page.locator("#clock")).to_have_class(re.compile("is-ending"))
    expect(page.locator("#announcer")).to_contain_text("Two minutes left")
    run_out(shop.database_url)
    page.clock.fast_forward("02:00")
    expect(page).to_have_url(re.compile("/expired"))  # asks again, should the page's own polling get in between
    expect(page.locator("h1")).to_have_text("The time is over")
    inspect(page)


def test_one_click_extends_the_time_and_twice_is_all(visit):
    page = visit().page
    search(page, travellers=1)
    open_seats(page, 2)
    choose(page, free_seats(page)[:1])
    go_on(page)
    page.fill("#passenger-0-name", "Nguyễn Thị Ánh")
    for _click in range(2):
        page.get_by_role("button", name="Extend").click()
        expect(page.locator("#announcer")).to_contain_text("held longer")
    expect(page.locator(".clock__note")).to_contain_text("cannot be extended any more")
    expect(page.locator("#passenger-0-name")).to_have_value("Nguyễn Thị Ánh")


@pytest.mark.parametrize("path", ["/", "/find", "/help"])
def test_text_four_times_as_large_does_not_scroll_sideways(visit, path):
    page = visit(width=320, height=256).page
    page.goto(path)
    inspect(page)


def test_the_steps_fit_the_narrowest_window(visit):
    page = visit(width=320, height=256).page
    search(page, travellers=1)
    inspect(page)
    open_seats(page, 1)
    inspect(page)
