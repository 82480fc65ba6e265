"""Giving a hold something else in the place of what it has: another seat, another coach, another day."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from psycopg.types.json import Jsonb

from farebox.core.db import UnitOfWork
from farebox.core.metrics import HOLDS
from farebox.inventory import statements
from farebox.inventory.errors import HoldExpired, HoldLost, UnknownUnits
from farebox.inventory.machine import is_allowed, sources
from farebox.inventory.queries import get_record
from farebox.inventory.steps import all_or_nothing, fetch, give_up, key_parameters, known_keys, refuse_if_lost
from farebox.inventory.stock import checked_stock, place_stock
from farebox.inventory.views import Amount, Hold, Keys, Want, amounts_of, keys_of, pack, pack_amounts, topics_of


async def swap(
    work: UnitOfWork,
    hold_id: UUID,
    wants: Sequence[Want],
    *,
    amounts: Sequence[Amount] = (),
    owner: str | None = None,
) -> Hold:
    """Let a hold, held or confirmed, have something else in the place of all that it has; or nothing changes.

    The new is taken before the old is given up, and what is in both is never free in between. The hold keeps its id,
    owner, state and clock: what was sold stays sold, what was held for five more minutes is held for five more minutes.

    Asks no sales window, since a coach is changed, and a passenger moved, when sales have long ended: until when who
    may exchange what is for the caller to say.

    Args:
        wants, amounts: all that the hold is to have, in other units, slots or runs; what it keeps is among them.
        owner: only a hold of this owner.

    Raises:
        HoldNotFound: no such hold, or, with `owner` given, somebody else's.
        HoldExpired: its time was over.
        HoldLost: it was given up, or blocks.
        UnitsTaken: somebody else has at least one of the new units; names all that could not be had.
        StockGone: there is less stock left than asked for, with what the hold has of it counted in.
        UnknownUnits: no such run, unit or slot, or nothing at all.
    """
    record = await get_record(work, hold_id, owner=owner, lock=True)
    if record.view().state == "expired":
        raise HoldExpired
    if not is_allowed("swap", record.state):
        raise HoldLost
    if not (wants or amounts):
        raise UnknownUnits
    new, old = await known_keys(work, wants), keys_of(record.wants)
    new_amounts = amounts_of(checked_stock(amounts))
    both = Keys.of([*new.rows(), *old.rows()])
    runs = sorted({*record.runs, *new.inventory_ids, *(amount.inventory_id for amount in new_amounts)})
    parameters = key_parameters(both) | {
        "hold_id": hold_id,
        "sources": sources("swap"),
        "replaces": [hold_id],
        "wants": Jsonb(pack(wants)),
        "amounts": Jsonb(pack_amounts(new_amounts)),
        "runs": runs,
        "selling": False,
    }
    async with all_or_nothing(work):
        rows = await fetch(work, statements.SWAP, parameters)
        if not rows:
            raise HoldExpired
        await refuse_if_lost(work, new, rows, selling=False)
        await place_stock(work, hold_id, new_amounts, expires_at=record.expires_at, gives_up=[record])
    await give_up(work, old.without(new), [hold_id])
    work.signal(topics_of(runs))
    HOLDS.labels("swapped").inc()
    return replace(record, stored_wants=pack(wants), stored_amounts=pack_amounts(new_amounts)).view()
