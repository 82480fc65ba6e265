"""Counting what a piece of work asks of PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg

PING = ";"
"""How a pool sees that a connection is alive: no part of the work."""


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """The statements that go to the server inside the block, through the session and through the driver alike."""
    statements: list[str] = []
    execute = psycopg.AsyncCursor.execute

    async def counting(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        if str(query) != PING:
            statements.append(str(query))
        return await execute(self, query, *arguments, **options)

    with patch.object(psycopg.AsyncCursor, "execute", counting):
        yield statements
