"""No text with a NUL gets in, wherever it is: PostgreSQL's texts have none."""

import json
import re
from typing import Any

import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of
from tests.edge.routes import declared
from tests.edge.test_every_route import allow_forms, credential_of, fill, let_in, lines, services
from tests.staff import bearer

from farebox.api.examples import BODIES
from farebox.edge.texts import nul_fields

__all__ = ["lines", "services"]

BAD = "a\0b"
JSON = {"Content-Type": "application/json"}
SURROGATE = "\ud800"


@pytest.fixture
def app(services):
    return app_of(services)


def spoilt(value: Any, by: str, path: str = "") -> tuple[Any, list[str]]:
    """The value with `by` in all of its texts, and where they are."""
    if isinstance(value, str):
        return value[:1] + by, [path]
    if not isinstance(value, dict | list):
        return value, []
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
    parts = [(name, *spoilt(inner, by, f"{path}.{name}" if path else str(name))) for name, inner in pairs]
    whole = {name: inner for name, inner, _ in parts} if isinstance(value, dict) else [inner for _, inner, _ in parts]
    return whole, [each for _, _, fields in parts for each in fields]


def told(answer):
    return sorted((error["field"], error["code"]) for error in answer.json()["errors"])


def all_routes():
    return [(method, path) for method, path in declared() if method != "WEBSOCKET"]


async def test_no_address_takes_one(app):
    async with AsyncTestClient(app) as client:
        headers = await allow_forms(client)
        for method, path in all_routes():
            answer = await client.request(method, f"{fill(path)}?q=a%00b", headers=headers, follow_redirects=False)
            is_closed = declared()[method, path] == "internal" and answer.status_code == 401
            assert answer.status_code == 400 or is_closed, (method, path, answer.status_code)
            if path.startswith("/api/"):
                assert answer.headers["content-type"].startswith("application/problem+json")
                assert told(answer) == [("q", "unprintable")]
                assert answer.json()["errors"][0]["message"] == "This cannot be printed."
            named = re.search(r"\{(\w+):(str|path)\}", path)
            if named and not is_closed:
                with_nul = fill(path.replace(named[0], "a%00b"))
                answer = await client.request(method, with_nul, headers=headers, follow_redirects=False)
                assert answer.status_code == 400, (method, path, answer.status_code)


async def test_no_form_takes_one(app):
    async with AsyncTestClient(app) as client:
        tokens: list[dict[str, str]] = [await allow_forms(client), {}]
        for token in tokens:
            sent = {"kind": BAD, "name": "x"}
            if not token:
                sent["_csrf_token"] = client.cookies["farebox_csrf"]
            for method, path in all_routes():
                if method == "POST" and not path.startswith("/api/"):
                    for how in ({"data": sent}, {"data": sent, "files": {"picture": ("x.png", b"x", "image/png")}}):
                        answer = await client.post(fill(path), headers=token, follow_redirects=False, **how)
                        assert answer.status_code == 400, (path, answer.status_code)
                    control = await client.post(fill(path), data=sent | {"kind": "x"}, headers=token)
                    assert control.status_code < 500, path


async def test_a_form_in_another_encoding_than_it_says_is_the_clients_mistake(app):
    async with AsyncTestClient(app) as client:
        token = await allow_forms(client)
        for part in (b"\xff\xfe", b"\xed\xa0\x80"):
            body = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + part + b"\r\n--x--\r\n"
            headers = token | {"Content-Type": "multipart/form-data; boundary=x"}
            assert (await client.post("/sign-in", content=body, headers=headers)).status_code == 400


def role_for(rule):
    """Somebody whom a rule lets in."""
    return next(who for who in ("nobody", "guest", "user", "operator_admin", "admin") if who in let_in(rule))


async def writes(app):
    """(method, path, name of the type of its body) of every route that takes JSON."""
    found = {}
    async with AsyncTestClient(app) as client:
        document = (await client.get("/api/v1/openapi.json")).json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content:
                found[method.upper(), re.sub(r"\{\w+\}", "{}", path)] = re.findall(r"schemas/(\w+)", str(content))[0]
    for method, path in declared():
        name = found.pop((method, re.sub(r"\{[^}]*\}", "{}", path)), None)
        if name:
            yield method, path, name
    assert found == {}


async def test_no_body_takes_one(app, services, lines):
    """Each text of each body is named. The control is the example itself, which is refused for other reasons."""
    tokens = {}
    count = 0
    async with AsyncTestClient(app) as client:
        async for method, path, name in writes(app):
            role = role_for(declared()[method, path])
            if role not in tokens:
                tokens[role] = await credential_of(role, services, lines)
            headers = bearer(tokens[role]) if tokens[role] else {}
            address = fill(path, operator_id=lines.id)
            body, fields = spoilt(BODIES[name], BAD)
            if not fields:
                continue
            answer = await client.request(method, address, json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), (method, path, answer.text)
            assert told(answer) == sorted((field, "unprintable") for field in fields), (method, path)
            control = await client.request(method, address, json=BODIES[name], headers=headers)
            assert "unprintable" not in control.text
            assert control.status_code < 500, (method, path, control.text)
            lone, _ = spoilt(BODIES[name], SURROGATE)
            answer = await client.request(method, address, content=ascii_json(lone), headers=headers | JSON)
            assert answer.status_code == 400, (method, path, answer.text)
            count += 1
    assert count > 45


def ascii_json(value):
    """As JSON's own escapes, in which a half of a character can be written."""
    return json.dumps(value).encode()


async def test_lone_surrogates_in_addresses_are_read_as_what_cannot_be_read(app):
    async with AsyncTestClient(app) as client:
        for path in (
            "/api/v1/places/suggest?q=%ED%A0%80",
            "/api/v1/bookings/reference/%ED%A0%80",
            "/search?q=%ED%A0%80",
        ):
            assert (await client.get(path, follow_redirects=False)).status_code < 500


async def test_a_backslash_before_digits_is_a_text_like_any_other(app):
    async with AsyncTestClient(app) as client:
        body = {"reference": "BUS20261125K7QM2X", "contact": "a\\u0000b"}
        answer = await client.post("/api/v1/bookings/guest/lookup", json=body)
    assert "unprintable" not in answer.text
    assert answer.status_code in {202, 422}


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (BAD, ["data"]),
        ({"a": [{"b": BAD}, {"b": "x"}, 7, None], "c": BAD}, ["a.0.b", "c"]),
        ({"a\0b": 1}, ["a\ufffdb"]),
        ({"a": "\\u0000"}, []),
    ],
)
def test_where_they_are(value, fields):
    assert list(nul_fields(value)) == fields
