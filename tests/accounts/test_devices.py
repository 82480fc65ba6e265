"""Devices: paired by a code that works once and for minutes, good for checking tickets, and revocable."""

from datetime import timedelta

import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of
from tests.staff import bearer, make_operator, token_of

from farebox.accounts import DEVICE_SCOPES
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


def devices(lines, *more):
    return "/".join([f"/api/v1/operators/{lines.id}/devices", *map(str, more)])


async def make(client, lines, boss, name="Platform 3"):
    answer = await client.post(devices(lines), json={"name": name}, headers=boss)
    assert answer.status_code == 201
    return answer.json()


async def pair(client, code, **more):
    return await client.post("/api/v1/devices/pair", json={"code": code, **more})


async def test_a_code_makes_a_device_once(client, services, lines, boss):
    made = await make(client, lines, boss)
    assert made["device"]["pairedAt"] is None
    answer = await pair(client, made["code"].lower().replace("-", " "), name="Pixel of Bình")
    paired = answer.json()
    assert paired["operatorId"] == str(lines.id)
    assert paired["device"]["name"] == "Pixel of Bình"
    actor = await services.sessions.authenticate(paired["deviceToken"])
    assert (actor.kind, actor.grants) == ("device", ((lines.id, DEVICE_SCOPES),))
    answer = await pair(client, made["code"])
    assert (answer.status_code, answer.json()["code"]) == (422, "pairing-failed")


async def test_a_code_works_for_ten_minutes(client, services, lines, boss):
    made = await make(client, lines, boss)
    clock = services.database.clock
    services.database.clock = lambda: clock() + timedelta(minutes=10)
    assert (await pair(client, made["code"])).json()["code"] == "pairing-failed"
    services.database.clock = lambda: clock() + timedelta(minutes=9)
    assert (await pair(client, made["code"])).status_code == 200


async def test_a_new_code_ends_the_old_one_and_what_was_paired(client, services, lines, boss):
    made = await make(client, lines, boss)
    token = (await pair(client, made["code"])).json()["deviceToken"]
    path = devices(lines, made["device"]["deviceId"], "code")
    first = (await client.post(path, headers=boss)).json()["code"]
    second = (await client.post(path, headers=boss)).json()["code"]
    with pytest.raises(SignInRequired):
        await services.sessions.authenticate(token)
    assert (await pair(client, first)).status_code == 422
    assert (await pair(client, second)).status_code == 200


async def test_a_revoked_device_opens_nothing_and_cannot_come_back(client, services, lines, boss):
    made = await make(client, lines, boss)
    token = (await pair(client, made["code"])).json()["deviceToken"]
    path = devices(lines, made["device"]["deviceId"])
    assert (await client.delete(path, headers=boss)).json() == {"done": True}
    with pytest.raises(SignInRequired):
        await services.sessions.authenticate(token)
    assert (await client.post(f"{path}/code", headers=boss)).status_code == 404
    [listed] = (await client.get(devices(lines), headers=boss)).json()["items"]
    assert listed["revokedAt"] is not None


async def test_neither_code_nor_token_is_stored(client, services, lines, boss):
    waiting = await make(client, lines, boss)
    paired = await make(client, lines, boss)
    token = (await pair(client, paired["code"])).json()["deviceToken"]
    async with services.database.begin(reach="*") as work:
        rows = str(await (await work.execute("SELECT device::text FROM device")).fetchall())
    assert waiting["code"].replace("-", "") not in rows
    assert token not in rows


async def test_devices_of_another_operator_are_not_there(client, services, lines, boss):
    other = await make_operator(services.database, services.secrets, "hai-van")
    theirs = bearer(await token_of(await other.hire("operator_admin")))
    made = (await make(client, lines, boss))["device"]["deviceId"]
    for method, path in [
        ("GET", devices(lines)),
        ("DELETE", devices(lines, made)),
        ("DELETE", devices(other, made)),
        ("POST", devices(lines, made, "code")),
        ("POST", devices(other, made, "code")),
    ]:
        assert (await client.request(method, path, headers=theirs)).status_code == 404, path


async def test_a_device_has_no_bookings_and_takes_no_seats(client, lines):
    token = bearer(await lines.device())
    for method, path in [("GET", "/api/v1/bookings"), ("DELETE", f"/api/v1/seats/lock/{lines.id}")]:
        answer = await client.request(method, path, headers=token)
        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
