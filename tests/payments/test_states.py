"""Payments move along the arrows of the table only, whoever moves them: a command, or a hand in the database."""

import psycopg
import pytest
from psycopg.errors import IntegrityConstraintViolation
from tests.bookings.shows import scalar
from tests.guards import unguarded

from farebox.payments import PaymentStatus
from farebox.payments.states import TRANSITIONS, move

PAIRS = [(source, target) for source in PaymentStatus for target in PaymentStatus if source is not target]
PUT = "UPDATE payment SET status = %s WHERE id = %s"
READ = "SELECT status FROM payment"


async def put(database, payment, status):
    """Past all guards."""
    async with database.begin() as work, unguarded(work, "payment"):
        await work.execute(PUT, (status, payment.id))


async def test_a_command_moves_a_payment_along_the_arrows_only(till, database):
    _, _, _, payment = await till.paying()
    for source, target in PAIRS:
        await put(database, payment, source)
        async with database.begin() as work:
            moved = await move(work, payment.id, target)
        assert moved == (target in TRANSITIONS[source])
        assert await scalar(database, READ) == (target if moved else source)


async def test_whoever_writes_the_database_moves_a_payment_along_the_arrows_only(till, database):
    _, _, _, payment = await till.paying()
    async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as hand:
        for source, target in PAIRS:
            await put(database, payment, source)
            if target in TRANSITIONS[source]:
                await hand.execute(PUT, (target, payment.id))
            else:
                with pytest.raises(IntegrityConstraintViolation, match=f"does not go from {source} to {target}"):
                    await hand.execute(PUT, (target, payment.id))
            assert await scalar(database, READ) == (target if target in TRANSITIONS[source] else source)
