"""What was typed about people stays while other seats are chosen: phone and desktop, with scripts and without."""

import re

import psycopg
import pytest
from playwright.sync_api import Page, expect
from tests.browser.journey import (
    PEOPLE,
    choose,
    free_seats,
    go_on,
    inspect,
    name_people,
    open_seats,
    search,
    seat,
    to_payment,
    to_review,
)
from tests.browser.test_several_trips import choose_both, run_out, search_both_ways

LOOKS = [(360, True), (1280, True), (360, False)]


def typed_stands(page: Page) -> None:
    expect(page.locator("#contact-email")).to_have_value("anh@example")
    names = {page.locator(f"#passenger-{index}-name").input_value() for index in range(2)}
    numbers = {page.locator(f"#passenger-{index}-number").input_value() for index in range(2)}
    assert names == {name for name, _ in PEOPLE[:2]}
    assert numbers == {number for _, number in PEOPLE[:2]}


@pytest.mark.parametrize(("width", "scripts"), LOOKS)
def test_back_to_the_seats_and_on_again(visit, width, scripts):
    page = visit(width=width, scripts=scripts).page
    search(page)
    open_seats(page)
    first, second, third = free_seats(page)[:3]
    pick(page, [first, second], scripts=scripts)
    name_people(page, 2)
    page.fill("#contact-email", "anh@example")  # not yet what it must be
    page.get_by_role("button", name="Back to the seats").click()
    page.wait_for_url("**/seats?**")
    inspect(page, scripts=scripts)
    assert "Nguy" not in page.url
    for number in (first, third):
        seat(page, number).focus()
        page.keyboard.press("Space")
        if scripts:
            expect(page.locator(".is-waiting")).to_have_count(0)
    go_on(page)
    inspect(page, scripts=scripts)
    typed_stands(page)
    of_second = page.locator("fieldset", has_text=f"Passenger in seat {second}")
    expect(of_second.get_by_label("Full name")).to_have_value(PEOPLE[1][0])  # it was theirs before
    page.fill("#contact-email", "anh@example.com")
    to_review(page)
    to_payment(page)


@pytest.mark.parametrize("width", [360, 1280])
def test_another_seat_on_the_way_there(visit, width):
    page = visit(width=width).page
    search_both_ways(page, travellers=2)
    there, _back = choose_both(page, seats=2)
    name_people(page, 2)
    page.fill("#contact-email", "anh@example")
    page.get_by_role("button", name="Change seats").first.click()
    page.wait_for_url("**/seats?**")
    inspect(page)
    seat(page, there[0]).click()
    expect(page.locator(".is-waiting")).to_have_count(0)
    seat(page, free_seats(page)[-1]).click()
    expect(page.locator(".sum__list dt", has_text=re.compile(r"^\s*Seat"))).to_have_count(2)
    page.locator(".sum__go > button[name=go]").click()
    page.wait_for_url("**/passengers?**")
    inspect(page)
    typed_stands(page)


def test_the_end_of_the_clock_on_a_single_trip(visit, shop):
    page = visit(width=360).page
    search(page)
    open_seats(page)
    choose(page, free_seats(page)[:2])
    go_on(page)
    name_people(page, 2)
    page.fill("#contact-email", "anh@example")
    run_out(shop.database_url, re.findall(r"[0-9a-f-]{36}", page.url)[0])
    page.evaluate(
        """() => { const clock = document.getElementById("clock"); clock.dataset.seconds = "0";
        import(document.querySelector("script[type=module]").src.replace("farebox.js", "clock.js"))
          .then((module) => module.startClock()); }"""
    )
    lost = page.locator(".chosen--lost")
    expect(lost).to_contain_text("The time for seats")
    typed_stands(page)
    inspect(page)
    lost.get_by_role("button", name="Choose on the map").click()
    page.wait_for_url("**/seats?**")
    expect(page.locator("#seat-notice")).to_contain_text("The time for seats")
    choose(page, free_seats(page)[:2])
    go_on(page)
    typed_stands(page)
    with psycopg.connect(shop.database_url) as connection:
        (kept,) = connection.execute("SELECT count(*) FROM typed_people").fetchone() or (0,)
    assert kept > 0


def pick(page: Page, numbers: list[str], *, scripts: bool) -> None:
    if scripts:
        choose(page, numbers)
    else:
        for number in numbers:
            seat(page, number).focus()
            page.keyboard.press("Space")
    go_on(page)
