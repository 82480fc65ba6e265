"""All that somebody holds, given to somebody else (a visitor has signed in), or back (an account is erased)."""

from farebox.core.db import UnitOfWork
from farebox.inventory.commands import lock_holds, release
from farebox.inventory.queries import HoldRecord
from farebox.inventory.statements import HOLDS
from farebox.inventory.views import topics_of


async def give_holds(work: UnitOfWork, *, source: str, target: str) -> int:
    """Give the running holds of one owner to another, with their clocks as they are; how many there were.

    A hold whose time is over stays where it is: what it had may be somebody else's already.
    """
    cursor = await work.execute(
        HOLDS + " WHERE owner = %s AND state = 'held' AND expires_at > clock_timestamp() ORDER BY id FOR UPDATE",
        (source,),
    )
    records = [HoldRecord(*row) for row in await cursor.fetchall()]
    if records:
        await work.execute("UPDATE hold SET owner = %s WHERE id = ANY(%s)", (target, [record.id for record in records]))
        work.signal(topics_of(run for record in records for run in record.runs))
    return len(records)


async def release_all(work: UnitOfWork, *, owner: str) -> int:
    """Give back everything that an owner holds and has not booked; how many holds that were."""
    cursor = await work.execute(
        "SELECT id FROM hold WHERE owner = %s AND state = 'held' ORDER BY id FOR UPDATE", (owner,)
    )
    ids = [row[0] for row in await cursor.fetchall()]
    await lock_holds(work, ids)
    for hold_id in ids:
        await release(work, hold_id)
    return len(ids)
