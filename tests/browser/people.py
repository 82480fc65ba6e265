"""What people with accounts do, step by step: their mail, their second factor, their pages."""

import re
import time
import uuid

import pyotp
from playwright.sync_api import Page, expect

PASSWORD = "green coach over the bridge"
MAIL_SECONDS = 60

ROOMS = (
    "/account",
    "/account/bookings",
    "/account/tickets",
    "/account/profile",
    "/account/preferences",
    "/account/settings",
    "/account/security",
    "/account/privacy",
    "/account/password",
    "/account/email",
    "/account/confirm",
    "/account/security/authenticator",
    "/account/security/passkeys/new",
    "/account/security/recovery-codes",
    "/account/privacy/erase",
    "/console",
)
"""The pages of somebody who has signed in."""

DOORS = ("/sign-in", "/register", "/forgot-password", "/verify-email?token=x", "/reset-password?token=x")
"""Those that lead in."""


def new_address() -> str:
    return f"an-{uuid.uuid4().hex[:10]}@example.com"


def press(page: Page, name: str) -> None:
    page.locator("main").get_by_role("button", name=name, exact=True).click()


def link_for(page: Page, address: str, subject: str) -> str:
    """The link in the newest mail to somebody in the demo's mailbox, once the job has written it."""
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        page.goto("/dev/mailbox")
        row = page.locator(".mails__row").filter(has_text=address).filter(has_text=subject)
        if row.count():
            page.goto(str(row.first.get_attribute("href")))
            page.locator("summary", has_text=re.compile("Plain text|Văn bản")).click()
            found = re.search(r"https?://\S+token=\S+", page.locator(".mail__text").inner_text())
            assert found
            return found[0]
        page.wait_for_timeout(200)
    raise AssertionError(f"no mail “{subject}” came to {address}")


def register(page: Page, mail: Page, address: str) -> None:
    """From the empty form to a confirmed address."""
    page.goto("/register")
    page.fill("#email", address)
    page.fill("#password", PASSWORD)
    page.fill("#first-name", "An")
    page.fill("#last-name", "Nguyễn")
    press(page, "Make the account")
    expect(page.locator("h1")).to_have_text("Look into your mailbox")
    page.goto(link_for(mail, address, "Confirm your e-mail address"))
    expect(page.locator("h1")).to_have_text("Confirm your e-mail address")
    press(page, "Confirm the address")
    expect(page.locator("h1")).to_have_text("Your e-mail address is confirmed")


def sign_in(page: Page, address: str) -> None:
    page.goto("/sign-in")
    page.fill("#email", address)
    page.fill("#password", PASSWORD)
    press(page, "Sign in")
    page.wait_for_url(re.compile(r"/account$|/sign-in/code"))


def sign_out(page: Page) -> None:
    page.goto("/account")
    page.locator(".rooms__out button").click()
    page.wait_for_url(re.compile(r"/$"))


def add_app(page: Page) -> pyotp.TOTP:
    """An authenticator app, from the key that the page shows."""
    page.goto("/account/security/authenticator")
    page.fill("#name", "My phone")
    press(page, "Continue")
    page.locator("summary", has_text="Cannot scan?").click()
    app = pyotp.TOTP(page.locator("#totp-key").inner_text().replace(" ", ""))
    page.fill("#code", app.now())
    press(page, "Turn it on")
    expect(page.locator(".codes li")).to_have_count(10)
    return app


def next_code(page: Page, app: pyotp.TOTP, used: str) -> str:
    """A code that was not used yet: each is good once, so somebody waits, or takes the next one a little early."""
    return app.at(time.time() + 30) if app.now() == used else app.now()
