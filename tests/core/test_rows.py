"""Rows past the session, statements in one round trip, and both beside the session in one transaction."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import func, select
from tests.counting import counted_statements

from farebox.core import pipeline, transactions
from farebox.core.db import is_outage
from farebox.core.ids import new_id
from farebox.core.outbox import OutboxEvent
from farebox.core.rows import (
    Selection,
    as_text,
    certain,
    inserted,
    inserted_rows,
    inserted_values,
    new_row,
    updated,
)
from farebox.core.traffic import Traffic

EVENTS = Selection(OutboxEvent, "WHERE outbox_event.id = $1")
SOMEBODY = UUID("0198c5d2-7c1e-7a51-8b1e-3f7a6f0c0001")
SOON = 20.0
"""Seconds that a test waits for what must come. A busy machine may take its time."""

NOON = datetime(2026, 11, 20, 12, 30, 0, 123456, tzinfo=UTC)
ODD = "a 'quoted' \\ \"text\" {with} commas, ünïcödé 🚌 and\nlines"


def event(**changes):
    facts = {"id": new_id(), "type": "lamp.lit", "at": NOON, "data": {"said": ODD, "none": None}, "meta": {}}
    return new_row(OutboxEvent, **(facts | changes))


async def count(work):
    return await work.session.scalar(select(func.count()).select_from(OutboxEvent))


async def test_what_is_written_is_read(database):
    row = event()
    async with database.begin() as work:
        await work.send([inserted(row)])
    async with database.begin() as work:
        [found] = await work.send([EVENTS.about(row.id)])
        [read] = EVENTS.read(found)
        kept = await work.session.get_one(OutboxEvent, row.id)
    for each in (read, kept):
        assert (each.id, each.type, each.at, each.data, each.meta) == (row.id, row.type, NOON, row.data, {})


async def test_columns_are_changed_where_a_condition_is_so(database):
    one, other = event(), event()
    async with database.begin() as work:
        await work.send([inserted(one), inserted(other)])
        values = {"type": ODD, "data": {"now": [1, 2]}}
        [changed] = await work.send([updated(OutboxEvent, values, "id = $1", one.id, rest="RETURNING id")])
        assert changed == [(one.id,)]
        [missed] = await work.send([updated(OutboxEvent, values, "id = $1", uuid4(), rest="RETURNING id")])
        assert missed == []
        found = await work.send([EVENTS.about(one.id), EVENTS.about(other.id)])
    [first], [second] = (EVENTS.read(rows) for rows in found)
    assert (first.type, first.data) == (ODD, {"now": [1, 2]})
    assert second.type == "lamp.lit"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (ODD, "text"),
        ("", "text"),
        (True, "bool"),
        (False, "bool"),
        (-7, "bigint"),
        (NOON, "timestamptz"),
        (b"\x00\xff'\\", "bytea"),
        (SOMEBODY, "uuid"),
        ([ODD, "", "NULL"], "text[]"),
        ([1, 2, 3], "int[]"),
        ([], "text[]"),
        ([SOMEBODY, SOMEBODY], "uuid[]"),
    ],
    ids=str,
)
async def test_every_kind_of_value_arrives_as_it_was(database, value, kind):
    async with database.begin() as work:
        [[(arrived,)]] = await work.send([(f"SELECT $1::{kind}", (as_text(value),))])
    assert arrived == value


def test_a_text_that_would_be_cut_off_is_refused():
    with pytest.raises(psycopg.DataError):
        as_text("before\0after")
    with pytest.raises(psycopg.DataError):
        inserted_values(OutboxEvent, {"type": "a\0b"})


def test_what_nobody_can_write_is_refused():
    with pytest.raises(TypeError, match="complex"):
        as_text(1j)


# --- what was put


async def test_what_was_put_is_there_for_every_way_of_asking(database):
    async with database.begin() as work:
        work.put(event())
        assert await count(work) == 1
        work.put(event())
        assert await (await work.execute("SELECT count(*) FROM outbox_event")).fetchone() == (2,)
        work.put(event())
        assert await work.send([("SELECT count(*) FROM outbox_event", ())]) == [[(3,)]]
        work.put(event())
    async with database.begin() as work:
        assert await count(work) == 4


async def test_what_was_put_comes_after_what_the_session_has(database):
    known, put = event(), event()
    async with database.begin() as work:
        assert await count(work) == 0
        work.session.add(OutboxEvent(**vars(known)))
        work.put(put)
        with counted_statements() as statements:
            assert await count(work) == 2
    assert [each.split(" ")[0] for each in statements] == ["INSERT", "INSERT", "SELECT"]


async def test_a_rollback_forgets_what_was_put(database):
    work = database.open()
    work.put(event())
    await work.rollback()
    await work.commit()
    assert await count(work) == 0
    await work.abandon()


async def test_what_was_put_leaves_with_the_next_statement_at_no_cost_of_its_own(database):
    async with database.begin() as work:
        await work.send([("SELECT 1", ())])
        for _ in range(5):
            work.put(event())
        with counted_statements() as statements:
            await work.send([("SELECT 2", ())])
        assert len(statements) == 6


async def test_what_is_certain_fails_where_it_finds_nothing(database):
    row = event()
    async with database.begin() as work:
        work.put(row)
        work.put(certain(updated(OutboxEvent, {"type": "lamp.broken"}, "id = $1", row.id)))
    work = database.open()
    work.put(event())
    work.put(certain(updated(OutboxEvent, {"type": "lamp.mended"}, "id = $1", uuid4())))
    with pytest.raises(psycopg.errors.DivisionByZero):
        await work.commit()
    await work.rollback()
    assert await count(work) == 1
    await work.abandon()


async def trips(monkeypatch, work):
    """How many round trips ending this unit of work takes, and the statements of each."""
    asked = []
    send = pipeline.send_within

    async def note(connection, statements, **how):
        asked.append([text.split(" ")[0] for text, _ in statements])
        return await send(connection, statements, **how)

    with monkeypatch.context() as patch:
        patch.setattr(transactions, "send_within", note)
        await work.commit()
    return asked


async def test_what_was_put_leaves_with_the_commit_in_one_round_trip(database, monkeypatch):
    work = database.open()
    await work.send([("SELECT 1", ())])
    row = event()
    work.put(row)
    work.put(updated(OutboxEvent, {"type": "lamp.broken"}, "id = $1", row.id))
    if database.is_pooled:
        await work.commit()
    else:
        assert await trips(monkeypatch, work) == [["INSERT", "UPDATE", "COMMIT"]]
    [found] = await work.send([EVENTS.about(row.id)])
    assert [each.type for each in EVENTS.read(found)] == ["lamp.broken"]
    await work.abandon()


async def test_a_commit_never_leaves_with_what_began_the_transaction(database, monkeypatch):
    """Which is sent again where the connection turns out to be lost: a commit must not be."""
    work = database.open()
    work.put(event())
    if database.is_pooled:
        await work.commit()
    else:
        assert await trips(monkeypatch, work) == [["INSERT"], ["COMMIT"]]
    assert await count(work) == 1
    await work.abandon()


async def test_a_commit_of_something_wrong_leaves_nothing(database):
    row, other = event(), event()
    work = database.open()
    await work.send([inserted(other)])
    work.put(row)
    work.put(inserted(row))
    with pytest.raises(psycopg.errors.UniqueViolation):
        await work.commit()
    await work.rollback()
    assert await count(work) == 0
    await work.abandon()


# --- with a session and without


async def test_a_session_asked_for_later_goes_on_in_the_same_transaction(database):
    row = event()
    work = database.open()
    await work.send([inserted(row)])
    kept = await work.session.get_one(OutboxEvent, row.id)
    kept.type = "lamp.broken"
    [found] = await work.send([EVENTS.about(row.id)])
    assert EVENTS.read(found)[0].type == "lamp.broken"
    await work.rollback()
    assert await count(work) == 0
    await work.abandon()


async def test_both_go_on_after_a_commit(database):
    first, second = event(), event()
    work = database.open()
    await work.send([inserted(first)])
    await work.commit()
    await work.send([inserted(second)])
    work.session.add(OutboxEvent(**vars(event())))
    await work.commit()
    await work.rollback()
    assert await count(work) == 3
    await work.abandon()


async def test_a_commit_gives_the_connection_back(open_database):
    database = open_database(pool_size=1)
    work = database.open()
    await work.send([("SELECT 1", ())])
    await work.commit()
    async with database.begin() as other:
        assert await other.send([("SELECT 1", ())]) == [[(1,)]]
    assert await work.send([("SELECT 2", ())]) == [[(2,)]]
    await work.abandon()


async def test_so_does_one_that_a_session_was_part_of(open_database):
    database = open_database(pool_size=1)
    work = database.open()
    await work.send([inserted(event())])
    assert await count(work) == 1
    await work.commit()
    async with database.begin() as other:
        assert await other.send([("SELECT count(*) FROM outbox_event", ())]) == [[(1,)]]
    assert await count(work) == 1
    await work.abandon()
    assert database.engine.pool.checkedout() == 0


async def test_control_who_has_not_committed_keeps_it(open_database):
    database = open_database(pool_size=1)
    work = database.open()
    await work.send([("SELECT 1", ())])
    assert database.engine.pool.checkedout() == 1
    await work.abandon()
    assert database.engine.pool.checkedout() == 0


async def test_whom_a_transaction_acts_for_is_said_in_each_way(database):
    operator = uuid4()
    setting = [("SELECT current_setting('farebox.operator', true)", ())]
    async with database.begin(reach=[operator]) as work:
        assert await work.send(setting) == [[(str(operator),)]]
        assert await work.session.scalar(select(func.current_setting("farebox.operator"))) == str(operator)
        await work.commit()
        assert await work.session.scalar(select(func.current_setting("farebox.operator"))) == str(operator)
        assert await work.send(setting) == [[(str(operator),)]]
    async with database.begin(reach=[operator]) as work:
        await work.send(setting)
        await work.commit()
        assert await work.send(setting) == [[(str(operator),)]]
    async with database.begin() as work:
        assert await work.send(setting) in ([[("",)]], [[(None,)]])


# --- when something goes wrong


async def test_the_first_mistake_of_several_statements_is_told_and_nothing_is_left(database):
    row = event()
    work = database.open()
    with pytest.raises(psycopg.errors.UniqueViolation):
        await work.send([inserted(row), inserted(row), ("SELECT 1", ())])
    await work.rollback()
    assert await work.send([("SELECT count(*) FROM outbox_event", ())]) == [[(0,)]]
    await work.abandon()


async def test_statements_are_still_known_after_a_rollback(open_database):
    """psycopg has the server forget what was prepared when a transaction is rolled back, if only to a savepoint."""
    database = open_database(pool_size=1)
    for _ in range(8):  # more often than psycopg waits before it prepares
        async with database.begin() as work:
            await work.execute("SELECT 1")
            await work.send([("SELECT 2", ())])
    work = database.open()
    for _ in range(2):
        await work.execute("SAVEPOINT here")
        assert await work.send([("SELECT 2", ())]) == [[(2,)]]
        await work.execute("ROLLBACK TO SAVEPOINT here")
        assert await work.send([("SELECT 2", ())]) == [[(2,)]]
        await work.execute("SELECT 1")
    await work.rollback()
    assert await work.send([("SELECT 2", ())]) == [[(2,)]]
    await work.abandon()


async def test_a_statement_that_failed_at_first_works_once_its_table_is_there(open_database):
    database = open_database(pool_size=1)
    count_lamps = [("SELECT count(*) FROM lamp", ())]
    work = database.open()
    with pytest.raises(psycopg.errors.UndefinedTable):
        await work.send(count_lamps)
    await work.rollback()
    await work.execute("CREATE TEMPORARY TABLE lamp (id int)")
    assert await work.send(count_lamps) == [[(0,)]]
    await work.abandon()


@pytest.mark.direct
async def test_who_is_given_up_in_the_middle_leaves_no_answer_to_the_next(open_database):
    database = open_database(pool_size=1)
    work = database.open()
    [[(first,)]] = await work.send([("SELECT pg_backend_pid()", ())])
    waiting = asyncio.create_task(work.send([("SELECT pg_sleep(30)", ())]))
    await asyncio.sleep(0.2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await work.abandon()
    async with database.begin() as other:
        answers = await asyncio.wait_for(other.send([("SELECT 'mine'", ()), ("SELECT pg_backend_pid()", ())]), SOON)
    assert answers == [[("mine",)], [(first,)]]  # on the same connection


@pytest.mark.direct
@pytest.mark.parametrize("first", ["send", "execute", "session", "reach"])
async def test_a_connection_that_was_lost_while_it_rested_is_replaced_unnoticed(open_database, first):
    database = open_database(pool_size=1)
    await cut(database)
    async with database.begin(reach=[SOMEBODY] if first == "reach" else ()) as work:
        if first == "session":
            assert await count(work) == 0
        elif first == "execute":
            await work.execute("SELECT 1")
        else:
            work.put(event())
            assert await work.send([("SELECT count(*) FROM outbox_event", ())]) == [[(1,)]]


@pytest.mark.direct
async def test_one_that_is_lost_in_the_middle_is_not_tried_again(open_database):
    database = open_database(pool_size=1)
    work = database.open()
    [[(pid,)]] = await work.send([("SELECT pg_backend_pid()", ())])
    await end(database, pid)
    with pytest.raises(Exception) as raised:  # noqa: PT011  (whatever the driver says: it must count as an outage)
        await work.send([("SELECT 1", ())])
    assert is_outage(raised.value)
    await work.abandon()
    async with database.begin() as work:
        assert await work.send([("SELECT 1", ())]) == [[(1,)]]


@pytest.mark.parametrize("way", ["driver", "session"])
async def test_a_connection_that_is_lost_again_as_soon_as_it_is_made_counts_as_an_outage(database, monkeypatch, way):
    def find_it_lost(connection):
        raise psycopg.OperationalError("the connection is lost")

    async with database.begin() as work:
        await work.send([("SELECT 1", ())])
    monkeypatch.setattr(database.engine.dialect, "do_ping", find_it_lost)
    work = database.open()
    with pytest.raises(Exception) as raised:  # noqa: PT011  (whatever the pool says: it must count as an outage)
        await (work.driver() if way == "driver" else work.session.connection())
    assert is_outage(raised.value)
    await work.abandon()


async def cut(database):
    """End the server's side of the one connection in the pool."""
    async with database.begin() as work:
        [[(pid,)]] = await work.send([("SELECT pg_backend_pid()", ())])
    await end(database, pid)


