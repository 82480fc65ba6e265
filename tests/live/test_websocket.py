"""What watchers are told over a WebSocket."""

import asyncio
import json
import time
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest
from tests.live.theatre import PROMISED_SECONDS, SOON, Buyer, house, path, quickest, until, watching
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from farebox import server
from farebox.api.live import _is_foreign
from farebox.core.ids import new_id
from farebox.edge import sockets
from farebox.inventory import HoldTerms, Want, block, confirm, release, take, unblock

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOST_WORK_SECONDS = 1.0
"""Of the processor, for somebody who says too much."""


def want(coach, ride, *seats):
    first, end = ("abcde".index(letter) for letter in ride)
    return Want(coach.departure.inventory_id, tuple(coach.unit(seat) for seat in seats), first, end)


async def test_a_hold_made_through_one_server_is_seen_at_another(coach, here, there):
    async with watching(there, coach) as eyes, Buyer(here, coach) as an:
        assert set(eyes.seats.values()) == {"available"}
        assert len(eyes.seats) == 45
        assert (await an.lock("ae", "1A", "1B")).status_code == 201
        await eyes.sees(s1A="locked", s1B="locked")
        assert eyes.messages[-1] == {
            "type": "delta",
            "since": 1,
            "version": 2,
            "seats": [{"number": "1A", "status": "locked"}, {"number": "1B", "status": "locked"}],
        }
        assert (await an.extend()).status_code == 200
        assert await eyes.hears_nothing()
        await an.lock("ac", "1B", "1C")
        await eyes.sees(s1A="available", s1B="locked", s1C="locked")
        await an.release()
        await eyes.sees(s1A="available", s1B="available", s1C="available")
        assert await quickest(an, eyes, "2A", "2B", "2C", "2D") < PROMISED_SECONDS


async def test_each_stretch_hears_of_its_own_legs_only(coach, here, there):
    async with (
        watching(there, coach, "ac") as first_half,
        watching(there, coach, "ce") as second_half,
        watching(there, coach, "bd") as across,
        Buyer(here, coach) as an,
    ):
        await an.lock("ac", "1A")
        await first_half.sees(s1A="locked")
        await across.sees(s1A="locked")
        assert await second_half.hears_nothing()
        await an.lock("ce", "1A")
        await first_half.sees(s1A="available")
        await second_half.sees(s1A="locked")
        assert await across.hears_nothing()  # b-c was theirs, c-d is now: the same seat is locked on b-d


async def test_what_the_office_and_the_cashier_do_is_seen(coach, there, here):
    database, terms = here.services.database, HoldTerms.of(coach.settings)
    async with watching(there, coach) as eyes:
        async with database.begin() as work:
            hold = await take(work, [want(coach, "ac", "2A")], owner="guest:1", terms=terms)
        await eyes.sees(s2A="locked")
        async with database.begin() as work:
            await confirm(work, hold.id)
        await eyes.sees(s2A="occupied")
        async with database.begin() as work:
            broken = await block(work, [want(coach, "ae", "2B")], owner="crew")
        await eyes.sees(s2B="blocked")
        async with database.begin() as work:
            await unblock(work, broken.id)
            await release(work, hold.id)
        await eyes.sees(s2A="available", s2B="available")


async def test_what_was_rolled_back_is_not_told(coach, here):
    async with watching(here, coach) as eyes:
        work = here.services.database.open()
        await take(work, [want(coach, "ac", "2A")], owner="guest:1", terms=HoldTerms.of(coach.settings))
        await work.abandon()
        assert await eyes.hears_nothing()


