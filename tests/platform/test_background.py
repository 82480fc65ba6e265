"""What goes on without being asked: the sweeper, the worker, and both after something went wrong."""

import asyncio
import time

import psycopg
import pytest
from structlog.testing import capture_logs

from farebox import background
from farebox.background import DEPARTURES, keep_working, schedule, sweep_forever
from farebox.core.jobs import GRACE_SECONDS
from farebox.inventory import HoldTerms, InventorySpec, Want, find_hold, open_inventories, release, take
from farebox.wiring import build_services

PATIENCE_SECONDS = 60


@pytest.fixture
async def services(settings):
    services = build_services(settings)
    schedule(services)
    yield services
    await services.dispose()


@pytest.fixture
def asked(services):
    """Ask the database over a connection of its own."""
    with psycopg.connect(services.database.dsn, autocommit=True) as connection:
        yield lambda query: connection.execute(query).fetchall()


async def until(is_so):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def test_the_sweeper_frees_seats_that_ran_out(services, monkeypatch):
    monkeypatch.setattr(background, "SWEEP_SECONDS", 0.05)
    terms = HoldTerms(ttl_seconds=1, max_extensions=0, max_total_seconds=1)
    async with services.database.begin() as work:
        (run,) = await open_inventories(work, [InventorySpec(units=2, slots=1)])
        hold = await take(work, [Want(run, (0,), 0, 1)], owner="guest:1", terms=terms)

    async def is_expired():
        async with services.database.begin() as work:
            found = await find_hold(work, hold.id)
            claims = await (await work.execute("SELECT count(*) FROM claim")).fetchone()
        return found is not None and found.state == "expired" and claims == (0,)

    sweeper = asyncio.create_task(sweep_forever(services))
    await until(is_expired)
    sweeper.cancel()


async def test_every_night_what_ended_long_ago_is_forgotten(services):
    terms = HoldTerms(ttl_seconds=900, max_extensions=0, max_total_seconds=900)
    async with services.database.begin() as work:
        (run,) = await open_inventories(work, [InventorySpec(units=2, slots=1)])
        old, recent = [await take(work, [Want(run, (unit,), 0, 1)], owner="guest:1", terms=terms) for unit in (0, 1)]
        for hold, days in ((old, 8), (recent, 6)):
            await release(work, hold.id)
            await work.execute(
                "UPDATE hold SET expires_at = expires_at - make_interval(days => %s) WHERE id = %s", (days, hold.id)
            )
    await services.jobs.app.tasks["inventory.forget-old"].func(timestamp=0)
    async with services.database.begin() as work:
        assert await find_hold(work, old.id) is None
        assert await find_hold(work, recent.id) is not None


async def test_only_one_process_sweeps_at_a_time(services):
    async with services.database.begin() as first:
        assert await background._is_our_turn(first)
        async with services.database.begin() as second:
            assert not await background._is_our_turn(second)
    async with services.database.begin() as third:
        assert await background._is_our_turn(third)


async def test_the_worker_does_what_is_queued_and_leaves_in_time(services, asked):
    done = asyncio.Event()

    async def ring(times: int) -> None:
        assert times == 3
        done.set()

    services.jobs.register("test.ring", ring)
    async with keep_working(services):
        async with services.database.begin() as work:
            await services.jobs.defer(work, "test.ring", times=3)
        await asyncio.wait_for(done.wait(), PATIENCE_SECONDS)
        left = time.monotonic()
    assert time.monotonic() - left < GRACE_SECONDS
    assert asked("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == [(0,)]
    assert asked("SELECT count(*) FROM procrastinate_workers") == [(0,)]


async def test_a_start_catches_up_with_the_calendar_once(services, asked):
    async with services.jobs.app.open_async():
        await background._catch_up(services)
        await background._catch_up(services)
    assert asked("SELECT task_name, status::text FROM procrastinate_jobs") == [(DEPARTURES, "todo")]


async def test_the_jobs_of_a_dead_worker_are_given_back_and_those_of_a_living_one_are_not(services, asked):
    for silence, name in (("1 hour", "lost"), ("1 second", "kept")):
        asked(
            f"WITH worker AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '{silence}')"
            " RETURNING id) INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, worker_id)"
            f" SELECT 'default', '{name}', 0, '{{}}', 'doing', id FROM worker RETURNING id"
        )
    async with services.jobs.app.open_async():
        assert await services.jobs.requeue_stalled() == 1
    assert sorted(asked("SELECT task_name, status::text FROM procrastinate_jobs")) == [
        ("kept", "doing"),
        ("lost", "todo"),
    ]


async def test_a_periodic_job_whose_next_run_waits_already_does_not_keep_the_other_lost_ones(services, asked):
    for name, lock, status in (("daily", "'daily'", "doing"), ("mail", "NULL", "doing"), ("daily", "'daily'", "todo")):
        asked(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, queueing_lock)"
            f" VALUES ('default', '{name}', 0, '{{}}', '{status}', {lock}) RETURNING id"
        )
    async with services.jobs.app.open_async():
        assert await services.jobs.requeue_stalled() == 2
    assert sorted(asked("SELECT task_name, status::text FROM procrastinate_jobs")) == [
        ("daily", "todo"),
        ("mail", "todo"),
    ]


async def test_a_part_that_failed_begins_again(monkeypatch):
    monkeypatch.setattr(background, "PAUSE_AFTER_FAILURE_SECONDS", 0.01)
    attempts = []

    async def stumble():
        attempts.append(1)
        if len(attempts) < 3:
            raise OSError("the database restarts")
        await asyncio.Event().wait()

    task = asyncio.create_task(background._forever("part", stumble))

    async def is_third():
        return len(attempts) == 3

    with capture_logs() as logs:
        await until(is_third)
    task.cancel()
    assert [(line["event"], "exc_info" in line) for line in logs] == [("background-failed", True)] * 2


async def test_a_database_that_is_gone_is_a_line_of_the_log_and_no_trace(monkeypatch):
    async def fail():
        raise psycopg.OperationalError("the connection is lost")

    with capture_logs() as logs:
        task = asyncio.create_task(background._forever("part", fail))
        await asyncio.sleep(0)
    task.cancel()
    expected = {"event": "database-unavailable", "part": "part", "error": "OperationalError", "log_level": "warning"}
    assert logs == [expected]
