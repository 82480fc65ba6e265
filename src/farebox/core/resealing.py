"""Sealing anew, with the newest key, what older ones sealed, while the product runs.

A batch of rows is locked, opened, sealed and written in one transaction, so nobody's change is lost. What is left to do
is read from the rows themselves: each says with which key it was sealed. So it may be stopped and begun again at any
moment, and by several at once. Whoever searches compares with the digests under all keys, and finds both kinds.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from psycopg.errors import UniqueViolation

from farebox.core.crypto import HEADER_BYTES, Secrets
from farebox.core.db import Base, Database, UnitOfWork
from farebox.core.errors import Busy

BATCH: Final = 200
PAUSE_SECONDS: Final = 0.2


def as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed texts.

    Attributes:
        index: the column with the text's keyed digest; empty: it is not searched.
        index_key: the form of the text of which the digest is made.
        is_bound: whether it is sealed for its place, and opened there.
    """

    table: str
    column: str
    index: str = ""
    index_key: Callable[[str], str] = as_it_is
    is_bound: bool = True

    @property
    def place(self) -> str:
        return f"{self.table}.{self.column}"


@dataclass(slots=True)
class Resealed:
    """What became of a table's rows.

    Attributes:
        unreadable: sealed with a key that is not here; left as they are.
        ambiguous: whose digest somebody else's row has already; sealed anew, and found by the old digest only.
    """

    rows: int = 0
    unreadable: int = 0
    ambiguous: int = 0


Progress: TypeAlias = Callable[[str, int], None]
"""Told a table, and how many more of its rows are done."""

Row: TypeAlias = tuple[Any, ...]


async def count_old(database: Database, secrets: Secrets, columns: Sequence[SealedColumn]) -> dict[str, int]:
    """How many rows of each table have something that the newest key did not seal."""
    counts = {}
    for table, theirs in _by_table(columns).items():
        async with database.begin(reach="*") as work:
            query = f"SELECT count(*) FROM {table} WHERE {_is_old(theirs)}"  # noqa: S608
            row = await (await work.execute(query, {"header": secrets.header})).fetchone()
        counts[table] = int(row[0]) if row else 0
    return counts


async def reseal(
    database: Database,
    secrets: Secrets,
    columns: Sequence[SealedColumn],
    *,
    on_progress: Progress = lambda table, rows: None,
    batch: int = BATCH,
) -> dict[str, Resealed]:
    """Seal with the newest key all that others sealed, and make its digests anew; what was done in each table.

    What is written meanwhile by processes that know the newest key needs nothing more.
    """
    return {
        table: await _Table(database, secrets, table, theirs, on_progress).reseal(batch)
        for table, theirs in _by_table(columns).items()
    }


class _Table:
    """One table, walked along its primary key."""

    def __init__(
        self,
        database: Database,
        secrets: Secrets,
        table: str,
        columns: Sequence[SealedColumn],
        on_progress: Progress,
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._table = table
        self._columns = columns
        self._on_progress = on_progress
        self._key = [column.name for column in Base.metadata.tables[table].primary_key]
        self._done = Resealed()

    async def reseal(self, batch: int) -> Resealed:
        after: Row | None = None
        limit, keeps_index = batch, False
        while True:
            try:
                async with self._database.begin(reach="*") as work:
                    rows = await self._lock(work, after, limit)
                    counted = await self._write(work, rows, keeps_index=keeps_index)
            except Busy:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            except UniqueViolation:  # somebody else has a digest of these already: find out whose, one by one
                limit, keeps_index = 1, limit == 1
                continue
            if not rows:
                return self._done
            self._count(counted, len(rows), keeps_index=keeps_index)
            after = rows[-1][: len(self._key)]
            limit, keeps_index = batch, False

    async def _lock(self, work: UnitOfWork, after: Row | None, limit: int) -> list[Row]:
        key = ", ".join(self._key)
        selected = ", ".join([*self._key, *(column.column for column in self._columns)])
        condition = _is_old(self._columns)
        parameters: dict[str, Any] = {"header": self._secrets.header, "limit": limit}
        if after is not None:
            marks = ", ".join(f"%(after_{number})s" for number in range(len(after)))
            condition += f" AND ({key}) > ({marks})"
            parameters |= {f"after_{number}": value for number, value in enumerate(after)}
        cursor = await work.execute(
            f"SELECT {selected} FROM {self._table} WHERE {condition} ORDER BY {key} LIMIT %(limit)s"  # noqa: S608
            " FOR NO KEY UPDATE",
            parameters,
        )
        return await cursor.fetchall()

    async def _write(self, work: UnitOfWork, rows: Sequence[Row], *, keeps_index: bool) -> int:
        """How many of them could be opened."""
        counted = 0
        for row in rows:
            try:
                values = self._sealed_anew(row[len(self._key) :], keeps_index=keeps_index)
            except ValueError:
                continue
            changes = ", ".join(f"{name} = %({name})s" for name in values)
            which = " AND ".join(f"{name} = %(key_{name})s" for name in self._key)
            keys = {f"key_{name}": value for name, value in zip(self._key, row, strict=False)}
            await work.execute(f"UPDATE {self._table} SET {changes} WHERE {which}", values | keys)  # noqa: S608
            counted += 1
        return counted

    def _sealed_anew(self, sealed: Row, *, keeps_index: bool) -> dict[str, Any]:
        values = {}
        for column, value in zip(self._columns, sealed, strict=True):
            if value is None:
                continue
            text = self._secrets.decrypt(bytes(value), place=column.place)
            values[column.column] = self._secrets.encrypt(text, place=column.place if column.is_bound else "")
            if column.index and text and not keeps_index:  # what was wiped is not to be found
                values[column.index] = self._secrets.blind_index(column.index_key(text))
        return values

    def _count(self, counted: int, seen: int, *, keeps_index: bool) -> None:
        self._done.rows += counted
        self._done.unreadable += seen - counted
        self._done.ambiguous += counted if keeps_index else 0
        self._on_progress(self._table, seen)


def _by_table(columns: Sequence[SealedColumn]) -> Mapping[str, list[SealedColumn]]:
    tables: defaultdict[str, list[SealedColumn]] = defaultdict(list)
    for column in columns:
        tables[column.table].append(column)
    return tables


def _is_old(columns: Sequence[SealedColumn]) -> str:
    """SQL: something in the row was not sealed by the newest key."""
    parts = (f"substring({column.column} FROM 1 FOR {HEADER_BYTES}) <> %(header)s" for column in columns)
    return "(" + " OR ".join(parts) + ")"
