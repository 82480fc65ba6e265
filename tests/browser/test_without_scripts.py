"""The same shop where scripts do not run: forms, links and pages only."""

import psycopg
from playwright.sync_api import Page, expect
from tests.browser.journey import free_seats, inspect, name_people, open_seats, pay, search, seat, to_payment, to_review


def test_from_a_search_to_a_ticket(visit):
    page = visit(width=360, scripts=False).page
    search(page, "ha noi", "vinh", travellers=2)
    inspect(page, scripts=False)
    _open_and_hold(page, 2)
    inspect(page, scripts=False)
    page.locator(".step-buttons button[name=go]").click()
    expect(page.locator("#problems")).to_be_visible()
    name_people(page, 2)
    to_review(page)
    inspect(page, scripts=False)
    to_payment(page)
    pay(page)
    page.wait_for_url("**booked=1")
    expect(page.locator(".ticket")).to_have_count(2)
    inspect(page, scripts=False)


def test_more_time_costs_nothing_that_was_typed(visit):
    page = visit(scripts=False).page
    search(page, travellers=1)
    _open_and_hold(page, 1)
    page.fill("#passenger-0-name", "Nguyễn Thị Ánh")
    page.get_by_role("button", name="Extend").click()
    expect(page.locator("#passenger-0-name")).to_have_value("Nguyễn Thị Ánh")
    expect(page.locator("#problems")).to_have_count(0)


def test_a_seat_that_somebody_else_took_is_explained_and_another_offered(visit):
    first, second = visit(scripts=False).page, visit(scripts=False).page
    for page in (first, second):
        search(page, travellers=1)
        open_seats(page, 2)
    number = free_seats(first)[0]
    for page in (first, second):
        seat(page, number).check(force=True)
    first.locator(".sum__go button[name=go]").click()
    first.wait_for_url("**/passengers*")
    second.locator(".sum__go button[name=go]").click()
    expect(second.locator("#seat-notice")).to_contain_text(number)
    inspect(second, scripts=False)
    second.locator("button[name=take]").click()
    expect(second.locator(".sum__list dt").first).to_contain_text("Seat")
    second.locator(".sum__go button[name=go]").click()
    second.wait_for_url("**/passengers*")


def test_both_ends_are_swapped(visit):
    page = visit(scripts=False).page
    page.goto("/search?from=Hà Nội&to=Vinh")
    page.locator("[data-swap]").click()
    expect(page.locator("#search-from")).to_have_value("Vinh")
    expect(page.locator("#search-to")).to_have_value("Hanoi")


def test_a_name_that_may_mean_several_places_is_asked_about(visit):
    page = visit(scripts=False).page
    search_for(page, "ha", "Vinh")
    expect(page.locator(".notice--choices")).to_contain_text("Where do you want to leave from?")
    page.locator(".notice--choices .chip").first.click()
    page.wait_for_url("**/search?**")
    expect(page.locator(".trips, .empty").first).to_be_visible()


def test_a_name_that_nobody_knows_is_told(visit):
    page = visit(scripts=False).page
    search_for(page, "Xyzzyville", "Vinh")
    expect(page.locator(".search__errors")).to_contain_text("We know no place called Xyzzyville")
    expect(page.locator("#search-to")).to_have_value("Vinh")


def test_filters_and_sorting(visit):
    page = visit(scripts=False).page
    search(page, travellers=1)
    page.get_by_role("link", name="Cheapest").click()
    expect(page.locator(".sorts [aria-current]")).to_have_text("Cheapest")
    page.wait_for_load_state()
    count = page.locator(".trip").count()
    page.get_by_label("Sleeper berth").check()
    page.get_by_role("button", name="Show the trips").click()
    page.wait_for_url("**seat=sleeper**")
    expect(page.locator(".trip").first).to_contain_text("Sleeper")
    expect(page.locator(".trip").nth(count - 1)).not_to_be_attached()
    page.fill("#max-price", "1")
    page.get_by_role("button", name="Show the trips").click()
    expect(page.locator(".empty")).to_contain_text("No trip fits all of your filters")


def test_a_day_without_coaches_leads_to_one_that_has_some(visit):
    page = visit(scripts=False).page
    page.goto("/search?from=Hà Nội&to=Vinh&date=2031-01-01")
    expect(page.locator(".empty h2")).to_contain_text("No coach runs")
    page.locator(".empty__ways a").first.click()
    expect(page.locator(".trip").first).to_be_visible()


def test_seats_whose_time_is_over_say_so(visit, shop):
    page = visit(scripts=False).page
    search(page, travellers=1)
    _open_and_hold(page, 1)
    run_out(shop.database_url)
    page.reload()
    expect(page.locator("h1")).to_have_text("The time is over")
    inspect(page, scripts=False)
    page.get_by_role("link", name="Choose seats again").click()
    page.wait_for_url("**/seats?**")


def test_a_booking_whose_time_is_over_says_so(visit, shop):
    page = visit(scripts=False).page
    search(page, travellers=1)
    _open_and_hold(page, 1)
    name_people(page, 1)
    to_review(page)
    run_out(shop.database_url)
    page.check("#terms")
    page.locator(".step-buttons button[name=go]").click()
    expect(page.locator("h1")).to_have_text("This booking has run out")


def search_for(page: Page, start: str, end: str) -> None:
    page.goto("/")
    page.fill("#search-from", start)
    page.fill("#search-to", end)
    page.locator(".search__go button").click()


def run_out(database_url: str) -> None:
    """As if fifteen minutes had gone by for everybody."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for table in ("claim", "hold", "booking"):
            connection.execute(
                f"UPDATE {table} SET expires_at = now() - interval '1 second' WHERE expires_at IS NOT NULL"
            )


def _open_and_hold(page: Page, count: int) -> None:
    open_seats(page)
    for number in free_seats(page)[:count]:
        seat(page, number).check(force=True)
    page.locator(".sum__go button[name=go]").click()
    page.wait_for_url("**/passengers*")
