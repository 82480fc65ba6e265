"""Bringing a database up to date, and a timetable into it, with something to see meanwhile."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from farebox import __version__
from farebox.cli.screen import err, out, step
from farebox.core.db import Database
from farebox.core.settings import Settings
from farebox.demo.feed import FEED_CODE as SAMPLE_CODE
from farebox.demo.seed import seed_demo
from farebox.migrations import upgrade
from farebox.migrations.state import is_current
from farebox.pricing import import_fares
from farebox.timetable import GtfsError, ImportReport, OnSale, find_feed, import_feed

T = TypeVar("T")
Told = Callable[[str, int, int], None]


class Loaded(msgspec.Struct, frozen=True):
    """What `farebox demo` loaded last into this data directory, so that a restart need not do it again.

    Attributes:
        source: the file's digest, or a name for the sample network.
        code: of the feed that it became.
        day: of loading, for what is loaded anew each day.
    """

    source: str
    code: str
    shift_to: date | None = None
    day: date | None = None
    version: str = __version__


def ensure_schema(settings: Settings) -> None:
    """Migrate if need be."""
    if not is_current(settings.server_url):
        with step("Preparing the database …"):
            upgrade(settings.server_url)


def load_sample_network(settings: Settings) -> None:
    """Put the sample network on sale from today, once a day."""
    wanted = Loaded("sample network", SAMPLE_CODE, day=_today())
    if not _is_loaded(settings, wanted):
        with _bar() as told:
            _run(settings, lambda database: seed_demo(database, today=_today(), settings=settings, progress=told))
        _note(settings).write_bytes(msgspec.json.encode(wanted))


def load_feed(settings: Settings, path: Path, *, shift_to: date | None = None) -> None:
    """Put a GTFS file on sale, moved to today if nothing of it runs soon; reads it only if that was not done before."""
    digest = _digest(path)
    before = _find_loaded(settings)
    if before is None or not _is_loaded(settings, Loaded(digest, before.code, shift_to)):
        report = read_timetable(settings, path, shift_to=shift_to, shift_if_idle=True)
        _note(settings).write_bytes(msgspec.json.encode(Loaded(digest, report.feed_code, shift_to)))


def read_timetable(
    settings: Settings,
    path: Path,
    *,
    feed_code: str | None = None,
    shift_to: date | None = None,
    shift_if_idle: bool = False,
    currency: str | None = None,
    seat_plan: str = "standard-45",
) -> ImportReport:
    """Import a feed, put it on sale, and print the report.

    Raises:
        GtfsError: it cannot be imported; nothing was changed.
    """
    with _bar() as told:
        report = _run(
            settings,
            lambda database: import_feed(
                database,
                path,
                feed_code=feed_code,
                shift_to=shift_to,
                shift_if_idle=shift_if_idle,
                currency=currency,
                seat_plan=seat_plan,
                on_sale=OnSale(settings.sales_horizon_days, settings.sales_close_minutes),
                also=[import_fares],
                progress=told,
            ),
        )
    out.print(report.text(), markup=False, soft_wrap=True)
    return report


def _digest(path: Path) -> str:
    """Of all that may be read of a feed; it need not be usable."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*.txt")) if path.is_dir() else [path]:
        try:
            with file.open("rb") as content:
                digest.update(f"{file.relative_to(path)} {file.stat().st_size}\n".encode())
                while block := content.read(1024 * 1024):
                    digest.update(block)
        except OSError as error:
            raise GtfsError(f"The file cannot be read: {error.strerror or error}.", file=file.name) from error
    return digest.hexdigest()


def _note(settings: Settings) -> Path:
    return settings.home / "loaded.json"


def _find_loaded(settings: Settings) -> Loaded | None:
    try:
        return msgspec.json.decode(_note(settings).read_bytes(), type=Loaded)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _is_loaded(settings: Settings, wanted: Loaded) -> bool:
    """Whether just this was loaded last, and is still there and running: the database may be another one now."""

    async def is_running(database: Database) -> bool:
        async with database.begin() as work:
            feed = await find_feed(work, wanted.code)
        return feed is not None and feed.last_date is not None and feed.last_date >= _today()

    return _find_loaded(settings) == wanted and _run(settings, is_running)


def _run(settings: Settings, job: Callable[[Database], Awaitable[T]]) -> T:
    async def with_database() -> T:
        database = Database(settings.database_url, direct_url=settings.direct_database_url, pool_size=2)
        try:
            return await job(database)
        finally:
            await database.dispose()

    return asyncio.run(with_database())


@contextmanager
def _bar() -> Iterator[Told]:
    """On a terminal, a bar that tells what is read and how far, and goes away when all is done; elsewhere silence."""
    columns = (TextColumn("Reading {task.description:24}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bars:
        bar = bars.add_task("")

        def told(what: str, done: int, total: int) -> None:
            bars.update(bar, description=what, completed=done, total=total)

        yield told


def _today() -> date:
    return datetime.now(UTC).date()
