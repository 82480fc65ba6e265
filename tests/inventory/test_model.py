"""The kernel against a plain model in memory: random commands, random owners, random stretches, random clocks.

After each step every claim, every hold and every count must be what the model says.
"""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from tests.inventory.kernel import age

from farebox.core.db import Database
from farebox.core.errors import DomainError
from farebox.core.ids import new_id
from farebox.inventory import (
    HoldTerms,
    InventorySpec,
    Want,
    availability,
    claims_on,
    confirm,
    extend,
    get_hold,
    open_inventories,
    rearm,
    reclaim,
    release,
    release_units,
    sweep,
    take,
)

UNITS, SLOTS, RUNS = 3, 3, 2
MINUTE = timedelta(minutes=1)
TERMS = HoldTerms(ttl_seconds=15 * 60, max_extensions=2, max_total_seconds=45 * 60)

# Real time goes on while the test runs, by less than this; the model's clock moves in whole minutes only.
SLACK = timedelta(seconds=50)

Key = tuple[int, int, int]
OWNERS = st.sampled_from(["guest:an", "guest:bo", "guest:chi"])


@dataclass
class ModelHold:
    owner: str
    keys: set[Key]
    state: Literal["held", "confirmed", "released", "expired"]
    first_minute: int
    end_minute: int
    extensions: int = 0
    was_confirmed: bool = False


@dataclass
class Model:
    """One dictionary of claims and one of holds; every rule in its plainest words."""

    minute: int = 0
    claims: dict[Key, UUID] = field(default_factory=dict)
    holds: dict[UUID, ModelHold] = field(default_factory=dict)

    def is_live(self, key: Key) -> bool:
        if key not in self.claims:
            return False
        hold = self.holds[self.claims[key]]
        return hold.state == "confirmed" or (hold.state == "held" and hold.end_minute > self.minute)

    def is_running(self, hold: ModelHold) -> bool:
        return hold.state == "held" and hold.end_minute > self.minute

    def has_all(self, hold_id: UUID) -> bool:
        return all(self.claims.get(key) == hold_id for key in self.holds[hold_id].keys)

    def drop(self, hold_id: UUID, keys: set[Key]) -> None:
        for key in keys:
            if self.claims.get(key) == hold_id:
                del self.claims[key]

    def take(self, hold_id: UUID, owner: str, keys: set[Key], old_id: UUID | None) -> str | None:
        old = self.holds[old_id] if old_id and self.may_replace(old_id, owner) else None
        lost = {key[:2] for key in keys if self.is_live(key) and not (old and self.claims[key] == old_id)}
        if lost:
            return f"units-taken {sorted(lost)}"
        first = old.first_minute if old else self.minute
        end = old.end_minute if old else self.minute + 15
        if old:
            assert old_id
            self.drop(old_id, set(old.keys))
            old.state = "released"
        self.holds[hold_id] = ModelHold(owner, keys, "held", first, end, old.extensions if old else 0)
        self.claims |= dict.fromkeys(keys, hold_id)
        return None

    def may_replace(self, hold_id: UUID, owner: str) -> bool:
        return self.holds[hold_id].owner == owner and self.is_running(self.holds[hold_id])

    def extend(self, hold_id: UUID, owner: str) -> str | None:
        hold = self.holds[hold_id]
        if hold.owner != owner:
            return "lock-not-found"
        if not self.is_running(hold):
            return "lock-expired"
        if hold.extensions == 2 or hold.end_minute >= hold.first_minute + 45:
            return "extension-limit"
        hold.end_minute = min(self.minute + 15, hold.first_minute + 45)
        hold.extensions += 1
        return None

    def rearm(self, hold_id: UUID, minutes: int) -> str | None:
        hold = self.holds[hold_id]
        if hold.state != "held" or not self.has_all(hold_id):
            return "lock-expired"
        hold.end_minute = max(hold.end_minute, self.minute + minutes)
        return None

    def confirm(self, hold_id: UUID) -> str | None:
        hold = self.holds[hold_id]
        if hold.state == "confirmed":
            return None
        if hold.state != "held" or not self.has_all(hold_id):
            return "lock-lost"
        hold.state, hold.was_confirmed = "confirmed", True
        return None

    def reclaim(self, hold_id: UUID) -> str | None:
        hold = self.holds[hold_id]
        if hold.state == "confirmed":
            return None
        if hold.was_confirmed:
            return "lock-lost"
        lost = {key[:2] for key in hold.keys if self.is_live(key) and self.claims[key] != hold_id}
        if lost:
            return f"units-taken {sorted(lost)}"
        self.claims |= dict.fromkeys(hold.keys, hold_id)
        hold.state, hold.was_confirmed = "confirmed", True
        return None

    def release(self, hold_id: UUID) -> None:
        hold = self.holds[hold_id]
        if hold.state in {"held", "confirmed"}:
            self.drop(hold_id, set(hold.keys))
            hold.state = "released"

    def release_units(self, hold_id: UUID, keys: set[Key]) -> str | None:
        hold = self.holds[hold_id]
        if hold.state not in {"held", "confirmed"} or not keys <= hold.keys:
            return "unknown-units"
        self.drop(hold_id, keys)
        if keys == hold.keys:
            hold.state = "released"
        else:
            hold.keys = hold.keys - keys
        return None

    def sweep(self) -> int:
        over = [i for i, hold in self.holds.items() if hold.state == "held" and not self.is_running(hold)]
        for hold_id in over:
            self.drop(hold_id, set(self.holds[hold_id].keys))
            self.holds[hold_id].state = "expired"
        return len(over)


