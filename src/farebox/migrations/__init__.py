"""The database's schema, step by step (Alembic)."""

from importlib import import_module
from importlib.resources import files

import psycopg
from procrastinate.schema import SchemaManager
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from farebox.core.db import Base

MODULES_WITH_TABLES = (
    "farebox.core.outbox",
    "farebox.core.idempotency",
    "farebox.inventory.models",
    "farebox.accounts.models",
    "farebox.timetable.models",
    "farebox.pricing.models",
    "farebox.bookings.models",
    "farebox.payments.models",
    "farebox.ticketing.models",
    "farebox.notifications.models",
)


def load_models() -> None:
    """Import every module that has tables, so that `Base.metadata` is whole."""
    for name in MODULES_WITH_TABLES:
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise


def create_schema(dsn: str) -> None:
    """Make the whole schema in an empty database."""
    load_models()
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in (files("farebox.migrations") / "extras.sql").read_text().split("\n--;;\n"):
            if "CREATE EXTENSION" in statement or "FUNCTION" in statement:
                connection.execute(statement)
    engine = create_engine(make_url(dsn).set(drivername="postgresql+psycopg"))
    Base.metadata.create_all(engine)
    engine.dispose()
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in (files("farebox.migrations") / "extras.sql").read_text().split("\n--;;\n"):
            if "CREATE EXTENSION" not in statement and "FUNCTION" not in statement:
                connection.execute(statement)
        connection.execute(SchemaManager.get_schema())


HEAD = "0001"


def current_revision(dsn: str) -> str | None:
    """The step that a database is at; `None` where nothing was ever migrated."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
        if not row or not row[0]:
            return None
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return found[0] if found else None


def upgrade(dsn: str) -> bool:
    """Bring a database to the newest step. Cheap where it is there already. Returns whether anything had to be done."""
    if current_revision(dsn) == HEAD:
        return False
    create_schema(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES (%s)", [HEAD])
    return True
