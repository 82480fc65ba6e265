"""Import: a whole feed, through the program, with what is on sale for thirty days."""

from datetime import date
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

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
        # What autovacuum does a minute later. It leaves empty tables alone, and so must we: of those that it looked at,
        # the planner believes that they stay so.
        filled = connection.execute("SELECT relname FROM pg_stat_user_tables WHERE pg_relation_size(relid) > 0")
        connection.execute(SQL("VACUUM ANALYZE {}").format(SQL(", ").join(Identifier(name) for (name,) in filled)))
        row = connection.execute("SELECT (SELECT count(*) FROM call), (SELECT count(*) FROM departure)").fetchone()
    assert row is not None
    calls, departures = row
    what = f"{calls:,} calls, {departures:,} departures on sale, peak {first.peak_mb:.0f} MB"
    return [
        Result("Import", f"{feed.stem}", 1, first.seconds * 1000, facts=what, target=IMPORT_TARGET_MS),
        Result("Import", "the same again", 1, again.seconds * 1000, facts=f"peak {again.peak_mb:.0f} MB"),
    ]
