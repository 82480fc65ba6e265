"""Counting what a piece of work asks of PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg

from farebox.core.pipeline import Pipeline
from farebox.inventory.batches import STATEMENTS

OF_BATCHES = {*STATEMENTS, "BEGIN", "COMMIT", "ROLLBACK"}
"""Sent by the desk for all who come together: no part of anybody's work."""

PINGS = {";", "SELECT 1"}
"""How a pool, and who listens for signals, see that a connection is alive: no part of the work."""


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """The statements that go to the server inside the block, through the session and through the driver alike."""
    statements: list[str] = []
    execute = psycopg.AsyncCursor.execute

    async def counting(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        if str(query) not in PINGS:
            statements.append(str(query))
        return await execute(self, query, *arguments, **options)

    send = Pipeline.send

    async def sending(self: Any, sent: Any) -> Any:
        statements.extend(query for query, _ in sent if query not in OF_BATCHES)
        return await send(self, sent)

    with patch.object(psycopg.AsyncCursor, "execute", counting), patch.object(Pipeline, "send", sending):
        yield statements
