"""The kernel in its plainest words: two dictionaries and a clock that moves in whole minutes.

Each command answers with the code of its refusal, or with nothing; what it has changed is in the model.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from farebox.inventory import Amount, Want

Key = tuple[int, int, int]
"""Run, unit, slot."""

Place = tuple[int, int]
"""Run, slot."""


def keys_in(wants: Iterable[Want]) -> set[Key]:
    return {(w.inventory_id, unit, slot) for w in wants for unit in w.units for slot in range(w.first_slot, w.end_slot)}


def stock_in(amounts: Iterable[Amount]) -> dict[Place, int]:
    stock: dict[Place, int] = {}
    for amount in amounts:
        for slot in range(amount.first_slot, amount.end_slot):
            place = (amount.inventory_id, slot)
            stock[place] = stock.get(place, 0) + amount.quantity
    return stock


def portions_of(stock: dict[Place, int]) -> set[Amount]:
    """Unbroken ranges of the same quantity."""
    portions: set[Amount] = set()
    for (run, slot), quantity in stock.items():
        if quantity and stock.get((run, slot - 1), 0) != quantity:
            end = slot
            while stock.get((run, end), 0) == quantity:
                end += 1
            portions.add(Amount(run, quantity, slot, end))
    return portions


@dataclass
class ModelRun:
    units: int
    slots: int
    totals: dict[int, int]
    is_on_sale: bool = True


@dataclass
class ModelHold:
    owner: str
    keys: set[Key]
    stock: dict[Place, int]
    state: Literal["held", "confirmed", "blocked", "released", "expired"]
    first_minute: int
    end_minute: int
    extensions: int = 0
    was_confirmed: bool = False

    @property
    def runs(self) -> set[int]:
        return {run for run, *_ in (*self.keys, *self.stock)}


@dataclass
class Model:
    """Who has each unit in each slot, and which portions of the stock each hold still has."""

    minute: int = 0
    runs: dict[int, ModelRun] = field(default_factory=dict)
    claims: dict[Key, UUID] = field(default_factory=dict)
    portions: dict[UUID, set[Amount]] = field(default_factory=dict)
    holds: dict[UUID, ModelHold] = field(default_factory=dict)

    # What there is

    def is_running(self, hold: ModelHold) -> bool:
        return hold.state == "held" and hold.end_minute > self.minute

    def keeps(self, hold_id: UUID) -> bool:
        """Whether nobody can have what this hold has."""
        hold = self.holds[hold_id]
        return hold.state in {"confirmed", "blocked"} or self.is_running(hold)

    def is_live(self, key: Key) -> bool:
        return key in self.claims and self.keeps(self.claims[key])

    def is_free(self, run: int, unit: int, first: int, end: int) -> bool:
        return not any(self.is_live((run, unit, slot)) for slot in range(first, end))

    def counted(self, place: Place, *, live_only: bool) -> int:
        """What all portions in one slot come to."""
        run, slot = place
        return sum(
            portion.quantity
            for hold_id, portions in self.portions.items()
            if self.keeps(hold_id) or not live_only
            for portion in portions
            if portion.inventory_id == run and portion.first_slot <= slot < portion.end_slot
        )

    def total(self, place: Place) -> int | None:
        run = self.runs.get(place[0])
        return run.totals.get(place[1]) if run else None

    def left(self, run: int, first: int, end: int) -> int:
        places = [(run, slot) for slot in range(first, end)]
        totals = [self.total(place) for place in places]
        if None in totals:
            return 0
        return min((self.total(place) or 0) - self.counted(place, live_only=True) for place in places)

    def has_all(self, hold_id: UUID) -> bool:
        hold = self.holds[hold_id]
        is_whole = self.portions.get(hold_id, set()) == portions_of(hold.stock)
        return is_whole and all(self.claims.get(key) == hold_id for key in hold.keys)

    # Steps that the commands share

    def _drop(self, hold_id: UUID, keys: set[Key] | None = None) -> None:
        for key in self.holds[hold_id].keys if keys is None else keys:
            if self.claims.get(key) == hold_id:
                del self.claims[key]
        if keys is None:
            self.portions.pop(hold_id, None)

    def _end(self, hold_id: UUID, state: Literal["released", "expired"]) -> None:
        hold = self.holds[hold_id]
        self._drop(hold_id)
        if hold.state in {"confirmed", "blocked"}:
            hold.end_minute = self.minute
        hold.state = state

    def _lost(self, keys: set[Key], but: set[UUID]) -> list[tuple[int, int]]:
        return sorted({key[:2] for key in keys if self.is_live(key) and self.claims[key] not in but})

    def refuse_units(self, keys: set[Key], but: set[UUID], *, selling: bool = False) -> str | None:
        """Why these units cannot be had, where what the holds in `but` have does not count."""
        runs = self.runs
        if any(run not in runs or unit >= runs[run].units or slot >= runs[run].slots for run, unit, slot in keys):
            return "unknown-units"
        if selling and not all(runs[run].is_on_sale for run, *_ in keys):
            return "not-on-sale"
        lost = self._lost(keys, but)
        return f"units-taken {lost}" if lost else None

    def _place_stock(
        self, hold_id: UUID, stock: dict[Place, int], gives_up: set[UUID], *, selling: bool, must_exist: bool = True
    ) -> str | None:
        """Take the new before the old is given up, and overdue portions only from slots that are short."""
        if must_exist and any(self.total(place) is None for place in stock):
            return "unknown-units"
        if selling and not all(self.runs[run].is_on_sale for run, _ in stock):
            return "not-on-sale"
        others = {h: set(portions) for h, portions in self.portions.items() if h not in gives_up}

        def left(place: Place) -> int:
            return (self.total(place) or 0) - sum(
                portion.quantity for portions in others.values() for portion in portions if covers(portion, place)
            )

        short = [place for place, quantity in stock.items() if quantity > left(place)]
        for other, portions in others.items():
            if not self.keeps(other):
                portions -= {portion for portion in portions if any(covers(portion, place) for place in short)}
        missing = [place for place, quantity in stock.items() if quantity > left(place)]
        if missing:
            runs = sorted({run for run, _ in missing})
            return f"stock-gone {[(run, min(left(place) for place in missing if place[0] == run)) for run in runs]}"
        self.portions = others | ({hold_id: portions_of(stock)} if stock else {})
        return None

    # The commands

    def take(
        self,
        hold_id: UUID,
        owner: str,
        keys: set[Key],
        stock: dict[Place, int],
        *,
        replaces: UUID | None = None,
        replaces_own: bool = False,
    ) -> str | None:
        known = self.holds.get(hold_id)
        if known:
            is_same = (known.owner, known.keys, known.stock) == (owner, keys, stock)
            return None if is_same and (known.state == "confirmed" or self.is_running(known)) else "lock-conflict"
        runs = {run for run, *_ in (*keys, *stock)}
        olds = {
            i: hold
            for i, hold in self.holds.items()
            if hold.owner == owner
            and self.is_running(hold)
            and (i == replaces or (replaces_own and not runs.isdisjoint(hold.runs)))
        }
        refusal = self.refuse_units(keys, set(olds), selling=True)
        refusal = refusal or self._place_stock(hold_id, stock, set(olds), selling=True)
        if refusal:
            return refusal
        first = min((old.first_minute for old in olds.values()), default=self.minute)
        end = min((old.end_minute for old in olds.values()), default=self.minute + 15)
        extensions = max((old.extensions for old in olds.values()), default=0)
        for old_id in olds:
            self._end(old_id, "released")
        self.holds[hold_id] = ModelHold(owner, keys, stock, "held", first, end, extensions)
        self.claims |= dict.fromkeys(keys, hold_id)
        return None

    def extend(self, hold_id: UUID, owner: str) -> str | None:
        hold = self.holds.get(hold_id)
        if hold is None or hold.owner != owner:
            return "lock-not-found"
        if not self.is_running(hold):
            return "lock-expired"
        if hold.extensions == 2 or hold.end_minute >= hold.first_minute + 45:
            return "extension-limit"
        hold.end_minute = min(self.minute + 15, hold.first_minute + 45)
        hold.extensions += 1
        return None

    def rearm(self, hold_id: UUID, minutes: int) -> str | None:
        hold = self.holds.get(hold_id)
        if hold is None:
            return "lock-not-found"
        if hold.state != "held" or not self.has_all(hold_id):
            return "lock-expired"
        hold.end_minute = max(hold.end_minute, self.minute + minutes)
        return None

    def confirm(self, hold_id: UUID) -> str | None:
        hold = self.holds.get(hold_id)
        if hold is None:
            return "lock-not-found"
        if hold.state == "confirmed":
            return None
        if hold.state != "held" or not self.has_all(hold_id):
            return "lock-lost"
        hold.state, hold.was_confirmed = "confirmed", True
        return None

    def reclaim(self, hold_id: UUID) -> str | None:
        hold = self.holds.get(hold_id)
        if hold is None:
            return "lock-not-found"
        if hold.state == "confirmed":
            return None
        if hold.was_confirmed:
            return "lock-lost"
        closed = {key[:2] for key in hold.keys if key[0] not in self.runs}
        if lost := sorted({*self._lost(hold.keys, {hold_id}), *closed}):
            return f"units-taken {lost}"
        refusal = self._place_stock(hold_id, hold.stock, {hold_id}, selling=False, must_exist=False)
        if refusal:
            return refusal
        self.claims |= dict.fromkeys(hold.keys, hold_id)
        hold.state, hold.was_confirmed = "confirmed", True
        return None

    def swap(self, hold_id: UUID, owner: str | None, keys: set[Key], stock: dict[Place, int]) -> str | None:
        hold = self.holds.get(hold_id)
        if hold is None or owner not in {None, hold.owner}:
            return "lock-not-found"
        if hold.state == "expired" or (hold.state == "held" and not self.is_running(hold)):
            return "lock-expired"
        if hold.state not in {"held", "confirmed"}:
            return "lock-lost"
        refusal = self.refuse_units(keys, {hold_id}) or self._place_stock(hold_id, stock, {hold_id}, selling=False)
        if refusal:
            return refusal
        self._drop(hold_id, hold.keys)
        hold.keys, hold.stock = keys, stock
        self.claims |= dict.fromkeys(keys, hold_id)
        return None

    def block(self, hold_id: UUID, owner: str, keys: set[Key]) -> None:
        self.holds[hold_id] = ModelHold(owner, keys, {}, "blocked", self.minute, self.minute, was_confirmed=True)
        self.claims |= dict.fromkeys(keys, hold_id)

    def unblock(self, hold_id: UUID) -> str | None:
        hold = self.holds.get(hold_id)
        if hold is None or hold.state not in {"blocked", "released"}:
            return "lock-not-found"
        if hold.state == "blocked":
            self._end(hold_id, "released")
        return None

    def transfer(self, hold_id: UUID, owner: str) -> str | None:
        if hold_id not in self.holds:
            return "lock-not-found"
        self.holds[hold_id].owner = owner
        return None

    def release(self, hold_id: UUID) -> str | None:
        hold = self.holds.get(hold_id)
        if hold is None:
            return "lock-not-found"
        if hold.state in {"held", "confirmed"}:
            self._end(hold_id, "released")
        return None

    def release_units(self, hold_id: UUID, keys: set[Key], stock: dict[Place, int]) -> str | None:
        hold = self.holds.get(hold_id)
        if hold is None:
            return "lock-not-found"
        rest = {place: quantity - stock.get(place, 0) for place, quantity in hold.stock.items()}
        is_its_own = keys <= hold.keys and set(stock) <= set(hold.stock) and min(rest.values(), default=0) >= 0
        if hold.state not in {"held", "confirmed"} or not is_its_own:
            return "unknown-units"
        rest = {place: quantity for place, quantity in rest.items() if quantity}
        if keys == hold.keys and not rest:
            self._end(hold_id, "released")
            return None
        if stock:
            is_whole = self.portions.get(hold_id, set()) == portions_of(hold.stock)
            self.portions[hold_id] = portions_of(rest) if is_whole else set()
        self._drop(hold_id, keys)
        hold.keys, hold.stock = hold.keys - keys, rest
        return None

    def set_stock(self, amounts: list[Amount]) -> str | None:
        totals = stock_in(amounts)
        for (run, slot), total in sorted(totals.items()):
            if run not in self.runs or slot >= self.runs[run].slots:
                return "unknown-units"
            if self.counted((run, slot), live_only=False) > total:
                return "stock-in-use"
        for (run, slot), total in totals.items():
            self.runs[run].totals[slot] = total
        return None

    def sweep(self) -> int:
        over = [i for i, hold in self.holds.items() if hold.state == "held" and not self.is_running(hold)]
        for hold_id in over:
            self._end(hold_id, "expired")
        return len(over)

    def close(self, run: int) -> bool:
        is_used = any(self.is_live(key) for key in self.claims if key[0] == run) or any(
            self.keeps(hold_id) and any(portion.inventory_id == run for portion in portions)
            for hold_id, portions in self.portions.items()
        )
        if not is_used:
            self._clear(run)
            del self.runs[run]
        return not is_used

    def forget_run(self, run: int) -> None:
        users = {hold_id for key, hold_id in self.claims.items() if key[0] == run}
        users |= {h for h, portions in self.portions.items() if any(p.inventory_id == run for p in portions)}
        self._clear(run)
        self.runs[run].totals = {}
        for hold_id in users:
            hold = self.holds[hold_id]
            hold.keys = {key for key in hold.keys if key[0] != run}
            hold.stock = {place: quantity for place, quantity in hold.stock.items() if place[0] != run}
            if not hold.runs:
                self._forget(hold_id)

    def forget_holds(self) -> int:
        """Those that have ended, and whose time is over as well."""
        ended = {"released", "expired"}
        over = [i for i, hold in self.holds.items() if hold.state in ended and hold.end_minute <= self.minute]
        for hold_id in over:
            self._forget(hold_id)
        return len(over)

    def _forget(self, hold_id: UUID) -> None:
        self._drop(hold_id)
        del self.holds[hold_id]

    def _clear(self, run: int) -> None:
        self.claims = {key: hold_id for key, hold_id in self.claims.items() if key[0] != run}
        for portions in self.portions.values():
            portions -= {portion for portion in portions if portion.inventory_id == run}


def covers(portion: Amount, place: Place) -> bool:
    return portion.inventory_id == place[0] and portion.first_slot <= place[1] < portion.end_slot
