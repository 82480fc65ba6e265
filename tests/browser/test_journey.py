"""The product's main job in Chromium: from a search to a ticket in hand, looked at on every page."""

import re
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect
from tests.browser.journey import (
    choose,
    free_seats,
    go_on,
    inspect,
    name_people,
    open_seats,
    pay,
    seat,
    to_payment,
    to_review,
)

WIDTHS = [360, 1280]


@pytest.mark.parametrize("width", WIDTHS)
def test_from_a_search_to_a_ticket(visit, width, tmp_path: Path):
    page = visit(width=width).page
    _find_a_trip(page)
    numbers = free_seats(page)[:2]
    choose(page, numbers)
    expect(page.locator("[data-clock-text]")).to_contain_text(re.compile(r"1[45]:\d\d"))
    inspect(page)
    go_on(page)
    inspect(page)

    page.locator(".step-buttons button[name=go]").click()
    expect(page.locator("#problems")).to_be_focused()
    expect(page).to_have_title(re.compile("^Error:"))
    inspect(page)
    name_people(page, 2)
    page.select_option("#passenger-1-type", "child")
    to_review(page)
    for number in numbers:
        expect(page.locator(".people .seat-chip", has_text=number)).to_be_visible()
    expect(page.locator(".price-list .is-tax").first).to_be_visible()
    inspect(page)

    page.locator(".step-buttons button[name=go]").click()
    expect(page.locator("#problems")).to_contain_text("Accept the conditions")
    inspect(page)
    to_payment(page)
    inspect(page)
    pay(page)
    page.wait_for_url("**booked=1")
    expect(page.locator("h1")).to_have_text("You are booked")
    expect(page.locator(".ticket")).to_have_count(2)
    inspect(page)

    token = _read_code(page, tmp_path / "code.png")
    assert token
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the PDF").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    with page.expect_download() as download:
        page.get_by_role("link", name="Add to calendar").click()
    assert b"BEGIN:VEVENT" in Path(download.value.path()).read_bytes()


def test_a_declined_payment_can_be_tried_again(visit):
    page = visit().page
    _to_sandbox(page)
    pay(page, "decline")
    page.wait_for_url("**/failed")
    expect(page.locator("h1")).to_have_text("The payment did not go through")
    inspect(page)
    page.get_by_role("button", name="Pay").click()  # the conditions were accepted before
    page.wait_for_url("**/pay/sandbox/**")
    pay(page)
    page.wait_for_url("**booked=1")
    expect(page.locator(".ticket")).to_have_count(1)


def test_who_leaves_the_payment_page_finds_back_to_it(visit):
    page = visit().page
    _to_sandbox(page)
    page.get_by_role("link", name="without paying").click()
    expect(page.locator("h1")).to_have_text("We are waiting for your payment")
    inspect(page)
    page.get_by_role("link", name="Back to the payment page").click()
    page.wait_for_url("**/pay/sandbox/**")
    pay(page)
    page.wait_for_url("**booked=1")


def test_the_waiting_page_goes_on_by_itself(visit):
    page, other = visit().page, visit().page
    _to_sandbox(page)
    payment = page.url
    page.get_by_role("link", name="without paying").click()
    expect(page.locator("#processing")).to_be_visible()
    other.goto(payment)
    pay(other)
    page.wait_for_url("**booked=1")
    expect(page.locator(".ticket")).to_have_count(1)


def test_money_that_comes_late_still_gets_free_seats(visit):
    page = visit().page
    _to_sandbox(page)
    pay(page, "late")
    page.wait_for_url("**booked=1")
    expect(page.locator(".ticket")).to_have_count(1)


def test_paying_twice_books_once(visit):
    page = visit().page
    _to_sandbox(page)
    pay(page, "twice")
    page.wait_for_url("**booked=1")
    expect(page.locator(".ticket")).to_have_count(1)


