"""Opening and closing runs, by the tens of thousands."""

from collections.abc import Sequence

from farebox.core.db import UnitOfWork
from farebox.inventory.views import InventorySpec


async def open_inventories(work: UnitOfWork, specs: Sequence[InventorySpec]) -> list[int]:
    """Put runs on sale; their ids, in the order of the specs."""
    cursor = await work.execute(
        "SELECT nextval(pg_get_serial_sequence('inventory', 'id')) FROM generate_series(1, %s)", (len(specs),)
    )
    ids: list[int] = [number for (number,) in await cursor.fetchall()]
    copy = "COPY inventory (id, units, slots, sales_open_at, sales_close_at) FROM STDIN"
    async with (await work.driver()).cursor() as driver, driver.copy(copy) as rows:
        for number, spec in zip(ids, specs, strict=True):
            await rows.write_row((number, spec.units, spec.slots, spec.sales_open_at, spec.sales_close_at))
    return ids


async def close_inventories(work: UnitOfWork, inventory_ids: Sequence[int]) -> list[int]:
    """Take runs away for good, those on which nobody has anything. Waits for takers that are at it.

    Returns:
        The ids that were closed; the others still have claims and stay.
    """
    ids = list(inventory_ids)
    # A taker keeps a key share on its run, so once these locks are ours no claim is on its way any more. The next
    # statement sees what the takers before us have committed.
    await work.execute("SELECT 1 FROM inventory WHERE id = ANY (%s) ORDER BY id FOR UPDATE", (ids,))
    cursor = await work.execute(
        """
        WITH closed AS (
            DELETE FROM inventory WHERE id = ANY (%s) AND NOT EXISTS (
                SELECT FROM claim WHERE claim.inventory_id = inventory.id
                AND (claim.expires_at IS NULL OR claim.expires_at > statement_timestamp()))
            RETURNING id
        ), swept AS (
            DELETE FROM claim USING closed WHERE claim.inventory_id = closed.id
        )
        SELECT id FROM closed ORDER BY id
        """,
        (ids,),
    )
    return [number for (number,) in await cursor.fetchall()]
