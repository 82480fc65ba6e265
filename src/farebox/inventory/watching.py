"""The present state of whole runs, for those who show them live."""

from collections.abc import Sequence
from dataclasses import dataclass

from farebox.core.db import UnitOfWork
from farebox.inventory.views import HoldState


@dataclass(frozen=True, slots=True)
class Share:
    """What one hold has of one run, as parallel columns: `units[i]` in `slots[i]`."""

    owner: str
    state: HoldState
    units: tuple[int, ...]
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RunState:
    """Everything on a run that cannot be had now.

    Attributes:
        ends_in: seconds until the first of these holds runs out, counted by the database's clock; `None`: none does.
    """

    shares: tuple[Share, ...]
    ends_in: float | None


NOTHING_TAKEN = RunState((), None)


async def read_runs(work: UnitOfWork, inventory_ids: Sequence[int]) -> dict[int, RunState]:
    """The states of runs, in one statement and as of one instant. A run that does not exist has nothing taken."""
    cursor = await work.execute(
        """
        SELECT claim.inventory_id, hold.owner, hold.state,
               array_agg(claim.unit ORDER BY claim.unit, claim.slot),
               array_agg(claim.slot ORDER BY claim.unit, claim.slot),
               extract(epoch FROM min(claim.expires_at) - statement_timestamp())::float8
          FROM claim JOIN hold ON hold.id = claim.hold_id
         WHERE claim.inventory_id = ANY (%s::bigint[])
           AND (claim.expires_at IS NULL OR claim.expires_at > statement_timestamp())
         GROUP BY claim.inventory_id, hold.id
         ORDER BY claim.inventory_id, hold.id
        """,
        (list(inventory_ids),),
    )
    shares: dict[int, list[Share]] = {}
    ends: dict[int, float] = {}
    for run, owner, state, units, slots, ends_in in await cursor.fetchall():
        shares.setdefault(run, []).append(Share(owner, state, tuple(units), tuple(slots)))
        if ends_in is not None:
            ends[run] = min(ends.get(run, ends_in), ends_in)
    return {
        run: RunState(tuple(shares[run]), ends.get(run)) if run in shares else NOTHING_TAKEN for run in inventory_ids
    }
