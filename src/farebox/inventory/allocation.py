"""Units that the kernel chooses: together if it can be, and so that long free stretches stay whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.core.errors import Busy
from farebox.inventory.errors import HoldConflict, NotEnoughUnits, UnitsTaken, UnknownUnits
from farebox.inventory.queries import find_hold
from farebox.inventory.steps import fetch, known_keys
from farebox.inventory.taking import take
from farebox.inventory.views import Hold, HoldTerms, Want

ATTEMPTS = 5
"""How often it is chosen anew after somebody was faster with one of the units."""

Gap: TypeAlias = tuple[int, int]
"""The free slots [first, end) of a unit around a stretch: as far as they go without a break."""

_Choice: TypeAlias = tuple[int, int, int, tuple[int, ...]]
"""Groups, fragments, free slots left over, positions in the order of preference: the smaller, the better."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """So many units of one run over its slots [first_slot, end_slot), whichever.

    Attributes:
        preference: rows of units, the best row first. Units that follow each other in a row sit side by side, so two
            halves of a row with an aisle in between are two rows. A unit that is not named is not given.
    """

    inventory_id: int
    count: int
    first_slot: int
    end_slot: int
    preference: tuple[tuple[int, ...], ...]

    @property
    def units(self) -> tuple[int, ...]:
        """All that may be given, the best first."""
        return tuple(unit for row in self.preference for unit in row)


async def allocate(
    work: UnitOfWork, ask: Allocation, *, owner: str, terms: HoldTerms, hold_id: UUID | None = None
) -> Hold:
    """Hold the units that suit best: see `choose` for which those are.

    Those who let the kernel choose on the same run wait for each other, since they would all want the same units; the
    lock has no say over units, which anybody may take meanwhile. Then it is chosen anew.

    Args:
        hold_id: made by the client, so that sending the same request again changes nothing and answers the same.

    Raises:
        NotEnoughUnits: fewer are free on the whole stretch; says how many.
        UnknownUnits: no such run, unit or slot, a unit named twice, or none asked for.
        NotOnSale: outside the run's sales window.
        HoldConflict: `hold_id` was used before, for something else or by another owner.
        Busy: others were faster again and again.
    """
    units = ask.units
    if ask.count < 1 or len(set(units)) != len(units):
        raise UnknownUnits
    await known_keys(work, [Want(ask.inventory_id, units, ask.first_slot, ask.end_slot)])
    # A statement of its own: the next one must see what the allocation before us has committed.
    await work.execute("SELECT pg_advisory_xact_lock(hashtextextended('allocate', %s))", (ask.inventory_id,))
    for _ in range(ATTEMPTS):
        if hold_id is not None and (known := await find_hold(work, hold_id)) is not None:
            return _the_same(known, ask, owner)
        gaps = await _free_gaps(work, ask)
        chosen = choose(ask, gaps)
        if chosen is None:
            raise NotEnoughUnits(free=len(gaps))
        wants = [Want(ask.inventory_id, chosen, ask.first_slot, ask.end_slot)]
        try:
            return await take(work, wants, owner=owner, terms=terms, hold_id=hold_id)
        except (UnitsTaken, HoldConflict):
            continue
    raise Busy


def choose(ask: Allocation, gaps: Mapping[int, Gap]) -> tuple[int, ...] | None:
    """The units that suit best, in order of preference; `None` when there are too few.

    1. As few groups as possible: those who sit side by side are one group, so together if that can be.
    2. As few fragments as possible: a unit whose free gap is just the stretch leaves none, one whose gap goes on at
       one end leaves one. Among as many fragments, the tightest gaps.
    3. The earliest in the order of preference.

    Args:
        gaps: of each unit that is free on the stretch. Only those are chosen.
    """
    if len(gaps) < ask.count:
        return None
    nothing: _Choice = (0, 0, 0, ())
    # Of the units looked at so far, from the last to the first: the best choice of 0, 1, 2 … of them, if the unit
    # before them is chosen as well and is their neighbour, and if not.
    beside: list[_Choice | None] = [nothing, *[None] * ask.count]
    apart = list(beside)
    position = len(ask.units)
    for row in reversed(ask.preference):
        beside = list(apart)
        for unit in reversed(row):
            position -= 1
            if unit not in gaps:
                beside = list(apart)
                continue
            taken = [_add(choice, position, ask, gaps[unit]) for choice in beside[:-1]]
            beside, apart = (
                [nothing, *map(_better, taken, apart[1:])],
                [nothing, *map(_better, map(_begin_group, taken), apart[1:])],
            )
    best = apart[ask.count]
    return None if best is None else tuple(ask.units[position] for position in best[3])


def _add(choice: _Choice | None, position: int, ask: Allocation, gap: Gap) -> _Choice | None:
    """One more unit, in the group of the one behind it."""
    if choice is None:
        return None
    groups, fragments, leftover, positions = choice
    before, after = ask.first_slot - gap[0], gap[1] - ask.end_slot
    return groups, fragments + (before > 0) + (after > 0), leftover + before + after, (position, *positions)


def _begin_group(choice: _Choice | None) -> _Choice | None:
    return None if choice is None else (choice[0] + 1, *choice[1:])


def _better(one: _Choice | None, other: _Choice | None) -> _Choice | None:
    return min((choice for choice in (one, other) if choice is not None), default=None)


async def _free_gaps(work: UnitOfWork, ask: Allocation) -> dict[int, Gap]:
    """The gaps of those units that are free on the whole stretch."""
    rows = await fetch(
        work,
        """
        SELECT asked.unit, coalesce(taken.before + 1, 0), coalesce(taken.after, inventory.slots)
        FROM inventory CROSS JOIN unnest(%(units)s::integer[]) AS asked (unit)
        LEFT JOIN (
            SELECT unit, max(slot) FILTER (WHERE slot < %(first)s) AS before,
                   min(slot) FILTER (WHERE slot >= %(end)s) AS after,
                   bool_or(slot >= %(first)s AND slot < %(end)s) AS is_in_the_way
            FROM claim
            WHERE inventory_id = %(run)s AND (expires_at IS NULL OR expires_at > statement_timestamp())
            GROUP BY unit
        ) AS taken USING (unit)
        WHERE inventory.id = %(run)s AND is_in_the_way IS NOT TRUE
        """,
        {"run": ask.inventory_id, "units": list(ask.units), "first": ask.first_slot, "end": ask.end_slot},
    )
    return {unit: (first, end) for unit, first, end in rows}


def _the_same(hold: Hold, ask: Allocation, owner: str) -> Hold:
    """What this request was answered before. Raises `HoldConflict` where it was another one."""
    [want, *others] = hold.claims or (None,)
    if (
        want is None
        or others
        or hold.amounts
        or hold.owner != owner
        or hold.state not in {"held", "confirmed"}
        or (want.inventory_id, want.first_slot, want.end_slot) != (ask.inventory_id, ask.first_slot, ask.end_slot)
        or len(set(want.units)) != ask.count
        or not set(want.units) <= set(ask.units)
    ):
        raise HoldConflict
    return hold
