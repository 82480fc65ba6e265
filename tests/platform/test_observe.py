"""What is seen of a request from outside: its id, its log line, its numbers; and what is not."""

import io
import json
import logging
from typing import Any
from uuid import UUID

import pytest
import structlog
from litestar import Litestar, get, post
from litestar.params import FromPath
from litestar.testing import TestClient

from farebox.core import metrics
from farebox.core.errors import NotFound
from farebox.core.logs import configure_logs
from farebox.core.settings import load_settings
from farebox.core.traffic import Traffic
from farebox.edge.observe import log_unexpected, observe


@get("/people/{person_id:uuid}")
async def show(person_id: FromPath[UUID]) -> str:
    return "here"


@post("/people")
async def fail() -> str:
    raise ValueError("no room for lan@example.com at +84 912 345 678\nDETAIL: Key (email)=(lan@example.com) exists.")


@get("/lost")
async def lost() -> str:
    raise NotFound


@pytest.fixture
def lines():
    """What was logged, as JSON objects."""
    stream = io.StringIO()
    configure_logs(load_settings({}, log_format="json"), stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    logging.getLogger().handlers = []


@pytest.fixture
def client(lines):
    app = Litestar([show, fail, lost], after_exception=[log_unexpected], logging_config=None)
    app.asgi_handler = observe(app.asgi_handler, Traffic())
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


ID = "0198c5d2-7c1e-7a51-8b1e-3f7a6f0c0001"


def requests(lines):
    return [line for line in lines() if line["event"] == "request"]


def test_a_request_is_logged_by_its_route_and_without_its_query(client, lines):
    client.get(f"/people/{ID}?email=lan@example.com&phone=0912345678")
    (line,) = requests(lines)
    assert (line["method"], line["route"], line["status"]) == ("GET", "/people/{person_id}", 200)
    assert line["person_id"] == ID
    assert "example.com" not in json.dumps(line)
    assert "0912345678" not in json.dumps(line)


async def test_a_client_that_hangs_up_is_no_error_of_ours(lines):
    @post("/letters")
    async def read(data: dict[str, str]) -> None: ...

    app = Litestar([read], after_exception=[log_unexpected], logging_config=None)
    app.asgi_handler = observe(app.asgi_handler, Traffic())
    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": "/letters",
        "raw_path": b"/letters",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "server": None,
        "client": None,
        "state": {},
    }
    parts = iter([{"type": "http.request", "body": b'{"to": ', "more_body": True}, {"type": "http.disconnect"}])

    async def receive():
        return next(parts)

    async def send(message):
        pass

    await app(scope, receive, send)
    assert [line["event"] for line in lines()] == ["request"]


def test_the_callers_request_id_is_kept_logged_and_returned(client, lines):
    answer = client.get(f"/people/{ID}", headers={"X-Request-ID": "trace-1234.5"})
    assert answer.headers["x-request-id"] == "trace-1234.5"
    assert requests(lines)[0]["request_id"] == "trace-1234.5"


@pytest.mark.parametrize("odd", ["short", "x" * 65, "lan@example.com", "two words!", '{"a": 1}abcd'])
def test_an_odd_request_id_is_replaced(client, lines, odd):
    answer = client.get(f"/people/{ID}", headers={"X-Request-ID": odd})
    assert answer.headers["x-request-id"] != odd
    assert len(answer.headers["x-request-id"]) == 24
    assert requests(lines)[0]["request_id"] == answer.headers["x-request-id"]


def test_an_unexpected_error_is_logged_with_its_trace_and_without_personal_data(client, lines):
    assert client.post("/people").status_code == 500
    (line,) = [line for line in lines() if line["event"] == "unexpected-error"]
    assert "ValueError" in line["exception"]
    assert "test_observe.py" in line["exception"]
    assert "example.com" not in line["exception"]
    assert "345 678" not in line["exception"]
    assert line["request_id"] == requests(lines)[0]["request_id"]


def test_refusals_that_are_meant_are_not_errors_in_the_log(client, lines):
    client.get("/lost")
    assert [line["event"] for line in lines()] == ["request"]


def test_an_unmatched_path_is_counted_but_never_kept(client, lines):
    before = count("GET", "(no such route)", 404)
    client.get("/tokens/fbg_secret")
    assert count("GET", "(no such route)", 404) == before + 1
    assert "fbg_secret" not in json.dumps(lines())
    assert b"fbg_secret" not in metrics.render()[0]


def test_requests_are_counted_and_timed_by_template(client):
    before = count("GET", "/people/{person_id}", 200)
    timed = seconds_count("GET", "/people/{person_id}")
    client.get(f"/people/{ID}")
    client.get(f"/people/{ID}")
    assert count("GET", "/people/{person_id}", 200) == before + 2
    assert seconds_count("GET", "/people/{person_id}") == timed + 2


def test_a_made_up_method_makes_no_series_of_its_own(client):
    client.request("BREW", f"/people/{ID}")
    assert b"BREW" not in metrics.render()[0]


def test_the_standard_librarys_records_come_in_the_same_form(lines):
    logging.getLogger("some.library").warning("lost %s", "lan@example.com")
    logging.getLogger("uvicorn.error").info("Started server process")
    (line,) = lines()
    assert (line["logger"], line["level"], line["event"]) == ("some.library", "warning", "lost [e-mail]")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("mail to lan.nguyen+x@mail.example.vn failed", "mail to [e-mail] failed"),
        ("passport C1234567 of +84 (0)", "passport C1234567 of +84 (0)"),
        ("called 0912 345 678", "called [number]"),
        (
            "booking 0198c5d2-7c1e-7a51-8b1e-3f7a6f0c0001 is late",
            "booking 0198c5d2-7c1e-7a51-8b1e-3f7a6f0c0001 is late",
        ),
        ("at 2026-11-20", "at 2026-11-20"),
    ],
)
def test_what_nobody_meant_to_log_is_scrubbed(lines, text, kept):
    structlog.get_logger().warning(text)
    assert lines()[0]["event"] == kept


def count(method, route, status):
    return sample("farebox_http_requests_total", method=method, route=route, status=str(status))


def seconds_count(method, route):
    return sample("farebox_http_request_seconds_count", method=method, route=route)


def sample(name, **labels):
    return metrics.registry.get_sample_value(name, labels) or 0
