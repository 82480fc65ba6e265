"""No watcher stays wrong: holds that run out, signals that were never sent, connections that were lost."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import psycopg
import pytest
import pytest_asyncio
from tests.live.conftest import NEVER
from tests.live.test_signals import cut
from tests.live.test_websocket import want
from tests.live.theatre import SILENCE, SOON, Buyer, until, watching
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from farebox.coaches import live
from farebox.core import channels, signals
from farebox.core.db import Database
from farebox.inventory import HoldTerms, read_runs, sweep, take, topics_of
from farebox.timetable import list_departures

SLACK = 3.0
"""Seconds by which a busy machine may be late."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def unasked(unasked, monkeypatch):
    """Nor while signals cannot be heard."""
    monkeypatch.setattr(live, "DEAF_SECONDS", NEVER)
    return unasked


async def settled(house):
    """Everything has been read, and nothing is to be read soon."""
    clock = asyncio.get_running_loop().time
    await until(lambda: all(run.due > clock() + 5 for run in house.services.live._runs.values()))


async def hold(database, coach, *seats, ride="ae", owner="guest:1", seconds=60):
    terms = HoldTerms(ttl_seconds=seconds, max_extensions=0, max_total_seconds=seconds)
    async with database.begin() as work:
        return await take(work, [want(coach, ride, *seats)], owner=owner, terms=terms)


@pytest_asyncio.fixture(loop_scope="module")
async def silent(coach):
    """A process that commits, and dies before it can say so."""
    database = Database(coach.settings.database_url)
    yield database
    await database.dispose()


async def test_a_publisher_that_died_between_commit_and_signal_costs_nobody_a_stale_map(coach, here, silent, unasked):
    async with watching(here, coach) as eyes:
        await settled(here)
        await hold(silent, coach, "1A")
        assert await eyes.hears_nothing()  # the control: it is not told by anything else
        unasked(0.2)
        here.services.live._on_signal(topics_of([coach.departure.inventory_id]))
        await eyes.sees(s1A="locked")
        await hold(silent, coach, "1B")
        await eyes.sees(s1B="locked")
        await hold(silent, coach, "1C")
        await eyes.sees(s1C="locked")


async def test_a_hold_is_seen_to_end_at_the_instant_when_it_does(coach, here, unasked):
    """Nothing is swept, and nothing signals the end."""
    async with watching(here, coach) as eyes:
        clock = asyncio.get_running_loop().time
        await hold(here.services.database, coach, "1A", ride="ac", seconds=1)
        await hold(here.services.database, coach, "1B", ride="ac", seconds=60)
        begun = clock()
        await eyes.sees(s1A="locked", s1B="locked")
        await eyes.sees(s1A="available")
        assert 0.8 < clock() - begun < 1 + SLACK
        async with here.services.database.begin() as work:
            assert await sweep(work) == 1
        assert await eyes.hears_nothing()


async def test_the_clock_that_counts_is_the_databases(coach, here):
    moved = Database(coach.settings.database_url, clock=lambda: coach.database.clock() + timedelta(hours=3))
    await hold(moved, coach, "1A", seconds=30)
    async with moved.begin() as work:
        run = coach.departure.inventory_id
        state = (await read_runs(work, [run, run + 1_000_000]))[run]
        assert (await read_runs(work, [run + 1_000_000]))[run + 1_000_000].shares == ()
    assert state.ends_in is not None
    assert 25 < state.ends_in <= 30
    assert [(share.owner, share.state, len(share.units), share.slots) for share in state.shares] == [
        ("guest:1", "held", 4, (0, 1, 2, 3))
    ]
    await moved.dispose()


@asynccontextmanager
async def deafened(house, monkeypatch):
    """Nobody reaches the server's channel inside the block."""

    async def refuse(*_):
        raise psycopg.OperationalError("no more connections")

    monkeypatch.setattr(signals, "LONGEST_PAUSE_SECONDS", 0.2)
    with monkeypatch.context() as while_inside:
        while_inside.setattr(channels.PostgresChannel, "_connect", refuse)
        cut(house.services.settings.database_url)
        await until(lambda: not house.services.signals.is_whole)
        yield
        assert not house.services.signals.is_whole


async def test_while_nothing_can_be_heard_watched_runs_are_read_more_often(coach, here, silent, unasked, monkeypatch):
    monkeypatch.setattr(live, "DEAF_SECONDS", 0.2)
    async with watching(here, coach) as eyes:
        async with deafened(here, monkeypatch):
            here.services.live._on_signal(None)
            await asyncio.sleep(0.5)  # that has been read
            await hold(silent, coach, "1A")
            await eyes.sees(s1A="locked")
        await until(lambda: here.services.signals.is_whole)


async def test_a_cut_connection_is_made_again_and_what_was_missed_is_read(
    coach, here, there, silent, unasked, monkeypatch
):
    async with watching(there, coach) as eyes, Buyer(here, coach) as an:
        await an.lock("ae", "1A")
        await eyes.sees(s1A="locked")
        async with deafened(there, monkeypatch):
            await settled(there)
            await hold(silent, coach, "1B")
            assert await eyes.hears_nothing()
        await eyes.sees(s1B="locked")
        await until(lambda: here.services.signals.is_whole)
        await an.lock("ae", "1C")
        await eyes.sees(s1A="available", s1C="locked")


