"""What the kernel takes and gives: wants, terms, holds, claims."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self, TypeAlias
from uuid import UUID

from farebox.core.settings import Settings

HoldState: TypeAlias = Literal["held", "confirmed", "blocked", "released", "expired"]
UnitState: TypeAlias = Literal["held", "sold", "blocked"]


@dataclass(frozen=True, slots=True)
class InventorySpec:
    """A run to be opened: `units` over `slots`, on sale from `sales_open_at` to `sales_close_at` (`None`: no limit).

    `capacity` is its fungible stock, the same in every slot; most runs of units have none.
    """

    units: int
    slots: int
    sales_open_at: datetime | None = None
    sales_close_at: datetime | None = None
    capacity: int = 0


@dataclass(frozen=True, slots=True)
class Want:
    """Units of one run over its slots [first_slot, end_slot)."""

    inventory_id: int
    units: tuple[int, ...]
    first_slot: int
    end_slot: int


@dataclass(frozen=True, slots=True)
class Amount:
    """So much of one run's fungible stock, over its slots [first_slot, end_slot)."""

    inventory_id: int
    quantity: int
    first_slot: int
    end_slot: int


@dataclass(frozen=True, slots=True)
class HoldTerms:
    """How long a hold lasts.

    Attributes:
        ttl_seconds: from the take, and again from each extension.
        max_extensions: how often it may be extended.
        max_total_seconds: from the first take; no extension goes past it.
    """

    ttl_seconds: int
    max_extensions: int
    max_total_seconds: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.hold_ttl_seconds, settings.hold_max_extensions, settings.hold_max_total_seconds)


