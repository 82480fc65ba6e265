"""What was planned while there was nothing in the tables is as quick when they are full.

PostgreSQL keeps the plan of a prepared statement until it has looked at the tables again, which may be a minute later;
on the day on which sales open that is a long time.
"""

import psycopg
import pytest
from tests.inventory.kernel import TERMS, open_run, want
from tests.reading import rows_read, until_alone

from farebox.inventory import Desk, TakeRequest

OTHERS = 5_000
"""Holds of others, with a claim each."""

FEW = 500
"""Rows that looking at some keys may touch."""

TABLES = ("claim", "hold")


@pytest.mark.direct
async def test_a_batch_reads_what_it_asks_for_however_empty_the_tables_were_when_it_was_planned(database):
    run = await open_run(database, units=40)
    await database.dispose()
    desk = Desk(database, group_commit=True)
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE claim, hold")
        await choose(desk, run, unit=1)
        give_others_claims(connection)
        before = rows_read(connection, TABLES)
        for unit in (2, 3, 4):
            await choose(desk, run, unit=unit)
        await desk.dispose()  # which has the server count what that session has read
        await until_alone(connection)
        assert rows_read(connection, TABLES) - before < FEW


async def choose(desk: Desk, run: int, *, unit: int) -> None:
    """Take a seat, and give up the one before: all statements that a batch may have."""
    wants = tuple(want(run, unit))
    await desk.take(TakeRequest(wants=wants, owner="guest:an", terms=TERMS, replaces_own=True))


def give_others_claims(connection: "psycopg.Connection[tuple[int]]") -> None:
    connection.execute(
        "INSERT INTO hold (id, owner, state, expires_at, first_taken_at, latest_at, extensions, max_extensions, wants)"
        " SELECT gen_random_uuid(), 'guest:' || n, 'held', now() + interval '1 hour', now(), now(), 0, 0, '[]'"
        " FROM generate_series(1, %s) AS n",
        [OTHERS],
    )
    connection.execute(
        "INSERT INTO claim (inventory_id, unit, slot, hold_id, expires_at)"
        " SELECT 1000000 + n, 0, 0, gen_random_uuid(), now() + interval '1 hour' FROM generate_series(1, %s) AS n",
        [OTHERS],
    )
