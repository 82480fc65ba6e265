"""The desk under strain: bounded, fair, and nobody pays for another's trouble."""

import asyncio
from collections.abc import Collection
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from structlog.contextvars import bound_contextvars, get_contextvars
from structlog.testing import capture_logs
from tests.inventory.kernel import TERMS, claim_count, open_run, want
from tests.waiting import until_somebody_waits

from farebox.api.problems import answer_domain_error
from farebox.core.db import SESSION, Database, is_outage
from farebox.core.errors import Busy
from farebox.inventory import (
    Amount,
    Desk,
    Hold,
    Overloaded,
    TakeRequest,
    UnitsTaken,
    UnknownUnits,
    claims_on,
    close_inventories,
    get_hold,
    lanes,
    take,
)
from farebox.inventory.batches import take_together

AN, BO, CHI = "guest:an", "guest:bo", "guest:chi"
SOON = 20.0
"""Seconds in which an answer must be there, on a busy machine too. Who waits for a lock is refused before."""

MODES = pytest.mark.parametrize("group_commit", [True, False], ids=["grouping", "single"])


@pytest.fixture
def patient_batches(monkeypatch):
    """Batches that wait for a lock as long as it takes."""
    for name in ("lock_timeout", "statement_timeout"):
        monkeypatch.setitem(lanes._SESSION, name, "60000")


@asynccontextmanager
async def opened(database, *, group_commit=True, **limits):
    desk = Desk(database, group_commit=group_commit, **limits)
    yield desk
    await desk.dispose()


@asynccontextmanager
async def taken_but_not_committed(database, run, unit):
    """Somebody else is about to have this unit; leaves the block by giving it up."""
    async with database.begin() as work:
        await take(work, want(run, unit), owner="guest:slow", terms=TERMS)
        yield
        await work.rollback()


def ask(run, units, owner=AN, **more):
    return TakeRequest(wants=tuple(want(run, units)), owner=owner, terms=TERMS, **more)


def hand_in(desk, *requests):
    """Tasks whose requests are in the queue, in this order, once the event loop has gone round."""
    return [asyncio.create_task(desk.take(request)) for request in requests]


async def soon(*tasks):
    """Their answers, refusals among them."""
    async with asyncio.timeout(SOON):
        return await asyncio.gather(*tasks, return_exceptions=True)


async def connections(database, *, but):
    """How many there are beside those of the pool, once the server has ended those that were closed: `but`, we hope."""
    await database.engine.dispose()
    with psycopg.connect(database.dsn, autocommit=True) as other:
        for _ in range(400):
            [(count,)] = other.execute(
                "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
            ).fetchall()
            if count == but:
                break
            await asyncio.sleep(0.05)
    return count


@MODES
async def test_more_requests_than_the_queue_holds_are_refused_at_once(database, group_commit):
    run = await open_run(database)
    async with opened(database, group_commit=group_commit, longest_queue=2) as desk:
        async with taken_but_not_committed(database, run, 0):
            waiting = hand_in(desk, ask(run, 0, AN), ask(run, 0, BO))
            [refused] = await soon(*hand_in(desk, ask(run, 1, CHI)))
            assert isinstance(refused, Overloaded)
            assert not any(task.done() for task in waiting)
        answers = await soon(*waiting)
        assert sorted(type(answer).__name__ for answer in answers) == ["Hold", "UnitsTaken"]
        assert isinstance(await desk.take(ask(run, 1, CHI)), Hold)


async def test_who_waits_too_long_in_the_queue_is_refused_and_takes_nothing(database, patient_batches):
    run = await open_run(database)
    async with opened(database, patience_seconds=0.3) as desk:
        await desk.take(ask(run, 2, CHI))  # connected, and nobody waits for that
        async with taken_but_not_committed(database, run, 0):
            [first] = hand_in(desk, ask(run, 0, AN))
            await until_somebody_waits(database)
            [late] = hand_in(desk, ask(run, 1, BO))
            await asyncio.sleep(0.4)
        answers = await soon(first, late)
        assert [type(answer) for answer in answers] == [Hold, Overloaded]
    async with database.begin() as work:
        assert {c.owner for c in await claims_on(work, run, 0, 4)} == {AN, CHI}


async def test_who_finds_no_free_turn_for_a_transaction_of_its_own_is_refused(database):
    run = await open_run(database)
    async with opened(database, group_commit=False, patience_seconds=0.1) as desk:
        async with taken_but_not_committed(database, run, 0):
            waiting = hand_in(desk, *(ask(run, 0, f"guest:{n}") for n in range(8)))
            [late] = await soon(*hand_in(desk, ask(run, 1, BO)))
            assert isinstance(late, Overloaded)
        answers = await soon(*waiting)
        assert sorted(type(answer).__name__ for answer in answers) == ["Hold", *["UnitsTaken"] * 7]


