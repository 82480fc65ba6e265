"""Filtering and sorting in place: the address follows, the focus stays, the way back works."""

from playwright.sync_api import expect
from tests.browser.journey import inspect, search


def test_filters_narrow_the_list_in_place(visit):
    page = visit().page
    search(page, travellers=1)
    whole = page.locator(".trip").count()
    page.evaluate("window.stillHere = true")
    page.get_by_label("Sleeper berth").check()
    expect(page.locator(".trip").first).to_contain_text("Sleeper")
    page.wait_for_url("**seat=sleeper**")
    expect(page.locator(".trip").nth(whole - 1)).not_to_be_attached()
    expect(page.get_by_label("Sleeper berth")).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("departure")
    page.get_by_role("link", name="Fastest").click()
    expect(page.locator(".sorts [aria-current]")).to_have_text("Fastest")
    page.wait_for_url("**sort=duration**")
    assert page.evaluate("window.stillHere")
    inspect(page)
    page.go_back()
    expect(page.locator(".sorts [aria-current]")).to_have_text("Earliest")
    expect(page.get_by_label("Sleeper berth")).to_be_checked()
    page.go_back()
    expect(page.locator(".trip")).to_have_count(whole)


def test_filters_are_a_sheet_on_a_phone(visit):
    page = visit(width=360).page
    search(page, travellers=1)
    whole = page.locator(".trip").count()
    page.get_by_role("link", name="Filters").click()
    sheet = page.get_by_role("dialog", name="Filters")
    expect(sheet).to_be_visible()
    inspect(page)
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(page.get_by_role("link", name="Filters")).to_be_focused()
    page.get_by_role("link", name="Filters").click()
    sheet.get_by_label("Sleeper berth").check()
    sheet.get_by_role("button", name="Show the trips").click()
    page.wait_for_url("**seat=sleeper**")
    expect(page.locator(".filters-open .badge")).to_have_text("1")
    expect(page.locator(".trip").first).to_be_visible()
    expect(page.locator(".trip").nth(whole - 1)).not_to_be_attached()


def test_the_day_strip_changes_the_day_everywhere(visit):
    page = visit().page
    search(page, travellers=1)
    tile = page.locator(".day:not([aria-current])").nth(2)
    name = tile.locator(".day__name").inner_text().split()[1]
    tile.click()
    expect(page.locator(".day[aria-current] .day__name")).to_contain_text(name)
    expect(page.locator(".hero p")).to_contain_text(name)
    expect(page.locator(".search__field--day:not(.search__return) .day-text")).to_contain_text(name)


def test_swapping_and_searching_again(visit):
    page = visit().page
    search(page, travellers=1)
    page.get_by_role("button", name="Swap from and to").click()
    page.locator(".search__go button").click()
    expect(page.locator("h1")).to_contain_text("Vinh")
    expect(page.locator("#search-from")).to_have_value("Vinh")
