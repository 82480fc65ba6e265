"""Servers that show seats live, each in this process with a socket of its own, and clients that watch them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from litestar import Litestar
from tests.coaches.coach import Coach
from websockets.asyncio.client import ClientConnection, connect

from farebox import server
from farebox.app import create_app
from farebox.background import show_live
from farebox.core.settings import Settings
from farebox.core.tls import authorities
from farebox.wiring import Services, build_services

PROMISED_SECONDS = 1.0
"""Within so many, everybody is told what has changed."""

SOON = 20.0
"""Seconds that a test waits for what must come. A busy machine may take its time; nothing else would bring it."""

SILENCE = 0.4
"""Long enough to believe that nothing comes."""


@dataclass
class House:
    """A server, as `farebox serve` runs it, without its jobs and its sweeper."""

    port: int
    services: Services
    server: uvicorn.Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def house(settings: Settings) -> AsyncIterator[House]:
    services = build_services(settings)

    @asynccontextmanager
    async def living(_: Litestar) -> AsyncIterator[None]:
        async with show_live(services):
            yield
        await services.dispose()

    config = server._config(create_app(services, lifespan=[living]))
    config.port = 0
    running = _Quiet(config)
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.01)
        assert not task.done(), task.exception()
    port = running.servers[0].sockets[0].getsockname()[1]
    yield House(port, services, running)
    running.should_exit = True
    await asyncio.wait_for(task, 2 * server.REQUEST_GRACE_SECONDS)


class _Quiet(uvicorn.Server):
    """Leaves the signals of the test process alone."""

    def capture_signals(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()


class Eyes:
    """A client that keeps its picture by the rules, and asserts that the server does."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.version = 0
        self.seats: dict[str, str] = {}
        self.messages: list[dict[str, Any]] = []

    async def next(self, within: float = SOON) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await asyncio.wait_for(self.connection.recv(), within))
        self.take(message)
        return message

    def take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        changed = {seat["number"]: seat["status"] for seat in message["seats"]}
        if message["type"] == "snapshot":
            self.seats = changed
        else:
            assert message["type"] == "delta"
            assert message["since"] == self.version
            assert message["version"] > self.version
            assert all(self.seats[number] != status for number, status in changed.items())
            self.seats |= changed
        self.version = message["version"]

    async def sees(self, within: float = SOON, **expected: str) -> float:
        """Wait until these seats look like this ("s1A"); how long it took."""
        wanted = {number.removeprefix("s"): status for number, status in expected.items()}
        begun = time.monotonic()
        while any(self.seats[number] != status for number, status in wanted.items()):
            await self.next(within - (time.monotonic() - begun))
        return time.monotonic() - begun

    async def hears_nothing(self, seconds: float = SILENCE) -> bool:
        try:
            await asyncio.wait_for(self.connection.recv(), seconds)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def watching(
    house: House, coach: Coach, ride: str = "ae", *, token: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[Eyes]:
    """Somebody watching a ride such as "ac", who has had the snapshot."""
    own = {"Authorization": f"Bearer {token}"} if token else {}
    address = f"ws://127.0.0.1:{house.port}{path(coach, ride)}"
    async with connect(address, additional_headers=own | (headers or {}), compression=None) as connection:
        eyes = Eyes(connection)
        first = await eyes.next()
        assert first["type"] == "snapshot"
        assert first["tripId"] == str(coach.id)
        yield eyes


async def quickest(buyer: "Buyer", eyes: Eyes, *seats: str) -> float:
    """Seconds from a wish for a seat until it is seen, at best: a busy machine may hold up one or the other.

    The first does not count: a reading unasked may have come just then, which it cannot do a second time so soon.
    """
    taken = []
    for seat in seats:
        begun = time.monotonic()
        await buyer.lock("ae", seat)
        await eyes.sees(SOON, **{f"s{seat}": "locked"})
        taken.append(time.monotonic() - begun)
    return min(taken[1:])


def path(coach: Coach, ride: str = "ae", kind: str = "live") -> str:
    return f"/api/v1/trips/{coach.id}/{kind}?from={coach.stop(ride[0])}&to={coach.stop(ride[1])}"


async def until(is_so: Callable[[], bool], within: float = SOON) -> None:
    async with asyncio.timeout(within):
        while not is_so():  # noqa: ASYNC110  (anything, not just events)
            await asyncio.sleep(0.01)


class Buyer:
    """A guest with a token, who holds seats through HTTP."""

    def __init__(self, house: House, coach: Coach) -> None:
        self.client = httpx.AsyncClient(base_url=house.url + "/api/v1", verify=authorities())
        self.coach = coach
        self.token = ""
        self.lock_id = ""

    async def __aenter__(self) -> "Buyer":
        answer = await self.client.post("/guest-sessions")
        self.token = answer.json()["guestToken"]
        self.client.headers["Authorization"] = f"Bearer {self.token}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def lock(self, ride: str, *seats: str) -> httpx.Response:
        stops = {"from": str(self.coach.stop(ride[0])), "to": str(self.coach.stop(ride[1]))}
        body = {"tripId": str(self.coach.id), "seatNumbers": seats, **stops}
        answer = await self.client.post("/seats/lock", json=body)
        self.lock_id = answer.json().get("lockId", "")
        return answer

    async def extend(self) -> httpx.Response:
        return await self.client.patch(f"/seats/lock/{self.lock_id}/extend")

    async def release(self) -> httpx.Response:
        return await self.client.delete(f"/seats/lock/{self.lock_id}")
