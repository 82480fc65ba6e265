"""Databases on the server that the tests share: clones of a template, emptied and lent again where that is enough.

Farebox reaches them as `ROLE`, which owns them and is no superuser: for a superuser, row security is void.
"""

import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import make_url

ROLE = "farebox_test"

MAKE_ROLE = f"""
DO $$
BEGIN
  CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN  -- by another test process
END $$"""

# Copying files is twice as fast as the default, which writes everything to the log as well.
CLONE = f"CREATE DATABASE {{}} TEMPLATE {{}} STRATEGY FILE_COPY OWNER {ROLE}"

# Small tables are deleted from, and only large ones truncated, which makes new files for each of their indexes.
EMPTY = """
DO $$
DECLARE each record;
BEGIN
  PERFORM set_config('session_replication_role', 'replica', true);  -- no triggers, which forbid some of it
  FOR each IN SELECT oid::regclass AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
  LOOP
    IF pg_relation_size(each.name) > 65536 THEN
      EXECUTE format('TRUNCATE %s CASCADE', each.name);
    ELSE
      EXECUTE format('DELETE FROM %s', each.name);
    END IF;
  END LOOP;
  PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE last_value IS NOT NULL;
  -- The server must not remember either: what was counted for one test made queries of others take minutes.
  PERFORM pg_stat_reset();
  DELETE FROM pg_statistic WHERE starelid >= 16384;
  UPDATE pg_class SET relpages = 0, reltuples = -1 WHERE oid >= 16384 AND relkind = 'r' AND reltuples >= 0;
  UPDATE pg_class SET relpages = 1, reltuples = 0 WHERE oid >= 16384 AND relkind = 'i' AND reltuples > 0;
END $$"""

# Which transactions made the columns, functions and so on: the same in all clones as long as nobody changes the schema.
# A trigger that was off for a moment (`tests.guards`) was written anew and is the same.
SCHEMA = """
SELECT array_agg(made ORDER BY made) FROM (
  SELECT count(*) || '/' || sum(xmin::text::bigint) FROM pg_attribute
  UNION ALL SELECT count(*) || '/' || sum(xmin::text::bigint) FROM pg_constraint
  UNION ALL SELECT count(*) || '/' || sum(oid::bigint) || '/' || count(*) FILTER (WHERE tgenabled = 'O') FROM pg_trigger
  UNION ALL SELECT count(*) || '/' || sum(xmin::text::bigint) FROM pg_index
  UNION ALL SELECT count(*) || '/' || sum(xmin::text::bigint) FROM pg_proc
  UNION ALL SELECT count(*) || '/' || sum(xmin::text::bigint) FROM pg_policy
  UNION ALL SELECT 'walls ' || count(*) FILTER (WHERE relrowsecurity AND relforcerowsecurity) FROM pg_class
  UNION ALL SELECT 'settings ' || count(*) FROM pg_db_role_setting
) AS catalogs (made)"""

SPARE = 2
"""So many databases rest before one of them is lent again."""

LEAVE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""


class Lender:
    """Lends a test process empty databases with the whole schema.

    What comes back is emptied and lent again, under a new name, so that nobody left over finds it. It is thrown away
    if a test has changed its schema. The one that came back last has to wait: PostgreSQL renames none whose last
    session has only just ended, but sleeps for a tenth of a second first, which took more time than most tests.
    """

    def __init__(self, server_dsn: str, template: str) -> None:
        self._server = psycopg.connect(server_dsn, autocommit=True)
        self._dsn = server_dsn
        self._template = template
        self._spare: deque[str] = deque()
        with psycopg.connect(make_conninfo(server_dsn, dbname=template), autocommit=True) as connection:
            self._schema = connection.execute(SCHEMA).fetchone()

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The address of a database that nobody else uses."""
        name = _new_name()
        if len(self._spare) >= SPARE:
            self._server.execute(f"ALTER DATABASE {self._spare.popleft()} RENAME TO {name}")
        else:
            self._server.execute(CLONE.format(name, self._template))
        yield dsn_of(self._dsn, name)
        if self._emptied(name):
            self._spare.append(name)
        else:
            self._server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        for name in self._spare:
            self._server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        self._server.close()

    def _emptied(self, name: str) -> bool:
        with psycopg.connect(make_conninfo(self._dsn, dbname=name), autocommit=True) as connection:
            connection.execute(LEAVE)
            if connection.execute(SCHEMA).fetchone() != self._schema:
                return False
            connection.execute(EMPTY)
            return True


def make_role(server_dsn: str) -> None:
    """Make the application's role on a server that has none yet. Its password is that of the server's address."""
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(MAKE_ROLE)
        password = conninfo_to_dict(server_dsn).get("password")
        if password:
            connection.execute(f"ALTER ROLE {ROLE} PASSWORD '{password}'")


@contextmanager
def cloned(server_dsn: str, template: str) -> Iterator[str]:
    """The address of a new clone, dropped after the block."""
    name = _new_name()
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(CLONE.format(name, template))
    yield dsn_of(server_dsn, name)
    drop(server_dsn, name)


def name_of(dsn: str) -> str:
    return make_url(dsn).database or ""


def drop(server_dsn: str, name: str) -> None:
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def dsn_of(server_dsn: str, name: str) -> str:
    """A database as the application reaches it.

    As a URL, since both SQLAlchemy and psycopg read it; a socket directory travels in the query.
    """
    parts = conninfo_to_dict(make_conninfo(server_dsn, dbname=name))
    host = str(parts.get("host", ""))
    password = parts.get("password")
    login = f"{ROLE}:{password}" if password else ROLE
    if host.startswith("/"):
        return f"postgresql://{login}@/{name}?host={host}"
    return f"postgresql://{login}@{host}:{parts.get('port', 5432)}/{name}"


def _new_name() -> str:
    return f"farebox_test_{uuid.uuid4().hex[:12]}"
