"""Forgetting what nobody will ask for again. Claims are a working set, not history: bookings keep the history.

Nothing here waits for anybody: what somebody works on at this moment is left for the next time. Hence the order of
locks plays no part, although runs come before holds here.
"""

from collections.abc import Sequence

from farebox.core.db import UnitOfWork
from farebox.inventory.steps import fetch
from farebox.inventory.views import topics_of


async def list_inventories_in_use(work: UnitOfWork, *, after: int = 0, limit: int = 100) -> list[int]:
    """The ids of runs that have claims or stock, in order, beginning after that id.

    The cost grows with these and their number, not with all runs that there ever were.
    """
    rows = await fetch(
        work,
        """
        WITH RECURSIVE used (id) AS (
            SELECT %(after)s::bigint
            UNION ALL
            SELECT least((SELECT min(inventory_id) FROM claim WHERE inventory_id > used.id),
                         (SELECT min(inventory_id) FROM capacity WHERE inventory_id > used.id))
            FROM used WHERE used.id IS NOT NULL
        )
        SELECT id FROM used WHERE id > %(after)s LIMIT %(limit)s
        """,
        {"after": after, "limit": limit},
    )
    return [inventory_id for (inventory_id,) in rows]


async def forget_inventories(work: UnitOfWork, inventory_ids: Sequence[int]) -> int:
    """Delete all claims, portions and stock of runs that are over for good, and the holds that have nothing else.

    A hold on other runs as well goes on with those. What was sold is free again in the kernel's eyes: whoever asks for
    this says that nobody will sell it. Each run is forgotten whole or, when somebody works on it, not at all.

    Returns:
        How many were forgotten.
    """
    free = await fetch(
        work,
        "SELECT id FROM inventory WHERE id = ANY (%(runs)s) ORDER BY id FOR UPDATE SKIP LOCKED",
        {"runs": list(inventory_ids)},
    )
    users = await fetch(
        work,
        "SELECT inventory_id, hold_id FROM claim WHERE inventory_id = ANY (%(runs)s)"
        " UNION SELECT inventory_id, hold_id FROM portion WHERE inventory_id = ANY (%(runs)s)",
        {"runs": [run for (run,) in free]},
    )
    locked = await fetch(
        work,
        "SELECT id FROM hold WHERE id = ANY (%(hold_ids)s) FOR UPDATE SKIP LOCKED",
        {"hold_ids": list({hold_id for _, hold_id in users})},
    )
    ours = {hold_id for (hold_id,) in locked}
    busy = {run for run, hold_id in users if hold_id not in ours}
    runs = [run for (run,) in free if run not in busy]
    parameters = {"runs": runs, "hold_ids": [hold_id for run, hold_id in users if run not in busy]}
    for table in ("claim", "portion", "capacity"):
        await work.execute(f"DELETE FROM {table} WHERE inventory_id = ANY (%(runs)s)", parameters)  # noqa: S608
    await work.execute(
        """
        DELETE FROM hold WHERE id = ANY (%(hold_ids)s) AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(wants || amounts) AS part WHERE (part ->> 0)::bigint <> ALL (%(runs)s))
        """,
        parameters,
    )
    await work.execute(
        """
        UPDATE hold SET
            wants = (SELECT coalesce(jsonb_agg(part ORDER BY position), '[]')
                     FROM jsonb_array_elements(wants) WITH ORDINALITY AS want (part, position)
                     WHERE (part ->> 0)::bigint <> ALL (%(runs)s)),
            amounts = (SELECT coalesce(jsonb_agg(part ORDER BY position), '[]')
                       FROM jsonb_array_elements(amounts) WITH ORDINALITY AS amount (part, position)
                       WHERE (part ->> 0)::bigint <> ALL (%(runs)s))
        WHERE id = ANY (%(hold_ids)s)
        """,
        parameters,
    )
    work.signal(topics_of(runs))
    return len(runs)


async def forget_holds(work: UnitOfWork, *, days: int, limit: int = 1000) -> int:
    """Delete up to `limit` holds that were released or expired so many days ago, the oldest first; how many.

    Until then they answer requests sent again, and money that arrives late finds what it was meant for.
    """
    rows = await fetch(
        work,
        """
        DELETE FROM hold WHERE id IN (
            SELECT id FROM hold
            WHERE state IN ('released', 'expired')
              AND expires_at < statement_timestamp() - make_interval(days => %(days)s)
            ORDER BY expires_at
            LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED)
        RETURNING 1
        """,
        {"days": days, "limit": limit},
    )
    return len(rows)
