"""What becomes of a hold. Every command runs inside the caller's unit of work.

A command that raises has changed nothing, whether the caller then gives up its unit of work or carries on.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from farebox.core.db import UnitOfWork
from farebox.core.errors import DomainError
from farebox.core.metrics import HOLDS
from farebox.core.pipeline import Statement
from farebox.core.rows import named
from farebox.inventory import statements
from farebox.inventory.errors import ExtensionLimit, HoldExpired, HoldLost, UnknownUnits
from farebox.inventory.machine import is_allowed, sources
from farebox.inventory.queries import HoldRecord, get_record
from farebox.inventory.steps import all_or_nothing, end, give_up, key_parameters
from farebox.inventory.stock import checked_stock, give_up_stock, keep_stock, lock_stock, move_stock_clock
from farebox.inventory.views import (
    Amount,
    Hold,
    HoldTerms,
    Want,
    amounts_of,
    keys_of,
    pack,
    pack_amounts,
    stock_of,
    topics_of,
    wants_of,
)


async def lock_holds(work: UnitOfWork, hold_ids: Sequence[UUID]) -> None:
    """Wait for several holds and all that they have, before changing one after another in this unit of work.

    Each command locks in the order that keeps everybody from deadlock; several commands on several holds do not, when
    somebody at the same time asks for units of two of them. Ids that do not exist are left out.
    """
    cursor = await work.execute(statements.HOLDS + " WHERE id = ANY (%s) ORDER BY id FOR UPDATE", (list(hold_ids),))
    records = [HoldRecord(*row) for row in await cursor.fetchall()]
    if len(records) > 1:  # of one hold, each command locks what it has by itself
        keys = keys_of([want for record in records for want in record.wants])
        await work.execute(statements.LOCK_CLAIMS, key_parameters(keys) | {"hold_ids": list(hold_ids)})
        await lock_stock(work, records)


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
    expires_at, extensions = await _move(
        work, statements.EXTEND, "extend", record, HoldExpired, seconds=terms.ttl_seconds
    )
    HOLDS.labels("extended").inc()
    return replace(record, expires_at=expires_at, extensions=extensions).view()


async def rearm(work: UnitOfWork, hold_id: UUID, *, seconds: int) -> Hold:
    """Let the hold run for at least `seconds` from now. Not counted as an extension, and not bounded by them.

    A hold whose clock has run out lives again if nobody has taken any of its units yet.

    Raises:
        HoldNotFound: no such hold.
        HoldExpired: it has ended, or somebody has taken one of its units.
    """
    record = await get_record(work, hold_id, lock=True)
    expires_at = await _rearm(work, record, seconds=seconds, owner=None)
    return replace(record, expires_at=expires_at).view()


async def transfer(work: UnitOfWork, hold_id: UUID, *, owner: str) -> Hold:
    """Give the hold to another owner, who then is the only one that can reach it.

    Raises:
        HoldNotFound: no such hold.
    """
    record = await get_record(work, hold_id, lock=True)
    await work.execute("UPDATE hold SET owner = %s WHERE id = %s", (owner, hold_id))
    work.signal(topics_of(record.runs))
    return replace(record, owner=owner).view()


async def adopt(work: UnitOfWork, hold_id: UUID, *, owner: str, seconds: int) -> datetime:
    """What `transfer` and `rearm` do: the hold is another owner's now, who has it for at least `seconds`; its end.

    Raises:
        HoldNotFound, HoldExpired: see `rearm`.
    """
    return await _rearm(work, await get_record(work, hold_id, lock=True), seconds=seconds, owner=owner)


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
    if record.is_certain:
        _put_move(work, statements.CONFIRM, "confirm", record)
    else:
        await _move(work, statements.CONFIRM, "confirm", record, HoldLost)
    HOLDS.labels("confirmed").inc()
    return replace(record, state="confirmed", expires_at=None).view()


async def release(work: UnitOfWork, hold_id: UUID, *, owner: str | None = None) -> None:
    """Give everything back, held or confirmed. A hold that has ended already stays as it is.

    Raises:
        HoldNotFound: no such hold, or, with `owner` given, somebody else's.
    """
    record = await get_record(work, hold_id, owner=owner, lock=True)
    if is_allowed("release", record.state):
        await give_up(work, keys_of(record.wants), [hold_id])
        await give_up_stock(work, [record])
        await end(work, "release", [hold_id])
        work.signal(topics_of(record.runs))
        HOLDS.labels("released").inc()


async def release_units(work: UnitOfWork, hold_id: UUID, wants: Sequence[Want], amounts: Sequence[Amount] = ()) -> None:
    """Give back a part of a hold, held or confirmed. Giving back the last of it ends it.

    Raises:
        HoldNotFound: no such hold.
        UnknownUnits: something that the hold does not have.
    """
    record = await get_record(work, hold_id, lock=True)
    had, given = keys_of(record.wants), keys_of(wants)
    rest = stock_of(record.amounts)
    for key, quantity in checked_stock(amounts).items():
        rest[key] = rest.get(key, 0) - quantity
    if not is_allowed("release", record.state) or len(given.without(had)) or any(left < 0 for left in rest.values()):
        raise UnknownUnits
    kept, kept_amounts = had.without(given), amounts_of(rest)
    await give_up(work, given, [hold_id])
    if amounts:
        await keep_stock(work, record, kept_amounts)
    if len(kept) or kept_amounts:
        await work.execute(
            "UPDATE hold SET wants = %s, amounts = %s WHERE id = %s",
            (Jsonb(pack(wants_of(kept))), Jsonb(pack_amounts(kept_amounts)), hold_id),
        )
    else:
        await end(work, "release", [hold_id])
    work.signal(topics_of([*given.inventory_ids, *(amount.inventory_id for amount in amounts)]))


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
        await give_up(work, keys_of([want for record in records for want in record.wants]), ids)
        await give_up_stock(work, records)
        await end(work, "expire", ids)
        work.signal(topics_of(run for record in records for run in record.runs))
        HOLDS.labels("expired").inc(len(records))
    return len(records)


async def _rearm(work: UnitOfWork, record: HoldRecord, *, seconds: int, owner: str | None) -> datetime:
    if record.is_certain:
        assert record.expires_at is not None  # it runs
        until = max(record.expires_at, record.read_at + timedelta(seconds=seconds))
        _put_move(work, statements.REARM, "rearm", record, seconds=seconds, owner=owner, until=until)
        return until
    expires_at, _ = await _move(
        work, statements.REARM, "rearm", record, HoldExpired, seconds=seconds, owner=owner, until=None
    )
    assert expires_at is not None  # only what is confirmed has none
    return expires_at


async def _move(
    work: UnitOfWork, statement: str, command: str, record: HoldRecord, refusal: type[DomainError], **parameters: Any
) -> tuple[datetime | None, int]:
    """Change a hold and the clocks of all that it has; its new end, and how often it was extended.

    Changes nothing, and raises the refusal, when a claim or a portion is not its own any more.
    """
    moving = _moving(statement + statements.ANSWERED, command, record, parameters)
    if record.stored_amounts:
        async with all_or_nothing(work):
            [rows] = await work.send([moving])
            if not rows or not await move_stock_clock(work, record, rows[0][0]):
                raise refusal
    else:
        [rows] = await work.send([moving])
        if not rows:
            raise refusal
    work.signal(topics_of(record.runs))
    expires_at, extensions = rows[0]
    return expires_at, extensions


def _put_move(work: UnitOfWork, statement: str, command: str, record: HoldRecord, **parameters: Any) -> None:
    """The same for a hold that is certain, whose answer nobody needs."""
    work.put(_moving(statement + statements.CERTAIN, command, record, parameters))
    work.signal(topics_of(record.runs))


def _moving(statement: str, command: str, record: HoldRecord, parameters: dict[str, Any]) -> Statement:
    keys = keys_of(record.wants)
    which = {"hold_id": record.id, "hold_ids": [record.id], "sources": sources(command), "count": len(keys)}
    return named(statement, parameters | key_parameters(keys) | which)
