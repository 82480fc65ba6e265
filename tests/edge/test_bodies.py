"""How much a request may carry: what is too long, or long to read, is refused or tamed before it is taken apart."""

from time import process_time

import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of

from farebox.api.reading import LARGEST_BODY
from farebox.app import LARGEST_FORM
from farebox.wiring import build_services

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def client(settings):
    services = build_services(settings)
    async with AsyncTestClient(app_of(services)) as client:
        yield client
    await services.dispose()


@pytest.mark.parametrize(
    ("path", "when_read"),
    [
        ("/find", 403),  # there is no token in it
        ("/trips/00000000-0000-7000-8000-000000000000/seats", 403),
        ("/language", 400),  # which needs no token, and has no such field
    ],
)
async def test_a_form_of_countless_fields_is_refused_unread(client, path, when_read):
    await client.get("/find")
    answer = await client.post(path, content=b"a=b&" * (LARGEST_FORM // 4 + 1), headers=FORM)
    assert answer.status_code == 413
    assert answer.headers["content-type"].startswith("text/html")
    control = await client.post(path, content=b"a=b&" * (LARGEST_FORM // 4 - 1), headers=FORM)
    assert control.status_code == when_read


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "1", "Authorization": "Bearer x"}])
async def test_a_body_of_the_api_has_an_end(client, headers):
    body = b'{"reference": "%s", "contact": "x"}' % (b"a" * LARGEST_BODY)
    answer = await client.post("/api/v1/bookings/guest/lookup", content=body, headers=JSON | headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "content-too-large")


async def test_a_body_that_was_not_sent_is_said_to_be_required(client):
    answer = await client.post("/api/v1/bookings/guest/lookup", headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "data", "code": "missing", "message": "This is required."}]


@pytest.mark.parametrize("path", ["/find", "/no-such-page", "/api/v1/places/suggest?q=x"])
async def test_a_cookie_full_of_escapes_takes_no_time(client, path):
    started = process_time()
    await client.get(path, headers={"Cookie": 'farebox_language="' + '\\"' * 30_000 + '"'})
    assert process_time() - started < 2


async def test_cookies_beside_one_with_escapes_are_still_read(client):
    answer = await client.get("/find", headers={"Cookie": 'other="\\""; farebox_language=vi'})
    assert '<html lang="vi">' in answer.text