async def test_a_database_that_does_not_answer_for_a_while(coach, here, monkeypatch):
    monkeypatch.setattr(live, "PAUSE_SECONDS", 0.05)
    failures = iter([psycopg.OperationalError("restarting"), TimeoutError(), OSError("gone")])

    async def stumble(work, runs):
        for failure in failures:
            raise failure
        return await read_runs(work, runs)

    async with watching(here, coach) as eyes:
        monkeypatch.setattr(live, "read_runs", stumble)
        await hold(here.services.database, coach, "1A")
        await eyes.sees(s1A="locked")


async def test_many_runs_and_many_watchers_take_turns(coach, here, silent, unasked, monkeypatch):
    monkeypatch.setattr(live, "RUNS_AT_ONCE", 2)
    monkeypatch.setattr(live, "PUSHES_AT_ONCE", 2)
    async with coach.database.begin() as work:
        tomorrow = coach.departure.service_date
        others = await list_departures(work, tomorrow) + await list_departures(work, tomorrow + timedelta(days=1))
    admitted = [
        await here.services.live.admit(each.id, None, None, owner=None, address="192.0.2.1", kind="test")
        for each in others
        for _ in range(5)
    ]
    assert len({watcher.run.topic for watcher in admitted}) == len(others) > 2  # another test here deletes one
    told: dict[int, list[str]] = {}
    for number, watcher in enumerate(admitted):
        here.services.live.begin(watcher, lambda message, n=number: told.setdefault(n, []).append(message.type), print)
    await settled(here)
    await hold(silent, coach, "1A")
    here.services.signals._tell(None)
    ours = [number for number, watcher in enumerate(admitted) if watcher.run.departure.id == coach.id]
    await until(lambda: all(told[number] == ["snapshot", "delta"] for number in ours))
    assert [kinds for number, kinds in told.items() if number not in ours] == [["snapshot"]] * 5 * (len(others) - 1)
    async with AsyncExitStack() as stack:
        for watcher in admitted:
            stack.callback(here.services.live.leave, watcher)
    assert here.services.live.is_idle


async def test_a_departure_that_is_another_now_sends_its_watchers_to_begin_anew(coach, here, unasked):
    """As after an import: nothing but the date of it, then other stops, then no such departure."""
    address = f"ws://127.0.0.1:{here.port}/api/v1/trips/{coach.return_id}/live"

    async def change(*statements: str) -> None:
        async with coach.database.begin() as work:
            for statement in ("UPDATE feed SET imported_at = clock_timestamp()", *statements):
                await work.execute(statement, {"id": coach.return_id})
        here.services.live._on_signal(None)

    async with connect(address) as connection:
        await connection.recv()
        await change()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.recv(), SILENCE)
        await change(
            "UPDATE call SET stop_id = (SELECT stop_id FROM call WHERE position = 4 LIMIT 1)"
            " WHERE position = 2 AND journey_id = (SELECT journey_id FROM departure WHERE id = %(id)s)"
        )
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(connection.recv(), SOON)
        assert connection.close_code == 1001
    async with connect(address) as connection:
        await connection.recv()
        await change("DELETE FROM departure WHERE id = %(id)s")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(connection.recv(), SOON)
        assert connection.close_code == 4404
    await until(lambda: here.services.live.is_idle)


async def test_a_hot_run_is_not_read_for_every_signal(coach, here, unasked, monkeypatch):
    readings = []

    async def counted(work, runs):
        readings.append(runs)
        return await read_runs(work, runs)

    monkeypatch.setattr(live, "PACE_SECONDS", 0.25)
    async with watching(here, coach) as eyes:
        await settled(here)
        monkeypatch.setattr(live, "read_runs", counted)
        begun = asyncio.get_running_loop().time()
        for _ in range(100):
            here.services.signals.publish(topics_of([coach.departure.inventory_id]))
            await asyncio.sleep(0.01)
        await hold(here.services.database, coach, "1A")
        await eyes.sees(s1A="locked")
        seconds = asyncio.get_running_loop().time() - begun
    assert 3 <= len(readings) <= seconds / 0.25 + 2


async def test_watchers_share_one_connection_and_need_none_that_buyers_use(coach, here):
    pools = [here.services.live._database.engine.pool, here.services.database.engine.pool]
    async with AsyncExitStack() as stack:
        taken = [here.services.database.open() for _ in range(10)]
        for work in taken:
            await work.execute("SELECT 1")  # nothing is left of the pool
        eyes = [await stack.enter_async_context(watching(here, coach)) for _ in range(20)]
        await hold(coach.database, coach, "1A")
        here.services.signals.publish(topics_of([coach.departure.inventory_id]))
        await asyncio.gather(*(each.sees(s1A="locked") for each in eyes))
        for work in taken:
            await work.abandon()
        await until(lambda: [pool.checkedout() for pool in pools] == [0, 0])
