"""PostgreSQL: the engine, the declarative base, and the unit of work.

One request or one job is one `UnitOfWork`: one transaction, committed at the edge, rolled back by raising.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar, Final, Literal, TypeAlias
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from sqlalchemy import Connection, DateTime, MetaData, Text, Uuid
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from farebox.core.clock import Clock, system_clock
from farebox.core.errors import Busy
from farebox.core.events import Event
from farebox.core.pipeline import Rows, Statement
from farebox.core.telemetry import span

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

REACH: Final = "farebox.operator"
"""The setting by which row security knows for which operators a transaction acts; see `UnitOfWork.reach`."""

Reach: TypeAlias = Iterable[UUID] | Literal["*"]
"""Some operators, or all of them."""


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


SignalSink: TypeAlias = Callable[[Collection[str]], None]
"""Where signals go, once the transaction that gave them has committed. It must neither wait nor raise."""

EventSink: TypeAlias = Callable[["UnitOfWork", list[Event]], Awaitable[None]]
"""Where published events go, inside the transaction that published them."""


class UnitOfWork:
    """One transaction and what belongs to it.

    Attributes:
        now: the instant at which this unit of work began, by the application's clock.
    """

    def __init__(self, engine: AsyncEngine, now: datetime, sink: EventSink, signal_sink: SignalSink) -> None:
        self.now = now
        self._engine = engine
        self._session: AsyncSession | None = None
        self._sink = sink
        self._signal_sink = signal_sink
        self._events: list[Event] = []
        self._signals: set[str] = set()
        self._driver: AsyncConnection[TupleRow] | None = None
        self._reach = ""

    @property
    def session(self) -> AsyncSession:
        """SQLAlchemy's session, for ordinary work. Made when first asked for: many requests need none."""
        if self._session is None:
            engine = self._engine.execution_options(**{REACH: self._reach}) if self._reach else self._engine
            self._session = AsyncSession(engine, expire_on_commit=False)
        return self._session

    async def reach(self, operators: Reach) -> None:
        """Let this transaction see and change what belongs to these operators alone, and no longer to any others.

        Row security keeps such rows (see the tables of `accounts`) from a transaction that has said nothing, whatever
        it asks for. `"*"` is for what the system does by itself, and for admins of the platform. Said before the
        first statement, this costs a pooled transaction nothing, and others one short statement.
        """
        self._reach = operators if operators == "*" else ",".join(str(UUID(int=each.int)) for each in operators)
        if self._session is not None:
            await self.execute("SELECT set_config(%s, %s, true)", (REACH, self._reach))

    def publish(self, event: Event) -> None:
        """Let the world know, once this transaction has committed (and only if it has): see `core.outbox`."""
        self._events.append(event)

    def signal(self, topics: Iterable[str]) -> None:
        """Tell whoever is watching that something has changed, soon after this transaction has committed.

        Fast and forgetful, unlike `publish`: a process that dies in that moment tells nobody.
        """
        self._signals.update(topics)

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

    async def send(self, statements: Sequence[Statement]) -> list[Rows]:
        """The rows of each statement, written as for a `Pipeline`, run one after another in this transaction."""
        answers: list[Rows] = []
        with _bounded_waits():
            cursor = AsyncRawCursor(await self.driver())
            for statement, parameters in statements:
                await cursor.execute(statement, parameters)
                answers.append(await cursor.fetchall() if cursor.description else [])
        return answers

    async def commit(self) -> None:
        with _bounded_waits():
            if self._session is not None:
                await self._session.flush()
            if self._events:
                events, self._events = self._events, []
                await self._sink(self, events)
            self._driver = None
            if self._session is not None:
                await self._session.commit()
        if self._signals:
            signals, self._signals = self._signals, set()
            self._signal_sink(signals)

    async def rollback(self) -> None:
        self._events.clear()
        self._signals.clear()
        self._driver = None
        if self._session is None:
            return
        try:
            await self._session.rollback()
        except DBAPIError as error:
            if not is_outage(error):
                raise
            await self._session.invalidate()  # the connection is lost, and its transaction with it

    async def abandon(self) -> None:
        """Roll back and give the connection back, where nobody is left to end the block."""
        await self.rollback()
        await self.close()

    async def close(self) -> None:
        """Give the connection back."""
        if self._session is not None:
            await self._session.close()


_WAITED_IN_VAIN = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)


_OUTAGES = (
    PoolExhausted,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.IdleInTransactionSessionTimeout,
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
    return isinstance(cause, _OUTAGES)


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
            pool_pre_ping=True,
            hide_parameters=True,  # errors are logged, and parameters hold personal data
            connect_args=self.connect_arguments,
        )
        sqlalchemy_event.listen(self.engine.sync_engine, "handle_error", _raise_busy)
        sqlalchemy_event.listen(self.engine.sync_engine, "begin", _begin_pooled if self.is_pooled else _begin)

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
        return UnitOfWork(self.engine, self.clock(), self._sink, self._signal_sink)

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


def _conninfo(url: URL) -> str:
    """No URL, since PostgreSQL does not read the blanks that SQLAlchemy writes."""
    parts = url.translate_connect_args(username="user", database="dbname")
    return make_conninfo(**parts, **{name: ",".join(values) for name, values in url.normalized_query.items()})


def _begin(connection: Connection) -> None:
    reach = connection.get_execution_options().get(REACH)
    if reach:
        connection.exec_driver_sql("SELECT set_config(%s, %s, true)", (REACH, reach))


def _begin_pooled(connection: Connection) -> None:
    reach = connection.get_execution_options().get(REACH)
    connection.exec_driver_sql(begin_with(SESSION | {REACH: reach}) if reach else BEGIN_POOLED)


async def _no_events(work: UnitOfWork, events: list[Event]) -> None:
    return None


def _no_signals(topics: Collection[str]) -> None:
    return None
