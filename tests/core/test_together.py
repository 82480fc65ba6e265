"""One question for many: shared, never stale, and no harm to others from one that fails or goes away."""

import asyncio
from uuid import UUID, uuid4

import psycopg
import pytest
from tests.counting import counted_statements

from farebox.core import together
from farebox.core.errors import Unavailable
from farebox.core.together import Question, Together

DOUBLE: Question[int, int] = Question("SELECT n, n * 2 FROM unnest($1::int[]) AS n WHERE n > 0", lambda row: row[1])


class Doubling:
    """Doubles numbers, and notes what was asked at a time. It waits at `gate`."""

    def __init__(self):
        self.asked = []
        self.began = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def __call__(self, reader, keys):
        self.asked.append(sorted(keys))
        self.began.set()
        await self.gate.wait()
        if self.error:
            raise self.error
        return await DOUBLE.ask(reader, keys)


@pytest.fixture
def question() -> Doubling:
    return Doubling()


@pytest.fixture
async def together_(database, question):
    made: Together[int, int] = Together(database, question)
    yield made
    await made.dispose()


async def begun(together_, question, *keys):
    """Asks these keys one after another, and lets the question begin."""
    tasks = [asyncio.create_task(together_.find(key)) for key in keys]
    await question.began.wait()
    return tasks


async def test_who_asks_while_a_question_is_under_way_shares_the_next_one(together_, question):
    question.gate.clear()
    first = await begun(together_, question, 1)
    others = [asyncio.create_task(together_.find(key)) for key in (2, 3, 2, -1)]
    await asyncio.sleep(0)
    question.gate.set()
    assert await asyncio.gather(*first, *others) == [2, 4, 6, 4, None]
    assert question.asked == [[1], [-1, 2, 3]]


async def test_a_question_has_the_same_answer_in_a_unit_of_work(database):
    async with database.begin() as work:
        assert await DOUBLE.ask(work, [1, -1, 3]) == {1: 2, 3: 6}


async def test_nobody_is_told_what_was_read_before_asking(together_, question, database):
    """The same key, asked again while its question is under way, is asked again of the database."""
    question.gate.clear()
    first = await begun(together_, question, 1)
    again = asyncio.create_task(together_.find(1))
    await asyncio.sleep(0)
    question.gate.set()
    assert await asyncio.gather(*first, again) == [2, 2]
    assert question.asked == [[1], [1]]


async def test_who_goes_away_harms_no_other(together_, question):
    question.gate.clear()
    gone, stays = await begun(together_, question, 1, 1)
    gone.cancel()
    await asyncio.sleep(0)
    question.gate.set()
    assert await stays == 2
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_question_that_fails_fails_for_those_who_asked_it_only(together_, question):
    question.error = ValueError("no")
    with pytest.raises(ValueError, match="no"):
        await together_.find(1)
    question.error = None
    assert await together_.find(1) == 2


async def test_a_connection_that_was_cut_meanwhile_is_made_anew(together_, server_dsn, database):
    assert await together_.find(1) == 2
    with psycopg.connect(server_dsn, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = %s", [database.url.database]
        )
    assert await together_.find(2) == 4


async def test_no_answer_in_time_is_an_outage(together_, question, monkeypatch):
    monkeypatch.setattr(together, "PATIENCE_SECONDS", 0.05)
    question.gate.clear()
    with pytest.raises(Unavailable):
        await together_.find(1)
    question.gate.set()
    monkeypatch.undo()
    assert await together_.find(1) == 2


async def test_a_great_many_are_asked_in_parts(together_, question, monkeypatch):
    monkeypatch.setattr(together, "MOST_AT_ONCE", 10)
    assert await asyncio.gather(*map(together_.find, range(1, 26))) == [2 * key for key in range(1, 26)]
    assert [len(keys) for keys in question.asked] == [10, 10, 5]


async def test_who_waits_when_the_process_stops_is_refused(together_, question):
    question.gate.clear()
    first = await begun(together_, question, 1)
    waiting = asyncio.create_task(together_.find(2))
    await asyncio.sleep(0)
    await together_.dispose()
    for refused in (*first, waiting):
        with pytest.raises(Unavailable):
            await refused


async def test_a_server_that_has_fallen_silent_keeps_nobody_longer(database, monkeypatch):
    """It does not hear that the question is given up, either."""

    async def sleep(reader, keys):
        await reader.send([("SELECT pg_sleep($1)", [str(max(keys))])])
        return dict.fromkeys(keys, True)

    sleeping: Together[float, bool] = Together(database, sleep)
    assert await sleeping.find(0.0)
    monkeypatch.setattr(together, "PATIENCE_SECONDS", 0.1)
    async with asyncio.timeout(20):
        with pytest.raises(Unavailable):
            await sleeping.find(60.0)
    monkeypatch.undo()
    assert await sleeping.find(0.0)
    await sleeping.dispose()


async def test_a_unit_of_work_asks_once_while_nobody_changes_what_it_asks_for(database):
    async with database.begin() as work:
        await work.send([("SELECT 1", ())])
        with work.asking_once(), counted_statements() as statements:
            assert await DOUBLE.ask(work, [1, 2]) == {1: 2, 2: 4}
            assert await DOUBLE.ask(work, [2]) == {2: 4}
            assert await DOUBLE.ask(work, [-1]) == {}
            assert await DOUBLE.ask(work, [-1, 1]) == {1: 2}
            assert len(statements) == 2
        with counted_statements() as statements:
            assert await DOUBLE.ask(work, [1]) == {1: 2}
            assert len(statements) == 1


async def test_one_key_may_be_whatever_a_query_finds(database):
    one, other = uuid4(), uuid4()
    question: Question[UUID, int] = Question(
        f"SELECT id, n FROM (VALUES ('{one}'::uuid, 1), ('{other}'::uuid, 2)) AS row (id, n)"
        " WHERE id = ANY($1::uuid[])",
        lambda row: row[1],
    )
    async with database.begin() as work:
        with work.asking_once():
            [rows] = await work.send([question.about_found("SELECT $1::uuid", other)])
            assert question.learn(work, rows, [other]) == {other: 2}
            with counted_statements() as statements:
                assert await question.ask(work, [other]) == {other: 2}
                assert await question.ask(work, [one]) == {one: 1}
            assert len(statements) == 1
