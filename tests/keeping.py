"""What an empty database was filled with, kept and put into the next: copying rows takes a tenth of making them."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from graphlib import TopologicalSorter

from psycopg.sql import SQL, Identifier

from farebox.core.db import Database, UnitOfWork

_TABLES = """
SELECT relname, ARRAY(
         SELECT other.relname::text FROM pg_constraint JOIN pg_class AS other ON other.oid = confrelid
          WHERE conrelid = each.oid AND contype = 'f')
  FROM pg_class AS each
 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"""

_COUNTERS = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"


@dataclass(frozen=True)
class Contents:
    """All rows of a database by table, those that others refer to first, as COPY writes them; and its counters."""

    rows: dict[str, bytes]
    counters: dict[str, int]


_kept: dict[Hashable, Contents] = {}


async def fill(database: Database, key: Hashable, make: Callable[[], Awaitable[object]]) -> None:
    """Fill a database as `make` does, which is run once for each `key`, and whenever the database is not empty."""
    async with database.begin() as work:
        is_empty = not await _filled(work)
        if is_empty and key in _kept:
            await _put_in(work, _kept[key])
            return
    await make()
    if is_empty:
        async with database.begin() as work:
            _kept[key] = await _read(work)


async def _filled(work: UnitOfWork) -> list[str]:
    """The tables that have rows; those that others refer to come first."""
    references: dict[str, list[str]] = dict(await (await work.execute(_TABLES)).fetchall())
    looks = SQL(", ").join([SQL("EXISTS (SELECT FROM {})").format(Identifier(name)) for name in references])
    found = await (await (await work.driver()).execute(SQL("SELECT {}").format(looks))).fetchone()
    assert found is not None
    filled = {name for name, is_filled in zip(references, found, strict=True) if is_filled}
    order = TopologicalSorter({name: filled & set(references[name]) - {name} for name in filled})
    return list(order.static_order())


async def _read(work: UnitOfWork) -> Contents:
    rows = {}
    for name in await _filled(work):
        async with (await work.driver()).cursor().copy(SQL("COPY {} TO STDOUT").format(Identifier(name))) as copy:
            rows[name] = b"".join([bytes(part) async for part in copy])
    return Contents(rows, dict(await (await work.execute(_COUNTERS)).fetchall()))


async def _put_in(work: UnitOfWork, contents: Contents) -> None:
    for name, rows in contents.rows.items():
        async with (await work.driver()).cursor().copy(SQL("COPY {} FROM STDIN").format(Identifier(name))) as copy:
            await copy.write(rows)
    for name, last in contents.counters.items():
        await work.execute("SELECT setval(%s::regclass, %s)", (name, last))
