"""The first page of the console in Chromium: what an operator sees in the morning, and the way to a booking."""

import pytest
from playwright.sync_api import expect
from tests.browser.journey import EMAIL, inspect, pay, to_payment
from tests.browser.test_console_prices import hired, open_console, to_the_review

__all__ = ["hired"]


@pytest.mark.parametrize(("width", "dark"), [(360, True), (768, False), (1280, False)])
def test_the_console_begins_with_today_and_finds_a_booking_by_keyboard(visit, hired, width, dark):
    chief = visit(width=width, dark=dark)
    page = chief.page
    open_console(page, chief.context.new_page(), hired)
    to_the_review(page)
    to_payment(page)
    pay(page)
    page.wait_for_url("**booked=1")
    reference = page.locator("#reference").inner_text().strip()

    page.goto("/console")
    expect(page.locator("h1")).to_have_text("Today")
    expect(page.locator(".sales")).to_contain_text("Bookings")
    expect(page.locator(".departures meter").first).to_be_attached()
    inspect(page)
    page.locator(".folded summary").first.click()
    inspect(page)

    page.locator("#wanted").focus()
    page.keyboard.type("BUS1")
    page.keyboard.press("Enter")
    expect(page.locator("#wanted")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#wanted")).to_be_focused()
    inspect(page)
    page.locator("#wanted").fill(reference)
    page.keyboard.press("Enter")
    page.wait_for_url("**/till/bookings/**")
    expect(page.locator("h1")).to_contain_text(reference)


def test_the_console_begins_in_vietnamese_too(visit, hired):
    chief = visit(width=360)
    page = chief.page
    open_console(page, chief.context.new_page(), hired)
    page.goto("/console")
    page.locator("button.lang__go").click()
    expect(page.locator("h1")).to_have_text("Hôm nay")
    inspect(page)
    page.locator("#wanted").fill(EMAIL)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).not_to_have_text("Hôm nay")
    inspect(page)
