"""Search against the oracle: every pair and every day of small made-up feeds, and a sample of real ones."""

import random
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.search.asking import Known, found_rides, read_known
from tests.search.feeds import Halt, SmallFeed, days_from
from tests.search.oracle import Oracle

from farebox.core.db import Database
from farebox.timetable import OnSale, import_feed

QUARTER = 15 * 60
HOUR = 3600

DAYS_OF_INTEREST = [
    # agency's zone, the zone of Charlie, the day in the middle
    ("Europe/Berlin", "Europe/London", date(2027, 3, 28)),  # both clocks go forward
    ("Europe/Berlin", "Europe/Moscow", date(2026, 10, 25)),  # one goes back, the other stands
    ("Africa/Cairo", "Europe/Athens", date(2027, 4, 30)),  # a day without midnight
    ("Africa/Cairo", "Europe/Athens", date(2026, 10, 30)),  # a midnight that comes twice
    ("Australia/Lord_Howe", "Australia/Sydney", date(2027, 4, 4)),  # half an hour
    ("Asia/Ho_Chi_Minh", "Asia/Shanghai", date(2027, 1, 1)),  # nothing but two zones
    ("America/New_York", "Pacific/Auckland", date(2027, 3, 14)),  # most of a day apart
]

STOPS = ("alpha", "bravo", "charlie", "delta-1", "delta-2")

pickups = st.sampled_from(["0", "0", "0", "0", "1", "2", "3"])


@st.composite
def halts(draw: st.DrawFn) -> list[Halt]:
    """A trip of two to seven calls, which may come back to where it was, and may take days."""
    calls: list[Halt] = []
    now = draw(st.integers(0, 30 * 4)) * QUARTER
    for stop in draw(st.lists(st.sampled_from(STOPS), min_size=2, max_size=7)):
        leaves = now + draw(st.sampled_from([0, 0, 60, QUARTER, HOUR]))
        calls.append((stop, now, leaves, draw(pickups), draw(pickups)))
        now = leaves + draw(st.integers(1, 7 * 4)) * QUARTER
    return calls


@st.composite
def feeds(draw: st.DrawFn) -> tuple[SmallFeed, date]:
    """A feed of up to four trips around a day, and the day."""
    agency_zone, other_zone, middle = draw(st.sampled_from(DAYS_OF_INTEREST))
    feed = SmallFeed(timezone=agency_zone)
    feed.stop("alpha", "Alpha", 52.0, 13.0)
    feed.stop("bravo", "Bravo", 50.0, 8.0)
    feed.stop("charlie", "Charlie", 51.5, 0.0, zone=other_zone)
    feed.station("delta", "Delta", 48.0, 11.0)
    feed.stop("delta-1", "Delta West", 48.0, 10.98, station="delta")
    feed.stop("delta-2", "Delta East", 48.0, 11.02, station="delta")
    near = days_from(middle - timedelta(days=2), 4)
    for number in range(draw(st.integers(1, 4))):
        calls = draw(halts())
        feed.trip(f"trip-{number}", calls, draw(st.lists(st.sampled_from(near), min_size=1, unique=True)))
        if draw(st.integers(0, 3)) == 0:
            start = draw(st.integers(0, 26)) * HOUR
            headway = draw(st.sampled_from([QUARTER * 3, HOUR, HOUR * 2]))
            feed.frequencies.append((f"trip-{number}", start, start + HOUR * 4, headway))
    return feed, middle


@pytest.fixture
async def emptied(database_url: str) -> AsyncIterator[Database]:
    clock = datetime(2026, 10, 1, tzinfo=UTC)
    database = Database(database_url, clock=lambda: clock)
    yield database
    await database.dispose()


@given(example=feeds())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
async def test_every_pair_and_day_of_a_small_feed_agrees(
    emptied: Database, tmp_path: Path, example: tuple[SmallFeed, date]
) -> None:
    feed, middle = example
    if not any(carries(feed, trip) for trip, _ in feed.trips):
        return  # nothing to sell: the importer refuses such a feed
    async with emptied.begin() as work:
        await work.execute("TRUNCATE operator, feed, place, inventory, seat_plan CASCADE")
    path = feed.write(tmp_path / "feed.zip")
    await import_feed(emptied, path, on_sale=OnSale(8, today=middle - timedelta(days=4)))
    known = await read_known(emptied)
    oracle = Oracle(path)
    for day in days_from(middle - timedelta(days=1), 3):
        for origin, destination in pairs_of_sites(known):
            expected = oracle.rides(known.sites[origin], known.sites[destination], day)
            assert await found_rides(emptied, known, origin, destination, day) == expected


def carries(feed: SmallFeed, trip: str) -> bool:
    """Whether anybody can travel on a trip."""
    calls = [halt for name, _, halt in feed.halts if name == trip]
    return any(
        len(calls[i]) == 5 and calls[i][3] != "1" and calls[j][4] != "1"  # type: ignore[misc]
        for i in range(len(calls))
        for j in range(i + 1, len(calls))
    )


def pairs_of_sites(known: Known) -> Iterator[tuple[UUID, UUID]]:
    """Every two of places, stations and stops that have no stop in common."""
    for origin in sorted(known.sites):
        for destination in sorted(known.sites):
            if not known.sites[origin] & known.sites[destination]:
                yield origin, destination


FEEDS = Path(__file__).parents[3] / "shared" / "data" / "gtfs"
TODAY = date(2026, 11, 20)
QUESTIONS = 300

needs_feeds = pytest.mark.skipif(not FEEDS.is_dir(), reason=f"THE REAL FEEDS ARE NOT HERE: {FEEDS} is missing")


@needs_feeds
@pytest.mark.parametrize("feed_name", sorted(path.stem for path in FEEDS.glob("*.zip")) if FEEDS.is_dir() else ["none"])
async def test_sampled_pairs_and_days_of_a_real_feed_agree(database_url: str, feed_name: str) -> None:
    path = FEEDS / f"{feed_name}.zip"
    database = Database(database_url, clock=lambda: datetime(2026, 11, 18, tzinfo=UTC))
    try:
        report = await import_feed(database, path, shift_to=TODAY, on_sale=OnSale(30, today=TODAY))
        assert report.shift_days % 7 == 0
        known = await read_known(database)
        oracle = Oracle(path, shift_days=report.shift_days)
        dice = random.Random(feed_name)
        rides = 0
        for origin, destination in sampled_sites(known, oracle, dice):
            day = TODAY + timedelta(days=dice.randrange(2, 28))
            expected = oracle.rides(known.sites[origin], known.sites[destination], day)
            assert await found_rides(database, known, origin, destination, day) == expected
            rides += len(expected)
        assert rides > QUESTIONS, "a sample without answers proves nothing"
    finally:
        await database.dispose()


def sampled_sites(known: Known, oracle: Oracle, dice: random.Random) -> Iterator[tuple[UUID, UUID]]:
    """Pairs that somebody may travel between: two of three as places, one as stops."""
    pairs: Sequence[tuple[str, str]] = list(oracle.pairs())
    asked = 0
    while asked < QUESTIONS:
        origin, destination = dice.choice(pairs)
        by_place = dice.random() < 2 / 3 and known.places[origin] != known.places[destination]
        ids = known.places if by_place else known.ids
        if not known.sites[ids[origin]] & known.sites[ids[destination]]:
            yield ids[origin], ids[destination]
            asked += 1