def test_going_back_loses_nothing(visit):
    page = visit().page
    _to_review(page)
    page.go_back()
    page.wait_for_url("**/passengers")
    expect(page.locator("#passenger-0-name")).to_have_value("Nguyễn Thị Ánh")
    expect(page.locator("#passenger-0-number")).to_have_value("001186004321")
    expect(page.locator("#contact-email")).to_have_value("anh@example.com")
    page.fill("#passenger-0-name", "Nguyễn Thị Ánh Nguyệt")
    to_review(page)
    expect(page.locator(".people")).to_contain_text("Nguyễn Thị Ánh Nguyệt")


def test_other_seats_can_be_chosen_and_the_people_come_along(visit):
    page = visit().page
    _to_review(page)
    before = page.locator(".people .seat-chip").inner_text()
    page.get_by_role("button", name="Change seats").click()
    page.wait_for_url("**/seats?**")
    expect(seat(page, before)).to_be_checked()
    seat(page, before).click()
    other = next(number for number in free_seats(page) if number != before)
    choose(page, [other])
    go_on(page)
    expect(page.locator("#passenger-0-name")).to_have_value("Nguyễn Thị Ánh")
    to_review(page)
    expect(page.locator(".people .seat-chip")).to_have_text(other)


def test_a_booking_that_is_not_wanted_gives_its_seats_back(visit):
    page = visit().page
    _to_review(page)
    number = page.locator(".people .seat-chip").inner_text()
    page.get_by_role("button", name="Give the seats back").click()
    expect(page.locator("h1")).to_have_text("This booking was cancelled")
    inspect(page)
    page.get_by_role("link", name="Choose seats again").click()
    page.wait_for_url("**/seats?**")
    assert number in free_seats(page)


def test_no_more_seats_than_the_limit(visit):
    page = visit().page
    page.goto("/search?from=Hà Nội&to=Vinh&travellers=5")
    open_seats(page, -1)
    numbers = free_seats(page)
    choose(page, numbers[:5])
    seat(page, numbers[5]).click()
    expect(page.locator("[data-said]")).to_contain_text("5 seats are the most")
    expect(seat(page, numbers[5])).not_to_be_checked()
    inspect(page)


def test_pages_that_only_tell(visit):
    page = visit().page
    for path in ("/help", "/terms", "/find", "/dev/mailbox"):
        page.goto(path)
        inspect(page)
    assert page.goto("/no/such/page").status == 404
    inspect(page)


def _find_a_trip(page: Page) -> None:
    """By typing and choosing, as most people do, to the seat map of the first trip."""
    page.goto("/")
    inspect(page)

    page.locator("#search-from").press_sequentially("ha n", delay=20)
    expect(page.locator("#search-from-options [role=option]").first).to_be_visible()
    inspect(page)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#search-from")).to_have_attribute("aria-activedescendant", "search-from-options-0")
    page.keyboard.press("Enter")
    expect(page.locator("#search-from")).to_have_value("Hanoi")
    page.locator("#search-to").press_sequentially("vinh", delay=20)
    page.locator("#search-to-options [role=option]").first.click()
    page.select_option("#search-travellers", "2")
    page.locator(".search__go button").click()
    page.wait_for_url("**/search?**")
    inspect(page)

    page.locator(".trip__more summary").first.click()
    expect(page.locator("#trip-details .call--board")).to_be_visible()
    inspect(page)
    open_seats(page)
    inspect(page)


def _to_review(page) -> None:
    page.goto("/search?from=Hà Nội&to=Vinh&travellers=1")
    open_seats(page, 1)
    choose(page, free_seats(page)[:1])
    go_on(page)
    name_people(page, 1)
    to_review(page)


def _to_sandbox(page) -> None:
    _to_review(page)
    to_payment(page)


def _read_code(page, path: Path) -> str:
    page.locator(".ticket__qr").first.screenshot(path=path)
    with Image.open(path) as picture:
        enlarged = picture.convert("L").resize((picture.width * 3, picture.height * 3))
    (code,) = zxingcpp.read_barcodes(enlarged)
    return str(code.text)
