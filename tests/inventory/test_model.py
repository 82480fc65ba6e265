"""The kernel against a plain model in memory: random commands, random owners, random stretches, random clocks.

After each step every claim, every portion, every hold and every count must be what the model says. The same steps are
taken once through `take` and once through the desk that commits together what comes together.

`FAREBOX_TEST_MODEL_EXAMPLES` makes the search longer: so many sequences of so many steps.
"""

import asyncio
import os
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.inventory.comparing import MINUTE, compare
from tests.inventory.model import Model, ModelRun, keys_in, portions_of, stock_in
from tests.inventory.wishes import OWNERS, RUN, RUNS, SLOTS, STOCK, STRETCHES, UNIT_WISHES, UNITS, WISHES, Wish

from farebox.core.db import Database, UnitOfWork
from farebox.core.errors import DomainError
from farebox.core.ids import new_id
from farebox.inventory import (
    Allocation,
    Amount,
    Desk,
    Hold,
    HoldTerms,
    InventorySpec,
    TakeRequest,
    Want,
    allocate,
    block,
    close_inventories,
    confirm,
    extend,
    forget_holds,
    forget_inventories,
    open_inventories,
    rearm,
    reclaim,
    release,
    release_units,
    set_stock,
    swap,
    sweep,
    take,
    transfer,
    unblock,
)

TERMS = HoldTerms(ttl_seconds=15 * 60, max_extensions=2, max_total_seconds=45 * 60)
EXAMPLES = int(os.environ.get("FAREBOX_TEST_MODEL_EXAMPLES", "40"))
STEPS = 40


class Stage:
    """What one test's examples share: an event loop, a database, and the desk where there is one."""

    def __init__(self, database: Database, *, has_desk: bool) -> None:
        self.loop = asyncio.new_event_loop()
        self.database = database
        self.desk = self.run(self._open_desk()) if has_desk else None

    async def _open_desk(self) -> Desk:
        return Desk(self.database, group_commit=True)

    def run(self, coroutine) -> Any:
        return self.loop.run_until_complete(coroutine)

    def close(self) -> None:
        if self.desk:
            self.run(self.desk.dispose())
        self.run(self.database.dispose())
        self.loop.close()


