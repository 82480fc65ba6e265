"""Several trips in one checkout, in Chromium: there and back, a ride that is lost, a further one; without scripts."""

import re

import psycopg
from playwright.sync_api import Page, expect
from tests.browser.journey import (
    choose,
    free_seats,
    inspect,
    name_people,
    open_seats,
    pay,
    seat,
    to_payment,
    to_review,
)
from tests.browser.people import new_address, register, sign_in


def search_both_ways(page: Page, *, travellers: int, start: str = "Hà Nội", end: str = "Vinh") -> None:
    """From the home page to the rides there."""
    page.goto("/")
    page.check("input[name=way][value=round]")
    page.fill("#search-from", start)
    page.fill("#search-to", end)
    page.locator("#search-to").blur()
    page.select_option("#search-travellers", str(travellers))
    page.locator(".search__go button").click()
    page.wait_for_url("**/search?**")


def go_on(page: Page, to: str) -> None:
    page.locator(".sum__go > button[name=go]").click()
    page.wait_for_url(to)


def choose_both(page: Page, *, seats: int) -> tuple[list[str], list[str]]:
    """Seats on a ride there and on one back, to the page of the people."""
    open_seats(page, 1)
    there = free_seats(page)[:seats]
    choose(page, there)
    go_on(page, "**/search?**")
    open_seats(page, 2)
    back = free_seats(page)[:seats]
    choose(page, back)
    go_on(page, "**/passengers?**")
    return there, back


