"""Two `farebox serve` on one database, with holds of two seconds."""

import asyncio
import signal
import time

import psycopg
import pytest
from tests.live.theatre import SOON, Buyer, until, watching
from tests.servers import serving
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOLD_SECONDS = 2


@pytest.fixture(scope="module")
def servers(settings, tmp_path_factory):
    own = {"DATABASE_URL": settings.database_url, "HOLD_TTL_SECONDS": str(HOLD_SECONDS)}
    with serving(tmp_path_factory.mktemp("servers"), [own, own]) as started:
        yield started


async def test_what_one_process_sells_the_other_shows(coach, servers):
    here, there = servers
    async with Buyer(here, coach) as an, watching(there, coach) as eyes, watching(there, coach, token=an.token) as own:
        begun = time.monotonic()
        await an.lock("ae", "1A")
        assert await eyes.sees(s1A="locked") < SOON
        await own.sees(s1A="mine")
        await eyes.sees(HOLD_SECONDS + SOON, s1A="available")
        assert HOLD_SECONDS - 0.1 < time.monotonic() - begun < HOLD_SECONDS + SOON

        def is_swept() -> bool:
            with psycopg.connect(coach.settings.database_url) as connection:
                row = connection.execute("SELECT count(*) FROM claim").fetchone()
            return row == (0,)

        await until(is_swept, 2)


async def test_a_process_that_is_told_to_stop_sends_its_watchers_away_and_stops(coach, servers):
    _, there = servers
    async with watching(there, coach) as eyes:
        begun = time.monotonic()
        there.signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            await eyes.next(2)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        await asyncio.to_thread(there.process.wait, 8)
    assert time.monotonic() - begun < 8
    assert there.process.returncode in {0, -signal.SIGTERM}
    assert "Traceback" not in there.log
