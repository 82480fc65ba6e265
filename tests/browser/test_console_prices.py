"""The back office in Chromium: a code is made, taken in the shop and counted; money is taken at the till."""

import re

import psycopg
import pytest
from playwright.sync_api import Page, expect
from tests.browser.journey import choose, free_seats, go_on, inspect, name_people, pay, search, to_payment, to_review
from tests.browser.people import new_address, press, register, sign_in

OPERATOR = "Trường Sơn Lines"


@pytest.fixture
def hired(shop):
    """Lets the person who has just registered work for an operator of the demo."""

    def hire() -> None:
        with psycopg.connect(shop.database_url) as connection:
            connection.execute("SELECT set_config('farebox.operator', '*', false)")
            connection.execute(
                "INSERT INTO membership (operator_id, person_id, role, created_at) SELECT operator.id, person.id,"
                " 'operator_admin', now() FROM operator,"
                " (SELECT id FROM person ORDER BY created_at DESC LIMIT 1) AS person"
                " WHERE operator.name = %s",
                (OPERATOR,),
            )

    return hire


def open_console(page: Page, mail: Page, hired) -> None:
    address = new_address()
    register(page, mail, address)
    hired()
    sign_in(page, address)
    page.goto("/console")
    page.get_by_role("link", name="Codes").click()


def to_the_review(page: Page) -> None:
    """Of a seat on the first coach of the operator whose code it is."""
    search(page, travellers=1)
    page.locator(".trip", has_text=OPERATOR).first.locator(".trip__buy .btn").click()
    page.wait_for_url("**/seats?**")
    choose(page, free_seats(page)[:1])
    go_on(page)
    name_people(page, 1)
    to_review(page)


@pytest.mark.parametrize("width", [360, 1280])
def test_a_code_is_made_taken_in_the_shop_and_counted(visit, hired, width):
    boss, traveller = visit(width=width), visit(width=width)
    page, code = boss.page, f"GIFT{width}"
    open_console(page, boss.context.new_page(), hired)
    expect(page.locator("main")).to_contain_text("WELCOME10")  # the demo's own
    inspect(page)
    page.get_by_role("link", name="Make a code").click()
    page.fill("#code", code)
    expect(page.locator("#amount")).not_to_be_visible()  # a percentage is chosen
    page.fill("#percent", "200")
    press(page, "Make the code")
    expect(page.locator("#problems")).to_contain_text("between 0.01% and 100%")
    inspect(page)
    page.fill("#percent", "20")
    page.fill("#total_limit", "5")
    press(page, "Make the code")
    row = page.locator("tr", has_text=code)
    expect(row).to_contain_text("0 of 5")

    shopping = traveller.page
    to_the_review(shopping)
    shopping.fill("#promotion", code.lower())
    shopping.get_by_role("button", name="Apply").click()
    expect(shopping.locator(".promotion__applied")).to_contain_text(code)
    to_payment(shopping)
    pay(shopping)
    shopping.wait_for_url("**booked=1")

    page.reload()
    expect(row).to_contain_text("1 of 5")
    expect(row).to_contain_text(re.compile("₫[1-9]"))
    row.get_by_role("link", name="End").click()
    inspect(page)
    press(page, "End this code")
    expect(row).to_contain_text("Ended")


def test_a_fare_is_tried_and_a_rule_looked_at_by_keyboard(visit, hired):
    boss = visit()
    page = boss.page
    open_console(page, boss.context.new_page(), hired)
    page.get_by_role("link", name="Fares").click()
    page.select_option("#line", label="TS1: Hanoi – Da Nang")
    page.locator("#q").fill("vinh")
    page.keyboard.press("Enter")
    row = page.locator("tr", has_text="Hanoi")
    expect(row.first).to_contain_text("Timetable")
    inspect(page)
    row.first.get_by_role("link", name="Try").click()
    expect(page.locator(".quote .is-total").last).to_contain_text("₫")
    inspect(page)
    page.get_by_role("link", name="Price rules").click()
    page.get_by_role("link", name="Make a rule").click()
    page.locator("[name=kind]").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#first_day")).not_to_be_visible()
    page.fill("#ahead", "20")
    page.fill("#name", "Very early")
    page.get_by_text("cheaper", exact=True).click()
    page.fill("#percent", "30")
    press(page, "Show an example")
    expect(page.locator(".quote")).to_contain_text("Very early (-30%)")
    expect(page.locator("#name")).to_have_value("Very early")
    inspect(page)
    page.get_by_role("link", name="Cancel").click()
    expect(page.locator("main")).not_to_contain_text("Very early")


def test_a_sale_at_the_counter_is_paid_in_cash(visit, hired):
    clerk = visit(width=768)
    page = clerk.page
    open_console(page, clerk.context.new_page(), hired)
    to_the_review(page)
    page.goto("/console")
    page.get_by_role("link", name="Till").click()
    page.get_by_role("link", name="Take the money").click()
    inspect(page)
    press(page, "I have the money")
    expect(page.locator("main")).to_contain_text("The cash was taken and noted.")
    expect(page.locator("#ledger + .scrolls")).to_contain_text("Owed by the booking")
    inspect(page)
    page.get_by_role("link", name="Till").first.click()
    expect(page.locator("tr", has_text="You")).to_contain_text("(1)")
    inspect(page)
