"""Opening and closing runs, by the tens of thousands."""

from collections.abc import Sequence

from farebox.core.db import UnitOfWork
from farebox.inventory.views import InventorySpec


async def open_inventories(work: UnitOfWork, specs: Sequence[InventorySpec]) -> list[int]:
    """Put runs on sale; their ids, in the order of the specs.

    Raises:
        ValueError: a run without slots, or with neither units nor stock.
    """
    if any(spec.slots < 1 or min(spec.units, spec.capacity) < 0 or not (spec.units or spec.capacity) for spec in specs):
        raise ValueError("a run needs units or stock, over at least one slot")
    cursor = await work.execute(
        "SELECT nextval(pg_get_serial_sequence('inventory', 'id')) FROM generate_series(1, %s)", (len(specs),)
    )
    ids: list[int] = [number for (number,) in await cursor.fetchall()]
    copy = "COPY inventory (id, units, slots, sales_open_at, sales_close_at) FROM STDIN"
    async with (await work.driver()).cursor() as driver, driver.copy(copy) as rows:
        for number, spec in zip(ids, specs, strict=True):
            await rows.write_row((number, spec.units, spec.slots, spec.sales_open_at, spec.sales_close_at))
    if any(spec.capacity for spec in specs):
        copy = "COPY capacity (inventory_id, slot, total, taken) FROM STDIN"
        async with (await work.driver()).cursor() as driver, driver.copy(copy) as rows:
            for number, spec in zip(ids, specs, strict=True):
                for slot in range(spec.slots if spec.capacity else 0):
                    await rows.write_row((number, slot, spec.capacity, 0))
    return ids


async def close_inventories(work: UnitOfWork, inventory_ids: Sequence[int]) -> list[int]:
    """Take runs away for good, those on which nobody has anything. Waits for takers that are at it.

    Returns:
        The ids that were closed, sorted; on the others somebody has something, and they stay.
    """
    ids = sorted(inventory_ids)
    # A taker keeps a key share on its run, so once these locks are ours nothing new is on its way. Who confirms late
    # what ran out keeps only claims and portions. The last statement sees what all of them have committed.
    await work.execute("SELECT 1 FROM inventory WHERE id = ANY (%s) ORDER BY id FOR UPDATE", (ids,))
    await work.execute(
        "SELECT 1 FROM claim WHERE inventory_id = ANY (%s) AND expires_at IS NOT NULL"
        " ORDER BY inventory_id, unit, slot FOR UPDATE",
        (ids,),
    )
    await work.execute(
        "SELECT 1 FROM capacity WHERE inventory_id = ANY (%s) ORDER BY inventory_id, slot FOR UPDATE", (ids,)
    )
    await work.execute(
        "SELECT 1 FROM portion WHERE inventory_id = ANY (%s) AND expires_at IS NOT NULL"
        " ORDER BY inventory_id, hold_id, first_slot, end_slot FOR UPDATE",
        (ids,),
    )
    cursor = await work.execute(
        """
        WITH closed AS (
            DELETE FROM inventory WHERE id = ANY (%s) AND NOT EXISTS (
                SELECT FROM claim WHERE claim.inventory_id = inventory.id
                AND (claim.expires_at IS NULL OR claim.expires_at > statement_timestamp()))
            AND NOT EXISTS (
                SELECT FROM portion WHERE portion.inventory_id = inventory.id
                AND (portion.expires_at IS NULL OR portion.expires_at > statement_timestamp()))
            RETURNING id
        ), swept_claims AS (
            DELETE FROM claim USING closed WHERE claim.inventory_id = closed.id
        ), swept_portions AS (
            DELETE FROM portion USING closed WHERE portion.inventory_id = closed.id
        ), swept_stock AS (
            DELETE FROM capacity USING closed WHERE capacity.inventory_id = closed.id
        )
        SELECT id FROM closed ORDER BY id
        """,
        (ids,),
    )
    return [number for (number,) in await cursor.fetchall()]
