"""The pages of signing in, as a browser without scripts sees them."""

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from tests.signing.conftest import EMAIL, PASSWORD, House, token_of
from tests.staff import make_operator

from farebox.accounts import invite
from farebox.accounts.actor import SYSTEM
from farebox.notifications import Message


class Browser:
    def __init__(self, house: House) -> None:
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(house.app, raise_app_exceptions=False),
            base_url=house.services.settings.base_url,
            headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"},
        )

    @property
    def session(self) -> str:
        return next((each.value or "" for each in self.client.cookies.jar if each.name == "farebox_session"), "")

    def carry(self, token: str) -> None:
        """Have the cookie of a session."""
        self.client.cookies.set("farebox_session", token, domain="127.0.0.1", path="/")

    async def get(self, url: str) -> httpx.Response:
        return await self.client.get(url)

    async def post(self, url: str, *, at: str = "/help", **form: Any) -> httpx.Response:
        """Send a form with the token of the page `at`."""
        found = re.search(r'name="_csrf_token" value="([^"]+)"', (await self.client.get(at)).text)
        assert found
        return await self.client.post(url, data={"_csrf_token": found[1], **form})

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD, **more: str) -> httpx.Response:
        return await self.post("/sign-in", email=email, password=password, **more)


@pytest.fixture
async def browser(house) -> AsyncIterator[Browser]:
    opened = Browser(house)
    yield opened
    await opened.client.aclose()


@pytest.fixture
async def other(house) -> AsyncIterator[Browser]:
    opened = Browser(house)
    yield opened
    await opened.client.aclose()


def errors_in(page: str) -> list[str]:
    return re.findall(r'<p class="input__error" id="([\w-]+)-error">', page)


async def test_an_account_is_made_confirmed_and_used_without_scripts(house, browser):
    sent = await browser.post("/register", at="/register", email=EMAIL, password=PASSWORD, first_name="An")
    assert sent.status_code == 200
    assert EMAIL in sent.text
    refused = await browser.sign_in()
    assert refused.status_code == 403
    assert "Confirm your e-mail address first" in refused.text
    [mail] = await house.mails()
    link = f"/verify-email?token={token_of(mail)}"
    asked = await browser.get(link)
    assert (asked.status_code, asked.headers["referrer-policy"]) == (200, "no-referrer")
    assert (await browser.sign_in()).status_code == 403  # looking at the link confirms nothing
    done = await browser.post("/verify-email", at=link, token=token_of(mail))
    assert (done.status_code, "Your e-mail address is confirmed" in done.text) == (200, True)
    entered = await browser.sign_in(next="/account/password")
    assert (entered.status_code, entered.headers["location"]) == (303, "/account/password")
    assert (await browser.get("/account/password")).status_code == 200


def linked(page: str, label: str) -> str:
    """Where a link of a page leads, by what stands on it."""
    [found] = re.findall(rf'<a [^>]*href="([^"]+)"[^>]*>{label}</a>', page.partition("<main")[2])
    return unescape(str(found))


def path_in(mail: Message, path: str) -> str:
    """The link of a mail to a page of ours, without the site."""
    [found] = re.findall(rf"{path}\?\S+", mail.text)
    return str(found)


