"""A small shop to search in: its timetable is imported once, and copied for each test."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from tests.keeping import fill
from tests.search.asking import read_known
from tests.search.feeds import SmallFeed
from tests.search.shop import NOW, TODAY, Clock, OpenShop, Shop, vietnam

from farebox.core.db import Database
from farebox.pricing import import_fares
from farebox.timetable import OnSale, import_feed


async def import_into(database: Database, feed: SmallFeed, path: Path, *, today: date = TODAY, days: int = 10) -> None:
    await import_feed(database, feed.write(path), on_sale=OnSale(days, today=today), also=[import_fares])


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
async def open_shop(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[OpenShop]:
    """Imports a feed into this test's database and puts ten days of it on sale."""
    database = Database(database_url, clock=clock)

    async def open_it(feed: SmallFeed, *, today: date = TODAY, days: int = 10) -> Shop:
        await import_into(database, feed, tmp_path / "feed.zip", today=today, days=days)
        return Shop(database, await read_known(database), clock)

    yield open_it
    await database.dispose()


@pytest.fixture
async def shop(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Shop]:
    database = Database(database_url, clock=clock)
    await fill(database, "vietnam", lambda: import_into(database, vietnam(), tmp_path / "vietnam.zip"))
    yield Shop(database, await read_known(database), clock)
    await database.dispose()
