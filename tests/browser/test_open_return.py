"""An open return in Chromium: bought with the way there, redeemed for a ride and a ticket. Each page is looked at."""

import re

import pytest
from playwright.sync_api import Page, expect
from tests.browser.journey import choose, free_seats, go_on, inspect, name_people, pay, search, to_payment, to_review

OPERATOR = "Trường Sơn"  # sells them


def open_seats_of(page: Page, operator: str) -> None:
    page.locator(".trip", has_text=operator).last.locator(".trip__buy .btn").click()
    page.wait_for_url("**/seats?**")


@pytest.mark.parametrize("width", [360, 1280])
def test_bought_and_redeemed(visit, width):
    page = visit(width=width).page
    search(page)
    open_seats_of(page, OPERATOR)
    there = free_seats(page)[:2]
    choose(page, there)
    go_on(page)
    name_people(page, 2)
    to_review(page)
    page.get_by_role("button", name=re.compile("^Add it for")).click()
    expect(page.locator("main")).to_contain_text("It is part of your booking.")
    inspect(page)
    to_payment(page)
    pay(page)
    page.wait_for_url("**booked=1")
    booking = page.url.split("?")[0]
    expect(page.locator(".ticket")).to_have_count(2)
    inspect(page)

    page.get_by_role("link", name="Choose your ride back").click()
    page.wait_for_url("**/way-back")
    expect(page.locator("h1")).to_have_text("Choose your ride back")
    inspect(page)
    page.get_by_role("link", name="Day after").click()
    page.wait_for_url("**/way-back?**")
    inspect(page)
    page.locator(".rides-for .card").first.get_by_role("link", name="Choose seats").click()
    page.wait_for_url("**/seats?**")
    inspect(page)
    back = free_seats(page)[-2:]
    choose(page, back)
    page.get_by_role("button", name="See what it costs").click()
    page.wait_for_url("**/way-back/quote?**")
    expect(page.locator("h1")).to_have_text("Your ride back")
    for number in back:
        expect(page.locator(".swaps")).to_contain_text(number)
    inspect(page)

    page.get_by_role("button", name=re.compile("take this ride", re.IGNORECASE)).click()
    page.wait_for_url(re.compile(r"said=returned|/pay/sandbox/"))
    if "/pay/sandbox/" in page.url:  # these seats cost more than a plain one on the dearest day
        pay(page)
    page.wait_for_url(f"{booking}?said=*")
    expect(page.locator(".ticket")).to_have_count(4)
    for number in (*there, *back):
        expect(page.locator(".tickets")).to_contain_text(number)
    expect(page.get_by_role("link", name="Choose your ride back")).to_have_count(0)
    expect(page.locator(".story")).to_contain_text("The ride back was chosen")
    inspect(page)
