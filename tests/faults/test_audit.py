"""The audit finds what it is there to find: each of its rules is broken by hand once."""

import psycopg
import pytest
from psycopg import IsolationLevel
from tests.faults.audit import ACKNOWLEDGED, RULES, audit, findings
from tests.inventory.kernel import TERMS, want
from tests.payments.conftest import bank, box, client, services, till

from farebox.core.ids import new_id
from farebox.inventory import Amount, InventorySpec, open_inventories, release, take

__all__ = ["bank", "box", "client", "services", "till"]

BREAKS = {
    "two claims on one key": """
        ALTER TABLE claim DROP CONSTRAINT pk_claim; INSERT INTO claim SELECT * FROM claim LIMIT 1""",
    "two living holds want one key": """
        INSERT INTO hold SELECT gen_random_uuid(), owner, state, expires_at, first_taken_at, latest_at, extensions,
            max_extensions, confirmed_at, wants, amounts FROM hold WHERE state = 'confirmed'""",
    "two sold bookings of one key": """
        UPDATE booking_item SET (inventory_id, hold_id) = (
            SELECT inventory_id, hold_id FROM booking_item ORDER BY id DESC LIMIT 1)""",
    "a living hold lacks a claim": "DELETE FROM claim WHERE expires_at IS NOT NULL",
    "a living claim that no living hold wants": "UPDATE hold SET state = 'released' WHERE state = 'held'",
    "a claim runs by another clock than its hold": """
        UPDATE claim SET expires_at = expires_at + interval '1 day' WHERE expires_at IS NOT NULL""",
    "a hold lasts longer than was promised": """
        UPDATE hold SET expires_at = now() + interval '1 day' WHERE state = 'held'""",
    "a sold booking lacks a claim for good": "UPDATE claim SET expires_at = now() + interval '1 h'",
    "seats sold for good to no sold booking": """
        UPDATE booking SET status = 'cancelled', reason = 'customer' WHERE status = 'confirmed'""",
    "a booking waits for money without its seats": """
        UPDATE hold SET state = 'released' WHERE owner LIKE 'booking:%' AND state = 'held'""",
    "stock is counted wrong": "UPDATE capacity SET taken = taken + 1 WHERE slot = 0",
    "a living hold lacks stock": "DELETE FROM portion",
    "a lock that was answered with 201 is not there": "DELETE FROM hold WHERE owner = 'guest:an'",
    "a lock ended before its time": "UPDATE hold SET state = 'expired' WHERE owner = 'guest:an'",
    "somebody's last choice was given up by nobody": "UPDATE hold SET state = 'released' WHERE owner = 'guest:an'",
}


@pytest.fixture
async def mixed(till):
    """Two sold bookings, one that waits for its money, and a hold of a seat and of stock; the hold's id."""
    for _ in range(2):
        *_, payment = await till.paying()
        await till.play(payment, "succeeded")
    await till.paying()
    async with till.database.begin() as work:
        [run] = await open_inventories(work, [InventorySpec(2, 2, capacity=5)])
        hold = await take(work, want(run, 0, 0, 2), owner="guest:an", terms=TERMS, amounts=[Amount(run, 2, 0, 2)])
    return hold.id


async def test_it_finds_nothing_wrong_where_nothing_is_and_each_rule_where_it_is_broken(mixed, till, server_dsn):
    dsn = till.database.direct_dsn
    assert audit(dsn, acknowledged=[mixed]) == []
    assert BREAKS.keys() == (RULES | ACKNOWLEDGED).keys()
    with psycopg.connect(server_dsn, dbname=till.database.url.database) as connection:  # as a superuser
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        for rule, harm in BREAKS.items():
            connection.execute("SET LOCAL session_replication_role = replica")  # no trigger forbids it
            connection.execute(
                "DO $$ BEGIN EXECUTE (SELECT string_agg(format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass,"
                " conname), ';') FROM pg_constraint WHERE contype = 'c' AND conrelid IN ('hold'::regclass,"
                " 'booking'::regclass)); END $$"
            )
            connection.execute(harm)
            found = findings(connection, acknowledged=[mixed])
            assert rule in [finding.partition(" (")[0] for finding in found], found
            connection.rollback()


async def test_what_somebody_gave_back_is_not_missed(mixed, till):
    async with till.database.begin() as work:
        await release(work, mixed)
    dsn = till.database.direct_dsn
    assert audit(dsn, acknowledged=[mixed], given_up=[mixed]) == []
    assert audit(dsn, acknowledged=[mixed]) != []
    assert audit(dsn, acknowledged=[new_id()]) != []


async def test_it_asks_the_ledgers_own_rules_too(mixed, till, server_dsn):
    with psycopg.connect(server_dsn, dbname=till.database.url.database) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE account LIKE 'clearing:%'")
        found = findings(connection, acknowledged=[mixed])
        connection.rollback()
    assert [finding.partition(":")[0] for finding in found] == [
        "every movement balances",
        "a provider holds what it took, less what it gave back and what is disputed",
    ]
