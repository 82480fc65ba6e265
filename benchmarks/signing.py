"""Signing in, and what others notice of it: `POST /auth/login` by many at once while seat maps are asked for.

A password takes some hundredths of a second of a core to check, on purpose. Fifty sign-ins are in flight all the time;
who looks at seats meanwhile, on the same server process, must hardly notice.
"""

import asyncio
import time
from contextlib import suppress

from argon2 import PasswordHasher

from benchmarks.measure import Result, summarise
from benchmarks.stage import Client, Stage
from farebox.accounts import make_person
from farebox.accounts.passwords import LANES, MEMORY_KIB, PASSES
from farebox.core.crypto import load_secrets
from farebox.core.db import Database

IN_FLIGHT = 50
MAPS = 600
TRIPS = 40
WARM_UP = 40
WARM_UP_SECONDS = 3
P99_TARGET_MS = 50

PASSWORD = "a bench in the shade"
_TRIPS = "SELECT id FROM departure WHERE status = 'scheduled' AND base_at > %s ORDER BY md5(id::text) LIMIT %s"


async def measure_signing(stage: Stage, port: int) -> list[Result]:
    """Sign-ins of people with accounts, and the seat maps that one visitor asks for meanwhile, one after another."""
    trips, people = await _prepare(stage)
    client = await Client(port).open()
    alone = await _look(client, trips, WARM_UP + MAPS // 3)
    times: list[float] = []
    signing = [asyncio.create_task(_sign_in_again_and_again(port, email, times)) for email in people]
    await asyncio.sleep(WARM_UP_SECONDS)
    begun, first = time.perf_counter(), len(times)
    maps = await _look(client, trips, MAPS)
    seconds = time.perf_counter() - begun
    during = times[first:]
    for task in signing:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*signing)
    await client.close()
    name = f"seat map, HTTP, while {IN_FLIGHT} sign in"
    undisturbed = alone[WARM_UP:]
    facts = f"when nobody does {_rank(undisturbed, 0.5):.1f} ms, p99 {_rank(undisturbed, 0.99):.0f} ms"
    return [
        summarise(
            "People", f"sign in, {IN_FLIGHT} at once, HTTP", during, facts=f"{len(during) / seconds:.0f} a second"
        ),
        summarise("People", name, maps, facts=facts),
        Result("People", "the slowest of a hundred of these", 1, _rank(maps, 0.99), target=P99_TARGET_MS),
    ]


def _rank(times: list[float], share: float) -> float:
    return sorted(times)[int(len(times) * share)]


async def _prepare(stage: Stage) -> tuple[list[str], list[str]]:
    """Ids of departures, and addresses of people who have proved theirs and have a password."""
    database, secrets = Database(stage.dsn), load_secrets(stage.home)
    kept = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES).hash(PASSWORD)
    emails = [f"bench-{number}@example.com" for number in range(IN_FLIGHT)]
    async with database.begin() as work:
        cursor = await work.execute(_TRIPS, [work.now, TRIPS])
        trips = [str(row[0]) for row in await cursor.fetchall()]
        people = [await make_person(work, email=email, verified=True, secrets=secrets) for email in emails]
        await work.execute("UPDATE person SET password_hash = %s WHERE id = ANY(%s)", [kept, people])
    await database.dispose()
    return trips, emails


async def _look(client: Client, trips: list[str], count: int) -> list[float]:
    """Milliseconds of each seat map."""
    times = []
    for number in range(count):
        begun = time.perf_counter()
        await client.get(f"/trips/{trips[number % len(trips)]}/seats")
        times.append((time.perf_counter() - begun) * 1000)
    return times


async def _sign_in_again_and_again(port: int, email: str, times: list[float]) -> None:
    client = await Client(port).open()
    try:
        while True:
            begun = time.perf_counter()
            await client.post("/auth/login", {"email": email, "password": PASSWORD, "client": "app"})
            times.append((time.perf_counter() - begun) * 1000)
    finally:
        await client.close()
