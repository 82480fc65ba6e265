"""The counter in Chromium: a part of a payment is given back, and a change is paid in cash. Every page is looked at."""

import re

import psycopg
import pytest
from playwright.sync_api import Page, expect
from tests.browser.journey import choose, free_seats, go_on, inspect, name_people, pay, search, to_payment, to_review
from tests.browser.people import press
from tests.browser.test_console_prices import OPERATOR, hired, open_console

__all__ = ["hired"]


def to_the_money(page: Page, reference: str) -> None:
    """The page of all money of a booking, over the till."""
    page.goto("/console")
    page.get_by_role("link", name="Till").click()
    page.get_by_label("Reference").fill(reference)
    page.locator(".till-find button").click()
    page.wait_for_url("**/till/bookings/**")


def make_dear(database_url: str, reference: str) -> None:
    """A change of what was booked costs more than any seat does less."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            """UPDATE booking_item SET policy = policy || '{"change_fee_minor": 500000}' FROM booking
            WHERE booking.id = booking_id AND reference = %s""",
            (reference,),
        )


@pytest.mark.parametrize("width", [360, 1280])
def test_a_part_is_given_back_and_a_change_paid_in_cash(visit, hired, shop, width):
    clerk = visit(width=width)
    page = clerk.page
    open_console(page, clerk.context.new_page(), hired)
    search(page, travellers=1)
    page.locator(".trip", has_text=OPERATOR).last.locator(".trip__buy .btn").click()
    page.wait_for_url("**/seats?**")
    choose(page, free_seats(page)[:1])
    go_on(page)
    name_people(page, 1)
    to_review(page)
    to_payment(page)
    pay(page)
    page.wait_for_url("**booked=1")
    booking = page.url.split("?")[0]
    reference = page.locator("#reference").inner_text().strip()

    to_the_money(page, reference)
    inspect(page)
    page.get_by_role("link", name="Give a part back").click()
    inspect(page)
    press(page, "See what it does")
    expect(page.locator("#amount")).to_have_attribute("aria-invalid", "true")
    inspect(page)
    page.fill("#amount", "20000")
    page.fill("#note", "The heating was cold")
    press(page, "See what it does")
    expect(page.locator(".told")).to_contain_text("the tickets stay valid")
    inspect(page)
    page.get_by_role("button", name=re.compile("^Give .* back$")).click()
    expect(page.locator("main")).to_contain_text("It is given back, and off the price.")
    expect(page.locator("#refunds + table")).to_contain_text("20,000")
    inspect(page)

    make_dear(shop.database_url, reference)
    page.goto(f"{booking}/change")
    page.get_by_role("link", name="Another seat on the same trip").click()
    page.wait_for_url("**/seats?**")
    number = free_seats(page)[0]
    choose(page, [number])
    page.get_by_role("button", name="See what it costs").click()
    page.wait_for_url("**/change/quote?**")
    page.get_by_role("button", name=re.compile("and change")).click()
    page.wait_for_url("**/pay/sandbox/**")

    to_the_money(page, reference)
    expect(page.locator("#change-title")).to_contain_text("A change waits for")
    inspect(page)
    press(page, "I have the money")
    expect(page.locator("main")).to_contain_text("The cash was taken and noted.")
    expect(page.locator("#change-title")).to_have_count(0)
    page.goto(booking)
    expect(page.locator(".ticket")).to_contain_text(number)
    inspect(page)
