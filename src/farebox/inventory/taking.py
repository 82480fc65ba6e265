"""Taking: the one way in which a hold comes to its units, and the same again for money that arrives too late."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.metrics import HOLDS
from farebox.inventory import statements
from farebox.inventory.errors import HoldConflict, HoldLost, UnknownUnits
from farebox.inventory.machine import sources
from farebox.inventory.queries import HoldRecord, get_record, hold_view
from farebox.inventory.steps import all_or_nothing, end, fetch, give_up, key_parameters, refuse_if_lost
from farebox.inventory.stock import checked_stock, place_stock
from farebox.inventory.views import (
    Amount,
    Hold,
    HoldTerms,
    Keys,
    Want,
    amounts_of,
    is_plausible,
    keys_of,
    pack,
    pack_amounts,
    topics_of,
)


async def take(
    work: UnitOfWork,
    wants: Sequence[Want],
    *,
    owner: str,
    terms: HoldTerms,
    amounts: Sequence[Amount] = (),
    hold_id: UUID | None = None,
    replaces: UUID | None = None,
    replaces_own: bool = False,
) -> Hold:
    """Hold units, fungible stock, or both for a while: all of them, or none.

    A claim whose time is over is taken over at once; nobody needs to have swept it.

    Args:
        amounts: fungible stock. The hold lists them in the fewest amounts that say the same.
        owner: from the credential, such as `guest:<id>`.
        hold_id: made by the client, so that sending the same request again changes nothing and answers the same.
        replaces: this owner's running hold, given up in the same instant; units in both never become free in between.
            The new hold goes on with the clock of the old one: its end, its first take, its used extensions. Choosing
            again gives no more time, only `extend` does. A hold that has ended meanwhile is ignored.
        replaces_own: the same for every running hold that this owner has on any of these runs (of several, the
            earliest clock counts). Requests of one owner about one run wait for each other, so that a double click
            does not end in two holds.

    Raises:
        UnitsTaken: somebody has at least one of them; names all that were lost.
        StockGone: there is less stock left than asked for; says how much there is.
        UnknownUnits: no such run, unit or slot.
        NotOnSale: outside the run's sales window.
        HoldConflict: `hold_id` was used before, for something else or by another owner.
    """
    if not (wants or amounts) or not all(is_plausible(want) for want in wants):
        raise UnknownUnits
    keys, amounts = keys_of(wants), amounts_of(checked_stock(amounts))
    hold_id = hold_id or new_id()
    runs = {*keys.inventory_ids, *(amount.inventory_id for amount in amounts)}
    own_runs = sorted(runs) if replaces_own else []
    olds = [old for old in await _find_replaced(work, owner, replaces, own_runs) if old.id != hold_id]
    claimed = keys_of([*wants, *(want for old in olds for want in old.wants)]) if olds else keys
    parameters = key_parameters(claimed) | _clock(terms, olds)
    parameters |= {
        "hold_id": hold_id,
        "owner": owner,
        "replaces": [old.id for old in olds],
        "wants": Jsonb(pack(wants)),
        "amounts": Jsonb(pack_amounts(amounts)),
        "runs": sorted({*runs, *claimed.inventory_ids}),
        "selling": True,
    }
    try:
        async with all_or_nothing(work):
            rows = await fetch(work, statements.TAKE, parameters)
            if not rows:
                raise HoldConflict
            await refuse_if_lost(work, keys, rows, selling=True)
            await place_stock(work, hold_id, amounts, expires_at=rows[0][1], gives_up=olds, selling=True)
    except HoldConflict:
        return await _replay(work, hold_id, owner, keys, amounts)
    if olds:
        await give_up(work, claimed.without(keys), [hold_id, *(old.id for old in olds)])
        await end(work, "release", [old.id for old in olds])
    work.signal(topics_of([*runs, *(run for old in olds for run in old.runs)]))
    HOLDS.labels("taken").inc()
    first_taken_at, expires_at, latest_at, *_ = rows[0]
    clock = {"first_taken_at": first_taken_at, "latest_at": latest_at}
    limits = {name: parameters[name] for name in ("extensions", "max_extensions")}
    return hold_view(hold_id, owner, "held", expires_at, **clock, **limits, claims=tuple(wants), amounts=amounts)


async def reclaim(work: UnitOfWork, hold_id: UUID) -> Hold:
    """Take again, for good, what a hold had before it ended: for money that arrives too late.

    Asks no sales window. Reclaiming again changes nothing. The unit of work may have locked holds before, but no
    claims (as `lock_holds` does): others lock runs first.

    Raises:
        HoldNotFound: no such hold.
        UnitsTaken: somebody has at least one of its units.
        StockGone: there is less left of the stock than it had.
        HoldLost: it was confirmed once and given up then.
    """
    record = await get_record(work, hold_id, lock=True)
    if record.state == "confirmed":
        return record.view()
    if record.confirmed_at is not None:
        raise HoldLost
    keys = keys_of(record.wants)
    parameters = key_parameters(keys) | {
        "hold_id": hold_id,
        "sources": sources("reclaim"),
        "replaces": [hold_id],
        "runs": record.runs,
        "selling": False,
    }
    async with all_or_nothing(work):
        rows = await fetch(work, statements.RECLAIM, parameters)
        await refuse_if_lost(work, keys, rows, selling=False)
        await place_stock(work, hold_id, record.amounts, expires_at=None, gives_up=[record], must_exist=False)
    work.signal(topics_of(record.runs))
    HOLDS.labels("confirmed").inc()
    return replace(record, state="confirmed", expires_at=None).view()


def _clock(terms: HoldTerms, olds: Sequence[HoldRecord]) -> dict[str, Any]:
    """How long the new hold lasts: by its terms, or as long as the earliest of those that it replaces."""
    return {
        "ttl": terms.ttl_seconds,
        "total": terms.max_total_seconds,
        "max_extensions": terms.max_extensions,
        "extensions": max((old.extensions for old in olds), default=0),
        "first": min((old.first_taken_at for old in olds), default=None),
        "until": min((old.expires_at for old in olds if old.expires_at), default=None),
    }


async def _find_replaced(
    work: UnitOfWork, owner: str, hold_id: UUID | None, own_runs: Sequence[int]
) -> list[HoldRecord]:
    """The owner's running holds that have this id or are on these runs, locked by id."""
    if hold_id is None and not own_runs:
        return []
    if own_runs:
        # A statement of its own: the next one must see what the request before us has committed.
        await work.execute(statements.BE_ALONE, {"owner": owner, "runs": own_runs})
    rows = await fetch(work, statements.REPLACED, {"owner": owner, "hold_id": hold_id, "runs": list(own_runs)})
    return [record for record in (HoldRecord(*row) for row in rows) if not record.is_over]


async def _replay(work: UnitOfWork, hold_id: UUID, owner: str, keys: Keys, amounts: tuple[Amount, ...]) -> Hold:
    record = await get_record(work, hold_id)
    hold = record.view()
    is_same = (record.owner, keys_of(record.wants), record.amounts) == (owner, keys, amounts)
    if not is_same or hold.state not in {"held", "confirmed"}:
        raise HoldConflict
    return hold
