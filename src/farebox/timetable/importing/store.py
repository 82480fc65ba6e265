"""Writing many rows at once. Table and column names come from this package's code, never from a feed."""

from collections.abc import Iterable, Sequence
from typing import Any

from farebox.core.db import UnitOfWork


async def copy_rows(work: UnitOfWork, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append rows by COPY."""
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    async with (await work.driver()).cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for row in rows:
            await copy.write_row(row)


async def copy_text(work: UnitOfWork, table: str, columns: Sequence[str], lines: Sequence[str]) -> None:
    """Append rows already in the text form of COPY: for numbers and ids, where making it by hand is worth the time."""
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    async with (await work.driver()).cursor() as cursor, cursor.copy(statement.encode()) as copy:
        await copy.write("".join(lines))


async def upsert(
    work: UnitOfWork, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, key: Sequence[str] = ("id",)
) -> None:
    """Insert rows, or bring those up to date whose `key` is there. No two of the rows may have the same key."""
    names = ", ".join(columns)
    await work.execute(f"CREATE TEMP TABLE incoming AS SELECT {names} FROM {table} WITH NO DATA")  # noqa: S608
    await copy_rows(work, "incoming", columns, rows)
    values = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in key)
    await work.execute(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming "  # noqa: S608
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {values}"
    )
    await work.execute("DROP TABLE incoming")