def keys_in(wants: list[Want]) -> set[Key]:
    return {(w.inventory_id, unit, slot) for w in wants for unit in w.units for slot in range(w.first_slot, w.end_slot)}


@st.composite
def wishes(draw: st.DrawFn) -> list[Want]:
    """Some units over a stretch of one run, or of both: as positions, since the database makes the runs' ids."""
    wants = []
    for run in draw(st.sampled_from([(0,), (1,), (0, 1)])):
        first = draw(st.integers(0, SLOTS - 1))
        end = draw(st.integers(first + 1, SLOTS))
        units = draw(st.sets(st.integers(0, UNITS - 1), min_size=1, max_size=3))
        wants.append(Want(run, tuple(sorted(units)), first, end))
    return wants


class KernelAgainstModel(RuleBasedStateMachine):
    """Each rule gives the same command to both and compares the answers."""

    database_url: str
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.model = Model()
        self.database = Database(self.database_url)

    def teardown(self) -> None:
        self.loop.run_until_complete(self.database.dispose())
        self.loop.close()

    @initialize()
    def open_runs(self) -> None:
        async def open_them() -> list[int]:
            async with self.database.begin() as work:
                await work.execute("DELETE FROM hold")
                await work.execute("DELETE FROM claim")
                return await open_inventories(work, [InventorySpec(UNITS, SLOTS)] * RUNS)

        self.runs = self.loop.run_until_complete(open_them())

    def ask(self, command, *arguments, **keywords):
        """Run a command; its answer, or the code of its refusal (with the units, where units were lost)."""

        async def run():
            try:
                async with self.database.begin() as work:
                    return await command(work, *arguments, **keywords)
            except DomainError as refusal:
                lost = getattr(refusal, "lost", None)
                return f"{refusal.code} {lost}" if lost is not None else refusal.code

        return self.loop.run_until_complete(run())

    def agree(self, answer, expected: str | None) -> None:
        assert (answer if isinstance(answer, str) else None) == expected

    @rule(target=holds, owner=OWNERS, wish=wishes())
    def take(self, owner, wish):
        return self._take(owner, wish, None)

    @rule(target=holds, old=holds, owner=OWNERS, wish=wishes(), as_owner=st.booleans())
    def take_instead(self, old, owner, wish, as_owner):
        return self._take(self.model.holds[old].owner if as_owner else owner, wish, old)

    def _take(self, owner, wish, old):
        wants = [replace(want, inventory_id=self.runs[want.inventory_id]) for want in wish]
        hold_id = new_id()
        answer = self.ask(take, wants, owner=owner, terms=TERMS, hold_id=hold_id, replaces=old)
        expected = self.model.take(hold_id, owner, keys_in(wants), old)
        self.agree(answer, expected)
        return hold_id if expected is None else multiple()

    @rule(hold=holds, owner=OWNERS, as_owner=st.booleans())
    def extend(self, hold, owner, as_owner):
        owner = self.model.holds[hold].owner if as_owner else owner
        self.agree(self.ask(extend, hold, owner=owner, terms=TERMS), self.model.extend(hold, owner))

    @rule(hold=holds, minutes=st.integers(1, 60))
    def rearm(self, hold, minutes):
        self.agree(self.ask(rearm, hold, seconds=minutes * 60), self.model.rearm(hold, minutes))

    @rule(hold=holds)
    def confirm(self, hold):
        self.agree(self.ask(confirm, hold), self.model.confirm(hold))

    @rule(hold=holds)
    def reclaim(self, hold):
        self.agree(self.ask(reclaim, hold), self.model.reclaim(hold))

    @rule(hold=holds)
    def release(self, hold):
        self.agree(self.ask(release, hold), None)
        self.model.release(hold)

    @rule(hold=holds, data=st.data())
    def release_some(self, hold, data):
        some = data.draw(st.sets(st.sampled_from(sorted(self.model.holds[hold].keys)), min_size=1))
        wants = [Want(run, (unit,), slot, slot + 1) for run, unit, slot in some]
        self.agree(self.ask(release_units, hold, wants), self.model.release_units(hold, some))

    @rule()
    def sweep(self):
        assert self.ask(sweep) == self.model.sweep()

    @rule(minutes=st.sampled_from([1, 5, 10, 15]))
    def let_time_go_by(self, minutes):
        async def age_all() -> None:
            async with self.database.begin() as work:
                for hold_id, hold in self.model.holds.items():
                    if hold.state == "held":
                        await age(work, hold_id, minutes * MINUTE)

        self.loop.run_until_complete(age_all())
        self.model.minute += minutes

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        if hasattr(self, "runs"):
            self.loop.run_until_complete(self._compare())

    async def _compare(self) -> None:
        async with self.database.begin() as work:
            live = {key: hold for key, hold in self.model.claims.items() if self.model.is_live(key)}
            found = {}
            for run in self.runs:
                for claim in await claims_on(work, run, 0, SLOTS):
                    found[claim.inventory_id, claim.unit, claim.slot] = claim.hold_id
            assert found == live

            stretches = [
                (run, first, end) for run in self.runs for first in range(SLOTS) for end in range(first + 1, SLOTS + 1)
            ]
            free = [UNITS - len({u for r, u, s in live if r == run and a <= s < b}) for run, a, b in stretches]
            assert await availability(work, stretches) == free

            for hold_id, hold in self.model.holds.items():
                real = await get_hold(work, hold_id)
                is_over = hold.state == "held" and not self.model.is_running(hold)
                assert (real.state, real.owner) == ("expired" if is_over else hold.state, hold.owner)
                assert keys_in(list(real.claims)) == hold.keys
                if hold.state == "held":
                    assert real.extensions == hold.extensions
                    assert real.expires_at is not None
                    cursor = await work.execute("SELECT clock_timestamp()")
                    row = await cursor.fetchone()
                    assert row is not None
                    expected = row[0] + (hold.end_minute - self.model.minute) * MINUTE
                    assert expected - SLACK <= real.expires_at <= expected


def test_the_kernel_agrees_with_the_model(database_url):
    machine = type("Machine", (KernelAgainstModel,), {"database_url": database_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
