"""Taking units and what becomes of them. Every command runs inside the caller's unit of work.

A command that raises has changed nothing, whether the caller then gives up its unit of work or carries on.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from farebox.core.db import UnitOfWork
from farebox.core.errors import DomainError
from farebox.core.ids import new_id
from farebox.core.metrics import HOLDS
from farebox.inventory import statements
from farebox.inventory.errors import (
    ExtensionLimit,
    HoldConflict,
    HoldExpired,
    HoldLost,
    NotOnSale,
    UnitsTaken,
    UnknownUnits,
)
from farebox.inventory.machine import is_allowed, sources, target
from farebox.inventory.queries import HoldRecord, find_record, get_record, hold_view
from farebox.inventory.views import Hold, HoldTerms, Keys, Want, is_plausible, keys_of, pack, wants_of


async def take(
    work: UnitOfWork,
    wants: Sequence[Want],
    *,
    owner: str,
    terms: HoldTerms,
    hold_id: UUID | None = None,
    replaces: UUID | None = None,
) -> Hold:
    """Hold units for a while: all of them, or none.

    A claim whose time is over is taken over at once; nobody needs to have swept it.

    Args:
        owner: from the credential, such as `guest:<id>`.
        hold_id: made by the client, so that sending the same request again changes nothing and answers the same.
        replaces: this owner's running hold, given up in the same instant; units in both never become free in between.
            The new hold goes on with the clock of the old one: its end, its first take, its used extensions. Choosing
            again gives no more time, only `extend` does. A hold that has ended meanwhile is ignored.

    Raises:
        UnitsTaken: somebody has at least one of them; names all that were lost.
        UnknownUnits: no such run, unit or slot.
        NotOnSale: outside the run's sales window.
        HoldConflict: `hold_id` was used before, for other units or by another owner.
    """
    if not wants or not all(is_plausible(want) for want in wants):
        raise UnknownUnits
    keys = keys_of(wants)
    hold_id = hold_id or new_id()
    old = await _find_replaced(work, replaces, owner)
    claimed = keys_of((*wants, *old.wants)) if old else keys
    parameters = _key_parameters(claimed) | {
        "hold_id": hold_id,
        "owner": owner,
        "ttl": terms.ttl_seconds,
        "total": terms.max_total_seconds,
        "max_extensions": terms.max_extensions,
        "extensions": old.extensions if old else 0,
        "first": old.first_taken_at if old else None,
        "until": old.expires_at if old else None,
        "replaces": old.id if old else None,
        "wants": Jsonb(pack(wants)),
        "runs": sorted(set(claimed.inventory_ids)),
        "selling": True,
    }
    try:
        async with _all_or_nothing(work):
            rows = await _fetch(work, statements.TAKE, parameters)
            if not rows:
                raise HoldConflict
            await _refuse_if_lost(work, keys, rows, selling=True)
    except HoldConflict:
        return await _replay(work, hold_id, owner, wants)
    if old:
        await _give_up(work, claimed.without(keys), [old.id, hold_id])
        await _end(work, "release", [old.id])
    HOLDS.labels("taken").inc()
    first_taken_at, expires_at, latest_at, *_ = rows[0]
    return hold_view(
        hold_id,
        owner,
        "held",
        expires_at,
        first_taken_at=first_taken_at,
        latest_at=latest_at,
        extensions=old.extensions if old else 0,
        max_extensions=terms.max_extensions,
        claims=tuple(wants),
    )


async def lock_holds(work: UnitOfWork, hold_ids: Sequence[UUID]) -> None:
    """Wait for several holds and their claims, before changing one after another in this unit of work.

    Each command locks in the order that keeps everybody from deadlock; several commands on several holds do not, when
    somebody at the same time asks for units of two of them. Ids that do not exist are left out.
    """
    cursor = await work.execute(statements.HOLDS + " WHERE id = ANY (%s) ORDER BY id FOR UPDATE", (list(hold_ids),))
    keys = keys_of([want for row in await cursor.fetchall() for want in HoldRecord(*row).wants])
    await work.execute(statements.LOCK_CLAIMS, _key_parameters(keys) | {"hold_ids": list(hold_ids)})


async def extend(work: UnitOfWork, hold_id: UUID, *, owner: str, terms: HoldTerms) -> Hold:
    """Begin the hold's time anew, never past the longest time that was promised at its first take.

    Raises:
        HoldNotFound: no such hold, or somebody else's.
        HoldExpired: its time was over, or it has ended.
        ExtensionLimit: used as often as allowed, or the longest time is reached.
    """
    record = await get_record(work, hold_id, owner=owner, lock=True)
    if not is_allowed("extend", record.state) or record.is_over:
        raise HoldExpired
    if record.view().extensions_left <= 0:
        raise ExtensionLimit
    moved = await _move(work, statements.EXTEND, "extend", record, seconds=terms.ttl_seconds)
    if moved is None:
        raise HoldExpired
    HOLDS.labels("extended").inc()
    return replace(record, expires_at=moved[0], extensions=moved[1]).view()


async def rearm(work: UnitOfWork, hold_id: UUID, *, seconds: int) -> Hold:
    """Let the hold run for at least `seconds` from now. Not counted as an extension, and not bounded by them.

    A hold whose clock has run out lives again if nobody has taken any of its units yet.

    Raises:
        HoldNotFound: no such hold.
        HoldExpired: it has ended, or somebody has taken one of its units.
    """
    record = await get_record(work, hold_id, lock=True)
    moved = await _move(work, statements.REARM, "rearm", record, seconds=seconds)
    if moved is None:
        raise HoldExpired
    return replace(record, expires_at=moved[0], is_over=False).view()


async def transfer(work: UnitOfWork, hold_id: UUID, *, owner: str) -> Hold:
    """Give the hold to another owner, who then is the only one that can reach it.

    Raises:
        HoldNotFound: no such hold.
    """
    record = await get_record(work, hold_id, lock=True)
    await work.execute("UPDATE hold SET owner = %s WHERE id = %s", (owner, hold_id))
    return replace(record, owner=owner).view()


async def confirm(work: UnitOfWork, hold_id: UUID) -> Hold:
    """Make the hold's claims its own for good, even if its clock ran out a moment ago and nobody took them.

    Confirming again changes nothing.

    Raises:
        HoldNotFound: no such hold.
        HoldLost: somebody has taken one of its units, or it was swept or released: see `reclaim`.
    """
    record = await get_record(work, hold_id, lock=True)
    if record.state == "confirmed":
        return record.view()
    if await _move(work, statements.CONFIRM, "confirm", record) is None:
        raise HoldLost
    HOLDS.labels("confirmed").inc()
    return replace(record, state="confirmed", expires_at=None).view()


async def reclaim(work: UnitOfWork, hold_id: UUID) -> Hold:
    """Take again, for good, what a hold had before it ended: for money that arrives too late.

    Asks no sales window.

    Reclaiming again changes nothing.

    Raises:
        HoldNotFound: no such hold.
        UnitsTaken: somebody has at least one of its units.
        HoldLost: it was confirmed once and given up then.
    """
    record = await get_record(work, hold_id, lock=True)
    if record.state == "confirmed":
        return record.view()
    if record.confirmed_at is not None:
        raise HoldLost
    keys = keys_of(record.wants)
    parameters = _key_parameters(keys) | {
        "hold_id": hold_id,
        "sources": sources("reclaim"),
        "replaces": hold_id,
        "runs": sorted(set(keys.inventory_ids)),
        "selling": False,
    }
    async with _all_or_nothing(work):
        rows = await _fetch(work, statements.RECLAIM, parameters)
        await _refuse_if_lost(work, keys, rows, selling=False)
    HOLDS.labels("confirmed").inc()
    return replace(record, state="confirmed", expires_at=None).view()


async def release(work: UnitOfWork, hold_id: UUID, *, owner: str | None = None) -> None:
    """Give everything back, held or confirmed. A hold that has ended already stays as it is.

    Raises:
        HoldNotFound: no such hold, or, with `owner` given, somebody else's.
    """
    record = await get_record(work, hold_id, owner=owner, lock=True)
    if is_allowed("release", record.state):
        await _give_up(work, keys_of(record.wants), [hold_id])
        await _end(work, "release", [hold_id])
        HOLDS.labels("released").inc()


async def release_units(work: UnitOfWork, hold_id: UUID, wants: Sequence[Want]) -> None:
    """Give back a part of a hold, held or confirmed. Giving back its last unit ends it.

    Raises:
        HoldNotFound: no such hold.
        UnknownUnits: something that the hold does not have.
    """
    record = await get_record(work, hold_id, lock=True)
    had, given = keys_of(record.wants), keys_of(wants)
    if not is_allowed("release", record.state) or len(given.without(had)):
        raise UnknownUnits
    await _give_up(work, given, [hold_id])
    kept = had.without(given)
    if not len(kept):
        await _end(work, "release", [hold_id])
        return
    await work.execute("UPDATE hold SET wants = %s WHERE id = %s", (Jsonb(pack(wants_of(kept))), hold_id))


async def sweep(work: UnitOfWork, *, limit: int = 1000) -> int:
    """End up to `limit` holds whose time is over and delete their claims; how many there were.

    Nothing depends on it but the size of the tables: a claim can be taken over the instant it runs out.
    """
    cursor = await work.execute(
        statements.HOLDS + " WHERE state = 'held' AND expires_at <= statement_timestamp()"
        " ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED",
        (limit,),
    )
    records = [HoldRecord(*row) for row in await cursor.fetchall()]
    if records:
        ids = [record.id for record in records]
        await _give_up(work, keys_of([want for record in records for want in record.wants]), ids)
        await _end(work, "expire", ids)
        HOLDS.labels("expired").inc(len(records))
    return len(records)


@asynccontextmanager
async def _all_or_nothing(work: UnitOfWork) -> AsyncIterator[None]:
    """A savepoint, so that a refused request leaves nothing even in a unit of work that goes on and commits."""
    await work.execute("SAVEPOINT request")
    try:
        yield
    except DomainError:
        await work.execute("ROLLBACK TO SAVEPOINT request")
        raise


async def _find_replaced(work: UnitOfWork, hold_id: UUID | None, owner: str) -> HoldRecord | None:
    if hold_id is None:
        return None
    record = await find_record(work, hold_id, lock=True)
    is_running = record is not None and record.owner == owner and record.state == "held" and not record.is_over
    return record if is_running else None


async def _refuse_if_lost(work: UnitOfWork, keys: Keys, rows: list[tuple[Any, ...]], *, selling: bool) -> None:
    """Raise unless the statement came back with every key. Says why, as exactly as it can be known."""
    won = {tuple(row[3:]) for row in rows}
    lost = sorted({key[:2] for key in keys.rows() if key not in won})
    if not lost:
        return
    runs = await _fetch(
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


async def _replay(work: UnitOfWork, hold_id: UUID, owner: str, wants: Sequence[Want]) -> Hold:
    record = await get_record(work, hold_id)
    hold = record.view()
    if record.owner != owner or keys_of(record.wants) != keys_of(wants) or hold.state not in {"held", "confirmed"}:
        raise HoldConflict
    return hold


async def _move(
    work: UnitOfWork, statement: str, command: str, record: HoldRecord, **parameters: Any
) -> tuple[Any, ...] | None:
    """Change a hold and the clocks of all its claims; none of them, and `None`, when one is not its own any more."""
    keys = keys_of(record.wants)
    rows = await _fetch(
        work,
        statement,
        _key_parameters(keys)
        | {"hold_id": record.id, "hold_ids": [record.id], "sources": sources(command), "count": len(keys)}
        | parameters,
    )
    return rows[0] if rows else None


async def _give_up(work: UnitOfWork, keys: Keys, hold_ids: list[UUID]) -> None:
    if len(keys):
        await work.execute(statements.GIVE_UP_CLAIMS, _key_parameters(keys) | {"hold_ids": hold_ids})


async def _end(work: UnitOfWork, command: str, hold_ids: list[UUID]) -> None:
    await work.execute(
        statements.END_HOLDS, {"state": target(command), "hold_ids": hold_ids, "sources": sources(command)}
    )


def _key_parameters(keys: Keys) -> dict[str, Any]:
    return {"inventory_ids": keys.inventory_ids, "units": keys.units, "slots": keys.slots}


async def _fetch(work: UnitOfWork, statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    return await (await work.execute(statement, parameters)).fetchall()
