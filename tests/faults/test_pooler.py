"""Behind PgBouncer in transaction mode, always. `FAREBOX_TEST_POOLER=1` sends all other tests through it as well."""

import asyncio
from collections import Counter

import psycopg
import pytest
from sqlalchemy import make_url
from tests.faults.audit import audit, deadlocks
from tests.faults.recovery import check_all_works
from tests.market import LEGS, lock
from tests.poolers import SERVER_CONNECTIONS, pooling
from tests.races.conftest import APART, TOGETHER, open_shop
from tests.servers import leave

from farebox.core.db import Database
from farebox.core.errors import Busy
from farebox.core.settings import load_settings
from farebox.doctor import examine_database

WHOLE = (0, LEGS)
BUYERS = 60


@pytest.fixture(scope="module")
def pooler(server_dsn):
    with pooling(server_dsn) as running:
        yield running


@pytest.fixture
async def pooled(pooler, server_url):
    database = Database(pooler.url(make_url(server_url).database), direct_url=server_url, pool_size=30)
    yield database
    await database.dispose()


async def test_every_transaction_has_its_settings_and_leaves_none_behind(pooled):
    """More clients than sessions: each transaction meets one that others have used."""

    async def look():
        async with pooled.begin() as work:
            cursor = await work.execute(
                "SELECT current_setting('lock_timeout'), current_setting('timezone'),"
                " current_setting('idle_in_transaction_session_timeout'), pg_backend_pid(), pg_sleep(%s::float)",
                [0.01],
            )
            return await cursor.fetchone()

    seen = [await asyncio.gather(*(look() for _ in range(30))) for _ in range(4)]
    assert {row[:3] for rows in seen for row in rows} == {("3s", "UTC", "1min")}
    assert 1 < len({row[3] for rows in seen for row in rows}) <= SERVER_CONNECTIONS
    with psycopg.connect(pooled.dsn, prepare_threshold=None) as other:
        left = "SELECT current_setting('lock_timeout'), count(*) FROM pg_prepared_statements"
        assert other.execute(left).fetchone() == ("0", 0)


async def test_waiting_for_a_row_is_bounded_behind_a_pooler_too(pooled):
    async with pooled.begin() as work:
        await work.execute("CREATE TABLE lamp AS SELECT 1 AS id")
    async with pooled.begin() as work:
        await work.execute("SELECT id FROM lamp FOR UPDATE")
        with pytest.raises(Busy):
            async with asyncio.timeout(30), pooled.begin() as late:
                await late.execute("SELECT id FROM lamp FOR UPDATE")


async def test_the_doctor_looks_at_both_addresses(pooler, server_url, server_dsn, tmp_path):
    def found(direct):
        url = pooler.url(make_url(server_url).database)
        settings = load_settings({}, home=tmp_path, database_url=url, direct_database_url=direct)
        return {finding.subject: finding.level for finding in examine_database(settings)}

    assert found(server_url)["pooler"] == "ok"
    assert found(server_dsn)["pooler"] == "fail"


@pytest.fixture(scope="module")
def shop(server_dsn, template, pooler):
    yield from open_shop(server_dsn, template, pooler, [TOGETHER, APART])


async def test_two_servers_behind_a_pooler_sell_each_seat_once_and_do_all_their_work(shop):
    """A race, and then tickets, mail, live maps and the sweeper, at both."""
    trip, seats = shop.trip(), shop.seats[:6]
    buyers = await shop.buyers(BUYERS)
    answers = await shop.race(trip, (lock(b, trip, WHOLE, [seats[n // 10]]) for n, b in enumerate(buyers)))
    assert Counter(answer.status for answer in answers) == {201: 6, 409: BUYERS - 6}
    assert shop.sold(trip) == Counter({(seat, leg): 1 for seat in seats for leg in range(LEGS)})
    await check_all_works(shop, shop.trip())
    assert audit(shop.dsn) == []
    assert deadlocks(shop.dsn) == 0
    await leave(buyers)
