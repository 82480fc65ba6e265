"""Signals between processes: what is heard, what is lost, and that nothing is told of a transaction that failed."""

import asyncio
from contextlib import asynccontextmanager

import psycopg
import pytest
from tests.live.theatre import SILENCE, SOON, until

from farebox.core import channels, signals
from farebox.core.settings import BadSetting
from farebox.core.signals import EVERYTHING, LONGEST_PAYLOAD, Signals, decode, encode
from farebox.inventory import HoldTerms, Want, take, topics_of
from farebox.wiring import build_services

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Ear:
    """What a process was told."""

    def __init__(self, process: Signals) -> None:
        self.heard: list[set[str] | None] = []
        process.subscribe(lambda topics: self.heard.append(None if topics is None else set(topics)))

    @property
    def topics(self) -> set[str]:
        return set().union(*(topics or () for topics in self.heard))


@asynccontextmanager
async def listening(dsn, redis_url=""):
    """A process that hears, once it does."""
    process = Signals(dsn, redis_url=redis_url)
    ear = Ear(process)
    async with process.listening():
        await until(lambda: process.is_whole)
        ear.heard.clear()
        yield process, ear
    await process.close()


@pytest.fixture
def dsn(settings):
    return settings.database_url


async def test_a_payload_has_room_in_a_notice():
    few, many = {f"run:{n}" for n in range(3)}, {f"run:{n}" for n in range(100_000, 101_000)}
    assert decode(encode("p", few)) == ("p", sorted(few))
    assert encode("p", many) == f"p {EVERYTHING}"
    assert decode(encode("p", many)) == ("p", None)
    longest = {f"{n:0>10}" for n in range((LONGEST_PAYLOAD - 1) // 11)}
    assert decode(encode("p", longest)) == ("p", sorted(longest))
    assert decode(encode("p", longest | {"one more"})) == ("p", None)


async def test_others_hear_and_we_hear_once(dsn):
    async with listening(dsn) as (first, ear), listening(dsn) as (_, other):
        first.publish({"run:1"})
        assert ear.heard == [{"run:1"}]
        await until(lambda: bool(other.heard))
        await asyncio.sleep(0.1)
        assert (ear.heard, other.heard) == ([{"run:1"}], [{"run:1"}])


async def test_signals_of_one_moment_leave_together(dsn):
    async with listening(dsn) as (first, _), listening(dsn) as (_, other):
        for number in range(500):
            first.publish({f"run:{number % 50}"})
        await until(lambda: len(other.topics) == 50)
        assert len(other.heard) == 1


async def test_the_longest_payload_is_one_that_postgresql_takes(dsn):
    async with listening(dsn) as (first, _), listening(dsn) as (_, other):
        longest = {f"{n:0>10}" for n in range((LONGEST_PAYLOAD - 20) // 11)}
        first.publish(longest)
        await until(lambda: other.topics == longest)


async def test_a_process_that_only_publishes_says_it_before_it_ends(dsn):
    async with listening(dsn) as (_, ear):
        worker = Signals(dsn)
        worker.publish({"run:7"})
        await worker.close()
        await until(lambda: ear.heard == [{"run:7"}])


async def test_closing_without_a_word_is_quick(dsn, monkeypatch):
    monkeypatch.setattr(signals, "ANSWER_SECONDS", 3600)
    await asyncio.wait_for(Signals(dsn).close(), SOON)
    monkeypatch.setattr(signals, "ANSWER_SECONDS", 0.3)
    nowhere = Signals("host=127.0.0.1 port=1 dbname=none")
    nowhere.publish({"run:1"})
    await asyncio.wait_for(nowhere.close(), SOON)


async def test_a_listener_that_was_cut_off_comes_back_and_looks_at_everything(dsn, monkeypatch):
    monkeypatch.setattr(signals, "FIRST_PAUSE_SECONDS", 0.02)
    async with listening(dsn) as (first, ear), listening(dsn) as (second, other):
        cut(dsn)
        await until(lambda: not second.is_whole)
        await until(lambda: second.is_whole and first.is_whole)
        assert None in other.heard
        first.publish({"run:2"})
        await until(lambda: "run:2" in other.topics)
        assert "run:2" in ear.topics


async def test_what_could_not_be_said_is_said_later(dsn, monkeypatch):
    monkeypatch.setattr(signals, "FIRST_PAUSE_SECONDS", 0.02)
    failures = iter([OSError("gone"), psycopg.OperationalError("restarting")])
    publish = channels.PostgresChannel.publish

    async def stumble(self, payload):
        for failure in failures:
            raise failure
        await publish(self, payload)

    monkeypatch.setattr(channels.PostgresChannel, "publish", stumble)
    async with listening(dsn) as (first, _), listening(dsn) as (_, other):
        first.publish({"run:3"})
        first.publish({"run:4"})
        await until(lambda: other.topics == {"run:3", "run:4"})


async def test_a_silent_server_is_noticed(dsn, monkeypatch):
    """The connection stands and nobody answers: a firewall that forgot it, a machine that froze."""
    monkeypatch.setattr(channels, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(channels, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(signals, "FIRST_PAUSE_SECONDS", 0.02)
    async with deaf_proxy(dsn) as (through, fall_silent), listening(through) as (process, ear):
        await asyncio.sleep(SILENCE)
        assert (process.is_whole, ear.heard) == (True, [])
        fall_silent()
        await until(lambda: not process.is_whole)


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1", "redis://127.0.0.1:port"])
async def test_an_address_that_no_redis_has_is_a_bad_setting(dsn, url):
    with pytest.raises(BadSetting, match="FAREBOX_REDIS_URL"):
        Signals(dsn, redis_url=url)


def cut(dsn) -> None:
    """End the connections that listen and speak."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'farebox-signals' AND datname = current_database()"
        )


@asynccontextmanager
async def deaf_proxy(dsn):
    """An address that passes on to the database, until it is told to pass on nothing."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(dsn)
    host, port = str(parts.get("host", "127.0.0.1")), int(parts.get("port") or 5432)
    is_silent = asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()

    async def pass_on(reader, writer):
        while data := await reader.read(65536):
            if not is_silent.is_set():
                writer.write(data)

    async def meet(reader, writer):
        if host.startswith("/"):
            there = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            there = await asyncio.open_connection(host, port)
        tasks.add(asyncio.create_task(pass_on(reader, there[1])))
        tasks.add(asyncio.create_task(pass_on(there[0], writer)))

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    own = server.sockets[0].getsockname()[1]
    yield (
        psycopg.conninfo.make_conninfo(dsn, host="127.0.0.1", port=own, sslmode="disable", gssencmode="disable"),
        is_silent.set,
    )
    server.close()
    for task in tasks:
        task.cancel()


async def test_what_the_last_transaction_of_a_process_changed_is_said(coach, settings):
    async with listening(settings.database_url) as (_, ear):
        ending = build_services(settings)
        async with ending.database.begin() as work:
            want = Want(coach.departure.inventory_id, (0,), 0, 1)
            await take(work, [want], owner="guest:1", terms=HoldTerms.of(settings))
        await ending.dispose()
        await until(lambda: ear.topics == topics_of([coach.departure.inventory_id]))
