"""What the commands have in common: the savepoint, the refusal, giving up, ending."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.core.errors import Busy, DomainError
from farebox.core.metrics import HOLDS
from farebox.inventory import statements
from farebox.inventory.errors import NotOnSale, UnitsTaken, UnknownUnits
from farebox.inventory.machine import sources, target
from farebox.inventory.views import Keys, Want, is_plausible, keys_of


@asynccontextmanager
async def all_or_nothing(work: UnitOfWork) -> AsyncIterator[None]:
    """A savepoint, so that a refused request leaves nothing even in a unit of work that goes on and commits."""
    work.put(("SAVEPOINT request", ()))
    try:
        yield
    except Busy:
        raise  # the transaction is lost, and the savepoint may not have been reached
    except DomainError:
        await work.execute("ROLLBACK TO SAVEPOINT request")
        raise


async def known_keys(work: UnitOfWork, wants: Sequence[Want]) -> Keys:
    """The keys of wants on runs that have such units and slots, whether on sale or not. Raises `UnknownUnits`."""
    if not all(is_plausible(want) for want in wants):
        raise UnknownUnits
    runs = sorted({want.inventory_id for want in wants})
    sizes = await fetch(work, "SELECT id, units, slots FROM inventory WHERE id = ANY (%(runs)s)", {"runs": runs})
    size = {run: (units, slots) for run, units, slots in sizes}
    for want in wants:
        units, slots = size.get(want.inventory_id, (0, 0))
        if max(want.units) >= units or want.end_slot > slots:
            raise UnknownUnits
    return keys_of(wants)


async def refuse_if_lost(work: UnitOfWork, keys: Keys, rows: list[tuple[Any, ...]], *, selling: bool) -> None:
    """Raise unless the statement came back with every key. Says why, as exactly as it can be known."""
    won = {tuple(row[3:]) for row in rows}
    lost = sorted({key[:2] for key in keys.rows() if key not in won})
    if not lost:
        return
    runs = await fetch(
        work,
        "SELECT id, units, slots, coalesce(sales_open_at <= statement_timestamp(), true)"
        " AND coalesce(sales_close_at > statement_timestamp(), true) FROM inventory WHERE id = ANY (%(runs)s)",
        {"runs": keys.inventory_ids},
    )
    size = {run: (units, slots) for run, units, slots, _ in runs}
    if selling and any(unit >= size.get(run, (0, 0))[0] or slot >= size[run][1] for run, unit, slot in keys.rows()):
        raise UnknownUnits
    if selling and not all(is_on_sale for *_, is_on_sale in runs):
        raise NotOnSale
    HOLDS.labels("lost").inc()
    raise UnitsTaken(lost)


async def give_up(work: UnitOfWork, keys: Keys, hold_ids: list[UUID]) -> None:
    """Delete those of the claims that are still of these holds."""
    if len(keys):
        await work.execute(statements.GIVE_UP_CLAIMS, key_parameters(keys) | {"hold_ids": hold_ids})


async def end(work: UnitOfWork, command: str, hold_ids: list[UUID]) -> None:
    await work.execute(
        statements.END_HOLDS, {"state": target(command), "hold_ids": hold_ids, "sources": sources(command)}
    )


def key_parameters(keys: Keys) -> dict[str, Any]:
    return {"inventory_ids": keys.inventory_ids, "units": keys.units, "slots": keys.slots}


async def fetch(work: UnitOfWork, statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    return await (await work.execute(statement, parameters)).fetchall()
