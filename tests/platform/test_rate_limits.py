"""Rate limits: how often one address may ask, and what everybody is told about it."""

import re
from uuid import uuid4

import pytest
from litestar import Litestar, get, post
from litestar.middleware import DefineMiddleware
from litestar.testing import AsyncTestClient, TestClient
from msgspec.structs import replace

from farebox.api.problems import answer_domain_error
from farebox.app import create_app
from farebox.core.errors import DomainError
from farebox.core.settings import load_settings
from farebox.core.traffic import Traffic
from farebox.edge import windows as windows_module
from farebox.edge.observe import observe
from farebox.edge.rate_limits import BUCKETS, limit_rates, open_windows
from farebox.edge.windows import Bucket, Windows
from farebox.wiring import build_services


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@get("/read")
async def read() -> str:
    return "read"


@post("/write")
async def write() -> str:
    return "written"


@post("/other")
async def write_elsewhere() -> str:
    return "written"


@post("/lookup", opt={"rate": "lookup"})
async def look_up() -> str:
    return "looked up"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_client(clock):
    app = Litestar(
        [read, write, write_elsewhere, look_up],
        middleware=[DefineMiddleware(limit_rates, windows=Windows(clock))],
        exception_handlers={DomainError: answer_domain_error},
        logging_config=None,
    )
    app.asgi_handler = observe(app.asgi_handler, Traffic())

    def connect(address="192.0.2.1"):
        async def from_address(scope, receive, send):
            if scope["type"] == "http":
                scope["client"] = (address, 50000)
            await app(scope, receive, send)

        return TestClient(from_address)

    return connect


def test_the_hundred_and_first_write_in_a_quarter_of_an_hour_is_refused(make_client, clock):
    client = make_client()
    answers = [client.post("/write") for _ in range(100)]
    assert {answer.status_code for answer in answers} == {201}
    assert [int(answer.headers["ratelimit-remaining"]) for answer in answers] == list(range(99, -1, -1))
    refused = client.post("/write")
    assert refused.status_code == 429
    assert refused.json()["code"] == "too-many-requests"
    assert refused.headers["retry-after"] == "900"
    assert (refused.headers["ratelimit-limit"], refused.headers["ratelimit-remaining"]) == ("100", "0")
    clock.now += 899
    assert client.post("/write").status_code == 429
    clock.now += 1
    assert client.post("/write").status_code == 201


def test_all_writes_share_one_bucket_and_reading_is_free(make_client):
    client = make_client()
    for _ in range(50):
        client.post("/write")
        client.post("/other")
    assert client.post("/other").status_code == 429
    answer = client.get("/read")
    assert answer.status_code == 200
    assert "ratelimit-limit" not in answer.headers


def test_a_named_bucket_is_counted_apart(make_client):
    client = make_client()
    for _ in range(BUCKETS["lookup"].limit):
        assert client.post("/lookup").status_code == 201
    assert client.post("/lookup").status_code == 429
    assert client.post("/write").status_code == 201


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_who_counts_as_one_client(make_client, first, second, is_same):
    make_client(first).post("/write")
    left = int(make_client(second).post("/write").headers["ratelimit-remaining"])
    assert left == (98 if is_same else 99)


async def test_a_flood_of_addresses_does_not_fill_the_memory(monkeypatch, clock):
    monkeypatch.setattr(windows_module, "MAX_CLIENTS", 100)
    windows = Windows(clock)
    bucket = Bucket("write", 3)
    for number in range(1000):
        clock.now += 1
        await windows.count(bucket, f"192.0.2.{number}")
    assert len(windows._windows) <= 100
    assert await windows.count(bucket, "192.0.2.999") == (1, 900)


async def test_new_visitors_who_choose_seats_count_as_writes(settings, monkeypatch):
    """Seats may be chosen often, but each time as somebody new would be a way to hold them all."""
    monkeypatch.setitem(BUCKETS, "write", Bucket("write", 3))
    app = create_app(build_services(replace(settings, rate_limits="on")))
    async with AsyncTestClient(app) as client:
        token = re.search('name="_csrf_token" value="([^"]+)"', (await client.get("/find")).text)
        assert token
        choice = {"seats": "1A", "_csrf_token": token[1]}
        answers = [(await client.post(f"/trips/{uuid4()}/seats", data=choice)).status_code for _ in range(4)]
    assert answers == [404, 404, 404, 429]


def test_limits_can_be_off_for_tests_only():
    assert open_windows(load_settings({}, rate_limits="off")) is None
    assert isinstance(open_windows(load_settings({})), Windows)


def test_every_bucket_a_handler_names_exists(settings):
    app = create_app(build_services(settings))
    named = {
        handler.opt["rate"]
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if handler.opt.get("rate") is not None
    }
    assert named <= set(BUCKETS)
