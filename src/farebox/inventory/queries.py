"""Reading the kernel: holds, claims on a run, and how much of many runs is free."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from farebox.core.db import IDLE_TIMEOUT_MS, LOCK_TIMEOUT_MS, UnitOfWork
from farebox.core.pipeline import Rows, Statement, plain
from farebox.inventory.errors import HoldNotFound
from farebox.inventory.statements import AVAILABILITY, CLAIMS_ON, HOLDS, STATUS
from farebox.inventory.views import Amount, Claim, Hold, HoldState, UnitStatus, Want, unpack

LONGEST_TRANSACTION: Final = timedelta(milliseconds=IDLE_TIMEOUT_MS + LOCK_TIMEOUT_MS)
"""From one statement to the end of the next, or the server has ended the transaction; all of ours take far less.

Nobody takes over a claim while it runs. Who has locked its hold and sees that it runs for longer need not wait to hear
that it still does: should it be otherwise all the same, the transaction fails.
"""


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """A hold's row as the commands of this module need it: with the stored state, whatever the clock says.

    Attributes:
        read_at: the database's clock when it was read, and locked where it was.
    """

    id: UUID
    owner: str
    state: HoldState
    expires_at: datetime | None
    first_taken_at: datetime
    latest_at: datetime
    extensions: int
    max_extensions: int
    stored_wants: list[list[Any]]
    stored_amounts: list[list[int]]
    confirmed_at: datetime | None
    read_at: datetime

    @property
    def is_over(self) -> bool:
        return self.expires_at is not None and self.expires_at <= self.read_at

    @property
    def is_certain(self) -> bool:
        """Whether a hold that is locked has all that it had until its transaction ends, whatever the clocks say."""
        outlasts = self.expires_at is not None and self.expires_at - self.read_at > LONGEST_TRANSACTION
        return self.state == "held" and outlasts and not self.stored_amounts

    @property
    def wants(self) -> tuple[Want, ...]:
        return unpack(self.stored_wants)

    @property
    def amounts(self) -> tuple[Amount, ...]:
        return tuple(Amount(*stored) for stored in self.stored_amounts)

    @property
    def runs(self) -> list[int]:
        """The ids of all runs that it is about, sorted."""
        return sorted({stored[0] for stored in (*self.stored_wants, *self.stored_amounts)})

    def view(self) -> Hold:
        return hold_view(
            self.id,
            self.owner,
            "expired" if self.state == "held" and self.is_over else self.state,
            self.expires_at,
            first_taken_at=self.first_taken_at,
            latest_at=self.latest_at,
            extensions=self.extensions,
            max_extensions=self.max_extensions,
            claims=self.wants,
            amounts=self.amounts,
        )


def hold_view(
    hold_id: UUID,
    owner: str,
    state: HoldState,
    expires_at: datetime | None,
    *,
    first_taken_at: datetime,
    latest_at: datetime,
    extensions: int,
    max_extensions: int,
    claims: tuple[Want, ...],
    amounts: tuple[Amount, ...] = (),
) -> Hold:
    can_extend = state == "held" and expires_at is not None and expires_at < latest_at
    left = max_extensions - extensions if can_extend else 0
    return Hold(hold_id, owner, state, expires_at, first_taken_at, extensions, left, claims, amounts)


async def find_hold(work: UnitOfWork, hold_id: UUID) -> Hold | None:
    record = await find_record(work, hold_id)
    return record.view() if record else None


async def get_hold(work: UnitOfWork, hold_id: UUID, *, owner: str | None = None, lock: bool = False) -> Hold:
    """A hold, of this owner when one is given.

    Args:
        lock: keep others from changing it until the end of this unit of work.

    Raises:
        HoldNotFound: no such hold, or somebody else's.
    """
    return (await get_record(work, hold_id, owner=owner, lock=lock)).view()


async def find_live_hold(work: UnitOfWork, *, owner: str, inventory_id: int) -> Hold | None:
    """The owner's running hold on that run: the newest, should there be several."""
    cursor = await work.execute(
        HOLDS + " WHERE owner = %s AND state = 'held' AND expires_at > statement_timestamp()"
        " ORDER BY first_taken_at DESC, id DESC",
        (owner,),
    )
    records = [HoldRecord(*row) for row in await cursor.fetchall()]
    return next((record.view() for record in records if inventory_id in record.runs), None)


