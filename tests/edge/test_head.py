"""HEAD is answered wherever GET is, with the same beginning and no body."""

import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of
from tests.edge.routes import declared
from tests.edge.test_every_route import fill

from farebox.wiring import build_services

OWN = {"date", "x-request-id", "set-cookie", "content-length", "content-security-policy"}
"""Headers that differ from answer to answer: ids and nonces, also in compressed pages."""


@pytest.fixture
async def client(settings):
    services = build_services(settings)
    async with AsyncTestClient(app_of(services)) as client:
        yield client
    await services.dispose()


async def test_a_head_begins_as_the_answer_to_get(client):
    asked = 0
    for method, path in declared():
        if method != "GET" or path.endswith("/sse"):
            continue
        head = await client.head(fill(path), follow_redirects=False)
        got = await client.get(fill(path), follow_redirects=False)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.status_code != 405
        told, same = ({name: each.headers[name] for name in each.headers.keys() - OWN} for each in (head, got))
        assert told == same, path
        asked += 1
    assert asked > 100


async def test_its_length_is_that_of_what_get_would_send(client):
    head, got = await client.head("/api/v1/auth/providers"), await client.get("/api/v1/auth/providers")
    assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.content))


async def test_where_no_get_is_there_is_no_head(client):
    assert (await client.head("/api/v1/guest-sessions")).status_code == 405
    assert (await client.head("/api/v1/nowhere")).status_code == 404
