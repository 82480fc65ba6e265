"""Each way a booking can go, in Chromium: declined and paid, run out, given up in part, changed."""

import re

import psycopg
import pytest
from playwright.sync_api import Page, expect
from tests.browser.journey import (
    choose,
    free_seats,
    go_on,
    inspect,
    name_people,
    open_seats,
    pay,
    search,
    seat,
    to_payment,
    to_review,
)
from tests.browser.people import new_address, press, register, sign_in

from farebox.core.db import Database

NARROW, WIDE = 360, 1280


@pytest.fixture
def later(shop):
    """Moves what was booked under a reference in time, or the terms of its sale, as days would."""

    def run(statement: str, reference: str) -> None:
        with psycopg.connect(Database(shop.database_url).dsn, autocommit=True) as connection:
            changed = connection.execute(statement, {"reference": reference})
            assert changed.rowcount

    return run


def to_summary(page: Page, seats: int = 1) -> str:
    """To the review of so many seats of the last trip of the day; the booking's reference."""
    search(page, travellers=seats)
    open_seats(page, -1)
    choose(page, free_seats(page)[:seats])
    go_on(page)
    name_people(page, seats)
    to_review(page)
    return page.locator(".page-head .reference").inner_text().strip()


def paid(page: Page, seats: int = 1) -> str:
    reference = to_summary(page, seats)
    to_payment(page)
    pay(page)
    page.wait_for_url("**booked=1")
    return reference


def test_a_guest_is_declined_pays_another_way_and_keeps_the_booking(visit):
    page = visit(width=NARROW).page
    to_summary(page)
    expect(page.locator("#conditions")).to_have_text("If your plans change")
    inspect(page)
    to_payment(page)
    pay(page, "decline")
    page.wait_for_url("**/failed")
    expect(page.locator("main")).to_contain_text("your seats are kept until")
    inspect(page)
    page.get_by_role("button", name=re.compile("^Pay")).click()
    page.wait_for_url("**/pay/sandbox/**")
    pay(page)
    page.wait_for_url("**booked=1")
    expect(page.get_by_role("heading", name="Create an account from this booking")).to_be_visible()
    expect(page.locator(".story li")).to_have_count(5)
    inspect(page)


def test_a_booking_that_ran_out_is_made_again_with_one_press(visit, later):
    page = visit(width=WIDE).page
    reference = to_summary(page)
    later("UPDATE booking SET expires_at = now() - interval '1 second' WHERE reference = %(reference)s", reference)
    page.goto(page.url.removesuffix("/review"))
    expect(page.locator("h1")).to_have_text("This booking has run out")
    inspect(page)
    page.get_by_role("button", name="Book it again").click()
    page.wait_for_url("**/review")
    expect(page.locator(".people")).to_contain_text("Nguyễn Thị Ánh")
    expect(page.locator(".page-head .reference")).to_have_count(1)
    expect(page.locator(".page-head .reference")).not_to_contain_text(reference)


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_one_of_two_gives_the_seat_up_and_the_money_comes_back(visit, width):
    page = visit(width=width).page
    paid(page, 2)
    page.get_by_role("link", name=re.compile("Cancel, all or a part")).click()
    page.wait_for_url("**/cancel")
    inspect(page)
    page.locator(".pick__seat").nth(1).click()
    expect(page.locator("#quote-title")).to_contain_text("You get")
    inspect(page)
    page.get_by_role("button", name="Give these seats up").click()
    page.wait_for_url("**said=cancelled")
    expect(page.locator(".ticket")).to_have_count(1)
    expect(page.locator(".former")).to_contain_text("Lê Minh Khôi")
    expect(page.locator(".moneys")).to_contain_text("For what was cancelled")
    inspect(page)


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_of_two_who_look_for_other_seats_one_keeps_the_seat(visit, width):
    visitor = visit(width=width)
    page = visitor.page
    paid(page, seats=2)
    page.get_by_role("link", name=re.compile("Another day, trip or seat")).click()
    page.wait_for_url("**/change")
    now = page.locator(".pick__seat .seat-chip").all_inner_texts()
    for box in page.locator(".pick__seat").all():
        box.click()
    page.get_by_role("button", name="Show the trips").click()
    page.get_by_role("link", name="Another seat on the same trip").click()
    page.wait_for_url("**/seats?**")
    expect(page.locator("[data-count]")).to_have_text("0 of 2 seats chosen")
    first, second = free_seats(page)[:2]
    choose(page, [first])
    expect(page.locator("[data-count]")).to_have_text("1 of 2 seats chosen")
    page.get_by_role("button", name="See what it costs").click()
    expect(page.locator("#seat-notice")).to_contain_text("Choose one more seat: 1 of 2 chosen.")
    expect(seat(page, now[1])).to_have_accessible_name(re.compile("your seat now$"))
    seat(page, now[1]).click()
    expect(page.locator("[data-count]")).to_have_text("2 of 2 seats chosen")
    expect(page.locator(".sum__list")).to_contain_text("stays yours")
    expect(seat(page, now[1])).to_have_accessible_name(re.compile("your seat now, stays yours$"))
    seat(page, second).click()
    expect(page.locator("[data-said-text]")).to_contain_text("2 seats are enough: they are for 2 people.")
    expect(seat(page, second)).not_to_be_checked()
    inspect(page)
    page.goto(page.url)  # the one that is held is known again, and the seat now can be ticked as before
    expect(page.locator("[data-count]")).to_have_text("1 of 2 seats chosen")
    seat(page, now[1]).click()
    expect(page.locator("[data-count]")).to_have_text("2 of 2 seats chosen")
    page.get_by_role("button", name="See what it costs").click()
    page.wait_for_url("**/change/quote?**")
    expect(page.locator(".swaps li")).to_have_count(1)
    expect(page.locator(".swaps")).to_contain_text(first)
    assert visitor.complaints == []


