"""A small shop to search in: its timetable is imported once, and cloned for each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path

import pytest
from tests.databases import cloned, name_of
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


@pytest.fixture(scope="package")
def vietnam_url(server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database with the feed of `vietnam()` in it, only to be cloned."""

    async def fill(url: str) -> None:
        database = Database(url, clock=Clock(NOW))
        await import_into(database, vietnam(), tmp_path_factory.mktemp("feed") / "vietnam.zip")
        await database.dispose()

    with cloned(server_dsn, template) as url:
        asyncio.run(fill(url))
        yield url


@pytest.fixture
async def shop(server_dsn: str, vietnam_url: str, clock: Clock) -> AsyncIterator[Shop]:
    with cloned(server_dsn, name_of(vietnam_url)) as url:
        database = Database(url, clock=clock)
        yield Shop(database, await read_known(database), clock)
        await database.dispose()
