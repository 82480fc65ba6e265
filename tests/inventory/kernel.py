"""What the tests of the kernel share: short ways to open runs, to want units, and to move a hold's clock."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from farebox.core.db import Database, UnitOfWork
from farebox.inventory import Hold, HoldTerms, InventorySpec, Want, open_inventories

TERMS = HoldTerms(ttl_seconds=900, max_extensions=2, max_total_seconds=2700)


async def open_run(database: Database, *, units: int = 4, slots: int = 4, **window) -> int:
    async with database.begin() as work:
        [run] = await open_inventories(work, [InventorySpec(units, slots, **window)])
    return run


def want(run: int, units: list[int] | int, first: int = 0, end: int = 4) -> list[Want]:
    return [Want(run, tuple([units] if isinstance(units, int) else units), first, end)]


async def age(work: UnitOfWork, hold_id: UUID, by: timedelta) -> None:
    """Make the hold what it will be when so much time has gone by."""
    await work.execute(
        "UPDATE hold SET expires_at = expires_at - %(by)s, first_taken_at = first_taken_at - %(by)s,"
        " latest_at = latest_at - %(by)s WHERE id = %(id)s",
        {"by": by, "id": hold_id},
    )
    await work.execute("UPDATE claim SET expires_at = expires_at - %s WHERE hold_id = %s", (by, hold_id))
    await work.execute("UPDATE portion SET expires_at = expires_at - %s WHERE hold_id = %s", (by, hold_id))


async def run_clock_out(work: UnitOfWork, hold: Hold) -> None:
    """Let exactly as much time go by as the hold has left."""
    await age(work, hold.id, seconds_left(hold, await database_clock(work)))


def seconds_left(hold: Hold, at: datetime) -> timedelta:
    assert hold.expires_at is not None
    return hold.expires_at - at


async def database_clock(work: UnitOfWork) -> datetime:
    at: datetime = await value(work, "SELECT clock_timestamp()")
    return at


async def claim_count(work: UnitOfWork) -> int:
    count: int = await value(work, "SELECT count(*) FROM claim")
    return count


async def value(work: UnitOfWork, query: str) -> Any:
    row = await (await work.execute(query)).fetchone()
    assert row is not None
    return row[0]
