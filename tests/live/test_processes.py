"""Two `farebox serve` on one database, with holds of two seconds."""

import asyncio
import signal
import time

import psycopg
import pytest
from tests.live.theatre import PROMISED_SECONDS, SOON, Buyer, Eyes, quickest, until, watching
from tests.servers import serving
from websockets.exceptions import ConnectionClosed

from farebox.server import REQUEST_GRACE_SECONDS

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
        assert await quickest(an, eyes, "2A", "2B", "2C", "2D") < PROMISED_SECONDS
        await an.release()
        took = [await _lasts(an, eyes, own, seat) for seat in ("1A", "1B")]
        assert HOLD_SECONDS - 0.1 < min(took) < 2 * HOLD_SECONDS

        def is_swept() -> bool:
            with psycopg.connect(coach.settings.database_url) as connection:
                row = connection.execute("SELECT count(*) FROM claim").fetchone()
            return row == (0,)

        await until(is_swept)


async def _lasts(buyer: Buyer, eyes: Eyes, own: Eyes, seat: str) -> float:
    """Seconds from a wish for a seat until all see that its time is over."""
    begun = time.monotonic()
    await buyer.lock("ae", seat)
    await eyes.sees(SOON, **{f"s{seat}": "locked"})
    await own.sees(SOON, **{f"s{seat}": "mine"})
    await eyes.sees(SOON, **{f"s{seat}": "available"})
    return time.monotonic() - begun


async def test_a_process_that_is_told_to_stop_sends_its_watchers_away_and_stops(coach, servers):
    _, there = servers
    async with watching(there, coach) as eyes:
        begun = time.monotonic()
        there.signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            await eyes.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        code = await asyncio.to_thread(there.wait, 2 * REQUEST_GRACE_SECONDS)
    assert time.monotonic() - begun < REQUEST_GRACE_SECONDS
    assert code in {0, -signal.SIGTERM}
    assert "Traceback" not in there.log
