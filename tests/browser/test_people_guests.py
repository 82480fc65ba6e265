"""Guests who make an account of what they booked, and people who sign in with another provider."""

import re

import pytest
from playwright.sync_api import expect
from tests.accounts.provider import running_provider
from tests.browser.conftest import Shop
from tests.browser.journey import book, choose, free_seats, go_on, inspect, open_seats, search
from tests.browser.people import PASSWORD, link_for, new_address, press, register, sign_in
from tests.databases import cloned
from tests.servers import serving


@pytest.fixture(scope="module")
def provider():
    with running_provider() as running:
        yield running


@pytest.fixture(scope="module")
def shop_with_provider(server_dsn, template, tmp_path_factory, provider):
    """A shop with nothing on sale, in which one can sign in with Google, which is a simulation."""
    with cloned(server_dsn, template) as database_url:
        own = {
            "DATABASE_URL": database_url,
            "BASE_URL": "",
            "GOOGLE_CLIENT_ID": "farebox",
            "GOOGLE_CLIENT_SECRET": "secret",
            "GOOGLE_DISCOVERY": provider.discovery,
        }
        with serving(tmp_path_factory.mktemp("provider-shop"), [own]) as (server,):
            yield Shop(server.url, database_url)


def consent(page, subject):
    """At the provider: who one is, and yes."""
    expect(page.locator("[name=sub]").first).to_be_visible()
    page.locator("[name=sub]").first.fill(subject)
    page.locator("[name=sub]").first.press("Enter")


def test_a_guest_keeps_a_booking_in_an_account(visit, monkeypatch):
    address = new_address()
    monkeypatch.setattr("tests.browser.journey.EMAIL", address)
    guest, mail = visit(), visit().page
    page = guest.page
    reference = book(page)
    at = page.url.partition("?")[0]
    expect(page.locator("main")).to_contain_text("Create an account from this booking")
    inspect(page)
    page.fill("#keep-password", PASSWORD)
    press(page, "Make the account")
    expect(page.locator("h1")).to_have_text("Look into your mailbox")
    page.goto(link_for(mail, address, "Confirm your e-mail address"))
    press(page, "Confirm the address")
    expect(page.locator("h1")).to_have_text("Your e-mail address is confirmed")
    page.locator("main").get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Forgot the password?").click()
    page.fill("#email", address)
    press(page, "Send the link")
    expect(page.locator("h1")).to_have_text("Look into your mailbox")
    page.goto(link_for(mail, address, "Choose a new password"))
    page.fill("#password", PASSWORD)
    press(page, "Set the password")
    expect(page.locator("main")).to_contain_text("Your new password is set")
    inspect(page)
    page.fill("#email", address)
    page.fill("#password", PASSWORD)
    press(page, "Sign in")
    page.wait_for_url(at)
    expect(page.locator("main")).to_contain_text(reference)
    page.goto("/account/bookings")
    expect(page.locator("main")).to_contain_text(reference)
    inspect(page)
    page.get_by_role("link", name=re.compile("Hà Nội|Vinh")).first.click()
    expect(page.locator("main")).to_contain_text(reference)
    expect(page.locator("main")).not_to_contain_text("Create an account from this booking")
    page.goto("/account/tickets")
    expect(page.locator(".ticket").first).to_be_visible()
    inspect(page)
    phone = visit(width=360, dark=True).page
    sign_in(phone, address)
    for room in ("/account", "/account/bookings", "/account/tickets"):
        phone.goto(room)
        inspect(phone)


def test_who_signs_in_while_choosing_keeps_the_seats(visit):
    mail, page, address = visit().page, visit().page, new_address()
    register(page, mail, address)
    search(page, travellers=1)
    open_seats(page)
    choose(page, free_seats(page)[:1])
    go_on(page)
    checkout = page.url
    sign_in(page, address)
    assert page.goto(checkout).status == 200
    expect(page.locator("#passenger-0-name")).to_be_visible()


def test_a_new_person_signs_in_with_google(visit, provider, shop_with_provider):
    address = new_address()
    provider.knows("an-new", email=address, email_verified=True, given_name="An", family_name="Nguyễn")
    page = visit().page
    page.goto(f"{shop_with_provider.url}/sign-in?next=/account/profile")
    inspect(page)
    page.get_by_role("link", name="Continue with Google").click()
    consent(page, "an-new")
    page.wait_for_url("**/account/profile")
    expect(page.locator("[name=first_name]")).to_have_value("An")
    inspect(page)
    page.goto(f"{shop_with_provider.url}/account/security")
    expect(page.locator("main")).to_contain_text("Google")
    inspect(page)


def test_an_account_that_was_there_is_linked_by_its_owner_only(visit, provider, shop_with_provider):
    address, url = new_address(), shop_with_provider.url
    provider.knows("an-known", email=address, email_verified=True, name="An Nguyễn")
    page, mail = visit().page, visit().page
    page.goto(f"{url}/register")
    page.fill("#email", address)
    page.fill("#password", PASSWORD)
    press(page, "Make the account")
    expect(page.locator("h1")).to_have_text("Look into your mailbox")
    page.goto(_link(mail, url, address))
    press(page, "Confirm the address")
    expect(page.locator("h1")).to_have_text("Your e-mail address is confirmed")
    other = visit(width=360).page
    other.goto(f"{url}/sign-in")
    other.get_by_role("link", name="Continue with Google").click()
    consent(other, "an-known")
    expect(other.locator("h1")).to_have_text("You already have an account")
    inspect(other)
    other.locator("main").get_by_role("link", name="Sign in").click()
    other.fill("#email", address)
    other.fill("#password", PASSWORD)
    press(other, "Sign in")
    expect(other.locator("h1")).to_have_text("Link Google to your account?")
    inspect(other)
    press(other, "Link them")
    expect(other.locator("main")).to_contain_text("Google")
    inspect(other)


def test_who_cancels_at_the_provider_reads_so(visit, provider, shop_with_provider):
    page = visit(width=360, dark=True).page
    page.goto(f"{shop_with_provider.url}/auth/google/callback?state=made-up&code=made-up")
    expect(page.locator("h1")).to_have_text("This sign-in is over")
    inspect(page)
    page.goto(f"{shop_with_provider.url}/sign-in?lang=vi")
    inspect(page)


def _link(mail, url, address):
    mail.goto(f"{url}/dev/mailbox")
    for _ in range(100):
        row = mail.locator(".mails__row").filter(has_text=address)
        if row.count():
            break
        mail.wait_for_timeout(200)
        mail.goto(f"{url}/dev/mailbox")
    mail.goto(url + str(row.first.get_attribute("href")))
    mail.locator("summary", has_text="Plain text").click()
    found = re.search(r"https?://\S+token=[\w-]+", mail.locator(".mail__text").inner_text())
    assert found
    return found[0]
