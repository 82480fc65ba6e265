"""Questions that leave behind others, and questions by themselves."""

import psycopg
import pytest
from tests.core.test_rows import event

from farebox.core import pipeline, transactions
from farebox.core.outbox import OutboxEvent
from farebox.core.rows import Selection, inserted, updated

EVENTS = Selection(OutboxEvent, "WHERE outbox_event.id = $1")


@pytest.fixture
def trips(monkeypatch):
    """What each round trip sends."""
    sent = []
    send = pipeline.send_within

    async def note(connection, statements, **how):
        sent.append([text.split(" ")[0] for text, _ in statements])
        return await send(connection, statements, **how)

    monkeypatch.setattr(transactions, "send_within", note)
    return sent


async def test_what_is_expected_leaves_behind_the_next_question_and_is_not_asked_again(database, trips):
    row = event()
    async with database.begin() as work:
        await work.send([inserted(row)])
    del trips[:]
    async with database.begin() as work:
        work.expect([EVENTS.about(row.id), ("SELECT 2", ())])
        assert await work.send([("SELECT 1", ())]) == [[(1,)]]
        [found] = await work.send([EVENTS.about(row.id)])
        assert await work.send([("SELECT 2", ())]) == [[(2,)]]
    assert EVENTS.read(found)[0].data == row.data
    assert trips[0] == ["SELECT", "SELECT", "SELECT"]
    assert [trip for trip in trips[1:] if trip != ["COMMIT"]] == []


async def test_it_sees_what_the_statement_before_it_did(database):
    row = event()
    async with database.begin() as work:
        work.expect([EVENTS.about(row.id)])
        await work.send([inserted(row)])
        [found] = await work.send([EVENTS.about(row.id)])
    assert [each.id for each in EVENTS.read(found)] == [row.id]


async def test_an_answer_counts_once(database):
    """Who asks again may have changed it."""
    row = event()
    async with database.begin() as work:
        await work.send([inserted(row)])
        work.expect([EVENTS.about(row.id)])
        await work.send([("SELECT 1", ())])
        await work.send([EVENTS.about(row.id)])
        work.put(updated(OutboxEvent, {"type": "lamp.broken"}, "id = $1", row.id))
        [found] = await work.send([EVENTS.about(row.id)])
    assert EVENTS.read(found)[0].type == "lamp.broken"


async def test_who_asks_for_more_than_was_expected_asks_for_all(database):
    async with database.begin() as work:
        work.expect([("SELECT 2", ())])
        await work.send([("SELECT 1", ())])
        assert await work.send([("SELECT 2", ()), ("SELECT 3", ())]) == [[(2,)], [(3,)]]


async def test_what_nobody_asked_for_is_forgotten_with_the_transaction(database, trips):
    work = database.open()
    work.expect([("SELECT 2", ())])
    await work.commit()
    assert await work.send([("SELECT 1", ())]) == [[(1,)]]
    work.expect([("SELECT 3", ())])
    await work.send([("SELECT 1", ())])
    await work.commit()
    del trips[:]
    assert await work.send([("SELECT 3", ())]) == [[(3,)]]
    assert trips == [["SELECT"]]
    await work.abandon()


async def test_what_was_expected_and_fails_fails_the_transaction(database):
    work = database.open()
    work.expect([("SELECT 1 / 0", ())])
    with pytest.raises(psycopg.errors.DivisionByZero):
        await work.send([("SELECT 1", ())])
    await work.abandon()


@pytest.mark.direct
async def test_asking_apart_needs_no_commit(database, trips):
    async with database.begin() as work:
        with work.asking_apart():
            assert await work.send([("SELECT 1", ()), ("SELECT 2", ())]) == [[(1,)], [(2,)]]
            assert await work.send([("SELECT 3", ())]) == [[(3,)]]
    assert trips == [["SELECT", "SELECT"], ["SELECT"]]


async def test_what_was_put_is_part_of_the_transaction_all_the_same(database):
    row = event()
    work = database.open()
    with work.asking_apart():
        work.put(row)
        [found] = await work.send([EVENTS.about(row.id)])
    assert len(EVENTS.read(found)) == 1
    await work.rollback()
    [found] = await work.send([EVENTS.about(row.id)])
    assert found == []
    await work.abandon()


async def test_a_transaction_that_has_begun_goes_on(database):
    row = event()
    work = database.open()
    await work.send([inserted(row)])
    with work.asking_apart():
        [found] = await work.send([EVENTS.about(row.id)])
    assert len(EVENTS.read(found)) == 1
    await work.rollback()
    [found] = await work.send([EVENTS.about(row.id)])
    assert found == []
    await work.abandon()
