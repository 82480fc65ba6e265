"""What must be true of the database after any fault, asked of the database itself: no trust in what the code says."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import dict_row

from farebox.payments import verdicts

_WANTED = """
wanted AS (
    SELECT hold.id AS hold_id, (want ->> 0)::bigint AS inventory_id, unit::int AS unit, slot
    FROM hold, jsonb_array_elements(wants) AS want, jsonb_array_elements_text(want -> 1) AS unit,
        generate_series((want ->> 2)::int, (want ->> 3)::int - 1) AS slot
    WHERE state IN ('confirmed', 'blocked') OR (state = 'held' AND expires_at > now())
), portioned AS (
    SELECT hold.id AS hold_id, (part ->> 0)::bigint AS inventory_id, (part ->> 1)::int AS quantity, slot
    FROM hold, jsonb_array_elements(amounts) AS part,
        generate_series((part ->> 2)::int, (part ->> 3)::int - 1) AS slot
    WHERE state IN ('confirmed', 'blocked') OR (state = 'held' AND expires_at > now())
), live AS (
    SELECT * FROM claim WHERE expires_at IS NULL OR expires_at > now()
), sold AS (
    SELECT * FROM booking WHERE status IN ('confirmed', 'completed')
), sold_unit AS (
    SELECT booking_id, hold_id, inventory_id, unit, slot
    FROM booking_item, unnest(units) AS unit, generate_series(first_slot, end_slot - 1) AS slot
    WHERE booking_id IN (SELECT id FROM sold)
)"""
"""What everybody has according to their holds and bookings, which is not where the kernel keeps who has what."""

RULES = {
    "two claims on one key": """
        SELECT inventory_id, unit, slot, count(*) FROM claim GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "two living holds want one key": """
        SELECT inventory_id, unit, slot, array_agg(hold_id) AS holds FROM wanted GROUP BY 1, 2, 3
        HAVING count(DISTINCT hold_id) > 1""",
    "two sold bookings of one key": """
        SELECT inventory_id, unit, slot, array_agg(booking_id) AS bookings FROM sold_unit GROUP BY 1, 2, 3
        HAVING count(*) > 1""",
    "a living hold lacks a claim": """
        SELECT wanted.* FROM wanted LEFT JOIN claim USING (inventory_id, unit, slot, hold_id)
        WHERE claim.slot IS NULL""",
    "a living claim that no living hold wants": """
        SELECT live.* FROM live LEFT JOIN wanted USING (inventory_id, unit, slot, hold_id)
        WHERE wanted.hold_id IS NULL""",
    "a claim runs by another clock than its hold": """
        SELECT live.*, hold.expires_at AS end_of_hold FROM live JOIN hold ON hold.id = live.hold_id
        WHERE live.expires_at IS DISTINCT FROM hold.expires_at""",
    "a hold lasts longer than was promised": """
        SELECT id, expires_at, latest_at FROM hold
        WHERE state = 'held' AND expires_at > latest_at AND owner NOT LIKE 'booking:%%'""",
    "a sold booking lacks a claim for good": """
        SELECT sold_unit.* FROM sold_unit LEFT JOIN claim USING (inventory_id, unit, slot, hold_id)
        LEFT JOIN hold ON hold.id = hold_id
        WHERE claim.slot IS NULL OR claim.expires_at IS NOT NULL OR hold.state IS DISTINCT FROM 'confirmed'""",
    "seats sold for good to no sold booking": """
        SELECT id, owner FROM hold WHERE state = 'confirmed' AND owner LIKE 'booking:%%'
        AND NOT EXISTS (SELECT FROM booking_item WHERE hold_id = hold.id AND booking_id IN (SELECT id FROM sold))""",
    "a booking waits for money without its seats": """
        SELECT booking.id, hold.state FROM booking JOIN booking_item item ON item.booking_id = booking.id
        LEFT JOIN hold ON hold.id = item.hold_id
        WHERE booking.expires_at > now() AND hold.state IS DISTINCT FROM 'held'""",
    "stock is counted wrong": """
        SELECT capacity.*, coalesce(sum(quantity), 0) AS counted
        FROM capacity LEFT JOIN portion ON portion.inventory_id = capacity.inventory_id
            AND portion.first_slot <= capacity.slot AND capacity.slot < portion.end_slot
        GROUP BY capacity.inventory_id, capacity.slot HAVING coalesce(sum(quantity), 0) <> capacity.taken""",
    "a living hold lacks stock": """
        SELECT portioned.* FROM portioned LEFT JOIN portion ON portion.hold_id = portioned.hold_id
            AND portion.inventory_id = portioned.inventory_id
            AND first_slot <= portioned.slot AND portioned.slot < end_slot
        GROUP BY portioned.hold_id, portioned.inventory_id, portioned.slot, portioned.quantity
        HAVING coalesce(sum(portion.quantity), 0) < portioned.quantity""",
}

ACKNOWLEDGED = {
    "a lock that was answered with 201 is not there": """
        SELECT told.id FROM unnest(%(locks)s::uuid[]) AS told (id) LEFT JOIN hold USING (id) WHERE hold.id IS NULL""",
    "a lock ended before its time": """
        SELECT id, state, expires_at FROM hold
        WHERE id = ANY (%(locks)s) AND state = 'expired' AND expires_at > now()""",
    "somebody's last choice was given up by nobody": """
        SELECT last.* FROM (
            SELECT DISTINCT ON (owner) id, owner, state FROM hold
            WHERE owner IN (SELECT owner FROM hold WHERE id = ANY (%(locks)s)) ORDER BY owner, id DESC) AS last
        WHERE last.state = 'released' AND NOT last.id = ANY (%(given_up)s)""",
}

SHOWN = 3


def audit(dsn: str, *, acknowledged: Collection[UUID] = (), given_up: Collection[UUID] = ()) -> list[str]:
    """What is wrong in the database, in one instant: a rule that is broken, and where. Empty when all is well.

    Of money, the ledger's own rules are asked (`payments.verifying`).

    Args:
        acknowledged: locks that clients were told they have.
        given_up: those of them that clients asked to give back.
    """
    with psycopg.connect(dsn) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        return findings(connection, acknowledged=acknowledged, given_up=given_up)


def findings(
    connection: "psycopg.Connection[Any]", *, acknowledged: Collection[UUID] = (), given_up: Collection[UUID] = ()
) -> list[str]:
    """The same, in a transaction of the caller's."""
    told = {"locks": list(acknowledged), "given_up": list(given_up)}
    found = []
    with connection.cursor(row_factory=dict_row) as cursor:
        for rule, query in (RULES | ACKNOWLEDGED).items():
            rows = cursor.execute(f"WITH {_WANTED} {query}", told).fetchall()
            if rows:
                found.append(f"{rule} ({len(rows)}): {rows[:SHOWN]}")
    return found + [str(verdict) for verdict in verdicts(connection) if verdict.broken]


def deadlocks(dsn: str) -> int:
    """How many deadlocks PostgreSQL has had to break in this database."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
        assert row is not None
        return int(row[0])