class KernelAgainstModel(RuleBasedStateMachine):
    """Each rule gives the same command to both and compares the answers."""

    stage: Stage
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.runs: list[int] = []

    @initialize()
    def open_runs(self) -> None:
        async def clear(work: UnitOfWork) -> None:
            for table in ("hold", "claim", "portion", "capacity", "inventory"):
                await work.execute(f"DELETE FROM {table}")

        self.ask(clear)
        self.runs = [self.open_run() for _ in range(RUNS)]

    def open_run(self) -> int:
        [run] = self.ask(open_inventories, [InventorySpec(UNITS, SLOTS, capacity=STOCK)])
        self.model.runs[run] = ModelRun(UNITS, SLOTS, dict.fromkeys(range(SLOTS), STOCK))
        return int(run)

    def ask(self, command, *arguments, **keywords) -> Any:
        """Run a command; its answer, or its refusal in words."""

        async def run():
            async with self.stage.database.begin() as work:
                return await command(work, *arguments, **keywords)

        return self.stage.run(answered(run()))

    def agree(self, answer, expected: str | None) -> None:
        assert (answer if isinstance(answer, str) else None) == expected

    def real(self, wish: Wish) -> Wish:
        """The same wish on the runs of this example."""
        return Wish(
            tuple(replace(want, inventory_id=self.runs[want.inventory_id]) for want in wish.wants),
            tuple(replace(amount, inventory_id=self.runs[amount.inventory_id]) for amount in wish.amounts),
        )

    def owner_of(self, hold: UUID, otherwise: str) -> str:
        return self.model.holds[hold].owner if hold in self.model.holds else otherwise

    # Taking

    def take_one(self, request: TakeRequest) -> Any:
        if self.stage.desk:
            return self.stage.run(answered(self.stage.desk.take(request)))
        asked = {name: getattr(request, name) for name in TakeRequest.__slots__ if name != "wants"}
        return self.ask(take, request.wants, **asked)

    def model_take(self, request: TakeRequest) -> str | None:
        assert request.hold_id
        return self.model.take(
            request.hold_id,
            request.owner,
            keys_in(request.wants),
            stock_in(request.amounts),
            replaces=request.replaces,
            replaces_own=request.replaces_own,
        )

    def request(self, wish: Wish, owner: str, **more) -> TakeRequest:
        wish = self.real(wish)
        asked = {"hold_id": new_id()} | more
        return TakeRequest(wants=wish.wants, amounts=wish.amounts, owner=owner, terms=TERMS, **asked)

    def take_and_compare(self, request: TakeRequest):
        answer = self.take_one(request)
        expected = self.model_take(request)
        self.agree(answer, expected)
        if expected is not None:
            return multiple()
        assert (answer.id, answer.owner) == (request.hold_id, request.owner)
        return request.hold_id

    @rule(target=holds, owner=OWNERS, wish=WISHES)
    def take(self, owner, wish):
        return self.take_and_compare(self.request(wish, owner))

    @rule(target=holds, owner=OWNERS, wish=WISHES)
    def choose_anew(self, owner, wish):
        return self.take_and_compare(self.request(wish, owner, replaces_own=True))

    @rule(target=holds, old=holds, owner=OWNERS, wish=WISHES, as_owner=st.booleans(), own_too=st.booleans())
    def take_instead(self, old, owner, wish, as_owner, own_too):
        owner = self.owner_of(old, owner) if as_owner else owner
        return self.take_and_compare(self.request(wish, owner, replaces=old, replaces_own=own_too))

    @rule(hold=holds, owner=OWNERS, wish=WISHES, as_owner=st.booleans(), same=st.booleans(), own_too=st.booleans())
    def take_with_a_used_id(self, hold, owner, wish, as_owner, same, own_too):
        owner = self.owner_of(hold, owner) if as_owner else owner
        request = self.request(wish, owner, hold_id=hold, replaces_own=own_too)
        if same and hold in self.model.holds:
            known = self.model.holds[hold]
            wants = tuple(Want(run, (unit,), slot, slot + 1) for run, unit, slot in sorted(known.keys))
            request = replace(request, wants=wants, amounts=tuple(portions_of(known.stock)))
        self.take_and_compare(request)

    @rule(target=holds, owner=OWNERS, run=RUN, count=st.integers(1, UNITS), stretch=STRETCHES)
    def allocate(self, owner, run, count, stretch):
        run = self.runs[run]
        first, end = stretch
        ask = Allocation(run, count, first, end, preference=(tuple(range(UNITS)),))
        free = {unit for unit in range(UNITS) if self.model.is_free(run, unit, *stretch)}
        answer = self.ask(allocate, ask, owner=owner, terms=TERMS)
        if len(free) < count:
            self.agree(answer, "not-enough-units")
            return multiple()
        if not self.model.runs[run].is_on_sale:
            self.agree(answer, "not-on-sale")
            return multiple()
        [want] = answer.claims
        assert len(set(want.units)) == count
        assert set(want.units) <= free
        assert self.model.take(answer.id, owner, keys_in([want]), {}) is None
        return answer.id

    @precondition(lambda self: self.stage.desk is not None)
    @rule(target=holds, asked=st.lists(st.tuples(UNIT_WISHES, OWNERS, st.booleans()), min_size=2, max_size=5))
    def take_together(self, asked):
        """As if one by one in the order of their coming. Who may have to give up stock goes its own way: not here."""
        requests = [self.request(wish, owner, replaces_own=own) for wish, owner, own in asked]
        hoarders = {hold.owner for hold in self.model.holds.values() if hold.stock and self.model.is_running(hold)}
        requests = [request for request in requests if not (request.replaces_own and request.owner in hoarders)]

        desk = self.stage.desk
        assert desk is not None

        async def submit():
            return await asyncio.gather(*(answered(desk.take(request)) for request in requests))

        answers = self.stage.run(submit())
        expected = [self.model_take(request) for request in requests]
        assert [answer if isinstance(answer, str) else None for answer in answers] == expected
        return multiple(*(answer.id for answer in answers if isinstance(answer, Hold)))

    # What becomes of it

    @rule(hold=holds, owner=OWNERS, as_owner=st.booleans())
    def extend(self, hold, owner, as_owner):
        owner = self.owner_of(hold, owner) if as_owner else owner
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

    @rule(hold=holds, owner=OWNERS)
    def transfer(self, hold, owner):
        self.agree(self.ask(transfer, hold, owner=owner), self.model.transfer(hold, owner))

    @rule(hold=holds, owner=st.one_of(st.none(), OWNERS), wish=WISHES)
    def swap(self, hold, owner, wish):
        wish = self.real(wish)
        answer = self.ask(swap, hold, wish.wants, amounts=wish.amounts, owner=owner)
        self.agree(answer, self.model.swap(hold, owner, keys_in(wish.wants), stock_in(wish.amounts)))

    @rule(target=holds, wish=UNIT_WISHES)
    def block(self, wish):
        wants = self.real(wish).wants
        answer = self.ask(block, wants, owner="crew")
        refusal = self.model.refuse_units(keys_in(wants), set())
        self.agree(answer, refusal)
        if refusal:
            return multiple()
        self.model.block(answer.id, "crew", keys_in(wants))
        return answer.id

    @rule(hold=holds)
    def unblock(self, hold):
        self.agree(self.ask(unblock, hold), self.model.unblock(hold))

    @rule(hold=holds)
    def release(self, hold):
        self.agree(self.ask(release, hold), self.model.release(hold))

    @rule(hold=holds, data=st.data(), wish=WISHES, its_own=st.booleans())
    def release_some(self, hold, data, wish, its_own):
        wants, amounts = list(self.real(wish).wants), list(self.real(wish).amounts)
        if its_own and hold in self.model.holds:
            known = self.model.holds[hold]
            keys = data.draw(st.sets(st.sampled_from(sorted(known.keys)))) if known.keys else set()
            stock = data.draw(st.sets(st.sampled_from(sorted(known.stock)))) if known.stock else set()
            wants = [Want(run, (unit,), slot, slot + 1) for run, unit, slot in keys]
            quantities = {place: data.draw(st.integers(1, known.stock[place])) for place in sorted(stock)}
            amounts = [Amount(run, quantity, slot, slot + 1) for (run, slot), quantity in quantities.items()]
        answer = self.ask(release_units, hold, wants, amounts)
        self.agree(answer, self.model.release_units(hold, keys_in(wants), stock_in(amounts)))

    # The runs, and time

    @rule(run=RUN, stretch=STRETCHES, total=st.integers(0, STOCK + 2))
    def set_stock(self, run, stretch, total):
        amounts = [Amount(self.runs[run], total, *stretch)]
        self.agree(self.ask(set_stock, amounts), self.model.set_stock(amounts))

    @rule(run=RUN, is_on_sale=st.booleans())
    def open_or_close_sales(self, run, is_on_sale):
        until = "NULL" if is_on_sale else "clock_timestamp() - interval '1 hour'"
        self.ask(
            lambda work: work.execute(f"UPDATE inventory SET sales_close_at = {until} WHERE id = {self.runs[run]}")
        )
        self.model.runs[self.runs[run]].is_on_sale = is_on_sale

    @rule()
    def sweep(self):
        assert self.ask(sweep) == self.model.sweep()

    @rule(how=st.sampled_from(["forget holds", "forget a run", "close a run"]), run=RUN)
    def tidy_up(self, how, run):
        """One rule, so that not too much is tidied up. A closed run has another in its place."""
        number = self.runs[run]
        if how == "forget holds":
            assert self.ask(forget_holds, days=0) == self.model.forget_holds()
        elif how == "forget a run":
            assert self.ask(forget_inventories, [number]) == 1
            self.model.forget_run(number)
        elif self.model.close(number):
            assert self.ask(close_inventories, [number]) == [number]
            self.runs[run] = self.open_run()
        else:
            assert self.ask(close_inventories, [number]) == []

    @rule(minutes=st.sampled_from([1, 5, 10, 15]))
    def let_time_go_by(self, minutes):
        async def age_all(work: UnitOfWork) -> None:
            by = minutes * MINUTE
            await work.execute(
                "UPDATE hold SET expires_at = expires_at - %(by)s, first_taken_at = first_taken_at - %(by)s,"
                " latest_at = latest_at - %(by)s",
                {"by": by},
            )
            for table in ("claim", "portion"):
                await work.execute(f"UPDATE {table} SET expires_at = expires_at - %s", (by,))

        self.ask(age_all)
        self.model.minute += minutes

    # Everything is as the model says

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        if len(self.runs) == RUNS:
            self.ask(compare, self.model)


async def answered(attempt) -> Any:
    """The answer, or the code of the refusal, with what was lost where the refusal names it."""
    try:
        return await attempt
    except DomainError as refusal:
        lost = getattr(refusal, "lost", getattr(refusal, "short", None))
        return f"{refusal.code} {lost}" if lost is not None else refusal.code


@pytest.mark.parametrize("way", ["alone", "group commit"])
def test_the_kernel_agrees_with_the_model(make_database, way):
    stage = Stage(make_database(), has_desk=way == "group commit")
    try:
        run_state_machine_as_test(
            type("Machine", (KernelAgainstModel,), {"stage": stage}),
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        stage.close()
