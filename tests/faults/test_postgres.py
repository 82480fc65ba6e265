"""PostgreSQL itself dies under load: it is started again by the Farebox that it is embedded in, and all go on."""

import asyncio
import os
import signal
import tempfile
from pathlib import Path

import pytest
from tests.faults.audit import audit
from tests.faults.conftest import APART, TOGETHER
from tests.faults.load import loading
from tests.faults.recovery import check_all_works
from tests.market import market
from tests.races.conftest import TURNS

from farebox.core.embedded import EmbeddedPostgres
from farebox.migrations import upgrade

SERVED_SECONDS = 60


@pytest.fixture(scope="module")
def embedded():
    """A data directory with a PostgreSQL of its own, as safe as in the product: what was committed outlives a crash."""
    with (
        tempfile.TemporaryDirectory(prefix="farebox-faults-", ignore_cleanup_errors=True) as place,
        EmbeddedPostgres(Path(place) / "home") as server,
    ):
        upgrade(server.dsn)
        yield server


@pytest.fixture(scope="module")
def shop(embedded):
    """One server that has the database embedded and looks after it, and one that only uses it."""
    with market(embedded.dsn, "", embedded.home, [{"DATABASE_URL": ""} | TOGETHER, APART]) as shop:
        yield shop


@pytest.mark.parametrize("turn", range(TURNS))
async def test_postgres_dies_twice_under_load_and_is_started_again_each_time(shop, embedded, turn):
    """Once told to stop in immediate mode, which is a crash in order, and once killed."""
    trips = [shop.trip() for _ in range(3)]
    async with loading(shop, trips) as load:
        await load.until_served(shop.servers, SERVED_SECONDS)
        for number in (signal.SIGQUIT, signal.SIGKILL):
            died = postmaster(embedded)
            os.kill(died, number)
            await asyncio.sleep(0.2)
            await load.until_served(shop.servers, SERVED_SECONDS)
            assert postmaster(embedded) != died
    assert load.rude == []
    assert load.answers["503 unavailable"] > 0
    assert audit(shop.dsn, acknowledged=load.acknowledged, given_up=load.given_up) == []
    await check_all_works(shop, shop.trip())
    assert audit(shop.dsn) == []


def postmaster(embedded):
    return int((embedded.directory / "postmaster.pid").read_text().split()[0])
