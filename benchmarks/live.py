"""Live seat maps: how soon a change of one trip is seen by all who watch it, and what a watcher costs the server."""

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import psycopg

from benchmarks.measure import Growth, Result
from benchmarks.stage import Client, Stage, serving

SIZES = (500, 5_000)
PROMISED_SIZE = 5_000
PROMISED_MS = 1_000
BEYOND = 50_000
"""Measured too, where a process may have so many files open."""

SPARE_FILES = 1_000
CHANGES = 20
PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 120

_TRIP = """
    SELECT id FROM departure WHERE status = 'scheduled' AND base_at BETWEEN %s AND %s ORDER BY base_at, id LIMIT 1
"""


def measure_live(stage: Stage) -> tuple[list[Result], list[Growth]]:
    """Holds on one trip, from the request until the last watcher has been told, with ten times the watchers each time.

    The last size is left out where the system does not allow so many open files; the results say so.
    """
    limit = _allow_many_files()
    is_bounded = limit < BEYOND + SPARE_FILES
    sizes = SIZES if is_bounded else (*SIZES, BEYOND)
    os.environ["FAREBOX_LIVE_WATCHERS"] = str(max(sizes) + SPARE_FILES)
    results, p99s, costs = [], [], []
    for size in sizes:
        with serving(stage) as port:
            times, kilobytes = asyncio.run(_measure(stage, port, size))
        p99 = times[int(len(times) * 0.99)]
        p99s.append((float(size), p99))
        costs.append((float(size), kilobytes))
        facts = f"p99 {p99:.0f} ms, last {times[-1]:.0f} ms; {kilobytes:.1f} kB a watcher"
        name = f"{size:,} watchers see a change"
        p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
        results.append(Result("Live", name, len(times), p50, p95, facts))
        if size == PROMISED_SIZE:
            bound = f"{BEYOND:,} not measured: {limit:,} open files allowed" if is_bounded else ""
            results.append(Result("Live", f"p99 of {size:,} watchers", 1, p99, facts=bound, target=PROMISED_MS))
    del os.environ["FAREBOX_LIVE_WATCHERS"]
    return results, [
        Growth("a change is seen, p99", "watchers", "ms", p99s),
        Growth("memory a watcher", "watchers", "kB", costs),
    ]


async def _measure(stage: Stage, port: int, size: int) -> tuple[list[float], float]:
    """Milliseconds of each watcher and change, sorted; kilobytes of the server for each watcher."""
    trip = _find_trip(stage)
    server = server_on(port)
    before = _memory(server)
    with _watchers(port, trip, size) as crowd:
        await asyncio.sleep(PAUSE_SECONDS)
        kilobytes = (_memory(server) - before) / size / 1024
        client = await Client(port).open()
        client.token = (await client.post("/guest-sessions"))["guestToken"]
        seats = [seat["number"] for seat in (await client.get(f"/trips/{trip}/seats"))["seats"]]
        begun = []
        for number in range(CHANGES):
            begun.append(time.monotonic())
            held = await client.post("/seats/lock", {"tripId": trip, "seatNumbers": [seats[number % 2]]})
            await asyncio.sleep(PAUSE_SECONDS)
        arrivals = crowd.tell()
        await client.send("DELETE", f"/seats/lock/{held['lockId']}")
        await client.close()
    assert all(len(each) == CHANGES for each in arrivals), "each change is one message for each watcher"
    times = [(at - start) * 1000 for each in arrivals for at, start in zip(each, begun, strict=True)]
    return sorted(times), kilobytes


class _Crowd:
    """The watchers, in a process of their own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def tell(self) -> list[list[float]]:
        """When each of them got each message."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        told: list[list[float]] = json.loads(self.read())
        return told

    def read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def _watchers(port: int, trip: str, size: int) -> Iterator[_Crowd]:
    command = [sys.executable, "-m", "benchmarks.watching", str(port), f"/api/v1/trips/{trip}/live", str(size)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    )
    try:
        crowd = _Crowd(process)
        if crowd.read() != "watching":
            raise RuntimeError("not everybody could watch")
        yield crowd
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)


def _find_trip(stage: Stage) -> str:
    now = datetime.now(UTC)
    with psycopg.connect(stage.dsn) as connection:
        row = connection.execute(_TRIP, (now + timedelta(days=2), now + timedelta(days=20))).fetchone()
    assert row is not None, "something must be on sale"
    return str(row[0])


def server_on(port: int) -> psutil.Process:
    listening: Sequence[int | None] = [
        each.pid
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port
    ]
    return psutil.Process(listening[0])


def _memory(process: psutil.Process) -> int:
    """Bytes that would be free without it."""
    return int(process.memory_full_info().pss)


def _allow_many_files() -> int:
    """As many open files as the system lets us have, the programs that we start too; how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
