"""How many rows of a table PostgreSQL has looked at, for whomever."""

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg

_READ = """
SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)
     + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes WHERE relname = ANY(%(tables)s))
  FROM pg_stat_user_tables WHERE relname = ANY(%(tables)s)
"""


def rows_read(connection: "psycopg.Connection[Any]", tables: Sequence[str]) -> int:
    """By sessions that have ended; PostgreSQL counts for those that go on only now and then."""
    row = connection.execute(_READ, {"tables": list(tables)}).fetchone()
    assert row is not None
    return int(row[0])


async def until_alone(connection: "psycopg.Connection[Any]") -> None:
    """Until Farebox has no session in this database any more."""
    others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'farebox'"
    async with asyncio.timeout(60):
        while connection.execute(others).fetchone():  # noqa: ASYNC110  (no event tells of it)
            await asyncio.sleep(0.01)
