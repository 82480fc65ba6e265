"""People with accounts, from making one to erasing it, in a browser as it is."""

import re
import time

import pytest
from playwright.sync_api import expect
from tests.browser.journey import inspect
from tests.browser.people import (
    DOORS,
    PASSWORD,
    ROOMS,
    add_app,
    link_for,
    new_address,
    press,
    register,
    sign_in,
    sign_out,
)

LOOKS = [(360, False), (360, True), (1280, False), (1280, True)]


@pytest.fixture
def mail(visit):
    """Somebody's mailbox, in a window of its own."""
    return visit().page


def test_an_account_lives_from_the_form_to_its_erasure(visit, mail):
    page, address = visit().page, new_address()
    register(page, mail, address)
    sign_in(page, address)
    expect(page.locator("h1")).to_contain_text("An")

    app = add_app(page)
    inspect(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator("main")).to_contain_text("My phone")
    sign_out(page)

    sign_in(page, address)
    expect(page.locator("h1")).to_have_text("Second step")
    inspect(page)
    page.fill("#code", "000000")
    press(page, "Sign in")
    expect(page.locator("#code-error")).to_be_visible()
    page.fill("#code", app.at(time.time() + 30))  # the code of now confirmed the app, and works once
    press(page, "Sign in")
    page.wait_for_url("**/account")

    other, moved = visit(width=360).page, new_address()
    sign_in(other, address)
    expect(other.locator("h1")).to_have_text("Second step")

    page.goto("/account/email")
    page.fill("#email", moved)
    page.fill("#current", PASSWORD)
    press(page, "Change the address")
    expect(page.locator(".notice")).to_contain_text(moved)
    inspect(page)
    page.goto(link_for(mail, address, "Confirm that your e-mail address changes"))
    inspect(page)
    press(page, "Confirm the change")
    expect(page.locator("main")).to_contain_text("One of two is done")
    page.goto(link_for(mail, moved, "Confirm your new e-mail address"))
    press(page, "Confirm the change")
    expect(page.locator("h1")).to_contain_text("Your e-mail address was changed")

    page.goto("/account/privacy/erase")
    page.fill("#email", moved)
    press(page, "Erase the account for good")
    expect(page.locator("h1")).to_have_text(re.compile("erased", re.IGNORECASE))
    inspect(page)
    page.goto("/account")
    expect(page.locator("h1")).to_have_text("Sign in")
    page.fill("#email", moved)
    page.fill("#password", PASSWORD)
    press(page, "Sign in")
    expect(page.locator(".notice--bad")).to_be_visible()


def test_another_device_is_seen_and_signed_out(visit, mail):
    page, phone, address = visit().page, visit(width=360).page, new_address()
    register(page, mail, address)
    sign_in(page, address)
    sign_in(phone, address)
    page.goto("/account/security")
    expect(page.locator("main")).to_contain_text("This device")
    page.locator("form[action*='/sessions/'][action$='/end'] button").click()
    expect(page.get_by_role("status").first).to_have_text(re.compile("signed out"))
    inspect(page)
    phone.goto("/account/bookings")
    expect(phone.locator("h1")).to_have_text("Sign in")
    page.goto("/account")
    expect(page.locator("h1")).to_contain_text("An")


def test_a_forgotten_password_is_chosen_anew(visit, mail):
    page, address = visit(width=360).page, new_address()
    register(page, mail, address)
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgot the password?").click()
    page.fill("#email", address)
    page.locator("main form button").click()
    expect(page.locator("h1")).to_have_text("Look into your mailbox")
    inspect(page)
    page.goto(link_for(mail, address, "Choose a new password"))
    inspect(page)
    page.fill("#password", "short")
    page.locator("main form button").click()
    expect(page.locator("#password-error")).to_be_visible()
    inspect(page)
    page.fill("#password", PASSWORD)
    page.locator("main form button").click()
    expect(page.locator(".notice--good")).to_be_visible()
    sign_in(page, address)
    page.wait_for_url("**/account")


def test_with_the_keyboard_only(visit, mail):
    """Registering, signing in, changing the name, signing out: nothing but Tab, letters and Enter."""
    page, address = visit().page, new_address()
    page.goto("/register")
    page.locator("#email").focus()
    page.keyboard.type(address)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Look into your mailbox")
    page.goto(link_for(mail, address, "Confirm your e-mail address"))
    _tab_to(page, "Confirm the address")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Your e-mail address is confirmed")
    _tab_to(page, "Sign in", within="main")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in")
    _tab_to_field(page, "email")
    page.keyboard.type(address)
    _tab_to_field(page, "password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/account")
    _tab_to(page, "Profile", within=".rooms")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/profile")
    _tab_to_field(page, "first_name")
    page.keyboard.type("Ánh")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/account/profile\?"))
    expect(page.locator("[name=first_name]")).to_have_value("Ánh")
    _tab_to(page, "Sign out", within=".rooms")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r":\d+/$"))


def test_without_scripts(visit, mail):
    page, address = visit(scripts=False).page, new_address()
    register(page, mail, address)
    sign_in(page, address)
    page.goto("/account/profile")
    page.fill("[name=last_name]", "Trần")
    page.locator("main form:has([name=last_name]) button.btn").first.click()
    expect(page.locator("[name=last_name]")).to_have_value("Trần")
    inspect(page, scripts=False)
    sign_out(page)
    page.goto("/account")
    expect(page.locator("h1")).to_have_text("Sign in")


def test_every_page_of_people_is_whole_in_every_look(visit, mail):
    address = new_address()
    register(visit().page, mail, address)
    for width, dark in LOOKS:
        page = visit(width=width, dark=dark).page
        for door in DOORS:
            page.goto(door)
            inspect(page)
        sign_in(page, address)
        for room in ROOMS:
            assert page.goto(room).status == 200, room
            inspect(page)


def test_the_pages_of_people_speak_vietnamese(visit, mail):
    address = new_address()
    register(visit().page, mail, address)
    page = visit(width=360, language="vi").page
    for door in DOORS:
        page.goto(door)
        expect(page.locator("html")).to_have_attribute("lang", "vi")
        inspect(page)
    page.goto("/sign-in")
    page.fill("#email", address)
    page.fill("#password", PASSWORD)
    page.locator("main form button.btn").first.click()
    page.wait_for_url("**/account")
    page.goto("/account?lang=vi")
    for room in ROOMS:
        page.goto(f"{room}?lang=vi")
        inspect(page)


def _tab_to(page, name, within="main"):
    """Press Tab until a link or a button of this name has the focus."""
    said = "() => document.activeElement?.closest(%r) ? document.activeElement.innerText.trim() : ''" % within  # noqa: UP031
    _tab_until(page, said, name)


def _tab_to_field(page, name):
    _tab_until(page, "() => document.activeElement?.name ?? ''", name)
    page.keyboard.press("Control+A")


def _tab_until(page, said, name):
    for _ in range(80):
        if page.evaluate(said) == name:
            assert page.evaluate("() => document.activeElement.matches(':focus-visible')")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to “{name}”")
