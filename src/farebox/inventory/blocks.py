"""Units that are not for sale: a seat for the crew, a broken one."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.types.json import Jsonb

from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.metrics import HOLDS
from farebox.inventory import statements
from farebox.inventory.errors import HoldNotFound, UnknownUnits
from farebox.inventory.machine import is_allowed
from farebox.inventory.queries import get_record, hold_view
from farebox.inventory.steps import all_or_nothing, end, fetch, give_up, key_parameters, known_keys, refuse_if_lost
from farebox.inventory.views import Hold, Want, keys_of, pack, topics_of


async def block(work: UnitOfWork, wants: Sequence[Want], *, owner: str) -> Hold:
    """Take units off sale until they are unblocked: all of them, or none. Outside sales windows, too.

    What somebody holds or has bought is not blocked over their head: see `swap` to move them first. A block is never
    confirmed, and once unblocked it is never reclaimed.

    Args:
        owner: who blocks, such as `crew`.

    Raises:
        UnitsTaken: somebody has at least one of them; names all that were lost.
        UnknownUnits: no such run, unit or slot.
    """
    if not wants:
        raise UnknownUnits
    keys = await known_keys(work, wants)
    hold_id = new_id()
    runs = sorted(set(keys.inventory_ids))
    parameters = key_parameters(keys) | {
        "hold_id": hold_id,
        "owner": owner,
        "replaces": [],
        "wants": Jsonb(pack(wants)),
        "runs": runs,
        "selling": False,
    }
    async with all_or_nothing(work):
        rows = await fetch(work, statements.BLOCK, parameters)
        await refuse_if_lost(work, keys, rows, selling=False)
    work.signal(topics_of(runs))
    HOLDS.labels("blocked").inc()
    first_taken_at, _, latest_at, *_ = rows[0]
    return hold_view(
        hold_id,
        owner,
        "blocked",
        None,
        first_taken_at=first_taken_at,
        latest_at=latest_at,
        extensions=0,
        max_extensions=0,
        claims=tuple(wants),
    )


async def unblock(work: UnitOfWork, hold_id: UUID) -> None:
    """Put blocked units back on sale. Again changes nothing.

    Raises:
        HoldNotFound: no such hold, or one of somebody who holds or has bought.
    """
    record = await get_record(work, hold_id, lock=True)
    if record.state == "released":
        return
    if not is_allowed("unblock", record.state):
        raise HoldNotFound
    keys = keys_of(record.wants)
    await give_up(work, keys, [hold_id])
    await end(work, "unblock", [hold_id])
    work.signal(topics_of(keys.inventory_ids))
    HOLDS.labels("released").inc()
