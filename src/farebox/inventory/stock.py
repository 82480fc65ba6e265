"""Fungible stock: so much of a run in each slot, of which nobody gets a certain piece. Standing room, rooms of a type.

What a hold has is a portion: a quantity over a range of slots, with the hold's clock. `capacity.taken` counts the
portions slot by slot, overdue ones as well, until somebody takes them back: the sweeper, or who finds too little left.
Each statement locks capacity rows first and portions then, both by key; see `statements` for what comes before them.
Who only moves clocks needs no capacity row.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from farebox.core.db import LOCK_TIMEOUT_MS, UnitOfWork
from farebox.core.metrics import HOLDS
from farebox.inventory.errors import NotOnSale, StockGone, StockInUse, UnknownUnits
from farebox.inventory.queries import HoldRecord
from farebox.inventory.steps import all_or_nothing, fetch
from farebox.inventory.views import LARGEST_INTEGER, Amount, amounts_of, is_plausible_amount, stock_of, topics_of

_IN_THE_WAY = f"""
asked AS MATERIALIZED (
    SELECT * FROM unnest(%(inventory_ids)s::bigint[], %(slots)s::smallint[], %(quantities)s::integer[])
        AS asked (inventory_id, slot, quantity)
),
movable AS MATERIALIZED (
    SELECT inventory_id, hold_id, first_slot, end_slot FROM portion
    WHERE inventory_id = ANY (%(given_runs)s::bigint[]) AND hold_id = ANY (%(gives_up)s::uuid[])
    UNION
    SELECT inventory_id, hold_id, first_slot, end_slot FROM portion
    WHERE inventory_id = ANY (%(runs)s::bigint[])
      AND expires_at <= statement_timestamp() + interval '{LOCK_TIMEOUT_MS} milliseconds'
      AND EXISTS (SELECT FROM asked WHERE asked.inventory_id = portion.inventory_id
                  AND asked.slot >= portion.first_slot AND asked.slot < portion.end_slot)
),
locked AS MATERIALIZED (
    SELECT capacity.inventory_id, capacity.slot, capacity.total, capacity.taken
    FROM capacity JOIN (
        SELECT inventory_id, slot FROM asked
        UNION
        SELECT inventory_id, generate_series(first_slot, end_slot - 1) FROM movable
    ) AS key USING (inventory_id, slot)
    ORDER BY capacity.inventory_id, capacity.slot
    FOR UPDATE OF capacity
)"""  # noqa: S608
"""What is asked for, the portions that may have to go for it, and all the capacity rows that either touches.

