"""Redis dies under load. It carries signals between processes and nothing else: no hold and no booking notices."""

import asyncio
import shutil
import socket
import subprocess
import time

import pytest
from tests.faults.audit import audit
from tests.faults.conftest import APART, TOGETHER
from tests.faults.load import loading
from tests.faults.recovery import check_all_works
from tests.races.conftest import TURNS, open_shop

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")
SERVED_SECONDS = 60


class Redis:
    """A server of this test's own, with nothing on disk."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self):
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        assert PROGRAM
        self.process = subprocess.Popen([PROGRAM, *options], stdout=subprocess.DEVNULL, cwd="/tmp")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        pytest.fail("redis did not start")

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def redis():
    if PROGRAM is None:
        pytest.skip("NO FAULT OF REDIS WAS TESTED: no redis-server here (Debian: apt-get install redis-server)")
    server = Redis()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def shop(redis, server_dsn, template, pooler):
    """Two servers that tell each other over Redis."""
    url = {"REDIS_URL": f"redis://127.0.0.1:{redis.port}/0"}
    yield from open_shop(server_dsn, template, pooler, [TOGETHER | url, APART | url])


@pytest.mark.parametrize("turn", range(TURNS))
async def test_redis_killed_costs_no_hold_no_booking_and_no_watcher(shop, redis, turn):
    """Nor does its coming back."""
    trips = [shop.trip() for _ in range(3)]
    async with loading(shop, trips) as load:
        await load.until_served(shop.servers, SERVED_SECONDS)
        redis.kill()
        await load.until_served(shop.servers, SERVED_SECONDS)
        await asyncio.sleep(0.5)
    assert load.rude == []
    assert {answer.split()[0] for answer in load.answers} <= {"200", "201", "404", "409"}
    assert audit(shop.dsn, acknowledged=load.acknowledged, given_up=load.given_up) == []
    await check_all_works(shop, shop.trip())
    redis.start()
    await check_all_works(shop, shop.trip())
    assert audit(shop.dsn) == []
    assert all(server.is_ready() for server in shop.servers)
