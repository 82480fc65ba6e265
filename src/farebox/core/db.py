"""PostgreSQL: the engine, the declarative base, and the unit of work.

One request or one job is one `UnitOfWork`: one transaction, committed at the edge, rolled back by raising.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar, TypeAlias
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from sqlalchemy import DateTime, MetaData, Text, Uuid
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from farebox.core.clock import Clock, system_clock
from farebox.core.errors import Busy
from farebox.core.events import Event
from farebox.core.telemetry import span

LOCK_TIMEOUT_MS = 3000
"""How long a statement may wait for a row before the caller is told to try again."""


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


EventSink: TypeAlias = Callable[["UnitOfWork", list[Event]], Awaitable[None]]
"""Where published events go, inside the transaction that published them."""


class UnitOfWork:
    """One transaction and what belongs to it.

    Attributes:
        session: SQLAlchemy's session, for ordinary work.
        now: the instant at which this unit of work began, by the application's clock.
    """

    def __init__(self, session: AsyncSession, now: datetime, sink: EventSink) -> None:
        self.session = session
        self.now = now
        self._sink = sink
        self._events: list[Event] = []
        self._driver: AsyncConnection[TupleRow] | None = None

    def publish(self, event: Event) -> None:
        """Let the world know, once this transaction has committed (and only if it has): see `core.outbox`."""
        self._events.append(event)

    async def driver(self) -> AsyncConnection[TupleRow]:
        """The psycopg connection of this same transaction, for statements in the hot path and for COPY.

        Changes waiting in `session` are flushed first, so that both see the same.
        """
        session = self.session
        if session.new or session.dirty or session.deleted:
            await session.flush()
        if self._driver is None:  # asked for once a transaction: each question is a detour through SQLAlchemy
            raw = await (await session.connection()).get_raw_connection()
            assert isinstance(raw.driver_connection, AsyncConnection)
            self._driver = raw.driver_connection
        return self._driver

    async def execute(
        self, query: str, parameters: Sequence[Any] | dict[str, Any] | None = None
    ) -> psycopg.AsyncCursor[TupleRow]:
        """Run one statement on the driver (`%s` or `%(name)s` placeholders) in this transaction."""
        with _bounded_waits():
            return await (await self.driver()).execute(query, parameters)

    async def commit(self) -> None:
        with _bounded_waits():
            await self.session.flush()
            if self._events:
                events, self._events = self._events, []
                await self._sink(self, events)
            self._driver = None
            await self.session.commit()

    async def rollback(self) -> None:
        self._events.clear()
        self._driver = None
        await self.session.rollback()

    async def abandon(self) -> None:
        """Roll back and give the connection back, where nobody is left to end the block."""
        await self.rollback()
        await self.session.close()


_WAITED_IN_VAIN = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)


def _raise_busy(context: ExceptionContext) -> None:
    """The same for what goes through SQLAlchemy (its `handle_error` hook)."""
    if isinstance(context.original_exception, _WAITED_IN_VAIN):
        raise Busy from context.original_exception


class _bounded_waits:  # noqa: N801  (reads as a statement)
    """Turns PostgreSQL's lock timeout, deadlock and serialisation failures into `Busy`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, _WAITED_IN_VAIN):
            raise Busy from error


def is_outage(error: BaseException) -> bool:
    """Whether an error says that the database cannot be reached now, or has no connection left for us."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_outage(each) for each in error.exceptions)
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, PoolExhausted | psycopg.OperationalError | psycopg.InterfaceError)


class Database:
    """The engine and the way to begin a unit of work."""

    def __init__(
        self, url: str | URL, *, clock: Clock = system_clock, sink: EventSink | None = None, pool_size: int = 10
    ) -> None:
        self.url: URL = make_url(url).set(drivername="postgresql+psycopg")
        self.clock = clock
        self._sink = sink or _no_events
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=LOCK_TIMEOUT_MS / 1000,
            pool_pre_ping=True,
            hide_parameters=True,  # errors are logged, and parameters hold personal data
            connect_args={
                "options": f"-c lock_timeout={LOCK_TIMEOUT_MS} -c timezone=UTC",
                "application_name": "farebox",
            },
        )
        sqlalchemy_event.listen(self.engine.sync_engine, "handle_error", _raise_busy)

    @property
    def dsn(self) -> str:
        """The address as psycopg takes it; no URL, since PostgreSQL does not read the blanks that SQLAlchemy writes."""
        parts = self.url.translate_connect_args(username="user", database="dbname")
        return make_conninfo(**parts, **{name: ",".join(values) for name, values in self.url.normalized_query.items()})

    def deliver_events_to(self, sink: EventSink) -> None:
        self._sink = sink

    def open(self) -> UnitOfWork:
        """A unit of work whose owner commits or rolls back and then calls `close` on its session."""
        session = AsyncSession(self.engine, expire_on_commit=False)
        return UnitOfWork(session, self.clock(), self._sink)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        """A unit of work committed when the block ends, rolled back when it raises."""
        work = self.open()
        with span("unit of work", nests=False):
            try:
                yield work
                await work.commit()
            except BaseException:
                await work.rollback()
                raise
            finally:
                await work.session.close()

    async def dispose(self) -> None:
        await self.engine.dispose()


async def _no_events(work: UnitOfWork, events: list[Event]) -> None:
    return None
