"""Who asks, and what they may have, is found as quickly in full tables as in those that were empty at the start."""

import psycopg
import pytest
from tests.reading import rows_read, until_alone

OTHERS = 5_000
FEW = 500
TABLES = ("guest_session", "hold")


@pytest.mark.direct
async def test_a_hold_reads_what_it_asks_for_however_empty_the_tables_were_when_it_was_planned(an, services, database):
    with psycopg.connect(services.database.dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE guest_session, hold")
        await an.held("1A")
        give_others_sessions_and_holds(connection)
        before = rows_read(connection, TABLES)
        for seat in ("2A", "3A", "4A"):
            await an.held(seat)
        await database.dispose()
        await services.dispose()  # which has the server count what these sessions have read
        await until_alone(connection)
        assert rows_read(connection, TABLES) - before < FEW


def give_others_sessions_and_holds(connection: "psycopg.Connection[tuple[int]]") -> None:
    connection.execute(
        "INSERT INTO hold (id, owner, state, expires_at, first_taken_at, latest_at, extensions, max_extensions, wants)"
        " SELECT gen_random_uuid(), 'guest:' || n, 'held', now() + interval '1 hour', now(), now(), 0, 0, '[]'"
        " FROM generate_series(1, %s) AS n",
        [OTHERS],
    )
    connection.execute(
        "INSERT INTO guest_session (id, token_digest, ttl_seconds, created_at, expires_at)"
        " SELECT gen_random_uuid(), sha256(n::text::bytea), 3600, now(), now() + interval '1 hour'"
        " FROM generate_series(1, %s) AS n",
        [OTHERS],
    )
