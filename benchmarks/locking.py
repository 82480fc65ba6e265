"""Holding seats through HTTP at full load: `POST /seats/lock` on one server process.

Each connection is a visitor of its own, who leaves after a few holds for the next one to come; each request asks for
two seats on three legs, no two requests for the same. Requests and the visitors' sessions are made before, so that the
client, in a process of its own, has little more to do than to send and to read: on the same machine its work counts
too.
"""

import asyncio
import json
import multiprocessing
import random
import signal
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import psycopg
import uvloop

from benchmarks.kernel import DEPARTURES, OWNER, Market, run_pgbench
from benchmarks.live import server_on
from benchmarks.measure import Ratio, Result, summarise
from benchmarks.profiled import shares
from benchmarks.stage import Stage, serving
from farebox.accounts import open_guest_session
from farebox.core.db import Database

CONNECTIONS = 64
WARM_UP = 8_000
REQUESTS = 10_000
ROUNDS = 3
PGBENCH_CONNECTIONS = 16
RIDES = 4_000
"""Stretches of departures, drawn from all that are on sale; some tens of seats each."""
LEGS = 3
SEATS = 2
HOLDS_EACH = 5
"""Departures on which one visitor holds seats."""

SEED = 20261120
SHARE_OF_PGBENCH = 0.35
P99_TARGET_MS = 60

_RIDES = """
    SELECT d.id, a.stop_id, b.stop_id, jsonb_path_query_array(p.document, '$.seats[*].number')
      FROM departure d
      JOIN seat_plan p ON p.id = d.seat_plan_id
      JOIN call a ON a.journey_id = d.journey_id
      JOIN call b ON b.journey_id = d.journey_id AND b.position = a.position + %(legs)s
     WHERE a.position %% %(legs)s = 0 AND a.pickup <> 1 AND b.dropoff <> 1 AND d.status = 'scheduled'
       AND d.base_at + (a.departure_s - d.sales_close_s) * interval '1 second' > %(now)s + interval '1 hour'
       AND NOT EXISTS (SELECT FROM claim WHERE claim.inventory_id = d.inventory_id)
     ORDER BY md5(d.id::text), a.position
     LIMIT %(rides)s
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load: seconds it took, milliseconds of each request, and how many were not granted."""

    seconds: float
    times: list[float]
    refused: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.times) / self.seconds

    @property
    def p99(self) -> float:
        """Milliseconds."""
        return sorted(self.times)[int(len(self.times) * 0.99)]


