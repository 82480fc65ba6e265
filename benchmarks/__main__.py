"""`python -m benchmarks`: measure everything, print one table, keep it in docs/performance.md."""

import asyncio
import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.types import ExistingFile
from rich.console import Console
from rich.status import Status

from benchmarks.availability import measure_availability
from benchmarks.buying import measure_buying, measure_printing
from benchmarks.kernel import measure_kernel
from benchmarks.listing import measure_listing
from benchmarks.live import measure_live
from benchmarks.locking import measure_locking
from benchmarks.machine import describe_machine
from benchmarks.orders import measure_orders
from benchmarks.report import Findings, print_tables, write_document
from benchmarks.searching import measure_search, measure_search_over_http
from benchmarks.signing import measure_signing
from benchmarks.stage import Stage, serving, set_stage
from benchmarks.timetable import measure_import
from farebox.demo.feed import build_feed

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "performance.md"
LARGE_FEED = ROOT.parent / "shared" / "data" / "gtfs" / "db-fernverkehr-2019.zip"

DAYS = 60

app = App(name="benchmarks", help="Measure what travellers and operators wait for.")


@app.default
def measure(
    *,
    feed: Annotated[ExistingFile | None, Parameter(help="A GTFS file, instead of the usual one.")] = None,
    write: Annotated[bool, Parameter(help="Keep the table in docs/performance.md.")] = True,
) -> int:
    """Import a feed, search it, hold seats and buy tickets; exit code 1 when a promise is not kept."""
    screen = Console(stderr=True)
    today = datetime.now(UTC).date()
    findings = Findings()
    times = findings.times
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="farebox-bench-") as directory, screen.status("…") as status:
        home = Path(directory)
        path = feed or LARGE_FEED
        if not path.exists():
            screen.print(f"{path.name} is not here, so the sample network is measured, which is small.", style="yellow")
            path = home / "sample-network.zip"
            build_feed(path, start=today, end=today + timedelta(days=DAYS))
        with set_stage(home / "farebox") as stage:
            status.update("Importing …")
            times += measure_import(stage, path, today)
            status.update("Searching …")
            found, questions = asyncio.run(measure_search(stage))
            times += found
            with serving(stage) as port:
                times += asyncio.run(measure_search_over_http(port, questions))
                status.update("Buying …")
                bought, bookings = asyncio.run(measure_buying(port, questions))
                times += bought
                status.update("Signing in, and reading lists …")
                times += asyncio.run(measure_signing(stage, port))
                times += asyncio.run(measure_listing(stage, port, bookings))
            times += asyncio.run(measure_printing(stage, bookings))
            _measure_full_load(stage, findings, status)
            machine = describe_machine(stage.dsn)
        _measure_alone(home, findings, status)
    print_tables(findings, machine)
    if write:
        write_document(DOCUMENT, findings, machine, feed=path.stem, today=today, load=load)
    return 0 if findings.is_met else 1


def _measure_full_load(stage: Stage, findings: Findings, status: Status) -> None:
    """What one server process bears."""
    status.update("Holding seats …")
    held, ratios, findings.shares = measure_locking(stage)
    findings.times += held
    findings.ratios += ratios
    status.update("Booking …")
    ordered, ratios, findings.order_shares = measure_orders(stage)
    findings.times += ordered
    findings.ratios += ratios
    status.update("Watching …")
    seen, growth = measure_live(stage)
    findings.times += seen
    findings.growth += growth


def _measure_alone(home: Path, findings: Findings, status: Status) -> None:
    """What is measured in the process, on databases of its own."""
    with set_stage(home / "kernel") as stage:
        status.update("Taking units …")
        ratios, growth = measure_kernel(stage)
        findings.ratios += ratios
        findings.growth += growth
    with set_stage(home / "availability") as stage:
        status.update("Counting what is free …")
        found, growth = measure_availability(stage)
        findings.times += found
        findings.growth += growth


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
