"""Finding a booking on another device, and the shop in Vietnamese."""

import re
import time

from playwright.sync_api import Page, expect
from tests.browser.journey import EMAIL, book, inspect

MAIL_SECONDS = 60
A_CODE = re.compile(r"\b\d{6}\b")


def test_a_booking_is_found_by_the_code_in_the_mail(visit):
    reference = book(visit().page)
    other = visit(width=360).page
    other.goto("/find")
    other.fill("#reference", f"  {reference.lower()} ")
    other.fill("#contact", EMAIL.upper())
    other.get_by_role("button", name="Send the code").click()
    expect(other.locator("h1")).to_have_text("Enter the code")
    inspect(other)
    other.fill("#code", "000000")
    other.get_by_role("button", name="Open my booking").click()
    expect(other.locator("#code-error")).to_be_visible()
    inspect(other)
    other.fill("#code", _code_for(visit().page, reference))
    other.get_by_role("button", name="Open my booking").click()
    other.wait_for_url("**/bookings/*")
    expect(other.locator("h1")).to_have_text("Your booking")
    expect(other.locator(".ticket")).to_have_count(1)
    inspect(other)
    other.get_by_role("button", name="Send by e-mail again").click()
    expect(other.locator(".notice--good")).to_contain_text(EMAIL)


def test_a_booking_is_not_open_to_others(visit):
    owner = visit().page
    book(owner)
    stranger = visit().page
    assert stranger.goto(owner.url).status == 403
    expect(stranger.locator("h1")).to_have_text("This page is not open to you")
    inspect(stranger)


def test_an_unknown_reference_looks_like_a_known_one(visit):
    page = visit().page
    page.goto("/find")
    page.fill("#reference", "BUS20260101AAAAAA")
    page.fill("#contact", "nobody@example.com")
    page.get_by_role("button", name="Send the code").click()
    expect(page.locator("h1")).to_have_text("Enter the code")


def test_the_language_is_switched_and_kept(visit):
    page = visit(language="en").page
    page.goto("/search?from=Hà Nội&to=Huế")
    page.get_by_role("button", name="Tiếng Việt").click()
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    expect(page).to_have_url(re.compile(r"/search\?"))
    expect(page.locator(".hero p")).to_contain_text("tháng")
    expect(page.locator(".trip__price b").first).to_have_text(re.compile(r"^\d{3}\.\d{3}\s₫$"))
    inspect(page)
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    inspect(page)


def test_a_vietnamese_browser_is_spoken_to_in_vietnamese(visit):
    page = visit(width=360, language="vi").page
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    book(page)
    expect(page.locator(".ticket")).to_have_count(1)
    inspect(page)


def _code_for(page: Page, reference: str) -> str:
    """The code from the latest mail about it in the demo's mailbox, once the job has written it."""
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        page.goto("/dev/mailbox")
        mail = page.locator(".mails__row", has_text=re.compile(f"code.*{reference}"))
        if mail.count():
            mail.first.click()
            text = page.locator(".mail__text")
            expect(text).to_contain_text(A_CODE)
            found = A_CODE.search(text.text_content() or "")
            assert found
            return found[0]
        time.sleep(0.2)
    raise AssertionError("no mail with a code came")
