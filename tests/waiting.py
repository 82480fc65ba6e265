"""Waiting until something has come about in the database, not for a time that is too short on a busy machine."""

import asyncio

from psycopg import AsyncConnection

from farebox.core.db import Database

PATIENCE_SECONDS = 30

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def until_somebody_waits(database: Database, *, sessions: int = 1) -> None:
    """Until so many sessions of this database wait for a lock."""
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        await AsyncConnection.connect(database.direct_dsn, autocommit=True) as connection,
    ):
        while True:
            row = await (await connection.execute(_WAITING)).fetchone()
            if row is not None and row[0] >= sessions:
                return
            await asyncio.sleep(0.01)