async def test_only_the_holder_sees_a_seat_as_mine(coach, here, there):
    async with (
        Buyer(here, coach) as an,
        Buyer(here, coach) as bo,
        watching(there, coach, token=an.token) as an_eyes,
        watching(here, coach, token=an.token) as an_elsewhere,
        watching(there, coach, token=bo.token) as bo_eyes,
        watching(there, coach) as somebody,
    ):
        await an.lock("ac", "1A")
        await an_eyes.sees(s1A="mine")
        await an_elsewhere.sees(s1A="mine")
        await bo_eyes.sees(s1A="locked")
        await somebody.sees(s1A="locked")
        await bo.lock("ce", "1A", "1B")
        await an_eyes.sees(s1A="locked", s1B="locked")
        await bo_eyes.sees(s1A="locked", s1B="mine")
        async with watching(there, coach, token=an.token) as second_tab:
            assert (second_tab.seats["1A"], second_tab.seats["1B"]) == ("locked", "locked")
            await bo.release()
            await second_tab.sees(s1A="mine", s1B="available")
        await an_eyes.sees(s1A="mine", s1B="available")
        await an.release()
        await an_eyes.sees(s1A="available")
        await somebody.sees(s1A="available", s1B="available")


async def test_a_new_visitor_who_watches_already_gets_a_view_of_their_own(coach, here):
    """One token, three tabs on two stretches; versions go on where they were."""
    async with (
        Buyer(here, coach) as an,
        Buyer(here, coach) as bo,
        watching(here, coach, token=an.token) as whole,
        watching(here, coach, "ce", token=an.token) as part,
    ):
        await bo.lock("ae", "3A")
        await whole.sees(s3A="locked")
        await part.sees(s3A="locked")
        await an.lock("ac", "1A")
        await whole.sees(s1A="mine")
        assert await part.hears_nothing()
        assert [message["version"] for message in whole.messages] == [1, 2, 3]


async def test_a_snapshot_on_request_but_no_more_than_one_a_second(coach, here):
    async with watching(here, coach) as eyes, Buyer(here, coach) as an:
        await an.lock("ae", "1A")
        await eyes.sees(s1A="locked")
        ask = json.dumps({"type": "snapshot"})
        begun = asyncio.get_running_loop().time()
        for _ in range(2):
            await eyes.connection.send(ask)
        first, second = await eyes.next(), await eyes.next()
        assert first == second
        assert (first["type"], first["version"], len(first["seats"])) == ("snapshot", 2, 45)
        assert asyncio.get_running_loop().time() - begun > 1


@pytest.mark.parametrize("said", ["[]", '{"type": "delta"}', '"snapshot"', '{"type":"snapshot","more":1}', "1", b"{}"])
async def test_what_means_nothing_is_ignored(coach, here, said):
    async with watching(here, coach) as eyes:
        await eyes.connection.send(said)
        assert await eyes.hears_nothing(0.1)
        pong = await eyes.connection.ping()
        await asyncio.wait_for(pong, SOON)


@pytest.mark.parametrize(
    ("said", "code"),
    [("", 1008), ("{", 1008), (b"\xff", 1008), ("[" * 4000, 1008), (" " * 4097, 1009), (["{}" * 1024] * 3, 1009)],
)
async def test_bad_frames_end_the_connection(coach, here, said, code):
    async with watching(here, coach) as eyes:
        await eyes.connection.send(said)
        with pytest.raises(ConnectionClosed) as closed:
            await eyes.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code


async def refused(house, address, **headers):
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(f"ws://127.0.0.1:{house.port}{address}", additional_headers=headers):
            pass
    response = refusal.value.response
    assert response.headers["content-type"].startswith("application/problem+json")
    problem = json.loads(response.body or b"")
    assert (problem["status"], problem["title"]) == (response.status_code, HTTPStatus(response.status_code).phrase)
    return response.status_code, problem["code"]


async def test_what_cannot_be_watched_is_refused_by_http(coach, here):
    assert await refused(here, f"/api/v1/trips/{new_id()}/live") == (404, "departure-not-found")
    assert await refused(here, "/api/v1/trips/nonsense/live") == (404, "departure-not-found")
    assert await refused(here, path(coach, "ca")) == (422, "not-boardable")
    assert await refused(here, path(coach, "ab")) == (422, "not-boardable")
    assert await refused(here, f"/api/v1/trips/{coach.id}/live?from=nonsense") == (400, "invalid")
    assert await refused(here, path(coach), Authorization="Bearer fbg_nonsense") == (401, "credential-required")
    assert here.services.live.is_idle