Portions that run out while we wait for those rows are among them, so that the wait costs nobody anything."""

_MOVE = f"""
WITH {_IN_THE_WAY},
mine AS MATERIALIZED (
    SELECT portion.* FROM portion JOIN movable USING (inventory_id, hold_id, first_slot, end_slot)
    WHERE portion.hold_id = ANY (%(gives_up)s::uuid[]) AND (SELECT count(*) FROM locked) >= 0
    ORDER BY portion.inventory_id, portion.hold_id, portion.first_slot, portion.end_slot
    FOR UPDATE OF portion
),
short AS MATERIALIZED (
    SELECT asked.inventory_id, asked.slot
    FROM asked JOIN locked USING (inventory_id, slot)
    WHERE asked.quantity > locked.total - locked.taken + (
        SELECT coalesce(sum(mine.quantity), 0) FROM mine WHERE mine.inventory_id = asked.inventory_id
        AND asked.slot >= mine.first_slot AND asked.slot < mine.end_slot)
),
overdue AS MATERIALIZED (
    SELECT portion.* FROM portion JOIN movable USING (inventory_id, hold_id, first_slot, end_slot)
    WHERE portion.hold_id <> ALL (%(gives_up)s::uuid[]) AND portion.expires_at <= clock_timestamp()
      AND (SELECT count(*) FROM short) > 0
      AND EXISTS (SELECT FROM short WHERE short.inventory_id = portion.inventory_id
                  AND short.slot >= portion.first_slot AND short.slot < portion.end_slot)
    ORDER BY portion.inventory_id, portion.hold_id, portion.first_slot, portion.end_slot
    FOR UPDATE OF portion
),
going AS MATERIALIZED (SELECT * FROM mine UNION ALL SELECT * FROM overdue),
freed AS MATERIALIZED (
    SELECT inventory_id, slot, sum(quantity)::integer AS quantity
    FROM going, generate_series(first_slot, end_slot - 1) AS slot
    GROUP BY inventory_id, slot
),
outcome AS MATERIALIZED (
    SELECT asked.inventory_id, asked.slot, asked.quantity,
           locked.total - locked.taken + coalesce(freed.quantity, 0) AS remaining,
           NOT %(selling)s OR (coalesce(run.sales_open_at <= statement_timestamp(), true)
                               AND coalesce(run.sales_close_at > statement_timestamp(), true)) AS is_on_sale
    FROM asked
    LEFT JOIN locked USING (inventory_id, slot)
    LEFT JOIN freed USING (inventory_id, slot)
    LEFT JOIN inventory AS run ON run.id = asked.inventory_id
),
verdict AS MATERIALIZED (
    SELECT coalesce(bool_and(is_on_sale AND coalesce(remaining >= quantity, false)), true) AS is_won FROM outcome
),
removed AS (
    DELETE FROM portion USING going
    WHERE portion.inventory_id = going.inventory_id AND portion.hold_id = going.hold_id
      AND portion.first_slot = going.first_slot AND portion.end_slot = going.end_slot
      AND (SELECT is_won FROM verdict)
    RETURNING 1
),
counted AS (
    UPDATE capacity SET total = locked.total, taken = locked.taken + change.quantity
    FROM locked JOIN (
        SELECT inventory_id, slot, sum(quantity)::integer AS quantity FROM (
            SELECT inventory_id, slot, quantity FROM asked
            UNION ALL
            SELECT inventory_id, slot, -quantity FROM freed
        ) AS changes
        GROUP BY inventory_id, slot
    ) AS change USING (inventory_id, slot)
    WHERE capacity.inventory_id = locked.inventory_id AND capacity.slot = locked.slot
      AND (SELECT is_won FROM verdict)
),
made AS (
    INSERT INTO portion (inventory_id, hold_id, first_slot, end_slot, quantity, expires_at)
    SELECT part.inventory_id, %(hold_id)s, part.first_slot, part.end_slot, part.quantity, %(expires_at)s::timestamptz
    FROM unnest(%(part_runs)s::bigint[], %(first_slots)s::smallint[], %(end_slots)s::smallint[],
                %(part_quantities)s::integer[]) AS part (inventory_id, first_slot, end_slot, quantity)
    WHERE (SELECT is_won FROM verdict) AND (SELECT count(*) FROM removed) >= 0
)
SELECT inventory_id, quantity, remaining, is_on_sale FROM outcome"""  # noqa: S608
"""Gives up portions and takes others, or, when there is too little, changes nothing and says how much there is.

Portions whose time is over are taken back only from the slots that would else be short. One pass over each table, and
the portions go before others with the same key are made. The counters are made from the locked rows: the row that the
update finds first may be older than those, and its check is tested on what becomes of that one."""


_LOCK = """
SELECT 1 FROM capacity JOIN (
    SELECT DISTINCT inventory_id, generate_series(first_slot, end_slot - 1) AS slot FROM portion
    WHERE inventory_id = ANY (%(runs)s::bigint[]) AND hold_id = ANY (%(hold_ids)s::uuid[])
) AS key USING (inventory_id, slot)
ORDER BY capacity.inventory_id, capacity.slot
FOR UPDATE OF capacity"""

_MOVE_CLOCKS = """
WITH mine AS MATERIALIZED (
    SELECT inventory_id, hold_id, first_slot, end_slot FROM portion
    WHERE inventory_id = ANY (%(runs)s::bigint[]) AND hold_id = %(hold_id)s
    ORDER BY inventory_id, hold_id, first_slot, end_slot
    FOR UPDATE
), moved AS (
    UPDATE portion SET expires_at = %(expires_at)s FROM mine
    WHERE portion.inventory_id = mine.inventory_id AND portion.hold_id = mine.hold_id
      AND portion.first_slot = mine.first_slot AND portion.end_slot = mine.end_slot
)
SELECT count(*) FROM mine"""

_SET = """
WITH runs AS MATERIALIZED (
    SELECT id, slots FROM inventory WHERE id = ANY (%(inventory_ids)s::bigint[]) ORDER BY id FOR KEY SHARE
)
INSERT INTO capacity AS row (inventory_id, slot, total, taken)
SELECT key.inventory_id, key.slot, key.total, 0
FROM unnest(%(inventory_ids)s::bigint[], %(slots)s::smallint[], %(quantities)s::integer[])
    AS key (inventory_id, slot, total)