def measure_locking(stage: Stage) -> tuple[list[Result], list[Ratio], Mapping[str, float]]:
    """Holds a second at full load, in turns with pgbench; how long each takes; and where the server's time goes."""
    loads_drawn = asyncio.run(_prepare(stage, [WARM_UP, WARM_UP, *[REQUESTS] * (ROUNDS + 1)]))
    warm_ups, rounds, last = loads_drawn[:2], loads_drawn[2:-1], loads_drawn[-1]
    market = _open_market(stage)
    loads, rates = [], []
    counts = stage.home / "profile.json"
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as client:
        with serving(stage) as port:
            client.submit(drive, port, warm_ups[0]).result()
            for requests in rounds:
                rates.append(run_pgbench(stage.dsn, market, PGBENCH_CONNECTIONS))
                loads.append(client.submit(drive, port, requests).result())
        with serving(stage, (sys.executable, "-m", "benchmarks.profiled", str(counts))) as port:
            client.submit(drive, port, warm_ups[1]).result()
            server_on(port).send_signal(signal.SIGUSR1)
            client.submit(drive, port, last).result()
    _close_market(stage, market)
    if refused := sum(load.refused for load in loads):
        raise RuntimeError(f"{refused} holds were refused")
    load = sorted(loads, key=lambda each: each.rate)[ROUNDS // 2]
    name = f"hold two seats, HTTP, {CONNECTIONS} connections"
    facts = f"one server process; p99 {load.p99:.0f} ms"
    return (
        [
            summarise("Seats", name, load.times),
            Result("Seats", "the slowest of a hundred of these", 1, load.p99, target=P99_TARGET_MS),
        ],
        [Ratio("Seats", name, load.rate, statistics.median(rates), "pgbench, spread", SHARE_OF_PGBENCH, facts)],
        shares(counts),
    )


def drive(port: int, shares: Sequence[Sequence[bytes]]) -> Load:
    """Send each connection's share of requests, one after another, all connections at once."""
    return uvloop.run(_drive(port, shares))


async def _drive(port: int, shares: Sequence[Sequence[bytes]]) -> Load:
    loop = asyncio.get_running_loop()
    visitors = [_Visitor(share, loop.create_future()) for share in shares]
    for visitor in visitors:
        await loop.create_connection(lambda visitor=visitor: visitor, "127.0.0.1", port)  # type: ignore[misc]
    begun = time.perf_counter()
    for visitor in visitors:
        visitor.send_next()
    await asyncio.gather(*(visitor.done for visitor in visitors))
    seconds = time.perf_counter() - begun
    times = [each for visitor in visitors for each in visitor.times]
    return Load(seconds, times, sum(visitor.refused for visitor in visitors))


class _Visitor(asyncio.Protocol):
    """One kept-alive connection, which sends its next request when the answer to the last one is there."""

    def __init__(self, requests: Sequence[bytes], done: "asyncio.Future[None]") -> None:
        self._requests = iter(requests)
        self.done = done
        self.times: list[float] = []
        self.refused = 0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server has closed the connection"))

    def send_next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._begun = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, _, body = self._answer.partition(b"\r\n\r\n")
        _, _, length = head.partition(b"content-length: ")
        if not length or len(body) < int(length.partition(b"\r\n")[0]):
            return
        self.times.append((time.perf_counter() - self._begun) * 1000)
        self.refused += not self._answer.startswith(b"HTTP/1.1 201")
        self._answer = b""
        self.send_next()


def _open_market(stage: Stage) -> Market:
    """Runs beside those of the timetable, for pgbench."""
    with psycopg.connect(stage.dsn, autocommit=True) as connection:
        row = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM inventory").fetchone()
        assert row is not None
        market = Market("beside", row[0], row[0] + DEPARTURES - 1)
        connection.execute(
            "INSERT INTO inventory (id, units, slots) OVERRIDING SYSTEM VALUE"
            " SELECT id, %s, %s FROM generate_series(%s::bigint, %s) AS id",
            (market.units, market.slots, market.first, market.last),
        )
        connection.execute("VACUUM ANALYZE inventory")
    return market


def _close_market(stage: Stage, market: Market) -> None:
    with psycopg.connect(stage.dsn, autocommit=True) as connection:
        for column, table in (("inventory_id", "claim"), ("id", "inventory")):
            connection.execute(f"DELETE FROM {table} WHERE {column} BETWEEN %s AND %s", (market.first, market.last))
        connection.execute("DELETE FROM hold WHERE owner = %s", (OWNER,))


async def _prepare(stage: Stage, counts: Sequence[int]) -> list[list[list[bytes]]]:
    """For each count so many requests for seats that are free, shared out to the connections."""
    database = Database(stage.dsn)
    wishes = await draw_wishes(database, sum(counts))
    loads = []
    for count in counts:
        drawn, wishes = wishes[:count], wishes[count:]
        shared = [drawn[number::CONNECTIONS] for number in range(CONNECTIONS)]
        tokens = iter(await open_sessions(database, sum(len(share) // HOLDS_EACH + 1 for share in shared)))
        loads.append([_requests(share, [next(tokens) for _ in range(0, len(share), HOLDS_EACH)]) for share in shared])
    await database.dispose()
    return loads


async def draw_wishes(database: Database, count: int) -> list[dict[str, Any]]:
    """Pairs of seats on rides of three legs, in random order."""
    wishes: list[dict[str, Any]] = []
    async with database.begin() as work:
        cursor = await work.execute(_RIDES, {"legs": LEGS, "now": work.now, "rides": RIDES})
        for departure_id, from_id, to_id, numbers in await cursor.fetchall():
            ride = {"tripId": str(departure_id), "from": str(from_id), "to": str(to_id)}
            pairs = (numbers[first : first + SEATS] for first in range(0, len(numbers) - SEATS + 1, SEATS))
            wishes.extend({**ride, "seatNumbers": pair} for pair in pairs)
    if len(wishes) < count:
        raise RuntimeError(f"only {len(wishes)} rides of {LEGS} legs for two, {count} needed; take a larger feed")
    return random.Random(SEED).sample(wishes, count)


async def open_sessions(database: Database, count: int) -> list[str]:
    async with database.begin() as work:
        return [(await open_guest_session(work, ttl_seconds=3600))[1] for _ in range(count)]


def _requests(wishes: Sequence[dict[str, Any]], tokens: Sequence[str]) -> list[bytes]:
    requests = []
    for number, wish in enumerate(wishes):
        body = json.dumps(wish).encode()
        head = (
            "POST /api/v1/seats/lock HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
            f"Authorization: Bearer {tokens[number // HOLDS_EACH]}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests
