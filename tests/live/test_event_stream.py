"""What watchers are told by server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from tests.live.theatre import SOON, Buyer, house, path, until

from farebox import server
from farebox.api import live
from farebox.core.ids import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def listening(running, coach, ride="ae", **headers) -> AsyncIterator[AsyncIterator[dict[str, str]]]:
    async with (
        httpx.AsyncClient(base_url=running.url) as client,
        client.stream("GET", path(coach, ride, "live/sse"), headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers
        yield events(answer)


async def events(answer: httpx.Response) -> AsyncIterator[dict[str, str]]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if not line:
            yield fields
            fields = {}
            continue
        name, _, value = line.partition(":")
        fields[name] = value.strip()


async def following(stream, within=SOON):
    return await asyncio.wait_for(anext(stream), within)


async def test_events_carry_what_the_websocket_sends(coach, here, there):
    async with listening(there, coach) as stream, Buyer(here, coach) as an:
        first = await following(stream)
        assert (first["event"], first["id"]) == ("snapshot", "1")
        assert len(json.loads(first["data"])["seats"]) == 45
        await an.lock("ae", "1A")
        second = await following(stream)
        assert (second["event"], second["id"]) == ("delta", "2")
        assert json.loads(second["data"]) == {
            "type": "delta",
            "since": 1,
            "version": 2,
            "seats": [{"number": "1A", "status": "locked"}],
        }


async def test_the_stream_says_something_now_and_then(coach, here, monkeypatch):
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.05)
    async with listening(here, coach) as stream:
        await following(stream)
        assert await following(stream) == {"": ""}  # a comment
        assert await following(stream) == {"": ""}


async def test_it_is_refused_before_it_begins(coach, here):
    async with Buyer(here, coach) as an:
        cookie = {"Cookie": f"farebox_session={an.token}"}
        for address, headers, status, code in (
            (f"/trips/{new_id()}/live/sse", {}, 404, "departure-not-found"),
            (path(coach, "ca", "live/sse").removeprefix("/api/v1"), {}, 422, "not-boardable"),
            (f"/trips/{coach.id}/live/sse?from=nonsense", {}, 400, "invalid"),
            (f"/trips/{coach.id}/live/sse", {"Origin": "https://evil.example"} | cookie, 403, "not-allowed"),
            (f"/trips/{coach.id}/live/sse", {"Sec-Fetch-Site": "cross-site"} | cookie, 403, "not-allowed"),
        ):
            del an.client.headers["Authorization"]
            answer = await an.client.get(address, headers=headers)
            an.client.headers["Authorization"] = f"Bearer {an.token}"
            assert (answer.status_code, answer.json()["code"]) == (status, code), address
    assert here.services.live.is_idle


async def test_the_visitors_own_page_sees_what_is_theirs(coach, here):
    async with Buyer(here, coach) as an:
        await an.lock("ae", "1A")
        own = {"Cookie": f"farebox_session={an.token}", "Sec-Fetch-Site": "same-origin"}
        async with listening(here, coach, **own) as stream:
            seats = {seat["number"]: seat["status"] for seat in json.loads((await following(stream))["data"])["seats"]}
            assert (seats["1A"], seats["1B"]) == ("mine", "available")


async def test_who_has_gone_is_forgotten(coach, here):
    async with listening(here, coach) as stream:
        await following(stream)
        assert not here.services.live.is_idle
    await until(lambda: here.services.live.is_idle)


async def test_a_server_that_stops_does_not_wait_for_streams(coach, settings):
    async with house(settings) as ending, listening(ending, coach) as stream:
        await following(stream)
        begun = asyncio.get_running_loop().time()
        ending.server.should_exit = True
        with pytest.raises((httpx.RemoteProtocolError, StopAsyncIteration)):
            await following(stream)
    assert asyncio.get_running_loop().time() - begun < server.REQUEST_GRACE_SECONDS
