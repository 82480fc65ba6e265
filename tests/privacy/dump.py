"""A whole database as one text, to look for what should not be in it."""

from typing import Any

from farebox.core.crypto import Secrets
from farebox.core.db import Database

TABLES = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"


async def everything_in(database: Database, secrets: Secrets | None = None) -> str:
    """All rows of all tables; bytes as the text that they may be, and, with `secrets`, what is sealed opened."""
    parts: list[str] = []
    async with database.begin(reach="*") as work:
        tables = [name for (name,) in await (await work.execute(TABLES)).fetchall()]
        for table in tables:
            cursor = await work.execute(f'SELECT * FROM "{table}"')
            assert cursor.description is not None
            names = [column.name for column in cursor.description]
            for row in await cursor.fetchall():
                parts += [_text(value, f"{table}.{name}", secrets) for name, value in zip(names, row, strict=True)]
    return "\n".join(parts)


def _text(value: Any, place: str, secrets: Secrets | None) -> str:
    if not isinstance(value, bytes | memoryview):
        return str(value)
    raw = bytes(value)
    if secrets is not None:
        try:
            return secrets.decrypt(raw, place=place)
        except ValueError:
            pass
    return raw.decode("utf-8", "replace") + "\n" + raw.decode("utf-16-le", "replace")
