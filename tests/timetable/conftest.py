"""A database at a fixed time, and small feeds imported into it."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.timetable.feeds import Feed, write_zip

from farebox.core.db import Database
from farebox.timetable import ImportReport, import_feed

NOW = datetime(2025, 3, 28, 6, 0, tzinfo=UTC)
TODAY = date(2025, 3, 28)
"""A Friday; Berlin's clocks go forward on Sunday the 30th."""


class Importer(Protocol):
    """Imports a feed given as text, with the arguments of `import_feed`."""

    async def __call__(self, feed: Feed, **arguments: Any) -> ImportReport: ...


@pytest.fixture
async def database(database_url_module: str) -> AsyncIterator[Database]:
    """Empty for every test. Emptying one database is quicker than making many."""
    database = Database(database_url_module, clock=lambda: NOW)
    yield database
    async with database.begin() as work:
        await work.execute("TRUNCATE feed, operator, place, seat_plan, inventory, claim, hold CASCADE")
    await database.dispose()


@pytest.fixture
def importer(database: Database, tmp_path: Path) -> Importer:
    async def import_text(feed: Feed, **arguments: Any) -> ImportReport:
        return await import_feed(database, write_zip(tmp_path / "hill.zip", feed), **arguments)

    return import_text


@pytest.fixture
def rows(database: Database) -> Callable[..., Any]:
    """Rows of a query, each as a tuple, or its only value."""

    async def fetch(query: str, *parameters: Any) -> list[Any]:
        async with database.begin() as work:
            found = await (await work.execute(query, parameters)).fetchall()
        return [row[0] if len(row) == 1 else row for row in found]

    return fetch
