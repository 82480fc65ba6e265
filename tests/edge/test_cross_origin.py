"""Other sites' scripts: those that are named may ask the API, without cookies; nobody else's may."""

import pytest
from litestar.testing import AsyncTestClient
from msgspec.structs import replace

from farebox.app import create_app
from farebox.core.settings import BadSetting, load_settings
from farebox.wiring import build_services

APP = "https://app.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.fixture
async def client(settings):
    services = build_services(replace(settings, client_origins=f"{APP}, http://localhost:5173"))
    async with AsyncTestClient(create_app(services)) as client:
        yield client
    await services.dispose()


@pytest.mark.parametrize("origin", [APP, "http://localhost:5173"])
async def test_a_named_origin_may_ask_with_a_credential_and_without_cookies(client, origin):
    told = (await client.options("/api/v1/guest-sessions", headers=PREFLIGHT | {"Origin": origin})).headers
    assert told["access-control-allow-origin"] == origin
    assert "POST" in told["access-control-allow-methods"]
    assert "authorization" in told["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in told
    answer = await client.post("/api/v1/guest-sessions", headers={"Origin": origin})
    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == origin
    assert "ratelimit-remaining" in answer.headers["access-control-expose-headers"].lower()


@pytest.mark.parametrize("origin", ["https://evil.example", "https://app.example.evil.example", "null"])
async def test_nobody_elses_script_is_shown_an_answer(client, origin):
    for answer in (
        await client.options("/api/v1/guest-sessions", headers=PREFLIGHT | {"Origin": origin}),
        await client.post("/api/v1/guest-sessions", headers={"Origin": origin}),
    ):
        assert answer.headers.get("access-control-allow-origin") is None


async def test_where_no_origin_is_named_none_is_allowed(settings):
    services = build_services(settings)
    async with AsyncTestClient(create_app(services)) as client:
        answer = await client.get("/api/v1/places/suggest?q=a", headers={"Origin": APP})
    assert "access-control-allow-origin" not in answer.headers
    await services.dispose()


@pytest.mark.parametrize(
    "given", ["*", "app.example", "https://app.example/path", "https://a.example https://b.example"]
)
def test_what_is_no_list_of_origins_is_refused(given):
    with pytest.raises(BadSetting, match="CLIENT_ORIGINS"):
        load_settings({"FAREBOX_CLIENT_ORIGINS": given})