async def end(database, pid):
    async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as other:
        await other.execute("SELECT pg_terminate_backend(%s, 2000)", [pid])


# --- who waits comes first


async def test_a_job_lets_pass_who_is_under_way_and_not_for_ever(monkeypatch):
    def be_patient(seconds):
        monkeypatch.setattr("farebox.core.traffic.PATIENCE_SECONDS", seconds)

    async def job(name):
        await traffic.let_pass()
        passed.append(name)

    traffic = Traffic()
    passed: list[str] = []
    be_patient(3600)
    await job("while it is calm")
    leave_first, leave_second = traffic.enter(), traffic.enter()
    waiting = asyncio.create_task(job("after the last of two"))
    await asyncio.sleep(0.02)
    leave_first()
    leave_first()  # as when an answer is begun, and again when it has been sent
    await asyncio.sleep(0.02)
    assert passed == ["while it is calm"]
    leave_second()
    await asyncio.wait_for(waiting, SOON)
    leave = traffic.enter()  # who takes longer than anybody waits
    be_patient(0.1)
    await asyncio.wait_for(job("out of patience"), SOON)
    leave()
    traffic.enter()  # who never ends, such as a page that listens to a stream
    await asyncio.sleep(0.15)
    be_patient(3600)
    await asyncio.wait_for(job("at once, since that one does not count any more"), SOON)
    assert len(passed) == 4


async def test_several_rows_are_one_statement_and_the_defaults_count(database):
    rows = [event(), event(type="lamp.broken", data={"now": None})]
    async with database.begin() as work:
        await work.send([("SELECT 1", ())])
        with counted_statements() as statements:
            work.put_rows(rows)
            work.put_rows([])
            found = await work.send([EVENTS.about(row.id) for row in rows])
    assert [text.split(" ")[0] for text in statements] == ["INSERT", "SELECT", "SELECT"]
    read = [EVENTS.read(each)[0] for each in found]
    assert [(each.id, each.type, each.data) for each in read] == [(row.id, row.type, row.data) for row in rows]


async def test_a_new_row_has_nothing_where_nothing_was_given():
    row = new_row(OutboxEvent, type="lamp.lit")
    assert row.type == "lamp.lit"
    assert [row.data, row.id] == [None, None]


async def test_rows_of_different_columns_are_refused():
    row = event()
    other = new_row(OutboxEvent, **dict(reversed(vars(row).items())))
    with pytest.raises(ValueError, match="outbox_event"):
        inserted_rows([row, other])
