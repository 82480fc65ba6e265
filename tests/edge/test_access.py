"""Default deny: every route declares who may call it, and those that ask for a credential look at it."""

import pytest
from litestar import Litestar, get
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import HTTPRouteHandler
from litestar.testing import AsyncTestClient, create_test_client
from tests.apps import app_of

from farebox.accounts import Permission, open_guest_session
from farebox.edge.access import ACCESS_RULES, CheckAccess, guard_access
from farebox.wiring import build_services

NEEDS_CREDENTIAL = {"guest", "booking", "user", "staff"}


@pytest.fixture
async def app(settings):
    services = build_services(settings)
    yield app_of(services)
    await services.dispose()


def handlers_of(app: Litestar) -> list[tuple[str, HTTPRouteHandler]]:
    return [
        (route.path, handler)
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if "OPTIONS" not in handler.http_methods
    ]


async def test_every_route_says_who_may_call_it(app):
    without_rule = [path for path, handler in handlers_of(app) if handler.opt.get("access") not in ACCESS_RULES]
    assert without_rule == []
    assert len(handlers_of(app)) > 40


async def test_every_route_that_needs_a_credential_looks_at_it(app):
    blind = [
        path
        for path, handler in handlers_of(app)
        if handler.opt["access"] in NEEDS_CREDENTIAL and "actor" not in handler.parsed_fn_signature.parameters
    ]
    assert blind == []


async def test_without_credential_every_guarded_api_route_answers_401(app):
    """Also the control of the test above: a handler that merely names `actor` but never gets it would answer else."""
    async with AsyncTestClient(app) as client:
        for path, handler in handlers_of(app):
            if handler.opt["access"] not in NEEDS_CREDENTIAL or not path.startswith("/api/v1"):
                continue
            for method in handler.http_methods:
                answer = await client.request(method, _fill(path), json={})
                assert answer.status_code in {400, 401}, (method, path, answer.text)
                if answer.status_code == 401:
                    assert answer.json()["code"] == "credential-required"
                    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_unknown_token_opens_nothing(app):
    async with AsyncTestClient(app) as client:
        answer = await client.get("/api/v1/bookings", headers={"Authorization": "Bearer fbg_unknown"})
        assert (answer.status_code, answer.json()["code"]) == (401, "credential-required")


async def test_a_cookie_alone_changes_nothing_through_the_api(app, database, settings):
    async with database.begin() as work:
        _, token = await open_guest_session(work, ttl_seconds=600)
    async with AsyncTestClient(app) as client:
        client.cookies.set("farebox_session", token)
        assert (await client.get("/api/v1/bookings")).status_code == 200
        answer = await client.post("/api/v1/seats/lock", json={"tripId": str(settings.home), "seatNumbers": []})
        assert answer.status_code in {400, 401}
        answer = await client.request("DELETE", "/api/v1/seats/lock/00000000-0000-7000-8000-000000000000")
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda token: token, 404),
        (lambda token: "", 401),
        (lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"), 401),
        (lambda token: "a" * len(token), 401),
    ],
    ids=["the page's own", "none", "another", "made up"],
)
async def test_a_cookie_with_the_pages_token_may_change_something(app, database, change, status):
    async with database.begin() as work:
        _, token = await open_guest_session(work, ttl_seconds=600)
    async with AsyncTestClient(app) as client:
        client.cookies.set("farebox_session", token)
        await client.get("/find")
        headers = {"X-CSRFToken": change(client.cookies["farebox_csrf"])}
        answer = await client.delete("/api/v1/seats/lock/00000000-0000-7000-8000-000000000000", headers=headers)
    assert answer.status_code == status


async def test_a_token_that_somebody_put_into_the_cookie_is_none_of_ours(app, database):
    async with database.begin() as work:
        _, token = await open_guest_session(work, ttl_seconds=600)
    async with AsyncTestClient(app) as client:
        client.cookies.set("farebox_session", token)
        client.cookies.set("farebox_csrf", "a" * 128)
        path = "/api/v1/seats/lock/00000000-0000-7000-8000-000000000000"
        assert (await client.delete(path, headers={"X-CSRFToken": "a" * 128})).status_code == 401


@pytest.mark.parametrize(
    "opt",
    [
        {},
        {"access": "everybody"},
        {"access": "staff"},
        {"access": "staff", "permission": "staff:manage"},
        {"access": "guest", "step_up": True},
    ],
    ids=["none", "unknown", "no-permission", "a-text", "no-proof"],
)
def test_no_application_starts_with_a_route_whose_rule_is_no_rule(opt):
    @get("/forgotten", opt=opt)
    async def forgotten() -> str:
        return "secret"

    with pytest.raises(ImproperlyConfiguredException):
        Litestar([forgotten], plugins=[CheckAccess()], openapi_config=None)


def test_control_an_application_starts_with_a_rule():
    @get("/told", opt={"access": "staff", "permission": Permission.STAFF_MANAGE, "step_up": True})
    async def told() -> str:
        return "secret"

    assert Litestar([told], plugins=[CheckAccess()], openapi_config=None).routes


def test_a_route_without_a_rule_stays_shut():
    @get("/forgotten")
    async def forgotten() -> str:
        return "secret"

    with create_test_client([forgotten], middleware=[guard_access]) as client:
        assert "secret" not in client.get("/forgotten").text
        assert client.get("/forgotten").status_code >= 400


async def test_internal_pages_are_for_this_machine_or_the_password(app):
    async with AsyncTestClient(app, base_url="http://testserver.local") as client:
        assert (await client.get("/metrics")).status_code == 401
        password = app.state.operations_password
        assert (await client.get("/metrics", headers={"Authorization": f"Bearer {password}"})).status_code == 200
        assert (await client.get("/metrics", headers={"Authorization": "Bearer wrong"})).status_code == 401


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {"Host": "127.0.0.1:8000"}, 200),
        ("127.0.0.1", {"Host": "localhost:8000"}, 200),
        ("::1", {"Host": "[::1]:8000"}, 200),
        ("192.0.2.7", {"Host": "localhost:8000"}, 401),
        ("127.0.0.1", {"Host": "rebound.example"}, 401),
        ("127.0.0.1", {"Host": "[::1"}, 401),
        ("127.0.0.1", {"Host": "localhost", "X-Forwarded-For": "127.0.0.1"}, 401),
        ("127.0.0.1", {"Host": "localhost", "X-Real-IP": "192.0.2.7"}, 401),
        ("127.0.0.1", {"Host": "localhost", "Via": "1.1 proxy"}, 401),
    ],
)
async def test_who_counts_as_this_machine(app, client, headers, status):
    async def from_client(scope, receive, send):
        if scope["type"] == "http":
            scope["client"] = (client, 50000)
        await app(scope, receive, send)

    async with AsyncTestClient(from_client) as asking:
        answer = await asking.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert answer.headers.get("www-authenticate", "").startswith("Basic") == (status == 401)


def _fill(path: str) -> str:
    """A route's path with its parameters filled in."""
    parts = []
    for part in path.split("/"):
        if part.startswith("{"):
            kind = part.strip("{}").partition(":")[2]
            parts.append("00000000-0000-7000-8000-000000000000" if kind == "uuid" else "x")
        else:
            parts.append(part)
    return "/".join(parts)
