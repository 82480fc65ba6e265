"""One coach on sale, and two servers that show it, for all tests of a module; each test begins with an empty coach."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from tests.coaches.coach import Coach, open_coach
from tests.live.theatre import House, house

from farebox.coaches import live
from farebox.core.db import Database
from farebox.core.settings import Settings, load_settings

NEVER = 3600.0


@pytest.fixture(autouse=True)
def unasked(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """No run is read without being asked, so that whatever is seen was told.

    Sets how often one is, from the next reading on.
    """
    monkeypatch.setattr(live, "SAFETY_SECONDS", NEVER)
    return lambda seconds: monkeypatch.setattr(live, "SAFETY_SECONDS", seconds)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, database_url_module: str) -> Settings:
    home: Path = tmp_path_factory.mktemp("home")
    return load_settings({}, env="demo", home=home, database_url=database_url_module, rate_limits="off")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(settings: Settings) -> AsyncIterator[Coach]:
    database = Database(settings.database_url)
    yield await open_coach(database, settings, settings.home)
    await database.dispose()


@pytest_asyncio.fixture(loop_scope="module")
async def coach(opened: Coach) -> Coach:
    async with opened.database.begin() as work:
        await work.execute("TRUNCATE claim, hold")
    return opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(opened: Coach, settings: Settings) -> AsyncIterator[House]:
    async with house(settings) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(opened: Coach, settings: Settings) -> AsyncIterator[House]:
    """Another server on the same database."""
    async with house(settings) as running:
        yield running
