"""Addresses to go on to that lead to another site, or write headers."""

import re
from datetime import timedelta
from urllib.parse import quote, urlsplit

import httpx
from tests.people import sign_in_as

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http:\\\\evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "\x01//evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/%0d%0aSet-Cookie:%20evil=1",
    "/account\r\nSet-Cookie: evil=1",
    "/account\r\n\r\n<script>alert(1)</script>",
    "@evil.example",
    ".evil.example",
    ":80@evil.example",
    "evil.example",
    "／／evil.example",
    "/／evil.example",
    "/\u2028/evil.example",
]


def leads_away(location: str, base: str) -> bool:
    """Where a browser goes: it leaves out tabs and line breaks, and reads backslashes as slashes (WHATWG URL)."""
    said = re.sub(r"[\t\r\n]", "", location.strip("".join(map(chr, range(33))))).replace("\\", "/")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", said):
        return not said.startswith(f"{base}/")
    return said.startswith("//") or not said.startswith("/")


def is_harmless(answer: httpx.Response, base: str) -> bool:
    # `/.//evil.example` stays here as a path: a browser takes the dots out after it has found the host
    own = all("evil" not in cookie.split("=")[0].lower() for cookie in answer.headers.get_list("set-cookie"))
    return own and not leads_away(answer.headers.get("location", "/"), base)


def test_control_what_a_browser_would_take_for_another_site():
    base = "http://127.0.0.1:8000"
    assert [each for each in ELSEWHERE if not leads_away(each, base)] == [
        "/.//evil.example",
        "/..//evil.example",
        "/%0d%0aSet-Cookie:%20evil=1",
        "/account\r\nSet-Cookie: evil=1",
        "/account\r\n\r\n<script>alert(1)</script>",
        "/／evil.example",
        "/\u2028/evil.example",
    ]
    assert leads_away("http://127.0.0.1:8000.evil.example/", base)
    assert not leads_away("http://127.0.0.1:8000/account", base)


async def test_nobody_is_led_away_by_a_form_or_a_link(house, visit, an):
    for elsewhere in ELSEWHERE:
        await _be_led(house, visit(), an, elsewhere)


async def _be_led(house, browser, an, elsewhere):
    base = house.services.settings.base_url
    answers = [await browser.post("/language", language="vi", back=elsewhere)]
    answers.append(await browser.post("/sign-in", email=an.email, password=an.password, next=elsewhere))
    assert answers[-1].status_code == 303
    answers += [await browser.get(path, params={"next": elsewhere}) for path in ("/sign-in", "/register")]
    answers.append(await browser.post("/account/confirm", password=an.password, next=elsewhere))
    # a page that asks for a fresh proof comes back to the page that a form was on, as the browser tells it
    await sign_in_as(browser.client, an, proved_at=house.clock.now - timedelta(hours=1))
    if elsewhere.isascii() and elsewhere.isprintable():
        referer = {"Referer": elsewhere}
        answers.append(await browser.post("/account/security/recovery-codes", headers=referer))
        answers.append(await browser.post("/account/security/recovery-codes", headers={"Referer": base + elsewhere}))
        assert {answer.status_code for answer in answers[-2:]} == {303}
    for answer in answers:
        assert is_harmless(answer, base), (answer.request.url, answer.headers["location"])
        going = httpx.QueryParams(urlsplit(answer.headers.get("location", "")).query).get("next", "/")
        assert not leads_away(going, base), answer.headers["location"]


async def test_no_page_has_a_link_that_leads_away(house, visit, an):
    """`next` goes on from page to page, in hidden fields and in the addresses of other pages."""
    for elsewhere in ELSEWHERE:
        await _see_links(house, visit(), an, elsewhere)


async def _see_links(house, browser, an, elsewhere):
    base = house.services.settings.base_url
    pages = [await browser.get(path, params={"next": elsewhere}) for path in ("/sign-in", "/register", "/sign-in/code")]
    pages.append(await browser.post("/sign-in", email=an.email, password="wrong", next=elsewhere))
    pages.append(await browser.post("/register", email="x", password="x", next=elsewhere))
    pages.append(await browser.get("/forgot-password", params={"next": elsewhere}))
    pages.append(await browser.post("/forgot-password", email=an.email, next=elsewhere))
    pages.append(await browser.get("/reset-password", params={"token": "x", "next": elsewhere}))
    await sign_in_as(browser.client, an)
    pages.append(await browser.get("/account/confirm", params={"next": elsewhere}))
    for page in pages:
        told = re.findall(r'name="next" value="([^"]*)"', page.text)
        told += re.findall(r'href="([^"#]+)"', page.text)
        away = [each for each in told if each and leads_away(each.replace("&#34;", '"').replace("&amp;", "&"), base)]
        assert away == [], page.request.url


async def test_a_link_with_a_trap_in_the_address_of_a_page_is_a_path_here(house, browser):
    """The form that changes the language takes along where one is, which a link has chosen."""
    base = house.services.settings.base_url
    for path in ("//evil.example/help", "/\\evil.example", "/help?x=" + quote('"><script>alert(1)</script>')):
        answer = await browser.client.get(httpx.URL(f"{base}{path}"))
        for back in re.findall(r'name="back" value="([^"]*)"', answer.text):
            sent = await browser.post("/language", language="vi", back=back)
            assert is_harmless(sent, base), (path, back)
        assert "<script>alert" not in answer.text
