"""Signals through Redis: preferred where there is one, and never needed."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time

import pytest
from msgspec.structs import replace
from tests.live.test_signals import cut, listening
from tests.live.theatre import Buyer, house, until, watching

from farebox.core import channels, signals
from farebox.core.channels import PostgresChannel

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHARED = os.environ.get("FAREBOX_TEST_REDIS_URL", "redis://127.0.0.1:6379")


class Redis:
    """A Redis of our own, that may be killed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--save", "", "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail("redis-server did not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(5)


@pytest.fixture
def redis(monkeypatch):
    if shutil.which("redis-server") is None:
        pytest.skip("REDIS TESTS DID NOT RUN: no redis-server on the path")
    monkeypatch.setattr(channels, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(channels, "ANSWER_SECONDS", 0.4)
    monkeypatch.setattr(signals, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(signals, "LONGEST_PAUSE_SECONDS", 0.3)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = Redis(port)
    yield own
    own.kill()


@pytest.fixture
def notified(monkeypatch):
    """The payloads that PostgreSQL was given."""
    given = []
    publish = PostgresChannel.publish

    async def told(self, payload):
        given.append(payload)
        await publish(self, payload)

    monkeypatch.setattr(PostgresChannel, "publish", told)
    return given


async def test_with_redis_postgresql_is_spared(settings, notified):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 6379)) and "FAREBOX_TEST_REDIS_URL" not in os.environ:
            pytest.skip("THE TEST WITH THE RUNNING REDIS DID NOT RUN: none answers on 127.0.0.1:6379")
    dsn = settings.database_url
    async with listening(dsn, SHARED) as (first, ear), listening(dsn, SHARED) as (_, other):
        topics = {f"run:{secrets.randbits(60)}", f"run:{secrets.randbits(60)}"}  # others may be using that Redis
        first.publish(topics)
        await until(lambda: topics in other.heard)
        assert ear.heard.count(topics) == 1
        assert notified == []


async def test_redis_killed_and_back(settings, redis, notified):
    dsn = settings.database_url
    async with listening(dsn, redis.url) as (first, _), listening(dsn, redis.url) as (second, other):
        redis.kill()
        first.publish({"run:1"})
        await until(lambda: "run:1" in other.topics)
        assert len(notified) == 1
        await until(lambda: not second.is_whole)

        redis.start()
        other.heard.clear()
        await until(lambda: first.is_whole and second.is_whole)
        assert None in other.heard
        await asyncio.sleep(0.5)  # until it is tried again
        notified.clear()
        first.publish({"run:2"})
        await until(lambda: "run:2" in other.topics)
        assert notified == []


async def test_a_frozen_redis_is_given_up_soon(settings, redis):
    dsn = settings.database_url
    async with listening(dsn, redis.url) as (first, _), listening(dsn, redis.url) as (second, other):
        redis.process.send_signal(signal.SIGSTOP)
        first.publish({"run:1"})
        await until(lambda: "run:1" in other.topics)
        await until(lambda: not second.is_whole)


async def test_without_redis_from_the_beginning(settings, redis, notified):
    dsn = settings.database_url
    redis.kill()
    async with listening(dsn) as (_, ear):
        worker = signals.Signals(dsn, redis_url=redis.url)
        worker.publish({"run:1"})
        await worker.close()
        await until(lambda: ear.heard == [{"run:1"}])


async def test_watchers_stay_current_while_redis_dies_and_returns(coach, settings, redis):
    with_redis = replace(settings, redis_url=redis.url)
    async with (
        house(with_redis) as here,
        house(with_redis) as there,
        Buyer(here, coach) as an,
        watching(there, coach) as eyes,
    ):
        await until(lambda: here.services.signals.is_whole and there.services.signals.is_whole)
        await an.lock("ae", "1A")
        await eyes.sees(s1A="locked")
        redis.kill()
        await an.lock("ae", "1B")
        await eyes.sees(s1A="available", s1B="locked")
        cut(settings.database_url)
        await an.lock("ae", "1C")
        await eyes.sees(s1B="available", s1C="locked")
        redis.start()
        await an.lock("ae", "1D")
        await eyes.sees(s1C="available", s1D="locked")
        await until(lambda: here.services.signals.is_whole and there.services.signals.is_whole)
        await an.release()
        await eyes.sees(s1D="available")
