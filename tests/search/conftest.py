"""A small shop to search in."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from tests.search.asking import read_known
from tests.search.feeds import SmallFeed
from tests.search.shop import NOW, TODAY, Clock, OpenShop, Shop, vietnam

from farebox.core.db import Database
from farebox.pricing.import_gtfs import import_fares
from farebox.timetable import OnSale, import_feed


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
async def open_shop(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[OpenShop]:
    """Imports a feed into this test's database and puts ten days of it on sale."""
    database = Database(database_url, clock=clock)

    async def open_it(feed: SmallFeed, *, today: date = TODAY, days: int = 10) -> Shop:
        path = feed.write(tmp_path / "feed.zip")
        await import_feed(database, path, on_sale=OnSale(days, today=today), also=[import_fares])
        return Shop(database, await read_known(database), clock)

    yield open_it
    await database.dispose()


@pytest.fixture
async def shop(open_shop: OpenShop) -> Shop:
    return await open_shop(vietnam())
