"""The unit of work, the outbox and the queue against a real server."""

import asyncio
from typing import ClassVar

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import func, select

from farebox.core import db
from farebox.core.db import Database, is_outage
from farebox.core.errors import Busy
from farebox.core.events import Event
from farebox.core.jobs import Jobs
from farebox.core.outbox import Outbox, OutboxEvent


class LampLit(Event, frozen=True):
    type: ClassVar[str] = "lamp.lit"
    lamp_id: int


@pytest.fixture
async def jobs(database):
    jobs = Jobs(database.dsn)
    async with jobs.app.open_async():
        yield jobs


async def count_events(database):
    async with database.begin() as work:
        return await work.session.scalar(select(func.count()).select_from(OutboxEvent))


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        (
            "postgresql://farebox@/farebox?host=/home/me/M%C3%A3%20ngu%E1%BB%93n%20(a%2Bb)/postgres&port=5432",
            {"user": "farebox", "dbname": "farebox", "host": "/home/me/Mã nguồn (a+b)/postgres", "port": "5432"},
        ),
        (
            "postgresql://me:a%20b%2Bc%27@db.example:5433/shop?sslmode=require",
            {
                "user": "me",
                "password": "a b+c'",
                "host": "db.example",
                "port": "5433",
                "dbname": "shop",
                "sslmode": "require",
            },
        ),
    ],
)
def test_psycopg_takes_the_address_as_it_is_meant(url, parts):
    assert conninfo_to_dict(Database(url).dsn) == parts


async def test_an_event_and_its_reaction_are_kept_with_the_transaction(database, jobs):
    seen = []

    async def react(event):
        seen.append(event)

    jobs.register("react", react)
    database.deliver_events_to(Outbox(jobs, {"lamp.lit": ["react"]}))
    async with database.begin() as work:
        work.publish(LampLit(lamp_id=7))
    await jobs.run_worker(wait=False)
    assert seen == [{"lampId": 7}]
    assert await count_events(database) == 1


async def test_a_rollback_leaves_neither_event_nor_job(database, jobs):
    seen = []

    async def react(event):
        seen.append(event)

    jobs.register("react", react)
    database.deliver_events_to(Outbox(jobs, {"lamp.lit": ["react"]}))

    async def fail_after_publishing() -> None:
        async with database.begin() as work:
            work.publish(LampLit(lamp_id=7))
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        await fail_after_publishing()
    await jobs.run_worker(wait=False)
    assert seen == []
    assert await count_events(database) == 0


async def test_a_row_that_stays_locked_becomes_a_polite_refusal(database, open_database):
    async with database.begin() as work:
        await work.execute("CREATE TABLE lamp (id int PRIMARY KEY)")
        await work.execute("INSERT INTO lamp VALUES (1)")
    other = open_database()

    async def wait_in_vain() -> None:
        async with other.begin() as late:
            await late.execute("SET LOCAL lock_timeout = '50ms'")
            await late.execute("SELECT id FROM lamp WHERE id = 1 FOR UPDATE")

    async with database.begin() as work:
        await work.execute("SELECT id FROM lamp WHERE id = 1 FOR UPDATE")
        with pytest.raises(Busy):
            await asyncio.wait_for(wait_in_vain(), 20)


async def test_a_transaction_left_lying_gives_its_locks_back(database, open_database, monkeypatch):
    """Whoever was frozen, or lost, in the middle of taking a seat must not keep it from everybody for ever."""
    assert db.SESSION["idle_in_transaction_session_timeout"] == "60000"
    hasty = db.SESSION | {"idle_in_transaction_session_timeout": "200"}
    monkeypatch.setattr(db, "SESSION", hasty)
    monkeypatch.setattr(db, "BEGIN_POOLED", db.begin_with(hasty))
    hasty_database = open_database(pool_size=2)
    async with database.begin() as work:
        await work.execute("CREATE TABLE lamp (id int PRIMARY KEY)")
    frozen = hasty_database.open()
    await frozen.execute("INSERT INTO lamp VALUES (1)")
    async with database.begin() as work:  # it waits for the lock, and no longer than the product does
        await work.execute("INSERT INTO lamp VALUES (1)")
    with pytest.raises(Exception) as raised:  # noqa: PT011  (whatever the driver says: it must count as an outage)
        await frozen.execute("SELECT 1")
    assert is_outage(raised.value)
    await frozen.abandon()
    async with hasty_database.begin() as one, hasty_database.begin() as other:  # no place in the pool is lost
        await one.execute("SELECT 1")
        await other.execute("SELECT 1")
