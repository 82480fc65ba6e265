"""What waits for the staff is found by an index of what waits, among however much that is settled."""

from unittest.mock import patch

import psycopg
import pytest
from tests.bookings.shows import scalar

from farebox.accounts import SYSTEM
from farebox.payments import list_hand_refunds, list_open_disputes

MANY = 20_000

SETTLED = {
    "refund": (
        "INSERT INTO refund SELECT (jsonb_populate_record(refund, jsonb_build_object("
        " 'id', gen_random_uuid(), 'status', 'completed', 'completed_at', now()))).*"
        " FROM refund, generate_series(1, %s)"
    ),
    "payment_dispute": (
        "INSERT INTO payment_dispute SELECT (jsonb_populate_record(payment_dispute, jsonb_build_object("
        " 'id', gen_random_uuid(), 'external_id', 'd' || number, 'step', 'won'))).*"
        " FROM payment_dispute, generate_series(1, %s) AS number"
    ),
}


async def plan_of(database, table, ask):
    """How the database finds the answer to a question when it plans for whatever might be asked the next time."""
    asked = []
    execute = psycopg.AsyncCursor.execute

    async def remembering(self, query, parameters=None, **options):
        asked.append((str(query), parameters))
        return await execute(self, query, parameters, **options)

    async with database.begin() as work:
        with patch.object(psycopg.AsyncCursor, "execute", remembering):
            assert len(await ask(work)) == 1
        [(query, parameters)] = [each for each in asked if f"FROM {table} " in each[0].replace("\n", " ")]
    connection = await psycopg.AsyncConnection.connect(database.direct_dsn, prepare_threshold=0)
    async with connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        cursor = await connection.execute(f"EXPLAIN {query}", parameters)
        return "\n".join(line for (line,) in await cursor.fetchall())


async def filled(till, table):
    async with till.database.begin() as work:
        await work.execute(SETTLED[table], (MANY,))
        await work.execute(f"ANALYZE {table}")


async def without(till, index):
    async with till.database.begin() as work:
        await work.execute(f"DROP INDEX {index}")


@pytest.fixture
async def sold(till):
    booking, _, show, payment = await till.paying()
    await till.play(payment, "succeeded")
    return booking, show


async def test_refunds_by_hand_are_found_by_the_index_of_those_that_wait(till, sold):
    await scalar(
        till.database,
        "INSERT INTO refund (id, booking_id, payment_id, charge_id, amount_minor, currency, reason, status, attempts,"
        " created_at, updated_at) SELECT gen_random_uuid(), %s, payment_id, id, 100, currency, 'allowance', 'failed',"
        " 1, now(), now() FROM payment_charge RETURNING 1",
        sold[0].id,
    )
    await filled(till, "refund")

    async def ask(work):
        return await list_hand_refunds(work, actor=SYSTEM)

    assert "Index Scan using ix_refund_waiting on refund" in await plan_of(till.database, "refund", ask)
    await without(till, "ix_refund_waiting")
    assert "Seq Scan on refund" in await plan_of(till.database, "refund", ask)  # the control


async def test_open_disputes_are_found_by_the_index_of_those_that_are_open(till, sold):
    await scalar(
        till.database,
        "INSERT INTO payment_dispute (id, charge_id, provider, external_id, step, amount_minor, opened_at, updated_at)"
        " SELECT gen_random_uuid(), id, provider, 'd', 'open', 100, now(), now() FROM payment_charge RETURNING 1",
    )
    await filled(till, "payment_dispute")

    async def ask(work):
        return await list_open_disputes(work, sold[1].operator_id, actor=SYSTEM)

    found = await plan_of(till.database, "payment_dispute", ask)
    assert "using ix_payment_dispute_open on payment_dispute" in found
    await without(till, "ix_payment_dispute_open")
    assert "Seq Scan on payment_dispute" in await plan_of(till.database, "payment_dispute", ask)  # the control