async def test_a_refusal_is_no_error_of_ours(coach, here, caplog):
    await refused(here, "/api/v1/trips/nonsense/live")
    async with watching(here, coach):
        pass
    await until(lambda: here.services.live.is_idle)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    "frame", [b"\x8a\x80____", b"\x89\x80____", b"\x81\x82____\x24\x22"], ids=["pongs", "pings", "{}"]
)
async def test_a_client_that_talks_without_end_is_sent_away_before_it_costs_others_time(coach, here, frame):
    async with watching(here, coach) as eyes, watching(here, coach) as other:
        transport = eyes.connection.transport
        begun = time.thread_time()
        transport.write(frame * (4_000_000 // len(frame)))
        with pytest.raises(ConnectionClosed):
            await eyes.next(SOON)
        await until(lambda: here.services.live.count == 1)
        assert time.thread_time() - begun < MOST_WORK_SECONDS
        await asyncio.wait_for(await other.connection.ping(), SOON)


async def test_a_client_that_asks_as_often_as_it_may_is_not_sent_away(coach, here, monkeypatch):
    monkeypatch.setattr(sockets, "MOST_SAID", 100)  # twice what is said at once, half of what is said in all
    async with watching(here, coach) as eyes:
        for _ in range(4):
            await asyncio.wait_for(await eyes.connection.ping(b"x" * 40), SOON)
            await asyncio.sleep(0.05)


async def test_a_page_of_somebody_else_cannot_use_the_visitors_cookie(coach, here):
    async with Buyer(here, coach) as an:
        await an.lock("ae", "1A")
        cookie = {"Cookie": f"farebox_session={an.token}"}
        for origin in ("https://evil.example", "null", f"http://127.0.0.1:{here.port + 1}", "http://["):
            assert await refused(here, path(coach), Origin=origin, **cookie) == (403, "not-allowed")
        for origin in (here.url, coach.settings.base_url):
            async with watching(here, coach, headers={"Origin": origin} | cookie) as own:
                assert own.seats["1A"] == "mine"
        async with watching(here, coach, headers=cookie) as program:
            assert program.seats["1A"] == "mine"
        async with watching(here, coach, headers={"Origin": "https://evil.example"}) as anybody:
            assert anybody.seats["1A"] == "locked"


async def test_the_state_is_dropped_with_the_last_watcher(coach, here):
    live = here.services.live
    async with watching(here, coach), watching(here, coach, "ac"):
        assert not live.is_idle
    await until(lambda: live.is_idle)


async def test_a_server_that_stops_says_so_at_once(coach, settings):
    async with house(settings) as ending, watching(ending, coach) as eyes:
        begun = asyncio.get_running_loop().time()
        ending.server.should_exit = True
        with pytest.raises(ConnectionClosed) as closed:
            await eyes.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
    assert asyncio.get_running_loop().time() - begun < server.REQUEST_GRACE_SECONDS


@pytest.mark.parametrize(
    ("headers", "is_foreign"),
    [
        ({"origin": "https://shop.example", "host": "shop.example"}, False),
        ({"origin": "https://shop.example", "host": "127.0.0.1:8000"}, False),
        ({"origin": "https://old.example", "host": "old.example"}, False),
        ({"origin": "http://shop.example", "host": "shop.example"}, True),
        ({"origin": "https://shop.example.evil.example", "host": "shop.example"}, True),
        ({"origin": "null", "host": "shop.example"}, True),
        ({"sec-fetch-site": "same-site", "host": "shop.example"}, True),
        ({"sec-fetch-site": "none", "host": "shop.example"}, False),
        ({"host": "shop.example"}, False),
    ],
)
async def test_which_pages_are_ours(headers, is_foreign):
    connection: Any = SimpleNamespace(headers=headers)
    assert _is_foreign(connection, "https://shop.example") is is_foreign
