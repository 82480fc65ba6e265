"""The database's schema, step by step (Alembic): expand, backfill, contract."""

import time
from importlib import import_module
from importlib.resources import files

import psycopg

from farebox.migrations.state import OLDEST_POSTGRES, find_version, head, is_current

__all__ = ["OLDEST_POSTGRES", "find_version", "head", "is_current", "load_models", "upgrade"]

LOCK = 0xFA2EB1
"""The advisory lock that lets one process migrate at a time."""

AGAIN_SECONDS = 0.1

MODULES_WITH_TABLES = (
    "farebox.core.idempotency",
    "farebox.core.outbox",
    "farebox.inventory.models",
    "farebox.accounts.models",
    "farebox.accounts.people_models",
    "farebox.accounts.staff_models",
    "farebox.timetable.models",
    "farebox.pricing.models",
    "farebox.bookings.models",
    "farebox.payments.models",
    "farebox.ticketing.models",
    "farebox.notifications.models",
)


def load_models() -> None:
    """Import every module that has tables, so that the metadata is whole."""
    for name in MODULES_WITH_TABLES:
        import_module(name)


def upgrade(dsn: str) -> None:
    """Bring a database to the newest version. Two processes may try at once; the second finds nothing to do."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        # Asked again and again, since whoever waits in one statement keeps an index from being built beside bookings.
        while connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone() != (True,):
            time.sleep(AGAIN_SECONDS)
        _run_alembic(dsn)
        if connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() == (None,):
            from procrastinate.schema import SchemaManager  # noqa: PLC0415  (only new databases need it)

            connection.execute(SchemaManager.get_schema())


def _run_alembic(dsn: str) -> None:
    from alembic import command  # noqa: PLC0415  (half a second that most starts can do without)
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine, make_url  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(files("farebox.migrations")))
    engine = create_engine(
        make_url(dsn).set(drivername="postgresql+psycopg"), connect_args={"options": "-c lock_timeout=3000"}
    )
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
