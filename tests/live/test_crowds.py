"""Too many watchers, and watchers who do not read."""

import asyncio
import socket

import pytest
import websockets
from msgspec.structs import replace
from tests.live.theatre import SOON, Buyer, house, path, until, watching
from websockets.asyncio.client import connect

from farebox.core.metrics import WATCHERS, WATCHERS_DROPPED
from farebox.edge import sockets

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def code_of(running, coach):
    async with connect(f"ws://127.0.0.1:{running.port}{path(coach)}") as connection:
        await asyncio.wait([asyncio.ensure_future(connection.recv())], timeout=SOON)
        return connection.close_code


async def test_a_process_has_so_many_watchers_and_no_more(coach, settings):
    async with house(replace(settings, live_watchers=2)) as small, watching(small, coach) as first:
        async with watching(small, coach, "ac"), Buyer(small, coach) as an:
            assert await code_of(small, coach) == 1013
            stream = await an.client.get(path(coach, "ae", "live/sse").removeprefix("/api/v1"))
            assert (stream.status_code, stream.json()["code"]) == (503, "too-many-watchers")
            assert int(stream.headers["retry-after"]) > 0
            await an.lock("ae", "1A")
            await first.sees(s1A="locked")
        await until(lambda: small.services.live.count == 1)
        assert await code_of(small, coach) is None


async def test_an_address_has_its_share_of_them(coach, settings, monkeypatch):
    monkeypatch.setattr("farebox.wiring.WATCHERS_OF_ONE_ADDRESS", 1)
    async with house(replace(settings, rate_limits="on")) as careful, watching(careful, coach):
        assert await code_of(careful, coach) == 1013
        behind_a_proxy = {"X-Forwarded-For": "192.0.2.7"}
        async with watching(careful, coach, headers=behind_a_proxy) as somebody_else:
            assert len(somebody_else.seats) == 45


async def test_connecting_has_a_bucket_of_its_own(coach, settings, monkeypatch):
    from farebox.edge.rate_limits import BUCKETS
    from farebox.edge.windows import Bucket

    monkeypatch.setitem(BUCKETS, "live", Bucket("live", 2))
    async with house(replace(settings, rate_limits="on")) as careful:
        for _ in range(2):
            async with watching(careful, coach):
                pass
        with pytest.raises(websockets.InvalidStatus) as refusal:
            await code_of(careful, coach)
        assert refusal.value.response.status_code == 429
        assert int(refusal.value.response.headers["retry-after"]) > 0


async def test_watchers_are_counted(coach, here):
    gauge = WATCHERS.labels("websocket")
    before = gauge._value.get()
    async with watching(here, coach), watching(here, coach):
        assert gauge._value.get() == before + 2
        async with Buyer(here, coach) as an:
            told = (await an.client.get(f"{here.url}/metrics")).text
            assert 'farebox_live_watchers{kind="websocket"}' in told


HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
REQUEST = "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def sleeper(running, request: str) -> socket.socket:
    """A client that asks, and never reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect(("127.0.0.1", running.port))
    client.sendall(request.encode())
    return client


async def drain(eyes) -> None:
    """Read what is there."""
    try:
        while True:
            await eyes.next(0.001)
    except TimeoutError:
        return


@pytest.mark.parametrize("kind", ["websocket", "sse"])
async def test_who_does_not_read_is_dropped_and_nobody_else_notices(coach, here, monkeypatch, kind):
    monkeypatch.setattr(sockets, "PATIENCE_SECONDS", 0.2)
    live = here.services.live
    request = (
        HANDSHAKE.format(path=path(coach))
        if kind == "websocket"
        else REQUEST.format(path=path(coach, "ae", "live/sse"))
    )
    client = sleeper(here, request)
    dropped = WATCHERS_DROPPED.labels(kind)._value.get()
    async with watching(here, coach) as eyes:
        await until(lambda: live.count == 2)
        async with asyncio.timeout(SOON):
            for _ in range(2000):
                if live.count == 1:
                    break
                for run in live._runs.values():  # what thousands of changes would do, in a moment
                    await live._tell([(p.snapshot(), p.watchers()) for p in run._pictures.values()])
                await asyncio.sleep(0)
                await drain(eyes)
        assert live.count == 1
        assert WATCHERS_DROPPED.labels(kind)._value.get() == dropped + 1
        async with Buyer(here, coach) as an:
            await an.lock("ae", "1A")
            await eyes.sees(s1A="locked")
    ours = client.getsockname()
    await until(lambda: all(each.client != ours for each in here.server.server_state.connections))
    client.close()


async def test_who_only_pings_and_does_not_read_the_answers_is_dropped(coach, here, monkeypatch):
    monkeypatch.setattr(sockets, "PATIENCE_SECONDS", 0.2)
    client = sleeper(here, HANDSHAKE.format(path=path(coach)))
    client.setblocking(False)
    ping = b"\x89\xfd\0\0\0\0" + b"x" * 125

    async def flood() -> None:
        while True:
            await asyncio.get_running_loop().sock_sendall(client, ping * 100)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(flood(), SOON)
    client.close()


async def test_who_asks_for_much_and_reads_none_of_it_is_cut_off(coach, here, monkeypatch):
    monkeypatch.setattr(sockets, "STALLED_SECONDS", 0.2)
    monkeypatch.setattr(sockets, "MOST_WAITING", 60)
    client = sleeper(here, REQUEST.format(path="/api/v1/openapi.json") * 60)
    ours = client.getsockname()
    await until(lambda: any(each.client == ours for each in here.server.server_state.connections))
    await until(lambda: all(each.client != ours for each in here.server.server_state.connections))
    client.close()
