"""How much an owner holds at a time, and how much of a run is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.core.together import Question

RUNNING_HOLDS: Final[Question[str, int]] = Question(
    """
    SELECT owner, running FROM unnest($1::text[]) AS asked (owner),
    LATERAL (SELECT count(*) AS running FROM hold
        WHERE hold.owner = asked.owner AND state = 'held'
          AND expires_at - statement_timestamp() > interval '0') AS theirs  -- no way to use the index on the clock
    """,
    lambda row: row[1],
)
"""How many holds of each owner are running."""

_GONE: Final = """
SELECT count(DISTINCT claim.unit) FROM claim JOIN hold ON hold.id = claim.hold_id
WHERE claim.inventory_id = %(inventory_id)s AND claim.slot >= %(first_slot)s AND claim.slot < %(end_slot)s
  AND (claim.expires_at IS NULL OR claim.expires_at > statement_timestamp())
  AND (%(hold_id)s::uuid IS NULL OR hold.first_taken_at < (SELECT first_taken_at FROM hold WHERE id = %(hold_id)s))"""


async def count_gone(
    work: UnitOfWork, inventory_id: int, first_slot: int, end_slot: int, *, before: UUID | None = None
) -> int:
    """How many units of a run somebody has on a part of [first_slot, end_slot).

    Args:
        before: a hold: only units that were taken before it count, so neither its own nor any taken since.
    """
    parameters = {"inventory_id": inventory_id, "first_slot": first_slot, "end_slot": end_slot, "hold_id": before}
    row = await (await work.execute(_GONE, parameters)).fetchone()
    assert row is not None  # it counts
    gone: int = row[0]
    return gone


_TAKEN: Final = """
SELECT claim.inventory_id,
       count(DISTINCT claim.unit) FILTER (WHERE hold.state = 'confirmed'),
       count(DISTINCT claim.unit) FILTER (WHERE hold.state IN ('confirmed', 'held'))
  FROM claim JOIN hold ON hold.id = claim.hold_id
 WHERE claim.inventory_id = ANY (%s::bigint[])
   AND (claim.expires_at IS NULL OR claim.expires_at > statement_timestamp())
 GROUP BY claim.inventory_id"""


@dataclass(frozen=True, slots=True)
class Taken:
    """Of a run's units: `sold` for any part of the way, and those only `held` now. Blocked ones are neither."""

    sold: int
    held: int


async def count_taken(work: UnitOfWork, inventory_ids: Sequence[int]) -> dict[int, Taken]:
    """How full runs are, in one statement. A run that does not exist has nothing taken."""
    cursor = await work.execute(_TAKEN, (list(inventory_ids),))
    found = {run: Taken(sold, taken - sold) for run, sold, taken in await cursor.fetchall()}
    return {run: found.get(run, Taken(0, 0)) for run in inventory_ids}