async def claims_on(work: UnitOfWork, inventory_id: int, first_slot: int, end_slot: int) -> list[Claim]:
    """Everything on a run's slots [first_slot, end_slot) that cannot be had now, sorted by unit and slot."""
    cursor = await work.execute(CLAIMS_ON, (inventory_id, first_slot, end_slot))
    return [Claim(*row) for row in await cursor.fetchall()]


async def status(work: UnitOfWork, inventory_id: int, first_slot: int, end_slot: int) -> list[UnitStatus]:
    """The units of a run that are not free on the whole of [first_slot, end_slot), with who has them until when.

    Sorted by unit. A unit that is not listed is free; a run that does not exist has none.
    """
    cursor = await work.execute(STATUS, (inventory_id, first_slot, end_slot))
    return [UnitStatus(unit, state, frozenset(owners), until) for unit, state, owners, until in await cursor.fetchall()]


async def availability(work: UnitOfWork, ranges: Sequence[tuple[int, int, int]]) -> list[int]:
    """How many units are free over the whole of each (inventory id, first slot, end slot), in the order given.

    One query for hundreds of ranges. A run that does not exist has none.
    """
    if not ranges:
        return []
    cursor = await work.execute(AVAILABILITY, tuple(list(column) for column in zip(*ranges, strict=True)))
    return [free for (free,) in await cursor.fetchall()]


def locking_holds(owner: str, query: str, *parameters: object) -> Statement:
    """The statement that locks those of an owner's holds whose ids a query finds: see `keep_locked`.

    Args:
        query: with parameters `$2`, `$3` …
    """
    text = f"{HOLDS} WHERE owner = $1 AND id IN ({query}) ORDER BY id FOR UPDATE"
    return text, [owner, *(str(each) for each in parameters)]


async def lock_own(work: UnitOfWork, hold_ids: Sequence[UUID], *, owner: str) -> list[Hold]:
    """These holds of an owner, locked in one order whatever theirs is, and kept: see `keep_locked`.

    Raises:
        HoldNotFound: one of them is not there, or somebody else's.
    """
    which, wanted = ("= ANY ($2::uuid[])", plain(map(str, hold_ids))) if len(hold_ids) > 1 else ("= $2", str(*hold_ids))
    [found] = await work.send([(f"{HOLDS} WHERE owner = $1 AND id {which} ORDER BY id FOR UPDATE", (owner, wanted))])
    records = {row[0]: HoldRecord(*row) for row in found}
    if len(records) < len(hold_ids):
        raise HoldNotFound
    keep_locked(work, found)
    return [records[hold_id].view() for hold_id in hold_ids]


def keep_locked(work: UnitOfWork, found: Rows) -> None:
    """Spare who changes one of these holds next in this unit of work the question for it.

    Once only, for the first: what comes after that finds it changed.
    """
    work.memory[_LOCKED] = {row[0]: HoldRecord(*row) for row in found}


_LOCKED: Final = "inventory.locked-holds"

_HOLD: Final = f"{HOLDS} WHERE id = $1"
_LOCKED_HOLD: Final = f"{_HOLD} FOR UPDATE"


def are_certain(work: UnitOfWork, hold_ids: Iterable[UUID]) -> bool:
    """Whether these were locked just now, and nobody can have taken anything of them before this unit of work ends."""
    locked = work.memory.get(_LOCKED, {})
    return all(hold_id in locked and locked[hold_id].is_certain for hold_id in hold_ids)


async def find_record(work: UnitOfWork, hold_id: UUID, *, lock: bool = False) -> HoldRecord | None:
    if lock and (known := work.memory.get(_LOCKED, {}).pop(hold_id, None)) is not None:
        return known  # type: ignore[no-any-return]
    [found] = await work.send([(_LOCKED_HOLD if lock else _HOLD, (str(hold_id),))])
    return HoldRecord(*found[0]) if found else None


async def get_record(work: UnitOfWork, hold_id: UUID, *, owner: str | None = None, lock: bool = False) -> HoldRecord:
    record = await find_record(work, hold_id, lock=lock)
    if record is None or owner not in {None, record.owner}:
        raise HoldNotFound
    return record