JOIN runs ON runs.id = key.inventory_id AND key.slot < runs.slots
ORDER BY key.inventory_id, key.slot
ON CONFLICT (inventory_id, slot) DO UPDATE SET total = excluded.total WHERE row.taken <= excluded.total
RETURNING inventory_id, slot"""

_LEFT = """
SELECT coalesce((
    SELECT CASE WHEN count(*) = asked.end_slot - asked.first_slot
                THEN min(capacity.total - capacity.taken + coalesce((
                    SELECT sum(portion.quantity) FROM portion
                    WHERE portion.inventory_id = capacity.inventory_id AND portion.expires_at <= statement_timestamp()
                      AND portion.first_slot <= capacity.slot AND portion.end_slot > capacity.slot), 0)) END
    FROM capacity
    WHERE capacity.inventory_id = asked.inventory_id
      AND capacity.slot >= asked.first_slot AND capacity.slot < asked.end_slot), 0)::integer
FROM unnest(%s::bigint[], %s::smallint[], %s::smallint[]) WITH ORDINALITY
    AS asked (inventory_id, first_slot, end_slot, position)
ORDER BY asked.position"""


def checked_stock(amounts: Sequence[Amount], *, least: int = 1) -> dict[tuple[int, int], int]:
    """How much of each (inventory id, slot), sorted. Raises `UnknownUnits` for what cannot be anywhere."""
    stock = stock_of(amounts) if all(is_plausible_amount(amount, least=least) for amount in amounts) else None
    if stock is None or any(quantity > LARGEST_INTEGER for quantity in stock.values()):
        raise UnknownUnits
    return stock


async def place_stock(
    work: UnitOfWork,
    hold_id: UUID,
    amounts: Sequence[Amount],
    *,
    expires_at: datetime | None,
    gives_up: Sequence[HoldRecord] = (),
    selling: bool = False,
    must_exist: bool = True,
    is_less: bool = False,
) -> None:
    """Let a hold have these amounts, and in the same instant others (or itself before) give up all of theirs.

    Costs nothing where no amounts are in play. Who calls it has locked the hold rows, the runs and the claims, and has
    a savepoint to go back to when it raises.

    Args:
        expires_at: the hold's; `None`: for good.
        selling: refuse outside the runs' sales windows.
        must_exist: what a run does not have was never there. Else it is gone, as is what others have.
        is_less: it has all of that already and more, so nobody else's portions are looked at.

    Raises:
        StockGone: there is less left than asked for.
        UnknownUnits: no such run or slot, or one without stock.
        NotOnSale: outside a run's sales window.
    """
    given_runs = sorted({amount.inventory_id for record in gives_up for amount in record.amounts})
    if not amounts and not given_runs:
        return
    stock = stock_of(amounts)
    parts = amounts_of(stock)
    parameters = _slot_parameters(stock) | {
        "hold_id": hold_id,
        "expires_at": expires_at,
        "runs": [] if is_less else sorted({part.inventory_id for part in parts}),
        "part_runs": [part.inventory_id for part in parts],
        "first_slots": [part.first_slot for part in parts],
        "end_slots": [part.end_slot for part in parts],
        "part_quantities": [part.quantity for part in parts],
        "gives_up": [record.id for record in gives_up],
        "given_runs": given_runs,
        "selling": selling,
    }
    rows = await fetch(work, _MOVE, parameters)
    if must_exist and any(remaining is None for _, _, remaining, _ in rows):
        raise UnknownUnits
    if not all(is_on_sale for *_, is_on_sale in rows):
        raise NotOnSale
    left: dict[int, int] = {}
    for inventory_id, quantity, remaining, _ in rows:
        if (remaining or 0) < quantity:
            left[inventory_id] = min(remaining or 0, left.get(inventory_id, quantity))
    if left:
        HOLDS.labels("lost").inc()
        raise StockGone(sorted(left.items()))


async def give_up_stock(work: UnitOfWork, records: Sequence[HoldRecord]) -> None:
    """Give back what these holds still have of any stock."""
    if records:
        await place_stock(work, records[0].id, (), expires_at=None, gives_up=records)


async def move_stock_clock(work: UnitOfWork, hold: HoldRecord, expires_at: datetime | None) -> bool:
    """Let all portions of a hold run until then (`None`: for good); false when one is not its own any more.

    A savepoint is needed then, since the others have moved.
    """
    if not hold.amounts:
        return True
    parameters = {"hold_id": hold.id, "runs": _runs_of(hold.amounts), "expires_at": expires_at}
    [(count,)] = await fetch(work, _MOVE_CLOCKS, parameters)
    return bool(count == len(hold.amounts))


async def lock_stock(work: UnitOfWork, records: Sequence[HoldRecord]) -> None:
    """Wait for the capacity rows that these holds' portions count in: then nobody takes any of them back."""
    amounts = [amount for record in records for amount in record.amounts]
    if amounts:
        hold_ids = [record.id for record in records]
        await fetch(work, _LOCK, {"runs": _runs_of(amounts), "hold_ids": hold_ids})


