"""Whether everything works again after a fault, not only what was asked for first: jobs, sweeper, live maps."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import psycopg
from tests.market import LEGS, Market, Trip, begin_payment, book, lock, pay
from tests.servers import Server, leave

WHOLE = (0, LEGS)
SOON_SECONDS = 60
"""Within so long after the fault the background works again: a few times its longest pause between tries."""

SEEN_SECONDS = 20
"""A watcher sees a change so soon, signals or not: watched trips are read again every few seconds."""


async def check_all_works(shop: Market, trip: Trip) -> None:
    """A seat is sold on a trip that nobody else uses: with tickets, mail, live maps; and what runs out is freed.

    Every part is tried at every server where it is a server's own.
    """
    *buyers, watcher_of_change = await shop.buyers(len(shop.servers) + 1)
    for number, buyer in enumerate(buyers):
        async with watching(shop.servers, trip) as watchers:
            seat = shop.seats[number]
            held = await lock(buyer, trip, WHOLE, [seat])
            assert held.status == 201, held
            for watcher in watchers:
                await asyncio.wait_for(watcher.sees(seat, "locked"), SEEN_SECONDS)
        made = await book(buyer, [held.body])
        payment = await begin_payment(buyer, made.body["bookingId"])
        assert [made.status, payment.status] == [201, 201], (made, payment)
        assert (await pay(buyer, payment.body["paymentId"])).status == 200
    unpaid = await lock(watcher_of_change, trip, WHOLE, [shop.seats[-1]])
    assert unpaid.status == 201, unpaid
    with psycopg.connect(shop.dsn, autocommit=True) as connection:
        for table in ("claim", "hold"):
            key = "hold_id" if table == "claim" else "id"
            connection.execute(
                f"UPDATE {table} SET expires_at = now() - interval '1 s' WHERE {key} = %s", [unpaid.body["lockId"]]
            )
        await _until(connection, "the sweeper sweeps", "SELECT state = 'expired' FROM hold WHERE id = %s", unpaid)
        await _until(
            connection,
            "jobs are done",
            "SELECT (SELECT count(*) FROM message) > 0 AND NOT EXISTS (SELECT FROM procrastinate_jobs"
            " WHERE status = 'todo' AND queueing_lock IS NULL AND attempts = 0)",
        )
    await leave([*buyers, watcher_of_change])


class Watcher:
    """Somebody who looks at a live seat map."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self._seats: dict[str, str] = {}

    async def sees(self, seat: str, status: str) -> None:
        while self._seats.get(seat) != status:
            line = await anext(self._lines)
            if line.startswith("data:"):
                told = json.loads(line.removeprefix("data:"))
                self._seats.update((each["number"], each["status"]) for each in told.get("seats", ()))


@asynccontextmanager
async def watching(servers: Sequence[Server], trip: Trip) -> AsyncIterator[list[Watcher]]:
    """One watcher at each server, who has seen the whole map once."""
    async with httpx.AsyncClient(timeout=30) as client:
        watchers, streams = [], []
        for server in servers:
            stream = client.stream("GET", f"{server.url}/api/v1/trips/{trip.id}/live/sse")
            response = await stream.__aenter__()
            assert response.status_code == 200, await response.aread()
            streams.append(stream)
            watchers.append(Watcher(response))
        try:
            yield watchers
        finally:
            for stream in streams:
                await stream.__aexit__(None, None, None)


async def _until(connection, what, query, lock=None):
    deadline = time.monotonic() + SOON_SECONDS
    while connection.execute(query, [lock.body["lockId"]] if lock else None).fetchone() != (True,):
        assert time.monotonic() < deadline, f"not within {SOON_SECONDS} s: {what}"
        await asyncio.sleep(0.1)
