"""The pages of somebody with an account in a browser: small and large, light and dark, with scripts and without."""

import io
import uuid

import psycopg
import pytest
from PIL import Image
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
    to_payment,
    to_review,
)

from farebox.core.db import Database

PASSWORD = "green coach over the bridge"
ROOMS = ("", "/bookings", "/tickets", "/profile", "/preferences", "/settings", "/security")


def picture(size: int) -> bytes:
    content = io.BytesIO()
    Image.effect_noise((size, size), 80).convert("RGB").save(content, "JPEG", quality=95)
    return content.getvalue()


def sign_up(page: Page, shop) -> str:
    """Make an account and enter; the address."""
    email = f"an-{uuid.uuid4().hex[:8]}@example.com"
    page.goto("/register")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.locator("form:has(#password) button.btn").click()
    expect(page.locator("#password")).to_have_count(0)
    with psycopg.connect(Database(shop.database_url).dsn, autocommit=True) as connection:  # as the mailed link does
        connection.execute("UPDATE person SET email_verified_at = now() WHERE email_verified_at IS NULL")
    page.goto("/sign-in")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.locator("form:has(#password) button.btn").click()
    page.wait_for_url("**/account")
    return email


def book(page: Page, *, is_paid: bool) -> None:
    search(page, travellers=1)
    open_seats(page, -1)
    choose(page, free_seats(page)[12:13])
    go_on(page)
    name_people(page, 1)
    to_review(page)
    if is_paid:
        to_payment(page)
        pay(page)
        page.wait_for_url("**booked=1")


@pytest.mark.parametrize(("width", "dark", "language"), [(360, False, "vi"), (1280, True, "en")])
def test_every_room_is_whole_before_and_after_the_first_bookings(visit, shop, width, dark, language):
    page = visit(width=width, dark=dark, language=language).page
    sign_up(page, shop)
    for room in ROOMS:
        page.goto(f"/account{room}")
        inspect(page)
    book(page, is_paid=True)
    book(page, is_paid=False)
    for room in ROOMS[:3]:
        page.goto(f"/account{room}")
        inspect(page)
    expect(page.locator(".ticket__qr")).to_have_count(1)
    page.goto("/account")
    expect(page.locator(".next")).to_be_visible()
    expect(page.locator(".waits")).to_be_visible()


def test_the_menu_of_the_head_opens_closes_and_leads_out(visit, shop):
    page = visit(width=360).page
    sign_up(page, shop)
    page.goto("/help")
    menu = page.locator(".me__menu")
    expect(menu).to_be_hidden()
    page.locator(".me summary").focus()
    page.keyboard.press("Enter")
    expect(menu).to_be_visible()
    inspect(page)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    page.locator(".me summary").click()
    page.locator("main").click(position={"x": 5, "y": 5})
    expect(menu).to_be_hidden()
    page.locator(".me summary").click()
    menu.get_by_role("button", name="Sign out").click()
    expect(page.locator(".top__sign-in")).to_be_visible()
    page.goto("/account")
    expect(page).to_have_url(f"{shop.url}/sign-in?next=%2Faccount")


def test_a_picture_is_seen_before_it_is_sent_and_one_too_large_is_told_at_once(visit, shop):
    page = visit(width=360).page
    sign_up(page, shop)
    page.goto("/account/profile")
    large = {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": picture(400) + bytes(5 * 1024 * 1024)}
    page.set_input_files("#picture", large)
    expect(page.locator("#picture-error")).to_be_visible()
    page.set_input_files("#picture", {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": picture(400)})
    expect(page.locator("#picture-error")).to_be_hidden()
    expect(page.locator("[data-portrait-now] img")).to_be_visible()
    page.get_by_role("button", name="Use this picture").click()
    page.wait_for_url("**said=picture")
    inspect(page)
    assert page.locator(".top img.face").evaluate("image => image.naturalWidth") == 96


def test_without_scripts_everything_can_be_set(visit, shop):
    page = visit(width=360, scripts=False).page
    sign_up(page, shop)
    page.goto("/account/profile")
    page.fill("#first_name", "Thu")
    page.fill("#last_name", "Đặng")
    page.locator("form:has(#first_name) button.btn").click()
    expect(page.locator(".notice--good")).to_be_visible()
    page.set_input_files("#picture", {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": picture(300)})
    page.get_by_role("button", name="Use this picture").click()
    expect(page.locator(".portrait img.face")).to_be_visible()
    page.goto("/account/preferences")
    page.fill("#place", "Huế")
    page.get_by_label("Food", exact=True).check()
    page.locator("form:has(#place) div > button.btn").click()
    expect(page.locator(".notice--good")).to_be_visible()
    expect(page.get_by_label("Hue", exact=True)).to_be_checked()
    page.goto("/account/settings")
    page.select_option("#language", "vi")
    page.locator("form:has(#language) button.btn").click()
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    page.goto("/account/security")
    expect(page.locator(".session")).to_have_count(1)
