"""Counting what a piece of work asks of PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg

from farebox.core import pipeline
from farebox.core.pipeline import Statement
from farebox.inventory.batches import STATEMENTS

OF_BATCHES = {*STATEMENTS, "BEGIN", "COMMIT", "ROLLBACK"}
"""Sent by the desk for all who come together: no part of anybody's work."""

BESIDE = {";", "SELECT 1", "SELECT pg_notify(%s, %s)"}
"""What goes out when it likes and is no part of the work: pings of the pool and of who listens, and signals."""


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """The statements that go to the server inside the block, through the session and through the driver alike."""
    statements: list[str] = []
    execute = psycopg.AsyncCursor.execute

    async def counting(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        if str(query) not in BESIDE:
            statements.append(str(query))
        return await execute(self, query, *arguments, **options)

    send = pipeline._send

    def sending(pgconn: Any, statement: Statement, name: bytes | None) -> None:
        if statement[0] not in OF_BATCHES:
            statements.append(statement[0])
        send(pgconn, statement, name)

    with patch.object(psycopg.AsyncCursor, "execute", counting), patch.object(pipeline, "_send", sending):
        yield statements
