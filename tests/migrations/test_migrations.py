"""The migrations make what the models say, once, whoever else is migrating."""

from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url
from tests.databases import ROLE

from farebox.core.db import Base
from farebox.migrations import find_version, head, is_current, load_models, upgrade


@pytest.fixture
def empty_dsn(server_dsn, database_url):
    """A database without any tables."""
    name = f"{make_url(database_url).database}_empty"
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' OWNER {ROLE}")
    yield make_url(database_url).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def tables(dsn):
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {name for (name,) in rows}


def differences(dsn):
    """What the models have and the database lacks, or the other way round; the job queue's tables aside."""
    load_models()
    engine = create_engine(make_url(dsn).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: not (kind == "table" and name.startswith("procrastinate_")),
            },
        )
        found = compare_metadata(context, Base.metadata)
    engine.dispose()
    # expression indexes are made by plain SQL beside the migration, and the models do not know them
    return [each for each in found if not (each[0] == "remove_index" and each[1].name.endswith("_search"))]


def test_the_migrations_make_what_the_models_say(database_url):
    assert differences(database_url) == []


def test_a_missing_column_would_be_noticed(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE hold DROP COLUMN owner CASCADE")
    assert "add_column" in str(differences(database_url))


def test_the_newest_version_is_alembics_head():
    config = Config()
    config.set_main_option("script_location", str(files("farebox.migrations")))
    assert ScriptDirectory.from_config(config).get_heads() == [head()]


def test_an_empty_database_gets_everything_and_a_second_time_nothing(empty_dsn):
    assert find_version(empty_dsn) is None
    assert not is_current(empty_dsn)
    upgrade(empty_dsn)
    assert is_current(empty_dsn)
    before = tables(empty_dsn)
    assert {"claim", "hold", "booking", "departure", "ledger_entry", "procrastinate_jobs"} <= before
    upgrade(empty_dsn)
    assert tables(empty_dsn) == before


def test_four_at_once_migrate_once(empty_dsn):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, [empty_dsn] * 4))
    assert is_current(empty_dsn)
