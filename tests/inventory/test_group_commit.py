"""Requests that are committed together are answered as if each had come by itself, in the same order."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.inventory.kernel import TERMS, age, database_clock, open_run, value, want

from farebox.core.db import Database
from farebox.core.errors import DomainError
from farebox.core.ids import new_id
from farebox.inventory import (
    Desk,
    HoldConflict,
    InventorySpec,
    NotOnSale,
    Overloaded,
    TakeRequest,
    UnitsTaken,
    UnknownUnits,
    Want,
    claims_on,
    confirm,
    extend,
    get_hold,
    open_inventories,
    release,
)

AN, BO, CHI = "guest:an", "guest:bo", "guest:chi"
SLACK = timedelta(seconds=60)
"""Real time goes on while a scene is played, by less than this; its own clock moves in steps of two minutes."""

STEP = timedelta(minutes=2)
CLOSED, MISSING = 2, 3
"""Of the runs of a scene: one that is not on sale, and one that does not exist."""


@pytest.fixture(params=["on", "off"])
async def desk(request, database):
    desk = Desk(database, group_commit=request.param == "on")
    yield desk
    await desk.dispose()


def ask(wants: Sequence[Want], owner: str = AN, **more) -> TakeRequest:
    return TakeRequest(wants=tuple(wants), owner=owner, terms=TERMS, **more)


async def together(desk: Desk, *requests: TakeRequest) -> list[Any]:
    """Hand in all at once; their answers, refusals among them."""
    return await asyncio.gather(*map(desk.take, requests), return_exceptions=True)


async def in_order(desk: Desk, *requests: TakeRequest) -> list[Any]:
    """The same, all in this order: a desk without group commit makes no promise about that."""
    if desk.is_grouping:
        return await together(desk, *requests)
    return [answer for request in requests for answer in await together(desk, request)]


async def test_the_first_of_those_who_want_the_same_wins_and_the_others_are_told_what_they_lost(database, desk):
    run = await open_run(database)
    answers = await in_order(
        desk,
        ask(want(run, [0, 1], 0, 2), AN),
        ask(want(run, [1, 2], 1, 4), BO),
        ask(want(run, [1, 3], 2, 4), CHI),
    )
    assert answers[0].owner == AN
    assert answers[0].claims == (Want(run, (0, 1), 0, 2),)
    assert isinstance(answers[1], UnitsTaken)
    assert answers[1].lost == [(run, 1)]
    assert answers[2].owner == CHI
    async with database.begin() as work:
        assert [(c.unit, c.slot, c.owner) for c in await claims_on(work, run, 0, 4)] == [
            (0, 0, AN), (0, 1, AN), (1, 0, AN), (1, 1, AN), (1, 2, CHI), (1, 3, CHI), (3, 2, CHI), (3, 3, CHI),
        ]  # fmt: skip
        assert [await get_hold(work, answers[n].id) for n in (0, 2)] == [answers[0], answers[2]]


async def test_each_is_refused_for_its_own_reason(database, desk):
    run = await open_run(database)
    closed = await open_run(database, sales_close_at=datetime.fromisoformat("2020-01-01T00:00Z"))
    answers = await in_order(
        desk,
        ask(want(run, 9)),
        ask(want(run, 0, 3, 5)),
        ask(want(closed + 1, 0)),
        ask(want(closed, 0)),
        ask([*want(run, 0), *want(closed, 0)]),
        ask(want(-1, 0)),
        ask([]),
        ask(want(run, [0, 0])),
        ask(want(run, 0)),
    )
    assert [type(answer) for answer in answers[:7]] == [
        UnknownUnits, UnknownUnits, UnknownUnits, NotOnSale, NotOnSale, UnknownUnits, UnknownUnits,
    ]  # fmt: skip
    # The same unit twice is one unit, for one of the last two.
    assert sorted(type(answer).__name__ for answer in answers[7:]) == ["Hold", "UnitsTaken"]


async def test_what_a_replaced_hold_had_goes_to_the_next_in_the_queue(database, desk):
    run = await open_run(database)
    first = await desk.take(ask(want(run, [0, 1]), AN))
    answers = await in_order(
        desk,
        ask(want(run, 0), BO),
        ask(want(run, [1, 2]), AN, replaces_own=True),
        ask(want(run, 0), CHI),
        ask(want(run, [1]), BO),
    )
    assert [type(answer).__name__ for answer in answers] == ["UnitsTaken", "Hold", "Hold", "UnitsTaken"]
    assert answers[1].first_taken_at == first.first_taken_at
    assert answers[1].expires_at == first.expires_at
    async with database.begin() as work:
        assert {(c.unit, c.owner) for c in await claims_on(work, run, 0, 4)} == {(0, CHI), (1, AN), (2, AN)}
        assert (await get_hold(work, first.id)).state == "released"


async def test_a_double_click_ends_in_one_hold(database, desk):
    run = await open_run(database)
    one, other = await together(desk, ask(want(run, [0, 1]), replaces_own=True), ask(want(run, [2]), replaces_own=True))
    async with database.begin() as work:
        states = {(await get_hold(work, hold.id)).state for hold in (one, other)}
        assert states == {"held", "released"}
        assert len({c.hold_id for c in await claims_on(work, run, 0, 4)}) == 1


async def test_the_same_request_twice_is_one_hold_and_other_content_a_conflict(database, desk):
    run, hold_id = await open_run(database), new_id()
    request = ask(want(run, [0, 1]), hold_id=hold_id)
    one, again, other, foreign = await in_order(
        desk, request, request, ask(want(run, 2), hold_id=hold_id), ask(want(run, [0, 1]), BO, hold_id=hold_id)
    )
    assert one == again == await desk.take(request)
    assert isinstance(other, HoldConflict)
    assert isinstance(foreign, HoldConflict)
    async with database.begin() as work:
        assert await value(work, "SELECT count(*) FROM hold") == 1


async def test_a_request_sent_again_after_its_hold_was_replaced_is_a_conflict(database, desk):
    run, first_id, second_id = await open_run(database), new_id(), new_id()
    first = ask(want(run, 0), hold_id=first_id)
    second = ask(want(run, 1), hold_id=second_id, replaces=first_id)
    await desk.take(first)
    answers = await in_order(desk, first, second, first, second, ask(want(run, 2), replaces=second_id), second)
    assert [type(answer).__name__ for answer in answers] == [
        "Hold", "Hold", "HoldConflict", "Hold", "Hold", "HoldConflict",
    ]  # fmt: skip
    assert answers[1] == answers[3]


async def test_two_processes_sell_each_unit_once(database, make_database):
    """Two desks on one database, each with its own connections, meet on the same run again and again."""
    second = make_database()
    desks = [Desk(database, group_commit=True), Desk(second, group_commit=True)]
    run = await open_run(database, units=60, slots=4)
    requests = [
        ask(want(run, [unit, unit + 1], first, first + 2), f"guest:{unit}-{first}-{n}")
        for n in range(2) for first in range(3) for unit in range(59)
    ]  # fmt: skip

    async def insist(desk, request):
        for _ in range(100):  # a busy machine sends some away, who come again
            with suppress(Overloaded):
                return await desk.take(request)
            await asyncio.sleep(0.05)
        raise Overloaded(retry_after=1)

    answers = await asyncio.gather(
        *(insist(desks[n % 2], request) for n, request in enumerate(requests)), return_exceptions=True
    )
    assert {type(answer).__name__ for answer in answers} == {"Hold", "UnitsTaken"}
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    keys = [
        (unit, slot)
        for hold in won
        for w in hold.claims
        for unit in w.units
        for slot in range(w.first_slot, w.end_slot)
    ]
    assert len(keys) == len(set(keys))
    async with database.begin() as work:
        assert sorted((c.unit, c.slot) for c in await claims_on(work, run, 0, 4)) == sorted(keys)
    for each in desks:
        await each.dispose()
    await second.dispose()


@dataclass(frozen=True)
class Ask:
    """A request of a scene, whatever runs and owners it is played with."""

    wants: tuple[tuple[int, tuple[int, ...], int, int], ...]
    owner: int
    replaces_own: bool = False
    replaces: int | None = None
    hold: int | None = None


@dataclass(frozen=True)
class Event:
    """Something between two batches that happens to the hold of one earlier request."""

    what: str
    hold: int


_SLOTS = st.sampled_from([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])
_WANT = st.builds(
    lambda run, units, slots: (run, tuple(units), *slots),
    st.sampled_from([0, 0, 0, 1, 1, CLOSED, MISSING]),
    st.lists(st.sampled_from([0, 1, 2, 0, 1, 2, 5]), min_size=1, max_size=2, unique=True),
    _SLOTS,
)
_ASK = st.builds(
    Ask,
    st.one_of(st.tuples(_WANT), st.tuples(_WANT), st.tuples(_WANT, _WANT)),
    st.integers(0, 2),
    st.booleans(),
    st.one_of(st.none(), st.none(), st.integers(0, 8)),
    st.one_of(st.none(), st.none(), st.integers(0, 1)),
)
_EVENT = st.builds(Event, st.sampled_from(["age", "run out", "confirm", "extend", "release"]), st.integers(0, 8))
SCENES = st.lists(
    st.tuples(st.lists(_ASK, min_size=1, max_size=7), st.lists(_EVENT, max_size=3)), min_size=1, max_size=3
)


@dataclass
class Stage:
    """A scene being played: its own runs, owners and ids, in a database that others play in too."""

    database: Database
    desk: Desk
    number: str
    began: datetime
    runs: list[int]
    answers: list[Any] = field(default_factory=list)
    ids: list[UUID] = field(default_factory=lambda: [new_id(), new_id()])

    async def play(self, scene) -> None:
        for asks, events in scene:
            self.answers += await in_order(self.desk, *(self.request(each) for each in asks))
            for event in events:
                await self.befall(event)

    def request(self, asked: Ask) -> TakeRequest:
        earlier = self.hold(asked.replaces)
        wants = [Want(self.runs[run], units, first, end) for run, units, first, end in asked.wants]
        return ask(
            wants,
            f"guest:{asked.owner}-{self.number}",
            replaces_own=asked.replaces_own,
            replaces=earlier.id if earlier else None,
            hold_id=None if asked.hold is None else self.ids[asked.hold],
        )

    def hold(self, number: int | None):
        """What the request of this number won, of those before the batch."""
        answer = self.answers[number] if number is not None and number < len(self.answers) else None
        return None if isinstance(answer, BaseException) else answer

    async def befall(self, event: Event) -> None:
        hold = self.hold(event.hold)
        if hold is None:
            return
        try:
            async with self.database.begin() as work:
                match event.what:
                    case "age":
                        await age(work, hold.id, STEP)
                    case "run out":
                        await age(work, hold.id, 10 * STEP)
                    case "confirm":
                        await confirm(work, hold.id)
                    case "extend":
                        await extend(work, hold.id, owner=hold.owner, terms=TERMS)
                    case "release":
                        await release(work, hold.id)
        except DomainError:
            pass  # for both plays alike: the outcome shows in what comes

    def steps(self, at: datetime | None) -> int | None:
        """An instant as steps of the scene's clock, so that two plays can be compared."""
        return None if at is None else round((at - self.began) / (STEP / 2))

    async def outcome(self) -> tuple[Any, ...]:
        """Everything that can be seen, in words that do not depend on the play."""
        names: dict[UUID, int] = {}
        said: list[Any] = []
        for number, answer in enumerate(self.answers):
            if isinstance(answer, UnitsTaken):
                said.append(("lost", [(self.runs.index(run), unit) for run, unit in answer.lost]))
            elif isinstance(answer, BaseException):
                said.append((type(answer).__name__,))
            else:
                name = names.setdefault(answer.id, number)
                said.append(("won", name, answer.state, answer.extensions, answer.extensions_left,
                             self.steps(answer.first_taken_at), self.steps(answer.expires_at)))  # fmt: skip
        claims, holds = [], []
        async with self.database.begin() as work:
            for number, run in enumerate(self.runs[:2]):
                claims += [(number, c.unit, c.slot, names[c.hold_id]) for c in await claims_on(work, run, 0, 3)]
            for hold_id, name in names.items():
                hold = await get_hold(work, hold_id)
                holds.append((name, hold.state, hold.extensions, self.steps(hold.first_taken_at)))
            wants = [run for run in self.runs if run > 0]
            count = await (await work.execute(
                "SELECT count(*) FROM claim WHERE inventory_id = ANY (%s)"
                " AND (expires_at IS NULL OR expires_at > clock_timestamp())", (wants,))).fetchone()  # fmt: skip
        return said, claims, holds, count


async def set_up(database: Database, desk: Desk, number: str) -> Stage:
    async with database.begin() as work:
        began = await database_clock(work)
        shut = InventorySpec(3, 3, sales_open_at=began + timedelta(days=1))
        runs = await open_inventories(work, [InventorySpec(3, 3), InventorySpec(3, 3), shut])
    return Stage(database, desk, number, began, [*runs, 2**40])


def test_a_batch_answers_as_if_each_request_had_come_by_itself(make_database):
    """Random batches, with things happening between them, beside the same requests one by one on runs of their own."""
    plays = 0
    with asyncio.Runner() as runner:
        database = make_database()
        batch, single = Desk(database, group_commit=True), Desk(database, group_commit=False)

        async def compare(scene) -> None:
            nonlocal plays
            plays += 1
            one = await set_up(database, batch, f"{plays}b")
            other = await set_up(database, single, f"{plays}s")
            await one.play(scene)
            await other.play(scene)
            assert await one.outcome() == await other.outcome()

        @settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
        @given(SCENES)
        def check(scene) -> None:
            runner.run(compare(scene))

        async def close() -> None:
            await batch.dispose()
            await single.dispose()
            await database.dispose()

        try:
            check()
        finally:
            runner.run(close())
