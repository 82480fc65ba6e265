"""Import: a whole feed, through the program, with what is on sale for thirty days."""

from datetime import date
from pathlib import Path

import psycopg

from benchmarks.measure import Result
from benchmarks.stage import Stage, run_farebox

IMPORT_TARGET_MS = 20_000


def measure_import(stage: Stage, feed: Path, today: date) -> list[Result]:
    """Import the feed into the stage's database, twice: as it comes, and as its own next edition."""
    run_farebox(stage, ["migrate"])
    command = ["import-gtfs", str(feed), "--shift-to", today.isoformat()]
    first = run_farebox(stage, command)
    again = run_farebox(stage, command)
    with psycopg.connect(stage.dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")  # what autovacuum does a minute later
        row = connection.execute("SELECT (SELECT count(*) FROM call), (SELECT count(*) FROM departure)").fetchone()
    assert row is not None
    calls, departures = row
    what = f"{calls:,} calls, {departures:,} departures on sale, peak {first.peak_mb:.0f} MB"
    return [
        Result("Import", f"{feed.stem}", 1, first.seconds * 1000, facts=what, target=IMPORT_TARGET_MS),
        Result("Import", "the same again", 1, again.seconds * 1000, facts=f"peak {again.peak_mb:.0f} MB"),
    ]
