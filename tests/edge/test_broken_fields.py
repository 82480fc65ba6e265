"""What is wrong with the shape of a request is said field by field: in words, translated, with a code."""

import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of

from farebox.wiring import build_services

LOOKUP = "/api/v1/bookings/guest/lookup"
KEYS = {"reference": "BUS20261125K7QM2X", "contact": "an@example.com"}


@pytest.fixture
async def client(settings):
    services = build_services(settings)
    async with AsyncTestClient(app_of(services)) as client:
        yield client
    await services.dispose()


def errors_of(answer):
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), answer.text
    return [(each["field"], each["code"], each["message"]) for each in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        (LOOKUP, {"contact": "x"}, ("reference", "missing", "This is required.")),
        (LOOKUP, KEYS | {"refrence": "x"}, ("refrence", "unknown-field", "There is no such field.")),
        (LOOKUP, KEYS | {"reference": 7}, ("reference", "invalid", "This must be string, not integer.")),
        (LOOKUP, KEYS | {"reference": None}, ("reference", "invalid", "This must be string, not null.")),
        (LOOKUP, KEYS | {"reference": "x" * 101}, ("reference", "too-long", "Use at most 100 characters.")),
        (LOOKUP, [], ("data", "invalid", "This must be object, not array.")),
        (
            "/api/v1/auth/login",
            {"email": "x", "password": "x", "client": "fax"},
            ("client", "unknown", "This is none of the values that are possible here."),
        ),
    ],
)
async def test_of_bodies(client, path, body, error):
    assert errors_of(await client.post(path, json=body)) == [error]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/places/suggest?limit=1000", ("limit", "out-of-range", "This must be 50 at most.")),
        ("/places/suggest?limit=0", ("limit", "out-of-range", "This must be 1 at least.")),
        ("/places/suggest?limit=many", ("limit", "invalid", "This must be integer, not string.")),
        (f"/places/suggest?q={'x' * 201}", ("q", "too-long", "Use at most 200 characters.")),
    ],
)
async def test_of_addresses(client, path, error):
    assert errors_of(await client.get(f"/api/v1{path}")) == [error]


async def test_lists_that_cannot_be_so_long_ask_alike_everywhere(client):
    """For the bookings, the suggestions and the search: an answer of the same kind."""
    token = (await client.post("/api/v1/guest-sessions")).json()["guestToken"]
    anywhere = "00000000-0000-7000-8000-000000000000"
    headers = {"Authorization": f"Bearer {token}"}
    for path in ("/bookings?", "/places/suggest?", f"/trips/search?from={anywhere}&to={anywhere}&date=2026-12-01&"):
        [(field, code, _)] = errors_of(await client.get(f"/api/v1{path}limit=1000", headers=headers))
        assert (field, code) == ("limit", "out-of-range")
        if "suggest" not in path:
            [(field, code, _)] = errors_of(await client.get(f"/api/v1{path}sort=beauty", headers=headers))
            assert (field, code) == ("sort", "unknown")


async def test_in_the_readers_language(client):
    for body, message in (
        ({"contact": "x"}, "Mục này là bắt buộc."),
        (KEYS | {"x": 1}, "Không có trường nào như vậy."),
        (KEYS | {"reference": "x" * 101}, "Hãy dùng tối đa 100 ký tự."),
    ):
        answer = await client.post(LOOKUP, json=body, headers={"Accept-Language": "vi"})
        assert [each for _, _, each in errors_of(answer)] == [message]


async def test_every_missing_parameter_is_named(client):
    answer = await client.get("/api/v1/trips/search")
    assert [(field, code) for field, code, _ in errors_of(answer)] == [
        ("from", "missing"), ("to", "missing"), ("date", "missing"),
    ]  # fmt: skip
