"""Headers that browsers and caches act on: on every answer, also on refusals and mishaps."""

import re

import pytest
from litestar.testing import AsyncTestClient
from msgspec.structs import replace

from farebox.app import create_app
from farebox.core.db import Database
from farebox.edge.middleware import SECURITY_HEADERS
from farebox.wiring import build_services

ANSWERS = [
    ("/find", 200),
    ("/static/x/css/base.css", 200),
    ("/no-such-page", 404),
    ("/bookings/00000000-0000-7000-8000-000000000000", 403),
    ("/metrics", 401),
    ("/health/live", 200),
    ("/api/v1/bookings", 401),
    ("/api/v1/no-such-thing", 404),
]


def hardened(answer):
    """Whether an answer has all the headers; a page says more about its scripts than others need."""
    found = {name: answer.headers.get(name) for name in SECURITY_HEADERS}
    if answer.headers["content-type"].startswith("text/html"):
        policy = SECURITY_HEADERS["Content-Security-Policy"]
        assert found["Content-Security-Policy"].startswith(f"{policy}; script-src 'nonce-")
        found["Content-Security-Policy"] = policy
    return found == SECURITY_HEADERS


@pytest.fixture
def connect(settings):
    def connect(**changes):
        return AsyncTestClient(create_app(build_services(replace(settings, **changes))))

    return connect


@pytest.mark.parametrize(("path", "status"), ANSWERS)
async def test_every_answer_is_hardened(connect, path, status):
    async with connect() as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert hardened(answer)
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize("path", ["/api/v1/places/suggest?q=x", "/"])
async def test_a_mishap_is_hardened_and_says_nothing_of_itself(connect, monkeypatch, path):
    def fail(*_):
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(Database, "begin", fail)
    async with connect() as client:
        answer = await client.get(path)
    assert answer.status_code == 500
    assert hardened(answer)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


async def test_who_came_by_https_comes_by_https_again(connect):
    async with connect(base_url="https://tickets.example") as client:
        page, nothing = await client.get("/find"), await client.get("/no-such-page")
    for answer in (page, nothing):
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert re.search("farebox_csrf=.*; HttpOnly; .*; Secure", page.headers["set-cookie"])


async def test_what_one_credential_is_told_is_kept_by_no_cache(connect):
    async with connect() as client:
        begun = await client.post("/api/v1/guest-sessions")
        assert begun.headers["cache-control"] == "no-store"
        token = {"Authorization": f"Bearer {begun.json()['guestToken']}"}
        for path in ("/api/v1/bookings", "/api/v1/bookings/00000000-0000-7000-8000-000000000000"):
            assert "no-store" in (await client.get(path, headers=token)).headers["cache-control"]


async def test_only_scripts_that_a_page_names_may_run_on_it(connect):
    """And what is written into one page by an attacker does not know the word of the next."""
    seen = set()
    async with connect() as client:
        for path in ("/", "/", "/find", "/no-such-page"):
            answer = await client.get(path)
            allowed = re.search(r"script-src ([^;]+)", answer.headers["content-security-policy"])
            nonces = set(re.findall(r'<script nonce="([^"]+)"', answer.text))
            assert len(nonces) == 1
            (nonce,) = nonces
            assert allowed
            assert allowed[1] == f"'nonce-{nonce}' 'strict-dynamic'"
            assert "<script" not in answer.text.replace(f'<script nonce="{nonce}"', "")
            seen.add(nonce)
    assert len(seen) == 4