def test_an_overload_tells_when_to_come_back():
    request: Any = None  # the answer is the same to everybody
    response = answer_domain_error(request, Overloaded())
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")


async def test_who_waits_for_a_lock_keeps_nobody_else_waiting(database):
    run, other = await open_run(database), await open_run(database)
    async with opened(database) as desk:
        with capture_logs() as logs:
            async with taken_but_not_committed(database, run, 0):
                slow, *others = hand_in(desk, ask(run, 0, AN), ask(run, 1, BO), ask(other, 0, CHI))
                assert [answer.owner for answer in await soon(*others)] == [BO, CHI]
                # Nor does it stop the next batches, even where somebody else wants the same.
                slower, *others = hand_in(desk, ask(run, 0, CHI), ask(run, 2, BO), ask(other, 1, BO))
                assert [answer.owner for answer in await soon(*others)] == [BO, BO]
                assert not slow.done()
                assert not slower.done()
            answers = await soon(slow, slower)
        assert sorted(type(answer).__name__ for answer in answers) == ["Hold", "UnitsTaken"]
    assert [entry["event"] for entry in logs] == ["batch-waited-in-vain"]


async def test_many_who_wait_for_the_same_lock_do_not_take_the_turns_of_the_others(database):
    run, other = await open_run(database), await open_run(database)
    async with opened(database) as desk:
        async with taken_but_not_committed(database, run, 0):
            slow = [ask(run, 0, f"guest:{n}") for n in range(6)]
            *waiting, quick = hand_in(desk, *slow, ask(other, 0, AN))
            assert (await soon(quick))[0].owner == AN
            assert not any(task.done() for task in waiting)
        answers = await soon(*waiting)
        assert sorted(type(answer).__name__ for answer in answers) == ["Hold", *["UnitsTaken"] * 5]


async def test_nor_do_those_who_come_later_and_want_what_is_locked(database):
    run, other = await open_run(database), await open_run(database, capacity=5)
    async with opened(database) as desk:
        async with taken_but_not_committed(database, run, 0):
            [first] = hand_in(desk, ask(run, 0))
            await asyncio.sleep(0.35)  # it has left its batch
            later = hand_in(desk, *(ask(run, 0, f"guest:{n}") for n in range(4)))
            await asyncio.sleep(0)
            stock = TakeRequest(wants=(), amounts=(Amount(other, 1, 0, 4),), owner=BO, terms=TERMS)
            assert [answer.owner for answer in await soon(*hand_in(desk, stock))] == [BO]
            assert not any(task.done() for task in (first, *later))
        answers = await soon(first, *later)
        assert sorted(type(answer).__name__ for answer in answers) == ["Hold", *["UnitsTaken"] * 4]


async def test_whatever_goes_wrong_nobody_is_left_without_an_answer(database, monkeypatch):
    async def fail(*arguments, **options):
        raise RuntimeError("no more threads")

    run = await open_run(database)
    async with opened(database) as desk:
        with monkeypatch.context() as patch:
            patch.setattr(lanes, "open_pipeline", fail)
            answers = await soon(*hand_in(desk, ask(run, 0), ask(run, 1, BO)))
            assert [is_outage(answer) for answer in answers] == [True, True]
        assert isinstance(await desk.take(ask(run, 0)), Hold)


async def test_a_batch_is_served_in_the_name_of_no_request(database, monkeypatch):
    """Else what it logs would bear the number of whoever came first."""
    seen = []

    async def look(*arguments, **options):
        seen.append(get_contextvars())
        await take_together(*arguments, **options)

    monkeypatch.setattr(lanes, "take_together", look)
    run = await open_run(database)
    async with opened(database) as desk:
        with bound_contextvars(request_id="one"):
            await desk.take(ask(run, 0))
    assert seen == [{}]


@pytest.mark.direct
async def test_a_lock_that_is_never_given_back_ends_in_busy(make_database, monkeypatch):
    monkeypatch.setitem(SESSION, "lock_timeout", "100")
    database = make_database()
    run = await open_run(database)
    async with opened(database) as desk, taken_but_not_committed(database, run, 0):
        with pytest.raises(Busy):
            await desk.take(ask(run, 0))
    await database.dispose()


