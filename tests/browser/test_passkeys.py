"""Passkeys in Chromium, whose virtual authenticator has finger and screen lock."""

import uuid

import psycopg
import pytest
from playwright.sync_api import expect
from tests.browser.journey import inspect

from farebox.core.db import Database

PASSWORD = "green coach over the bridge"
PHONE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Owner:
    """Somebody with an account, a browser, and a phone that keeps passkeys."""

    def __init__(self, traveller, shop):
        self.page = traveller.page
        self.site = shop.url.replace("127.0.0.1", "localhost")  # passkeys know names, not numbers
        self.devtools = traveller.context.new_cdp_session(traveller.page)
        self.devtools.send("WebAuthn.enable")
        self.phone = self.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": PHONE})["authenticatorId"]
        self.email = f"an-{uuid.uuid4().hex[:8]}@example.com"
        self.register(shop)

    def register(self, shop):
        self.go("/register")
        self.page.fill("#email", self.email)
        self.page.fill("#password", PASSWORD)
        self.page.get_by_role("button", name="Make the account").click()
        expect(self.page.locator("h1")).to_have_text("Look into your mailbox")
        dsn = Database(shop.database_url).dsn
        with psycopg.connect(dsn, autocommit=True) as connection:  # what the link in the mail does
            connection.execute("UPDATE person SET email_verified_at = now() WHERE email_verified_at IS NULL")

    def go(self, path):
        self.page.goto(self.site + path)

    def sign_in(self):
        self.go("/sign-in")
        self.page.fill("#email", self.email)
        self.page.fill("#password", PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def add_passkey(self, name="My phone"):
        self.go("/account/security/passkeys/new")
        self.page.fill("#name", name)
        self.page.get_by_role("button", name="Make the passkey").click()

    def sign_out(self):
        self.page.context.clear_cookies()

    def unlock(self, works):
        self.devtools.send("WebAuthn.setUserVerified", {"authenticatorId": self.phone, "isUserVerified": works})


@pytest.fixture
def owner(visit, shop):
    return Owner(visit(width=360), shop)


def test_a_passkey_is_made_signs_in_and_confirms(owner):
    page = owner.page
    owner.sign_in()
    page.wait_for_url(f"{owner.site}/account")
    owner.go("/account/security/passkeys/new")
    inspect(page)
    owner.add_passkey()
    expect(page.locator("h1")).to_have_text("It is on. Keep these codes")
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    inspect(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("link", name="Change My phone")).to_be_visible()
    inspect(page)

    owner.sign_out()
    owner.go("/sign-in?next=/account/security")
    inspect(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{owner.site}/account/security")

    owner.go("/account/confirm?next=/account/security/authenticator")
    inspect(page)
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(f"{owner.site}/account/security/authenticator")


def test_after_the_password_the_passkey_is_the_second_step(owner):
    page = owner.page
    owner.sign_in()
    page.wait_for_url(f"{owner.site}/account")
    owner.add_passkey()
    expect(page.locator("h1")).to_have_text("It is on. Keep these codes")
    owner.sign_out()
    owner.sign_in()
    page.wait_for_url(f"{owner.site}/sign-in/code*")
    inspect(page)
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(f"{owner.site}/account")


def test_a_device_does_not_make_a_second_passkey_and_says_so(owner):
    page = owner.page
    owner.sign_in()
    page.wait_for_url(f"{owner.site}/account")
    owner.add_passkey()
    expect(page.locator("h1")).to_have_text("It is on. Keep these codes")
    owner.add_passkey("Again")
    expect(page.locator("[data-said]")).to_have_text("This device has a passkey for you already.")
    inspect(page)


def test_who_does_not_unlock_the_device_is_told_that_nothing_was_done(owner):
    page = owner.page
    owner.sign_in()
    page.wait_for_url(f"{owner.site}/account")
    owner.unlock(works=False)
    owner.add_passkey()
    expect(page.locator("[data-said]")).to_have_text("Nothing was done: it was cancelled, or took too long.")
    owner.unlock(works=True)
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.locator("h1")).to_have_text("It is on. Keep these codes")


def test_at_another_address_it_says_that_passkeys_do_not_work(visit):
    page = visit().page
    page.goto("/sign-in")  # at 127.0.0.1
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("[data-said]")).to_have_text("Passkeys do not work in this browser at this address.")


def test_without_scripts_there_is_no_passkey_button_and_the_password_works(visit):
    page = visit(scripts=False).page
    page.goto("/sign-in")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