def run_out(database_url: str, hold_id: str) -> None:
    """As if fifteen minutes had gone by for one ride."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for table, column in (("claim", "hold_id"), ("hold", "id")):
            connection.execute(
                f"UPDATE {table} SET expires_at = now() - interval '1 second' WHERE {column} = %s", [hold_id]
            )


def test_there_and_back_as_a_guest_on_a_phone(visit):
    page = visit(width=360).page
    search_both_ways(page, travellers=2)
    expect(page.locator(".hero")).to_contain_text("Way there")
    inspect(page)
    open_seats(page, 1)
    there = free_seats(page)[:2]
    choose(page, there)
    go_on(page, "**/search?**")

    expect(page.locator("h1")).to_contain_text("Vinh")
    expect(page.locator(".hero")).to_contain_text("Way back")
    expect(page.locator(".chosen__seats")).to_contain_text(there[0])
    inspect(page)
    page.mouse.wheel(0, 1500)
    expect(page.locator("#clock")).to_be_in_viewport()
    expect(page.locator(".clock__sum")).to_be_in_viewport()

    open_seats(page, 2)
    expect(page.locator("h1")).to_contain_text("2 seats for the way back")
    offer = page.locator("[data-take]").first
    offered = str(offer.get_attribute("data-take")).split(",")
    inspect(page)
    offer.click()
    for number in offered:
        expect(seat(page, number)).to_be_checked()
    expect(page.locator(".sum__list dt", has_text=re.compile("^\\s*Seat"))).to_have_count(2)
    expect(page.locator(".sum__other")).to_contain_text(there[0])
    go_on(page, "**/passengers?**")
    inspect(page)
    page.mouse.wheel(0, 1500)
    expect(page.locator("#clock")).to_be_in_viewport()
    expect(page.locator(".clock__sum")).to_be_in_viewport()

    page.select_option("#passenger-0-seats_1", offered[1])  # and whoever had it gets the other one
    expect(page.locator("#passenger-1-seats_1")).to_have_value(offered[0])
    name_people(page, 2)
    to_review(page)
    on_the_way_back = page.locator(".people").nth(1).locator("li")
    for number, name in zip(reversed(offered), ("Nguyễn Thị Ánh", "Lê Minh Khôi"), strict=True):
        expect(on_the_way_back.filter(has_text=name)).to_contain_text(number)
    inspect(page)
    page.reload()
    expect(page.locator(".people")).to_have_count(2)
    to_payment(page)
    pay(page)
    page.wait_for_url("**booked=1")
    expect(page.locator(".ticket")).to_have_count(4)
    assert len({*page.locator(".ticket .reference").all_inner_texts()}) == 1
    inspect(page)


def test_there_and_back_with_an_account_and_one_further_trip(visit):
    traveller, mail = visit(), visit().page
    page = traveller.page
    address = new_address()
    register(page, mail, address)
    sign_in(page, address)
    search_both_ways(page, travellers=1)
    there, back = choose_both(page, seats=1)
    expect(page.locator("#contact-email")).to_have_value(address)
    page.fill("#contact-phone", "0912 345 678")
    page.fill("#passenger-0-name", "Nguyễn Thị Ánh")
    page.fill("#passenger-0-number", "001186004321")
    to_review(page)
    inspect(page)

    page.get_by_role("button", name="Add another trip").click()
    expect(page.locator("h1")).to_have_text("Where to next?")
    expect(page.locator("#search-from")).to_have_value("Hanoi")
    inspect(page)
    page.fill("#search-to", "Hai Phong")
    page.locator("#search-to").blur()
    page.locator(".search__go button").click()
    page.wait_for_url("**/search?**")
    expect(page.locator(".chosen")).to_have_count(2)
    open_seats(page, -1)
    choose(page, free_seats(page)[:1])
    go_on(page, "**/passengers?**")
    expect(page.locator("#passenger-0-name")).to_have_value("Nguyễn Thị Ánh")  # nobody types the same twice
    to_review(page)
    expect(page.locator(".people")).to_have_count(3)
    for number in (*there, *back):
        expect(page.locator(".people .seat-chip", has_text=re.compile(f"^{number}$")).first).to_be_visible()

    page.locator("button[name=remove]").last.click()
    page.wait_for_url("**/review")
    expect(page.locator(".people")).to_have_count(2)
    to_payment(page)
    pay(page)
    page.wait_for_url("**booked=1")
    expect(page.locator(".ticket")).to_have_count(2)
    page.goto("/account/bookings")
    expect(page.locator(".line")).to_have_count(3)  # the two that were given up for it are told as cancelled


def test_a_ride_that_is_lost_is_held_anew_and_nothing_else_is_touched(visit, shop):
    page = visit().page
    search_both_ways(page, travellers=1)
    there, back = choose_both(page, seats=1)
    name_people(page, 1)
    run_out(shop.database_url, re.findall(r"[0-9a-f-]{36}", page.url)[0])
    page.locator(".step-buttons button[name=go]").click()
    expect(page.locator("#problems")).to_contain_text("Not all seats are held any more")
    lost = page.locator(".chosen--lost")
    expect(lost).to_have_count(1)
    expect(lost).to_contain_text(f"The time for seat {there[0]} is over")
    expect(page.locator("#passenger-0-name")).to_have_value("Nguyễn Thị Ánh")
    inspect(page)
    page.get_by_role("button", name=f"Hold seat {there[0]} again").click()
    expect(page.locator(".chosen--lost")).to_have_count(0)
    expect(page.locator("#passenger-0-name")).to_have_value("Nguyễn Thị Ánh")
    to_review(page)
    chips = page.locator(".people .seat-chip")
    expect(chips).to_have_text([there[0], back[0]])


def test_the_end_of_a_clock_asks_what_is_left_and_keeps_what_was_typed(visit, shop):
    page = visit().page
    search_both_ways(page, travellers=1)
    choose_both(page, seats=1)
    name_people(page, 1)
    run_out(shop.database_url, re.findall(r"[0-9a-f-]{36}", page.url)[0])
    page.evaluate(
        """() => { const clock = document.getElementById("clock"); clock.dataset.seconds = "0";
        import(document.querySelector("script[type=module]").src.replace("farebox.js", "clock.js"))
          .then((module) => module.startClock()); }"""
    )
    expect(page.locator(".chosen--lost")).to_have_count(1)
    expect(page.locator("#passenger-0-name")).to_have_value("Nguyễn Thị Ánh")
    page.get_by_role("button", name="Leave this trip out").click()
    expect(page.locator(".card__legend").first).to_contain_text("Passenger in seat")
    to_review(page)
    expect(page.locator(".people")).to_have_count(1)


def test_there_and_back_by_keyboard_alone(visit):
    page = visit().page
    page.goto("/")
    page.locator("input[name=way]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#search-return")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("Hà Nội")
    page.keyboard.press("Escape")
    page.locator("#search-to").focus()
    page.keyboard.type("Vinh")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?**")
    expect(page.locator(".hero")).to_contain_text("Way there")


def test_one_way_hides_the_way_back_and_asks_nothing_about_it(visit):
    page = visit().page
    page.goto("/")
    expect(page.locator("#search-return")).to_be_hidden()
    page.check("input[name=way][value=round]")
    expect(page.locator("#search-return")).to_be_visible()
    later = page.locator("#search-date").evaluate(
        "e => { const day = e.valueAsDate; day.setDate(day.getDate() + 4); return day.toISOString().slice(0, 10); }"
    )
    page.fill("#search-date", later)
    assert page.input_value("#search-return") >= later  # it goes along
    page.check("input[name=way][value=one]")
    page.fill("#search-from", "Hà Nội")
    page.fill("#search-to", "Vinh")
    page.locator("#search-to").blur()
    page.locator(".search__go button").click()
    page.wait_for_url("**/search?**")
    open_seats(page)
    assert "back=" not in page.url


def test_there_and_back_without_scripts(visit):
    page = visit(width=360, scripts=False).page
    search_both_ways(page, travellers=2)
    inspect(page, scripts=False)
    for url in ("**/search?**", "**/passengers?**"):
        open_seats(page, 2)
        for number in free_seats(page)[:2]:
            seat(page, number).focus()
            page.keyboard.press("Space")
        go_on(page, url)
        inspect(page, scripts=False)
    page.get_by_role("button", name="Extend").click()
    name_people(page, 2)
    to_review(page)
    to_payment(page)
    pay(page)
    page.wait_for_url("**booked=1")
    expect(page.locator(".ticket")).to_have_count(4)