async def test_who_replaces_a_hold_that_somebody_is_changing_waits_alone(database):
    run = await open_run(database)
    async with opened(database) as desk:
        old = await desk.take(ask(run, 0))
        async with database.begin() as work:
            await get_hold(work, old.id, lock=True)
            slow, quick = hand_in(desk, ask(run, 1, replaces_own=True), ask(run, 2, BO))
            assert (await soon(quick))[0].owner == BO
            assert not slow.done()
        assert (await soon(slow))[0].first_taken_at == old.first_taken_at


async def test_who_is_served_by_another_process_waits_alone(database):
    """The lock on (owner, run) is the one that a single take waits for."""
    run = await open_run(database)
    async with opened(database) as desk:
        async with database.begin() as work:
            await take(work, want(run, 0), owner=AN, terms=TERMS, replaces_own=True)
            slow, quick = hand_in(desk, ask(run, 1, replaces_own=True), ask(run, 2, BO))
            assert (await soon(quick))[0].owner == BO
            assert not slow.done()
        await soon(slow)
    async with database.begin() as work:
        assert {(c.unit, c.owner) for c in await claims_on(work, run, 0, 4)} == {(1, AN), (2, BO)}


async def test_a_run_that_is_closed_between_reading_and_writing_sells_nothing(database):
    run, other = await open_run(database), await open_run(database)
    async with opened(database) as desk:
        await desk.take(ask(other, 3))
        async with database.begin() as work:
            assert await close_inventories(work, [run]) == [run]
            tasks = hand_in(desk, ask(run, 0), ask(other, 0, BO))
            await until_somebody_waits(database)  # it has been read
        answers = await soon(*tasks)
    assert [type(answer) for answer in answers] == [UnknownUnits, Hold]
    async with database.begin() as work:
        assert await claims_on(work, run, 0, 4) == []


@MODES
@pytest.mark.parametrize(("owner", "error"), [("guest:\0", psycopg.DataError), ("guest:\ud800", UnicodeEncodeError)])
async def test_a_request_that_the_database_refuses_fails_alone(database, group_commit, owner, error):
    run = await open_run(database)
    async with opened(database, group_commit=group_commit) as desk:
        answers = await soon(*hand_in(desk, ask(run, 0), ask(run, 1, owner), ask(run, 2, BO)))
        assert (await desk.take(ask(run, 3))).owner == AN
    assert [type(answer) for answer in answers] == [Hold, error, Hold]


async def test_a_database_that_keeps_silent_is_out_of_reach(database, monkeypatch, patient_batches):
    """Frozen, or behind a cable that was pulled: nobody waits for it longer than the longest silence."""
    monkeypatch.setattr(lanes, "SILENCE_SECONDS", 0.6)
    run = await open_run(database)
    async with opened(database) as desk:
        async with taken_but_not_committed(database, run, 0):
            waiting = hand_in(desk, ask(run, 0), ask(run, 1, BO))
            await until_somebody_waits(database)
            queued = hand_in(desk, ask(run, 2, CHI))
            assert all(is_outage(answer) for answer in await soon(*waiting, *queued))
        assert isinstance(await desk.take(ask(run, 3)), Hold)


async def test_owners_are_taken_as_they_are(database):
    run = await open_run(database)
    owners = ['guest:"{}\\', "guest:,null", "guest:Hải", ""]
    async with opened(database) as desk:
        holds = await soon(*hand_in(desk, *(ask(run, unit, owner) for unit, owner in enumerate(owners))))
    async with database.begin() as work:
        assert [(await get_hold(work, hold.id)).owner for hold in holds] == owners


async def test_a_client_that_hangs_up_breaks_nothing_for_the_others(database, patient_batches):
    run = await open_run(database)
    async with opened(database) as desk:
        async with taken_but_not_committed(database, run, 0):
            in_batch, other = hand_in(desk, ask(run, [0, 1], AN), ask(run, [2], BO))
            await until_somebody_waits(database)
            [queued] = hand_in(desk, ask(run, 3, CHI))
            await asyncio.sleep(0)
            in_batch.cancel()
            queued.cancel()
            await asyncio.sleep(0)
        assert (await soon(other))[0].owner == BO
    async with database.begin() as work:
        # Whose request was on its way has it until its time is over; whose was still in the queue took nothing.
        assert {c.owner for c in await claims_on(work, run, 0, 4)} == {AN, BO}