async def keep_stock(work: UnitOfWork, record: HoldRecord, kept: Sequence[Amount]) -> None:
    """Leave a hold so much of what it has; a hold that has lost a portion already gives back the others, too."""
    await lock_stock(work, [record])
    [(count,)] = await fetch(
        work,
        "SELECT count(*) FROM portion WHERE inventory_id = ANY (%(runs)s::bigint[]) AND hold_id = %(hold_id)s",
        {"runs": _runs_of(record.amounts), "hold_id": record.id},
    )
    is_whole = count == len(record.amounts)
    await place_stock(
        work, record.id, kept if is_whole else (), expires_at=record.expires_at, gives_up=[record], is_less=True
    )


async def set_stock(work: UnitOfWork, amounts: Sequence[Amount]) -> None:
    """Let the stock of these slots be exactly so much in total, whatever it was: more, less, or none (0).

    A slot that is named twice gets the sum. What was taken counts until it is given back or, its time being over,
    swept. What units the run has plays no part.

    Raises:
        UnknownUnits: no such run or slot.
        StockInUse: more than that has been taken in one of the slots. Nothing was changed.
    """
    totals = checked_stock(amounts, least=0)
    parameters = _slot_parameters(totals)
    async with all_or_nothing(work):
        done = await fetch(work, _SET, parameters)
        missing = sorted(totals.keys() - set(done))
        if missing:
            query = "SELECT taken FROM capacity WHERE inventory_id = %(run)s AND slot = %(slot)s"
            run, slot = missing[0]
            taken = await fetch(work, query, {"run": run, "slot": slot})
            raise StockInUse(run, slot, taken[0][0]) if taken else UnknownUnits
    work.signal(topics_of(parameters["inventory_ids"]))


async def stock_left(work: UnitOfWork, ranges: Sequence[tuple[int, int, int]]) -> list[int]:
    """How much of the stock can be had over the whole of each (inventory id, first slot, end slot), in the order given.

    The counterpart of `availability`. A run without stock has none.
    """
    if not ranges:
        return []
    cursor = await work.execute(_LEFT, tuple(list(column) for column in zip(*ranges, strict=True)))
    return [left for (left,) in await cursor.fetchall()]


def _slot_parameters(stock: dict[tuple[int, int], int]) -> dict[str, list[int]]:
    return {
        "inventory_ids": [inventory_id for inventory_id, _ in stock],
        "slots": [slot for _, slot in stock],
        "quantities": list(stock.values()),
    }


def _runs_of(amounts: Sequence[Amount]) -> list[int]:
    return sorted({amount.inventory_id for amount in amounts})
