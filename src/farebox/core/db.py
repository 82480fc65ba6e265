"""PostgreSQL: the engine, the declarative base, and the way to begin a unit of work (see `transactions`)."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import DateTime, MetaData, Text, Uuid
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry, PoolResetState

from farebox.core.clock import Clock, system_clock
from farebox.core.events import Event
from farebox.core.outages import is_outage, raise_busy
from farebox.core.pipeline import Connection
from farebox.core.telemetry import span
from farebox.core.transactions import (
    REACH,
    TRIES_AGAIN,
    EventSink,
    Reach,
    SignalSink,
    UnitOfWork,
)

__all__ = ["Base", "Database", "Reach", "UnitOfWork", "is_outage"]

LOCK_TIMEOUT_MS = 3000
"""How long a statement may wait for a row before the caller is told to try again."""

IDLE_TIMEOUT_MS = 60_000
"""How long a transaction may be left lying between two statements before the server ends it and its locks.

For the process that was frozen, or whose machine has gone, in the middle of taking seats; far below any hold's time.
"""

SESSION: Final = {
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
    "timezone": "UTC",
}


def begin_with(settings: Mapping[str, str]) -> str:
    """A BEGIN with settings for this one transaction."""
    return "BEGIN; " + "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())


BEGIN_POOLED: Final = begin_with(SESSION)
"""Begins a transaction behind a transaction pooler, where settings of a session reach whoever comes next.

Sent as one simple query, it costs no more than the BEGIN that it stands for.
"""


class Base(DeclarativeBase):
    """Base of every table. Names of constraints follow one pattern, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text(),
        UUID: Uuid(),
    }


class Database:
    """The engine and the way to begin a unit of work.

    Args:
        direct_url: the way around the pooler that `url` names; empty when `url` is PostgreSQL's own.

    Attributes:
        is_pooled: whether a transaction pooler such as PgBouncer is between. Each transaction may then have another
            session: no statement may be prepared on the server, and nothing be set, locked or listened to for longer
            than a transaction, which begins with `BEGIN_POOLED`.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        direct_url: str | URL = "",
        clock: Clock = system_clock,
        sink: EventSink | None = None,
        pool_size: int = 10,
    ) -> None:
        self.url: URL = make_url(url).set(drivername="postgresql+psycopg")
        self.is_pooled = bool(direct_url)
        self._direct_url = make_url(direct_url) if direct_url else self.url
        self.clock = clock
        self._sink = sink or _no_events
        self._signal_sink: SignalSink = _no_signals
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=LOCK_TIMEOUT_MS / 1000,
            pool_reset_on_return=None,  # `_reset` does it
            hide_parameters=True,  # errors are logged, and parameters hold personal data
            connect_args=self.connect_arguments | {"async_creator_fn": Connection.connect},
        )
        sqlalchemy_event.listen(self.engine.sync_engine, "handle_error", raise_busy)
        sqlalchemy_event.listen(self.engine.sync_engine, "begin", _begin_pooled if self.is_pooled else _begin)
        sqlalchemy_event.listen(self.engine.sync_engine, "checkout", self._ping)
        sqlalchemy_event.listen(self.engine.sync_engine, "reset", _reset)

    @property
    def connect_arguments(self) -> dict[str, Any]:
        """How psycopg connects to `dsn`. Where `is_pooled`, whoever uses the connection sends `BEGIN_POOLED` itself."""
        if self.is_pooled:
            return {"application_name": "farebox", "prepare_threshold": None, "autocommit": True}
        return {
            "application_name": "farebox",
            "options": " ".join(f"-c {name}={value}" for name, value in SESSION.items()),
        }

    @property
    def dsn(self) -> str:
        """The address as psycopg takes it."""
        return _conninfo(self.url)

    @property
    def direct_dsn(self) -> str:
        """PostgreSQL's own address, past the pooler where there is one: for LISTEN, and for locks of a session."""
        return _conninfo(self._direct_url)

    def deliver_events_to(self, sink: EventSink) -> None:
        self._sink = sink

    def deliver_signals_to(self, sink: SignalSink) -> None:
        self._signal_sink = sink

    def signal(self, topics: Collection[str]) -> None:
        """What `UnitOfWork.signal` does, for who has just committed a transaction without one."""
        self._signal_sink(topics)

    def open(self) -> UnitOfWork:
        """A unit of work whose owner commits or rolls back and then closes it."""
        return UnitOfWork(self.engine, self.clock(), self._sink, self._signal_sink, is_pooled=self.is_pooled)

    @asynccontextmanager
    async def begin(self, *, reach: Reach = ()) -> AsyncIterator[UnitOfWork]:
        """A unit of work committed when the block ends, rolled back when it raises.

        Args:
            reach: see `UnitOfWork.reach`.
        """
        work = self.open()
        if reach:
            await work.reach(reach)
        with span("unit of work", nests=False):
            try:
                yield work
                await work.commit()
            except BaseException:
                await work.rollback()
                raise
            finally:
                await work.close()

    async def dispose(self) -> None:
        await self.engine.dispose()

    def _ping(self, connection: DBAPIConnection, _: ConnectionPoolEntry, __: object) -> None:
        """Ask a connection whether it is still there; SQLAlchemy makes another one if not."""
        if TRIES_AGAIN.get():
            return
        dialect = self.engine.sync_engine.dialect
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error


def _reset(connection: DBAPIConnection, _: ConnectionPoolEntry, state: PoolResetState) -> None:
    """Roll back what a connection comes back with; most come back with nothing, and asking them takes its time."""
    if not state.terminate_only and connection.driver_connection.pgconn.transaction_status != TransactionStatus.IDLE:
        connection.rollback()


def _conninfo(url: URL) -> str:
    """No URL, since PostgreSQL does not read the blanks that SQLAlchemy writes."""
    parts = url.translate_connect_args(username="user", database="dbname")
    return make_conninfo(**parts, **{name: ",".join(values) for name, values in url.normalized_query.items()})


def _begin(connection: SyncConnection) -> None:
    reach = connection.get_execution_options().get(REACH)
    if reach:
        connection.exec_driver_sql("SELECT set_config(%s, %s, true)", (REACH, reach))


def _begin_pooled(connection: SyncConnection) -> None:
    reach = connection.get_execution_options().get(REACH)
    connection.exec_driver_sql(begin_with(SESSION | {REACH: reach}) if reach else BEGIN_POOLED)


async def _no_events(work: UnitOfWork, events: list[Event]) -> None:
    return None


def _no_signals(topics: Collection[str]) -> None:
    return None
