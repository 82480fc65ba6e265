"""Cookies of a shop that is reached by https: out of reach of scripts, of plain http and of other sites."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pyotp
import pytest
from msgspec import structs
from tests.attacks.conftest import Browser
from tests.people import CHEAP, make_person
from tests.signing.conftest import PASSWORD, House

from farebox.accounts import Passwords, begin_totp, confirm_totp
from farebox.wiring import build_services


@pytest.fixture
async def safe(settings, clock) -> AsyncIterator[House]:
    services = build_services(structs.replace(settings, base_url="https://tickets.example"), clock=clock)
    opened = House(replace(services, passwords=Passwords(CHEAP)), clock)
    yield opened
    await opened.close()


def cookies_of(answer):
    return {cookie.partition("=")[0]: cookie for cookie in answer.headers.get_list("set-cookie")}


async def test_every_cookie_is_safe(safe):
    secrets = safe.services.secrets
    plain = await make_person(safe.services.database, secrets)
    guarded = await make_person(safe.services.database, secrets, email="binh@example.com")
    async with safe.services.database.begin() as work:
        setup = await begin_totp(work, guarded.id, "Phone", account=guarded.email, secrets=secrets)
        app = pyotp.TOTP(setup.secret)
        await confirm_totp(work, guarded.id, setup.factor_id, app.at(safe.clock.now), secrets=secrets)
    seen: dict[str, str] = {}
    browser, other = Browser(safe), Browser(safe)
    answers = [
        await browser.get("/"),
        await browser.post("/sign-in", email=plain.email, password=PASSWORD),
        await browser.post("/language", language="vi", back="/"),
        await browser.post("/account/profile", first_name="Anh", last_name="Nguyễn"),
        await other.post("/sign-in", email=guarded.email, password=PASSWORD),
        await safe.login(plain.email, PASSWORD),
    ]
    for answer in answers:
        seen |= cookies_of(answer)
    assert {"farebox_csrf", "farebox_session", "farebox_challenge", "farebox_language", "farebox_refresh"} <= set(seen)
    for name, cookie in seen.items():
        said = cookie.lower()
        assert "; secure" in said, cookie
        assert "httponly" in said, cookie
        assert "samesite=lax" in said or "samesite=strict" in said, cookie
        assert "domain=" not in said, cookie
        assert name.startswith("farebox_")
    assert "samesite=strict" in seen["farebox_refresh"].lower()
    assert "path=/sign-in/code" in seen["farebox_challenge"].lower()
    await browser.client.aclose()
    await other.client.aclose()


async def test_pages_of_one_person_are_kept_by_no_cache(safe):
    an = await make_person(safe.services.database, safe.services.secrets)
    browser = Browser(safe)
    await browser.post("/sign-in", email=an.email, password=PASSWORD)
    for path in ("/account", "/account/profile", "/account/security", "/account/privacy", "/account/bookings"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), path
        assert "max-age=31536000" in answer.headers["strict-transport-security"]
    await browser.client.aclose()


async def test_control_without_https_nothing_says_secure(house, visit):
    answer = await visit().get("/")
    assert "secure" not in cookies_of(answer)["farebox_csrf"].lower()
