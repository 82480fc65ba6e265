"""API keys: shown once, bound to an operator and to what they were given, and over when they are."""

import asyncio
from datetime import timedelta

import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of
from tests.counting import counted_statements
from tests.staff import bearer, make_operator, token_of

from farebox.accounts import Actor, Permission, Sessions
from farebox.core.errors import SignInRequired
from farebox.wiring import build_services


@pytest.fixture
async def services(settings):
    services = build_services(settings)
    yield services
    await services.dispose()


@pytest.fixture
async def client(services):
    async with AsyncTestClient(app_of(services)) as client:
        yield client


@pytest.fixture
async def lines(services):
    return await make_operator(services.database, services.secrets, "truong-son")


@pytest.fixture
async def boss(lines):
    return bearer(await token_of(await lines.hire("operator_admin")))


def keys(lines, *more):
    return "/".join([f"/api/v1/operators/{lines.id}/keys", *map(str, more)])


async def make(client, lines, boss, **changes):
    body = {"name": "Screens", "scopes": ["departures:read", "bookings:read"], "days": 30} | changes
    return await client.post(keys(lines), json=body, headers=boss)


async def test_a_key_is_told_once_and_stored_as_its_digest(client, services, lines, boss):
    answer = await make(client, lines, boss)
    assert answer.status_code == 201
    key = answer.json()["key"]
    assert key.startswith("fbk_")
    [listed] = (await client.get(keys(lines), headers=boss)).json()["items"]
    assert listed == answer.json()["details"]
    assert (listed["hint"], listed["scopes"]) == (key[:10], ["bookings:read", "departures:read"])
    async with services.database.begin(reach="*") as work:
        [(row,)] = await (await work.execute("SELECT api_key::text FROM api_key")).fetchall()
    assert key not in row


async def test_a_key_is_its_operators_and_may_what_it_was_given(services, lines):
    token = await lines.key(Permission.BOOKINGS_READ)
    actor = await services.sessions.authenticate(token)
    assert (actor.kind, actor.grants) == ("partner", ((lines.id, frozenset({Permission.BOOKINGS_READ})),))
    assert actor.may(Permission.BOOKINGS_READ, lines.id)
    assert not actor.may(Permission.BOOKINGS_CHANGE, lines.id)


@pytest.mark.parametrize("scope", ["staff:manage", "keys:manage", "devices:manage", "people:read"])
async def test_no_key_can_give_itself_more(client, lines, boss, scope):
    answer = await make(client, lines, boss, scopes=["bookings:read", scope])
    assert (answer.status_code, answer.json()["code"]) == (403, "not-grantable")


@pytest.mark.parametrize(
    "changes",
    [{"days": 366}, {"days": 0}, {"scopes": []}, {"scopes": ["all"]}, {"name": ""}, {"more": 1}],
    ids=lambda changes: "-".join(map(str, *changes.items())),
)
async def test_what_cannot_be_is_refused(client, lines, boss, changes):
    assert (await make(client, lines, boss, **changes)).status_code == 400


async def test_a_key_ends_with_its_time_and_when_it_is_revoked(client, services, lines, boss):
    made = (await make(client, lines, boss)).json()
    clock = services.database.clock
    assert (await services.sessions.authenticate(made["key"])).kind == "partner"
    later = Sessions(services.database)
    services.database.clock = lambda: clock() + timedelta(days=30, seconds=1)
    with pytest.raises(SignInRequired):
        await later.authenticate(made["key"])
    services.database.clock = clock
    await later.dispose()
    assert (await client.delete(keys(lines, made["details"]["keyId"]), headers=boss)).json() == {"done": True}
    with pytest.raises(SignInRequired):
        await services.sessions.authenticate(made["key"])
    [listed] = (await client.get(keys(lines), headers=boss)).json()["items"]
    assert listed["revokedAt"] is not None


async def test_when_it_was_last_used_is_written_once_a_minute(services, lines):
    token = await lines.key()
    clock = services.database.clock
    start = clock()
    seen = []
    for seconds in (0, 30, 61):
        services.database.clock = lambda at=start + timedelta(seconds=seconds): at
        await services.sessions.authenticate(token)
        async with services.database.begin(reach="*") as work:
            seen += await (await work.execute("SELECT used_at FROM api_key")).fetchone()
    assert seen == [start, start, start + timedelta(seconds=61)]


async def test_keys_of_another_operator_are_not_there(client, services, lines, boss):
    other = await make_operator(services.database, services.secrets, "hai-van")
    theirs = bearer(await token_of(await other.hire("operator_admin")))
    made = (await make(client, lines, boss)).json()["details"]["keyId"]
    assert (await client.get(keys(lines), headers=theirs)).status_code == 404
    assert (await make(client, lines, theirs)).status_code == 404
    assert (await client.delete(keys(lines, made), headers=theirs)).status_code == 404
    assert (await client.delete(keys(other, made), headers=theirs)).status_code == 404
    [listed] = (await client.get(keys(lines), headers=boss)).json()["items"]
    assert listed["revokedAt"] is None


async def test_a_key_takes_no_seats_and_manages_nothing(client, lines, boss):
    token = bearer(await lines.key())
    for method, path in [
        ("GET", keys(lines)),
        ("GET", f"/api/v1/operators/{lines.id}/staff"),
        ("GET", f"/api/v1/operators/{lines.id}/devices"),
        ("GET", "/api/v1/operators"),
        ("DELETE", f"/api/v1/seats/lock/{lines.id}"),
    ]:
        answer = await client.request(method, path, headers=token)
        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed"), path


async def test_many_keys_are_known_in_one_question(services, lines):
    tokens = [await lines.key(name=str(number)) for number in range(5)]
    asked = map(services.sessions.authenticate, [*tokens, "fbk_unknown"])
    with counted_statements() as statements:
        found = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(each, Actor) for each in found] == [True] * 5 + [False]
    assert len(statements) == 1