def hidden(page: str) -> dict[str, str]:
    """What the forms of a page carry along."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.partition("<main")[2])
    return {name: unescape(value) for name, value in fields if name != "_csrf_token"}


async def test_who_was_invited_and_has_no_account_comes_back_to_the_invitation(house, browser, other):
    services = house.services
    lines = await make_operator(services.database, services.secrets, "truong-son")
    async with services.database.begin(reach="*") as work:
        await invite(work, lines.id, EMAIL, "agent", actor=SYSTEM, secrets=services.secrets, language="en")
    join = path_in(await house.mail(), "/join")
    register = linked((await browser.get(join)).text, "Make an account")
    form = hidden((await browser.get(register)).text)
    refused = await browser.post("/register", email=EMAIL, password="short", **form)
    assert (refused.status_code, hidden(refused.text)) == (422, form)
    sent = await browser.post("/register", email=EMAIL, password=PASSWORD, **form)
    await house.mails()
    again = await browser.post("/verify-email/again", **hidden(sent.text))
    assert linked(again.text, "Sign in") == f"/sign-in?{urlencode({'next': join})}"
    mail = next(each for each in await house.mails() if "/verify-email?" in each.text)
    read_elsewhere = await other.get(path_in(mail, "/verify-email"))
    done = await other.post("/verify-email", **hidden(read_elsewhere.text))
    sign_in = linked(done.text, "Sign in")
    entered = await other.sign_in(**hidden((await other.get(sign_in)).text))
    assert (entered.status_code, entered.headers["location"]) == (303, join)
    accepted = await other.post("/join", **hidden((await other.get(join)).text))
    assert accepted.headers["location"] == "/console"
    leads_to = (await other.get("/console")).headers["location"]
    assert "Truong-Son" in (await other.get(leads_to)).text


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", f"/{'x' * 500}"])
async def test_no_mailed_link_leads_to_another_site_or_grows_without_end(house, browser, elsewhere):
    await browser.post("/register", email=EMAIL, password=PASSWORD, next=elsewhere)
    mail = await house.mail()
    assert "/verify-email?token=" in mail.text
    assert "next=" not in mail.text
    link = f"/verify-email?{urlencode({'token': token_of(mail), 'next': elsewhere})}"
    assert hidden((await browser.get(link)).text) == {"token": token_of(mail)}
    done = await browser.post("/verify-email", token=token_of(mail), next=elsewhere)
    assert linked(done.text, "Sign in") == "/sign-in"


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(house, browser):
    await house.register()
    cookies = (await browser.sign_in()).headers.get_list("set-cookie")
    [cookie] = [each for each in cookies if each.startswith("farebox_session=")]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/;" in cookie
    assert "Max-Age=7776000" in cookie


async def test_signing_in_makes_a_new_session_and_ends_the_one_before(house, browser, other):
    await house.register()
    browser.carry("fbs_planted-by-somebody-else")
    await browser.sign_in()
    first = browser.session
    assert first.startswith("fbs_")
    assert first != "fbs_planted-by-somebody-else"
    await browser.sign_in()
    assert browser.session != first
    other.carry(first)
    assert (await other.get("/account/password")).status_code == 303
    assert await house.running() == 1


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil",
        "",
    ],
)
async def test_nobody_is_sent_to_another_site(house, browser, elsewhere):
    await house.register()
    page = (await browser.client.get("/sign-in", params={"next": elsewhere})).text
    assert 'name="next" value=""' in page
    assert (await browser.sign_in(next=elsewhere)).headers["location"] == "/account"


async def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(house, browser):
    await house.register()
    sent = await browser.get("/account/password?changed=1")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=%2Faccount%2Fpassword%3Fchanged%3D1")
    page = (await browser.get(sent.headers["location"])).text
    assert 'name="next" value="/account/password?changed=1"' in page


async def test_who_is_signed_in_is_not_asked_again(house, browser):
    await house.register()
    await browser.sign_in()
    for path in ("/sign-in", "/register"):
        assert (await browser.get(f"{path}?next=/find")).headers["location"] == "/find"


async def test_a_refusal_is_the_same_page_for_known_and_unknown(house, browser):
    await house.register()
    pages = [await browser.sign_in(EMAIL, "not it at all"), await browser.sign_in("other@example.com", "not it at all")]
    first, second = (re.sub(r'(value|nonce)="[^"]*"', "", page.text) for page in pages)
    assert (first, pages[0].status_code) == (second, pages[1].status_code)
    assert pages[0].status_code == 422


async def test_what_is_missing_is_said_at_its_field(browser):
    assert errors_in((await browser.sign_in("", "")).text) == ["email", "password"]
    page = await browser.post("/register", at="/register", email="x", password="12345678", phone="1")
    assert page.status_code == 422
    assert errors_in(page.text) == ["email", "password", "phone"]
    assert "12345678" not in page.text
    page = await browser.post("/forgot-password", at="/forgot-password", email=" ")
    assert errors_in(page.text) == ["email"]


async def test_signing_out_ends_the_session(house, browser):
    await house.register()
    await browser.sign_in()
    out = await browser.post("/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/")
    assert browser.session == ""
    assert await house.running() == 0


async def test_forms_of_other_sites_are_refused(house, browser):
    await house.register()
    await browser.sign_in()
    for path in ("/sign-out", "/sign-in", "/account/password", "/account/email", "/reset-password", "/register"):
        assert (await browser.client.post(path, data={"email": EMAIL})).status_code == 403
    assert await house.running() == 1


async def test_a_forgotten_password_is_replaced_by_the_mailed_link(house, browser, other):
    await house.register()
    await other.sign_in()
    await browser.post("/forgot-password", at="/forgot-password", email=EMAIL)
    token = token_of((await house.mails())[-1])
    link = f"/reset-password?token={token}"
    short = await browser.post("/reset-password", at=link, token=token, password="short")
    assert errors_in(short.text) == ["password"]
    done = await browser.post("/reset-password", at=link, token=token, password="a new long password")
    assert done.headers["location"] == "/sign-in?reset=1"
    assert "Your new password is set" in (await browser.get("/sign-in?reset=1")).text
    assert (await other.get("/account/password")).status_code == 303
    assert (await browser.get(link)).status_code == 410
    assert (await browser.sign_in(password="a new long password")).status_code == 303


async def test_who_forgot_the_password_on_the_way_to_an_invitation_comes_back_to_it(house, browser, other):
    await house.register()
    services = house.services
    lines = await make_operator(services.database, services.secrets, "truong-son")
    async with services.database.begin(reach="*") as work:
        await invite(work, lines.id, EMAIL, "agent", actor=SYSTEM, secrets=services.secrets, language="en")
    join = path_in(await house.mail(), "/join")
    sign_in = linked((await browser.get(join)).text, "Sign in")
    forgot = linked((await browser.get(sign_in)).text, "Forgot the password\\?")
    form = hidden((await browser.get(forgot)).text)
    nothing = await browser.post("/forgot-password", email=" ", **form)
    assert linked(nothing.text, "Back to signing in") == sign_in
    sent = await browser.post("/forgot-password", email=EMAIL, **hidden(nothing.text))
    assert linked(sent.text, "Sign in") == sign_in
    await house.mails()
    await browser.post("/forgot-password", **hidden(sent.text))
    link = path_in((await house.mails())[-1], "/reset-password")
    form = hidden((await other.get(link)).text)
    short = await other.post("/reset-password", password="short", **form)
    assert (short.status_code, hidden(short.text)) == (422, form)
    done = await other.post("/reset-password", password="a new long password", **hidden(short.text))
    told = await other.get(done.headers["location"])
    assert "Your new password is set" in told.text
    entered = await other.sign_in(password="a new long password", **hidden(told.text))
    assert (entered.status_code, entered.headers["location"]) == (303, join)
    over = await browser.get(link)
    assert (over.status_code, linked(over.text, "Ask for a new link")) == (410, forgot)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", f"/{'x' * 500}"])
async def test_a_link_for_a_new_password_leads_to_no_other_site_and_does_not_grow_without_end(
    house, browser, elsewhere
):
    await house.register()
    assert linked((await browser.get(f"/forgot-password?{urlencode({'next': elsewhere})}")).text, "Back to signing in")
    await browser.post("/forgot-password", email=EMAIL, next=elsewhere)
    mail = await house.mail()
    assert path_in(mail, "/reset-password") == f"/reset-password?token={token_of(mail)}"
    link = f"/reset-password?{urlencode({'token': token_of(mail), 'next': elsewhere})}"
    assert hidden((await browser.get(link)).text) == {"token": token_of(mail)}
    form = {"token": token_of(mail), "password": "a new long password", "next": elsewhere}
    assert (await browser.post("/reset-password", **form)).headers["location"] == "/sign-in?reset=1"


async def test_changing_the_password_asks_for_the_present_one_and_ends_other_sessions(house, browser, other):
    await house.register()
    await browser.sign_in()
    await other.sign_in()
    wrong = await browser.post("/account/password", current="not it at all", password="a new long password")
    assert (wrong.status_code, errors_in(wrong.text)) == (422, ["current"])
    done = await browser.post("/account/password", current=PASSWORD, password="a new long password")
    assert done.headers["location"] == "/account/password?changed=1"
    assert "Your password was changed" in (await browser.get("/account/password?changed=1")).text
    assert (await other.get("/account/password")).status_code == 303


async def test_an_address_changes_when_both_mailboxes_have_confirmed(house, browser):
    await house.register()
    await browser.sign_in()
    await house.mails()
    page = await browser.post("/account/email", email="new@example.com", current=PASSWORD)
    assert "Two mails are on their way" in page.text
    mails = {mail.recipient: token_of(mail) for mail in await house.mails()}
    assert set(mails) == {EMAIL, "new@example.com"}
    link = f"/change-email?token={mails[EMAIL]}"
    assert "new@example.com instead of an.nguyen@example.com" in (await browser.get(link)).text
    half = await browser.post("/change-email", at=link, token=mails[EMAIL])
    assert "One of two is done" in half.text
    link = f"/change-email?token={mails['new@example.com']}"
    assert EMAIL not in (await browser.get(link)).text  # the new mailbox may be somebody else's
    done = await browser.post("/change-email", at=link, token=mails["new@example.com"])
    assert "Your e-mail address was changed" in done.text
    assert (await browser.sign_in("new@example.com")).status_code == 303


async def test_what_was_held_before_signing_in_becomes_the_persons(house, browser):
    await house.register()
    async with house.services.database.begin() as work:
        from farebox.accounts import open_guest_session

        _, token = await open_guest_session(work, ttl_seconds=3600)
    browser.carry(token)
    assert (await browser.sign_in()).status_code == 303
    assert browser.session.startswith("fbs_")
    assert await house.ask("SELECT count(*) FROM guest_session WHERE expires_at > %s", house.clock.now) == 0