@dataclass(frozen=True, slots=True)
class Hold:
    """Claims that were taken together.

    Attributes:
        owner: who has it, such as `guest:<id>`, `booking:<id>`, `crew`.
        state: by the database's clock: a hold whose time is over reads `expired`, swept or not.
        expires_at: `None` once confirmed, and of a block.
        first_taken_at: kept when a new hold replaces this one.
        extensions: how many were used.
        extensions_left: how many more would be granted now.
        claims: the units that it has, or had.
        amounts: the fungible stock that it has, or had.
    """

    id: UUID
    owner: str
    state: HoldState
    expires_at: datetime | None
    first_taken_at: datetime
    extensions: int
    extensions_left: int
    claims: tuple[Want, ...]
    amounts: tuple[Amount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeRequest:
    """What `take` is asked for, as a value: see there."""

    wants: tuple[Want, ...]
    owner: str
    terms: HoldTerms
    amounts: tuple[Amount, ...] = ()
    hold_id: UUID | None = None
    replaces: UUID | None = None
    replaces_own: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """One unit in one slot that nobody else can have now. `expires_at` is `None` when it is sold or blocked."""

    inventory_id: int
    unit: int
    slot: int
    hold_id: UUID
    owner: str
    expires_at: datetime | None
    state: HoldState


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """A unit that is not free on the whole of a stretch.

    Attributes:
        state: of several claims on the stretch, the one that stands most in the way: blocked, then sold, then held.
        owners: who has claims on it there.
        until: when the last of them will have run out; `None` where one has no end.
    """

    unit: int
    state: UnitState
    owners: frozenset[str]
    until: datetime | None


Key: TypeAlias = tuple[int, int, int]

LARGEST_SMALLINT = 32_767
LARGEST_INTEGER = 2_147_483_647
LARGEST_BIGINT = 9_223_372_036_854_775_807


@dataclass(frozen=True, slots=True)
class Keys:
    """Primary keys of claims as three columns, sorted: everybody locks them in this order, so that nobody deadlocks."""

    inventory_ids: list[int]
    units: list[int]
    slots: list[int]

    @classmethod
    def of(cls, keys: Iterable[Key]) -> Self:
        """Each key once."""
        ordered = sorted(set(keys))
        return cls([key[0] for key in ordered], [key[1] for key in ordered], [key[2] for key in ordered])

    def __len__(self) -> int:
        return len(self.units)

    def rows(self) -> list[Key]:
        return list(zip(self.inventory_ids, self.units, self.slots, strict=True))

    def without(self, others: "Keys") -> "Keys":
        return Keys.of(set(self.rows()).difference(others.rows()))


def keys_of(wants: Iterable[Want]) -> Keys:
    """All keys of the wants."""
    return Keys.of(
        (want.inventory_id, unit, slot)
        for want in wants
        for unit in want.units
        for slot in range(want.first_slot, want.end_slot)
    )


def wants_of(keys: Keys) -> list[Want]:
    """The fewest wants that say the same: units with the same unbroken range of slots go together."""
    ranges: dict[tuple[int, int], list[list[int]]] = {}
    for inventory_id, unit, slot in keys.rows():
        spans = ranges.setdefault((inventory_id, unit), [])
        if spans and spans[-1][1] == slot:
            spans[-1][1] = slot + 1
        else:
            spans.append([slot, slot + 1])
    together: dict[tuple[int, int, int], list[int]] = {}
    for (inventory_id, unit), spans in ranges.items():
        for first, end in spans:
            together.setdefault((inventory_id, first, end), []).append(unit)
    return [Want(inventory_id, tuple(units), first, end) for (inventory_id, first, end), units in together.items()]


def topics_of(inventory_ids: Iterable[int]) -> set[str]:
    """What to signal, and to listen to, when something changes on these runs."""
    return {f"run:{inventory_id}" for inventory_id in inventory_ids}


def is_plausible(want: Want) -> bool:
    """Whether there could be such units and slots at all, so that the question can be put to the database."""
    return (
        0 <= want.inventory_id <= LARGEST_BIGINT
        and 0 <= want.first_slot < want.end_slot <= LARGEST_SMALLINT
        and bool(want.units)
        and all(0 <= unit <= LARGEST_SMALLINT for unit in want.units)
    )


def is_plausible_amount(amount: Amount, *, least: int = 1) -> bool:
    """The same for an amount, of at least so much."""
    return (
        0 <= amount.inventory_id <= LARGEST_BIGINT
        and 0 <= amount.first_slot < amount.end_slot <= LARGEST_SMALLINT
        and least <= amount.quantity <= LARGEST_INTEGER
    )


def stock_of(amounts: Iterable[Amount]) -> dict[tuple[int, int], int]:
    """How much of each (inventory id, slot), sorted: everybody locks them in this order."""
    stock: dict[tuple[int, int], int] = {}
    for amount in amounts:
        for slot in range(amount.first_slot, amount.end_slot):
            key = (amount.inventory_id, slot)
            stock[key] = stock.get(key, 0) + amount.quantity
    return dict(sorted(stock.items()))


def amounts_of(stock: dict[tuple[int, int], int]) -> tuple[Amount, ...]:
    """The fewest amounts that say the same, no two of which meet in a slot. The keys are sorted."""
    amounts: list[Amount] = []
    for (inventory_id, slot), quantity in stock.items():
        last = amounts[-1] if amounts else None
        if last and (last.inventory_id, last.end_slot, last.quantity) == (inventory_id, slot, quantity):
            amounts[-1] = replace(last, end_slot=slot + 1)
        elif quantity:
            amounts.append(Amount(inventory_id, quantity, slot, slot + 1))
    return tuple(amounts)


def pack(wants: Iterable[Want]) -> list[list[Any]]:
    """Wants as they are stored in a hold's row."""
    return [[want.inventory_id, list(want.units), want.first_slot, want.end_slot] for want in wants]


def pack_amounts(amounts: Iterable[Amount]) -> list[list[int]]:
    """The same for amounts."""
    return [[amount.inventory_id, amount.quantity, amount.first_slot, amount.end_slot] for amount in amounts]


def unpack(stored: list[list[Any]]) -> tuple[Want, ...]:
    return tuple(Want(inventory_id, tuple(units), first, end) for inventory_id, units, first, end in stored)
