"""Rate limits counted in a Redis, by account, and behind a proxy."""

import shutil
import socket
import subprocess
import time

import pytest
from litestar.testing import AsyncTestClient
from msgspec.structs import replace
from tests.people import make_person, open_session_of
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from farebox.app import create_app
from farebox.edge.rate_limits import BUCKETS
from farebox.edge.windows import WINDOW_SECONDS, Bucket, SharedWindows
from farebox.wiring import build_services

THREE = Bucket("write", 3)


@pytest.fixture
def redis_server():
    """A Redis of our own, on a port of its own."""
    if shutil.which("redis-server") is None:
        pytest.skip("RATE LIMITS IN REDIS WERE NOT TESTED: no redis-server on the path")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield f"redis://127.0.0.1:{port}", process
    process.kill()
    process.wait(5)


@pytest.fixture
async def both(redis_server):
    """The counters of two processes."""
    url, _ = redis_server
    windows = SharedWindows(url), SharedWindows(url)
    yield windows
    for each in windows:
        await each.close()


async def test_two_processes_count_as_one(both):
    one, other = both
    counted = [await each.count(THREE, "192.0.2.1") for each in (one, other, one, other, one)]
    assert [left for left, _ in counted] == [2, 1, 0, -1, -1]
    assert all(WINDOW_SECONDS - 30 <= seconds <= WINDOW_SECONDS for _, seconds in counted)
    assert (await other.count(THREE, "192.0.2.2"))[0] == 2


async def test_a_counter_left_without_an_end_gets_one(both):
    one, _ = both
    await one._redis.set("farebox:rate:write:192.0.2.1", 3)
    assert await one.count(THREE, "192.0.2.1") == (-1, WINDOW_SECONDS)


async def test_a_redis_that_is_gone_costs_no_request(both, redis_server):
    """Each process counts by itself meanwhile."""
    one, other = both
    await one.count(THREE, "192.0.2.1")
    redis_server[1].kill()
    redis_server[1].wait(5)
    assert [(await one.count(THREE, "192.0.2.1"))[0] for _ in range(4)] == [2, 1, 0, -1]
    assert (await other.count(THREE, "192.0.2.1"))[0] == 2


@pytest.fixture
async def limited(settings, monkeypatch):
    """The application with limits on and three writes each; and the services, to sign somebody in."""
    monkeypatch.setitem(BUCKETS, "write", THREE)
    services = build_services(replace(settings, rate_limits="on"))
    yield create_app(services), services
    await services.dispose()


async def ask(app, address, token="", **headers):
    """A write from an address: its status, and how many are left."""

    async def from_address(scope, receive, send):
        if scope["type"] == "http":
            scope["client"] = (address, 50000)
        await app(scope, receive, send)

    if token:
        headers["Authorization"] = f"Bearer {token}"
    async with AsyncTestClient(from_address) as client:
        answer = await client.delete("/api/v1/seats/lock/018f6b2e-0000-7000-8000-00000000e001", headers=headers)
    return answer.status_code, answer.headers.get("ratelimit-remaining")


async def test_an_account_is_counted_from_however_many_addresses(limited, database, secrets):
    app, services = limited
    person = await make_person(database, services.secrets)
    token = (await open_session_of(person)).token
    answers = [await ask(app, f"192.0.2.{number}", token) for number in range(4)]
    assert answers == [(404, "2"), (404, "1"), (404, "0"), (429, "0")]
    other = await make_person(database, services.secrets, email="binh@example.com")
    assert await ask(app, "192.0.2.9", (await open_session_of(other)).token) == (404, "2")


async def test_another_account_does_not_help_an_address(limited, database):
    app, services = limited
    for number in range(4):
        person = await make_person(database, services.secrets, email=f"an{number}@example.com")
        status, _ = await ask(app, "192.0.2.1", (await open_session_of(person)).token)
    assert status == 429


async def test_addresses_told_by_a_trusted_proxy_are_counted_apart(limited):
    app, _ = limited
    behind = ProxyHeadersMiddleware(app, trusted_hosts="198.51.100.7")
    told = [await ask(behind, "198.51.100.7", **{"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(4)]
    assert [left for _, left in told] == ["2"] * 4
    spoofed = [await ask(behind, "192.0.2.200", **{"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(4)]
    assert [left for _, left in spoofed] == ["2", "1", "0", "0"]
    assert spoofed[-1][0] == 429