def test_somebody_with_an_account_changes_the_seat_for_a_dearer_one(visit, later):
    page, mail = visit(width=WIDE).page, visit().page
    address = new_address()
    register(page, mail, address)
    sign_in(page, address)
    reference = paid(page)
    later(
        "UPDATE booking_item SET policy = policy || '{\"change_fee_minor\": 50000}' FROM booking "
        "WHERE booking.id = booking_id AND reference = %(reference)s",
        reference,
    )
    page.get_by_role("link", name=re.compile("Another day, trip or seat")).click()
    page.wait_for_url("**/change")
    inspect(page)
    page.get_by_role("link", name="Another seat on the same trip").click()
    page.wait_for_url("**/seats?**")
    number = free_seats(page)[0]
    choose(page, [number])
    page.get_by_role("button", name="See what it costs").click()
    page.wait_for_url("**/change/quote?**")
    expect(page.locator(".is-total").first).to_have_text("To pay now")
    inspect(page)
    page.get_by_role("button", name=re.compile("and change")).click()
    page.wait_for_url("**/pay/sandbox/**")
    pay(page)
    page.wait_for_url("**said=changed")
    expect(page.locator(".ticket")).to_contain_text(number)
    page.goto("/account/bookings?view=table")
    expect(page.locator(".list-table--bookings")).to_contain_text(reference)
    inspect(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_what_was_ticked_before_payment_is_ticked_after_naming_a_company(visit, scripts):
    page = visit(width=360, scripts=scripts).page
    search(page, travellers=1)
    open_seats(page)
    if scripts:
        choose(page, free_seats(page)[:1])
    else:
        page.check(f'input[name="seats"][value="{free_seats(page)[0]}"]')
    go_on(page)
    name_people(page, 1)
    to_review(page)
    details = page.get_by_role("button", name="Details for the invoice")
    details.click()
    page.get_by_role("link", name="Leave it as it is").click()
    page.wait_for_url("**/review")
    expect(page.locator("#terms")).not_to_be_checked()
    page.check("#terms")
    details.click()
    page.fill("#name", "Công ty TNHH Sông Hương")
    press(page, "Save")
    page.wait_for_url("**/review?said=invoice-noted")
    expect(page.locator("#terms")).to_be_checked()
    inspect(page, scripts=scripts)
    details.click()
    page.wait_for_url("**/invoice-details")
    page.go_back()
    expect(page.locator("#terms")).to_be_checked()
    page.uncheck("#terms")
    page.goto(page.url)
    expect(page.locator("#terms")).not_to_be_checked()
