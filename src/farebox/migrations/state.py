"""Where a database's schema stands, found without loading Alembic, which would cost every start half a second."""

from functools import cache
from importlib.resources import files

import psycopg

OLDEST_POSTGRES = 15


@cache
def head() -> str:
    """The newest version that this Farebox brings: files in `versions` begin with their number."""
    names = (file.name for file in (files("farebox.migrations") / "versions").iterdir())
    return max(name.partition("_")[0] for name in names if name[:1].isdigit())


def find_version(dsn: str) -> str | None:
    """The version that a database is at; `None` when it has never been migrated."""
    with psycopg.connect(dsn, connect_timeout=5) as connection:
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None


def is_current(dsn: str) -> bool:
    return find_version(dsn) == head()
