"""Choosing seats: shown at once, put right by the server's answer, with keys alone, and against the clock."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.journey import Gate, choose, free_seats, go_on, inspect, open_seats, search, seat
from tests.browser.test_without_scripts import run_out

CHOICE = re.compile(r"://[^/]+/trips/[^/]+/seats\?")
FEED = re.compile(r"/api/v1/trips/[^/]+/(live|seats)\?")


def test_a_choice_is_seen_before_it_is_answered(visit):
    page = visit().page
    _open(page, 0)
    first, second, third = free_seats(page)[:3]
    gate = Gate(page, CHOICE)
    seat(page, first).click()
    expect(_seat(page, first)).to_have_class(re.compile("is-waiting"))
    expect(seat(page, first)).to_be_checked()
    expect(seat(page, first)).to_have_attribute("aria-label", re.compile("being held for you$"))
    seat(page, second).click()  # while the first is on its way
    seat(page, third).click()
    seat(page, first).click()  # and thought better of
    expect(seat(page, first)).not_to_be_checked()
    expect(seat(page, third)).to_be_checked()
    assert len(gate.waiting) == 1  # one request at a time
    inspect(page)
    gate.open()
    expect(page.locator("#selection")).to_have_attribute("data-mine", f"{second},{third}")
    expect(page.locator(".is-waiting")).to_have_count(0)
    expect(page.locator(".sum__total")).to_contain_text("2 seats")
    expect(seat(page, first)).not_to_be_checked()
    expect(seat(page, third)).to_have_attribute("aria-label", re.compile("yours$"))


def test_a_refusal_takes_back_the_seat_that_was_lost_and_no_other(visit):
    first, second = visit().page, visit(width=360).page
    _deafen(second)
    for page in (first, second):
        _open(page, 3)
    lost, other = free_seats(first)[:2]
    choose(first, [lost])
    gate = Gate(second, CHOICE)
    seat(second, lost).click()  # its map has not heard of it yet
    seat(second, other).click()
    gate.open()
    expect(second.locator("#seat-notice")).to_contain_text(f"Somebody else has just chosen seat {lost}.")
    expect(second.locator("#selection")).to_have_attribute("data-mine", other)
    expect(seat(second, lost)).not_to_be_checked()
    expect(_seat(second, lost)).to_have_attribute("data-status", "locked")
    expect(second.locator("#seat-notice")).to_be_visible()  # the answer about the other seat has not wiped it away
    offered = str(second.locator("[data-take]").get_attribute("data-take"))
    inspect(second)
    second.get_by_role("button", name=f"Take seat {offered} instead").click()
    expect(seat(second, offered)).to_be_checked()
    expect(second.locator(".sum__total")).to_contain_text("2 seats")


def test_without_a_network_nothing_is_lost_and_it_can_be_tried_again(visit):
    page = visit().page
    _open(page, 4)
    first, second, third = free_seats(page)[:3]
    choose(page, [first])
    page.route(CHOICE, lambda route: route.abort())
    seat(page, second).click()
    expect(page.locator("[data-said]")).to_contain_text("Your choice is still here, but not held yet.")
    expect(seat(page, second)).to_be_checked()
    expect(seat(page, second)).to_have_attribute("aria-label", re.compile("not held yet$"))
    expect(page.locator(".sum__total")).to_contain_text("1 seat")
    inspect(page)
    seat(page, second).click()  # thought better of: there is nothing left to send
    expect(page.locator("[data-said]")).to_have_count(0)
    expect(seat(page, second)).to_have_attribute("aria-label", re.compile("free$"))
    seat(page, second).click()
    expect(page.locator("[data-said]")).to_be_visible()
    with page.expect_event("requestfailed"):  # nobody goes on with what is not held
        page.locator(".sum__go button[name=go]").click()
    expect(page.locator("[data-said]")).to_contain_text("not held yet")
    page.unroute(CHOICE)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#selection")).to_have_attribute("data-mine", f"{first},{second}")
    expect(page.locator("[data-said]")).to_have_count(0)
    page.context.set_offline(True)
    seat(page, third).click()
    expect(page.locator("[data-said]")).to_be_visible()
    page.context.set_offline(False)  # by itself, once the network is back
    expect(page.locator("#selection")).to_have_attribute("data-mine", f"{first},{second},{third}")


def test_a_busy_shop_is_asked_again_and_people_are_told(visit):
    page = visit().page
    _open(page, 5)
    number = free_seats(page)[0]
    refusals = iter([409, 503])

    def refuse_twice(route: Route) -> None:
        status = next(refusals, None)
        if status:
            route.fulfill(status=status, headers={"Retry-After": "1"}, body="<!doctype html><title>Busy</title>")
        else:
            route.continue_()

    page.route(CHOICE, refuse_twice)
    seat(page, number).click()
    expect(page.locator("[data-said]")).to_contain_text("We are trying again.")
    expect(seat(page, number)).to_be_checked()
    expect(page.locator("#selection")).to_have_attribute("data-mine", number)
    expect(page.locator("[data-said]")).to_have_count(0)


def test_who_chooses_too_often_is_told_for_how_long(visit):
    page = visit().page
    _open(page, 5)
    page.route(
        CHOICE, lambda route: route.fulfill(status=429, headers={"Retry-After": "590"}, body="<title>No</title>")
    )
    seat(page, free_seats(page)[0]).click()
    expect(page.locator("[data-said]")).to_contain_text("Try again in 10 min.")


def test_going_on_waits_for_what_was_just_chosen(visit):
    page = visit().page
    _open(page, 6)
    number = free_seats(page)[0]
    gate = Gate(page, CHOICE)
    seat(page, number).click()
    page.locator(".sum__go button[name=go]").click()
    expect(_seat(page, number)).to_have_class(re.compile("is-waiting"))
    gate.open()
    page.wait_for_url("**/passengers*")
    expect(page.locator("main")).to_contain_text(f"Passenger in seat {number}")


def test_keys_alone_choose_a_seat(visit):
    page = visit().page
    search(page, travellers=1)
    open_seats(page, 0)
    first = page.locator("[data-deck] input[tabindex='0']").first
    first.focus()
    start = str(first.get_attribute("value"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    expect(seat(page, start)).not_to_be_focused()
    expect(page.locator("[data-deck] input[tabindex='0']")).to_have_count(1)
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


def test_the_clock_warns_and_the_map_then_says_what_is_over(visit, shop):
    page = visit().page
    _deafen(page)  # nobody but the clock tells
    page.clock.install()
    _open(page, 2)
    number = free_seats(page)[0]
    choose(page, [number])
    page.clock.fast_forward("13:10")
    expect(page.locator("#clock")).to_have_class(re.compile("is-ending"))
    expect(page.locator("#announcer")).to_contain_text("Two minutes left")
    run_out(shop.database_url)
    page.clock.fast_forward("02:00")
    expect(page.locator("[data-say]")).to_contain_text(f"The time for seat {number} is over. It is free again.")
    expect(page.locator("#clock")).to_have_count(0)
    page.get_by_role("button", name=f"Hold seat {number} again").click()
    expect(page.locator("#clock")).to_be_visible()


def test_at_the_next_step_too_it_is_said_and_the_seat_can_be_had_again(visit, shop):
    page = visit().page
    page.clock.install()
    _open(page, 2)
    number = free_seats(page)[0]
    choose(page, [number])
    go_on(page)
    page.fill("#passenger-0-name", "Nguyễn Thị Ánh")
    run_out(shop.database_url)
    page.clock.fast_forward("15:10")
    expect(page.locator(".chosen--lost")).to_contain_text(f"The time for seat {number} is over. It is free again.")
    expect(page.locator("#passenger-0-name")).to_have_value("Nguyễn Thị Ánh")
    inspect(page)
    page.get_by_role("button", name=f"Hold seat {number} again").click()
    expect(page.locator(".chosen--lost")).to_have_count(0)
    expect(page.locator("#clock")).to_be_visible()


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


def _open(page: Page, index: int) -> None:
    search(page, travellers=1)
    open_seats(page, index)


def _seat(page: Page, number: str) -> Any:
    """A seat as it is drawn."""
    return page.locator(".seat", has=page.locator(f'input[name="seats"][value="{number}"]'))


def _deafen(page: Page) -> None:
    """The map hears nothing of others."""
    page.route_web_socket(FEED, lambda _: None)
    page.route(FEED, lambda route: route.abort())
