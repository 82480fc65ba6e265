"""Asking again for a seat map: only what has changed is sent, whoever is asked."""

import base64

import pytest
from tests.live.theatre import Buyer, house, path

from farebox.coaches.versions import pack_version, unpack_version


@pytest.mark.parametrize("codes", [(), (0,), (4, 0, 3, 2, 1, 0, 4, 4, 1), (2,) * 60])
def test_a_version_says_what_each_seat_was(codes):
    version = pack_version("plan", codes)
    assert unpack_version(version, "plan", len(codes)) == codes
    assert unpack_version(version, "other plan", len(codes)) is None
    assert unpack_version(version, "plan", len(codes) + 1) is None


@pytest.mark.parametrize("garbage", ["", "x", "=", "abc\ud800", "ä", "A" * 1999, "A" * 100_000, "-_-_", "Zm9v", "a b"])
def test_garbage_is_no_version(garbage):
    assert unpack_version(garbage, "plan", 45) is None


def test_versions_are_short_and_need_no_escaping():
    version = pack_version("plan", (4,) * 45)
    assert len(version) < 40
    assert set(version) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.asyncio(loop_scope="module")
async def test_only_the_changed_seats_are_sent_even_by_another_process(coach, settings, here):
    async with Buyer(here, coach) as an, house(settings) as restarted, Buyer(restarted, coach) as bo:
        seats = path(coach, "ae", "seats").removeprefix("/api/v1")
        first = (await bo.client.get(seats)).json()
        assert len(first["seats"]) == 45
        await an.lock("ac", "1A", "1B")

        second = (await bo.client.get(f"{seats}&since={first['version']}")).json()
        assert [(seat["number"], seat["status"]) for seat in second["seats"]] == [("1A", "locked"), ("1B", "locked")]
        third = (await bo.client.get(f"{seats}&since={second['version']}")).json()
        assert (third["seats"], third["version"]) == ([], second["version"])

        await an.lock("ac", "1B", "1C")
        mine = (await an.client.get(f"{seats}&since={second['version']}")).json()
        assert [(seat["number"], seat["status"]) for seat in mine["seats"]] == [
            ("1A", "available"), ("1B", "mine"), ("1C", "mine"),
        ]  # fmt: skip


@pytest.mark.asyncio(loop_scope="module")
async def test_a_version_of_something_else_gives_all_seats(coach, here):
    async with Buyer(here, coach) as an:
        seats, short = (path(coach, ride, "seats").removeprefix("/api/v1") for ride in ("ae", "ac"))
        version = (await an.client.get(short)).json()["version"]
        altered = base64.urlsafe_b64encode(b"\0" + base64.urlsafe_b64decode(version + "=" * (-len(version) % 4))[1:])
        for known in (version, altered.decode().rstrip("="), "nonsense", "%01", "%F0%9F%9A%8C"):
            answer = (await an.client.get(f"{seats}&since={known}")).json()
            assert len(answer["seats"]) == 45, known


@pytest.mark.asyncio(loop_scope="module")
async def test_an_unchanged_map_is_not_sent(coach, here):
    async with Buyer(here, coach) as an:
        seats = path(coach, "ae", "seats").removeprefix("/api/v1")
        first = await an.client.get(seats)
        tag = {"If-None-Match": first.headers["etag"]}
        assert (await an.client.get(seats, headers=tag)).status_code == 304
        await an.lock("ac", "1A")
        assert (await an.client.get(seats, headers=tag)).status_code == 200
