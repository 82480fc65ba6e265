"""Real feeds, each imported once, with exact counts. They lie beside the repository and are not part of it.

The numbers were counted apart from the code under test, from the files alone.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from farebox.core.db import Database
from farebox.timetable import ImportReport, OnSale, import_feed

FEEDS = Path(__file__).parents[3] / "shared" / "data" / "gtfs"
NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
"""A Friday, 07:00 in Berlin and Madrid, 14:00 in Taipei."""

COUNTS: dict[str, dict[str, int]] = {
    "flixbus-de-2014": {
        "agencies": 1, "stops": 113, "places": 104, "vehicle kinds": 1, "lines": 53, "services": 1075, "journeys": 1075,
        "calls": 4744, "departures put on sale": 7143,
    },
    "db-fernverkehr-2019": {
        "agencies": 14, "stops": 664, "places": 601, "vehicle kinds": 14, "lines": 1366, "services": 2924,
        "journeys": 6063, "calls": 86193, "departures put on sale": 22045,
    },
    "renfe-av-ld-md-2022-07": {
        "agencies": 1, "stops": 804, "places": 763, "vehicle kinds": 1, "lines": 578, "services": 14141,
        "journeys": 14141, "calls": 90469, "departures put on sale": 32520,
    },
    "thsr-2016": {
        "agencies": 1, "stops": 11, "places": 11, "vehicle kinds": 1, "lines": 1, "services": 11, "journeys": 189,
        "calls": 1326, "departures put on sale": 4092,
    },
    "zakroczym-2025-fares-v2": {
        "agencies": 1, "stops": 62, "places": 42, "vehicle kinds": 1, "lines": 3, "services": 48, "journeys": 48,
        "calls": 1018, "departures put on sale": 991,
    },
}  # fmt: skip

FINDINGS: dict[str, list[tuple[str, str, str, int, list[int]]]] = {
    "flixbus-de-2014": [
        ("dangling-reference", "stop_times.txt", "stop_id", 2, [4207, 4218]),
        ("jump", "stop_times.txt", "", 2, [3977, 3979]),
    ],
    "db-fernverkehr-2019": [("time-goes-back", "stop_times.txt", "", 3, [41660, 41729, 59659])],
    "renfe-av-ld-md-2022-07": [],
    "thsr-2016": [],
    "zakroczym-2025-fares-v2": [],
}


@pytest.fixture(scope="module", params=sorted(COUNTS))
def imported(request: pytest.FixtureRequest, database_url_module: str) -> tuple[str, ImportReport, str]:
    """Name of a feed, what its import reported, and the database that it is in."""
    name = request.param
    path = FEEDS / f"{name}.zip"
    if not path.exists():
        pytest.skip(f"THE REAL FEED {path} IS NOT THERE: nothing is proven about it")

    async def run() -> ImportReport:
        database = Database(database_url_module, clock=lambda: NOW)
        report = await import_feed(database, path, shift_to=NOW.date(), on_sale=OnSale(30))
        await database.dispose()
        return report

    return name, asyncio.run(run()), database_url_module


@pytest.fixture
async def feed_rows(imported: tuple[str, ImportReport, str]) -> AsyncIterator[Any]:
    _, report, url = imported
    database = Database(url)

    async def fetch(query: str) -> list[Any]:
        async with database.begin() as work:
            found = await (await work.execute(query, {"feed": report.feed_id})).fetchall()
        return [row[0] if len(row) == 1 else row for row in found]

    yield fetch
    await database.dispose()


def test_all_of_a_real_feed_is_imported(imported):
    name, report, _ = imported
    assert report.counts == COUNTS[name] | {"stations": 0}
    assert [(f.kind, f.file, f.subject, f.count, f.lines) for f in report.findings] == FINDINGS[name]
    assert report.shift_days % 7 == 0
    assert report.seconds < 60
    assert report.first_date is not None
    assert report.first_date <= date(2026, 11, 20)
    assert report.last_date is not None
    assert report.last_date >= date(2026, 12, 18)


async def test_tables_hold_what_the_report_counts(imported, feed_rows):
    _, report, _ = imported
    expected = report.counts
    assert await feed_rows("SELECT count(*) FROM stop WHERE feed_id = %(feed)s") == [expected["stops"]]
    assert await feed_rows("SELECT count(*) FROM journey WHERE feed_id = %(feed)s") == [expected["journeys"]]
    assert await feed_rows(
        "SELECT count(*), count(DISTINCT d.id), count(DISTINCT d.inventory_id), sum(i.slots - j.call_count + 1)"
        "  FROM departure d JOIN journey j ON j.id = d.journey_id JOIN inventory i ON i.id = d.inventory_id"
        " WHERE j.feed_id = %(feed)s"
    ) == [(*[expected["departures put on sale"]] * 3, 0)]
    assert await feed_rows(
        "SELECT count(*) FROM call c JOIN journey j ON j.id = c.journey_id WHERE j.feed_id = %(feed)s"
    ) == [expected["calls"]]


async def test_every_day_of_the_horizon_has_departures(imported, feed_rows):
    days = await feed_rows(
        "SELECT DISTINCT d.service_date FROM departure d JOIN journey j ON j.id = d.journey_id"
        " WHERE j.feed_id = %(feed)s AND d.service_date >= '2026-11-20' ORDER BY 1"
    )
    assert len(days) == 30
    assert days[-1] == date(2026, 12, 19)


async def test_times_never_go_back_and_positions_have_no_gaps(imported, feed_rows):
    assert await feed_rows(
        "SELECT count(*) FROM call a JOIN call b ON b.journey_id = a.journey_id AND b.position = a.position + 1"
        " WHERE b.arrival_s < a.departure_s OR b.distance_m < a.distance_m"
    ) == [0]
    assert await feed_rows(
        "SELECT count(*) FROM journey j WHERE call_count <> (SELECT count(*) FROM call c WHERE c.journey_id = j.id)"
        " OR call_count - 1 <> (SELECT max(position) FROM call c WHERE c.journey_id = j.id)"
    ) == [0]


async def test_no_two_cities_are_one_place(imported, feed_rows):
    wide = await feed_rows(
        "SELECT p.name, max(s.lat) - min(s.lat), max(s.lon) - min(s.lon) FROM place p JOIN stop s ON s.place_id = p.id"
        " GROUP BY p.id HAVING max(s.lat) - min(s.lat) > 0.4 OR max(s.lon) - min(s.lon) > 0.6"
    )
    assert wide == []