async def test_those_who_came_first_are_served_first(database):
    run = await open_run(database, units=lanes.LARGEST_BATCH * 2 + 10)
    served = []
    async with opened(database) as desk:
        tasks = hand_in(desk, *(ask(run, unit, f"guest:{unit}") for unit in range(lanes.LARGEST_BATCH * 2 + 10)))
        for unit, task in enumerate(tasks):
            task.add_done_callback(lambda _, unit=unit: served.append(unit))
        await soon(*tasks)
    assert served == sorted(served)
    assert len(served) == len(tasks)


async def test_stock_and_large_requests_go_beside_the_batches(database):
    run = await open_run(database, units=40, slots=20, capacity=5)
    async with opened(database) as desk:
        answers = await soon(
            *hand_in(
                desk,
                TakeRequest(wants=(), amounts=(Amount(run, 2, 0, 4),), owner=AN, terms=TERMS),
                TakeRequest(wants=tuple(want(run, list(range(40)), 0, 20)), owner=BO, terms=TERMS),
            )
        )
    assert [answer.owner for answer in answers] == [AN, BO]
    async with database.begin() as work:
        assert await claim_count(work) == 800


async def test_watchers_are_told_once_for_a_batch_and_only_what_has_changed(database):
    told: list[Collection[str]] = []
    database.deliver_signals_to(told.append)
    runs = [await open_run(database) for _ in range(3)]
    async with opened(database) as desk:
        first = await desk.take(ask(runs[0], 0, AN))
        await soon(*hand_in(desk, ask(runs[1], 0, BO), ask(runs[0], 0, CHI), ask(runs[2], 0, AN, replaces=first.id)))
        with pytest.raises(UnitsTaken):
            await desk.take(ask(runs[1], 0, CHI))
    assert told == [{f"run:{runs[0]}"}, {f"run:{run}" for run in runs}]


@pytest.mark.direct
@MODES
async def test_an_outage_is_told_quickly_and_ends_by_itself(database, server_dsn, group_commit):
    run = await open_run(database)
    name = database.url.database
    async with opened(database, group_commit=group_commit) as desk:
        await desk.take(ask(run, 0))
        with psycopg.connect(server_dsn, autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            for _ in range(3):
                answers = await soon(*hand_in(desk, ask(run, 1, BO), ask(run, 2, CHI)))
                assert all(is_outage(answer) for answer in answers)
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        async with asyncio.timeout(SOON):
            while is_outage(answer := (await soon(*hand_in(desk, ask(run, 1, BO))))[0]):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert answer.owner == BO


async def test_a_connection_that_was_cut_while_nobody_used_it_costs_nobody_an_answer(database, server_dsn):
    run = await open_run(database)
    async with opened(database) as desk:
        await desk.take(ask(run, 0))
        with psycopg.connect(server_dsn, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = %s",
                (database.url.database,),
            )
        assert (await desk.take(ask(run, 1, BO))).owner == BO


@pytest.mark.direct
async def test_a_desk_that_closes_refuses_the_queue_finishes_its_batch_and_hangs_up(database, patient_batches):
    run = await open_run(database)
    desk = Desk(database, group_commit=True)
    async with taken_but_not_committed(database, run, 0):
        under_way = hand_in(desk, ask(run, 0))
        await until_somebody_waits(database)
        queued = hand_in(desk, ask(run, 1))
        await asyncio.sleep(0)
        closing = asyncio.create_task(desk.dispose())
        assert [type(answer) for answer in await soon(*queued)] == [Overloaded]
    await soon(closing)
    assert [type(answer) for answer in await soon(*under_way)] == [Hold]
    with pytest.raises(Overloaded):
        await desk.take(ask(run, 2))
    assert await connections(database, but=0) == 0


async def test_behind_a_transaction_pooler_nothing_is_kept_in_the_session(database_url):
    pooled = Database(database_url, direct_url=database_url)
    run = await open_run(pooled)
    async with opened(pooled) as desk:
        old, _ = await soon(*hand_in(desk, ask(run, 0), ask(run, 1, BO)))
        new, lost = await soon(*hand_in(desk, ask(run, [0, 2], replaces_own=True), ask(run, 1, CHI)))
        assert (new.expires_at, type(lost)) == (old.expires_at, UnitsTaken)
        [kept] = await desk._lane._pipeline.send(
            [("SELECT count(*), current_setting('lock_timeout') FROM pg_prepared_statements", ())]
        )
        assert kept == [(0, "0")]
    await pooled.dispose()


@pytest.mark.direct
async def test_a_process_keeps_one_connection_for_its_batches(database):
    run = await open_run(database)
    async with opened(database) as desk:
        for unit in range(3):
            await desk.take(ask(run, unit))
        assert await connections(database, but=1) == 1
