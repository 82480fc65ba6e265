"""How much is free on hundreds of runs at once: what every search asks of the kernel."""

import asyncio
import random
import statistics
from collections.abc import Sequence
from typing import Final

import psycopg

from benchmarks.measure import Growth, Result, summarise, time_each
from benchmarks.stage import Stage
from farebox.core.db import Database
from farebox.inventory import InventorySpec, availability, open_inventories
from farebox.migrations import upgrade

ASKED: Final = 500
UNITS, SLOTS = 45, 8
RUNS: Final = (2_000, 20_000)
"""Half full, all of them: what is asked for is a part of it."""

SAMPLES: Final = 100
TARGET_MS: Final = 15
SEED: Final = 20261120


def measure_availability(stage: Stage) -> tuple[list[Result], list[Growth]]:
    """Free units on 500 half-full runs, among 2,000 and among 20,000; on a stage of its own."""
    upgrade(stage.dsn)
    medians: list[tuple[float, float]] = []
    results: list[Result] = []
    for count in RUNS:
        times = asyncio.run(_measure(stage.dsn, asyncio.run(_fill(stage.dsn, count)), ASKED))
        name = f"free on {ASKED} half-full runs of {count:,}"
        results.append(summarise("Kernel", name, times, target=TARGET_MS if count == RUNS[0] else None))
        medians.append((count * UNITS * SLOTS / 2, statistics.median(times)))
    asked: list[tuple[float, float]] = []
    for number in (ASKED, 10 * ASKED):
        times = asyncio.run(_measure(stage.dsn, _all_runs(stage.dsn), number))
        asked.append((number, statistics.median(times)))
    return results, [
        Growth(f"what is free on {ASKED} runs", "claims", "ms", medians),
        Growth("what is free", "runs asked for", "ms", asked),
    ]


async def _fill(dsn: str, count: int) -> list[int]:
    """Runs of which each has sold half, stretch by stretch and in no order, as over months of sales."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE claim, hold, portion, capacity")
        connection.execute("DELETE FROM inventory")
    database = Database(dsn)
    async with database.begin() as work:
        ids = await open_inventories(work, [InventorySpec(UNITS, SLOTS)] * count)
        await work.execute(
            "INSERT INTO claim (inventory_id, unit, slot, hold_id, expires_at)"
            " SELECT run, unit, slot, gen_random_uuid(), NULL"
            " FROM unnest(%s::bigint[]) AS run,"
            " generate_series(0, %s::int) AS unit, generate_series(0, %s::int) AS slot"
            " WHERE (run + unit + slot / 4) %% 2 = 0 ORDER BY hashint8(run * 1000 + unit * 2 + slot / 4)",
            (ids, UNITS - 1, SLOTS - 1),
        )
    await database.dispose()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "VACUUM ANALYZE claim, inventory"
        )  # as it has happened long before, where tables grow slowly
    return ids


async def _measure(dsn: str, ids: Sequence[int], asked: int) -> list[float]:
    dice = random.Random(SEED)
    questions = [[(run, 0, SLOTS) for run in dice.sample(ids, asked)] for _ in range(SAMPLES)]
    database = Database(dsn)
    async with database.begin() as work:

        async def ask(ranges: Sequence[tuple[int, int, int]]) -> list[int]:
            return await availability(work, ranges)

        times = await time_each(ask, questions)
    await database.dispose()
    return times


def _all_runs(dsn: str) -> list[int]:
    with psycopg.connect(dsn) as connection:
        return [run for (run,) in connection.execute("SELECT id FROM inventory ORDER BY id")]
