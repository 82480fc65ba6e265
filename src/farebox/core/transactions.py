"""The unit of work: one transaction, and what belongs to it.

One request or one job is one `UnitOfWork`, committed at the edge, rolled back by raising.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection as AsyncSQLConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import await_only, greenlet_spawn

from farebox.core.errors import Busy
from farebox.core.events import Event
from farebox.core.pipeline import Rows, Statement, send_within
from farebox.core.rows import inserted

REACH: Final = "farebox.operator"
"""The setting by which row security knows for which operators a transaction acts; see `UnitOfWork.reach`."""

Reach: TypeAlias = Iterable[UUID] | Literal["*"]
"""Some operators, or all of them."""


SignalSink: TypeAlias = Callable[[Collection[str]], None]
"""Where signals go, once the transaction that gave them has committed. It must neither wait nor raise."""

EventSink: TypeAlias = Callable[["UnitOfWork", list[Event]], Awaitable[None]]
"""Where published events go, inside the transaction that published them."""


TRIES_AGAIN: ContextVar[bool] = ContextVar("tries_again", default=False)
"""Whether who takes a connection from the pool bears that it is lost, so that nobody need ask it before."""

_COMMIT: Final[Statement] = ("COMMIT", ())

PUT: Final = "put"
"""Key of a session's `info`: what `UnitOfWork.put` has and nobody has written yet."""


class _Session(Session):
    """SQLAlchemy's, which writes what was put before it asks for anything."""


@sqlalchemy_event.listens_for(_Session, "do_orm_execute")
def _write_first(state: ORMExecuteState) -> None:
    session = state.session
    if put := session.info[PUT]:
        session.flush()
        connection = session.connection().connection.driver_connection
        assert isinstance(connection, AsyncConnection)
        await_only(_write_put(connection, put))


async def _write_put(connection: AsyncConnection[TupleRow], put: list[Statement]) -> None:
    statements = put.copy()
    put.clear()
    with _bounded_waits():
        await send_within(connection, statements)


class UnitOfWork:
    """One transaction and what belongs to it.

    Attributes:
        now: the instant at which this unit of work began, by the application's clock.
        known: what has been learned `asking_once`.
        memory: what modules remember of this transaction, by their own keys; forgotten when it ends.
    """

    def __init__(
        self, engine: AsyncEngine, now: datetime, sink: EventSink, signal_sink: SignalSink, *, is_pooled: bool = False
    ) -> None:
        self.now = now
        self.known: dict[tuple[str, Any], Any] | None = None
        self.memory: dict[str, Any] = {}
        self._engine = engine
        self._is_pooled = is_pooled
        self._session: AsyncSession | None = None
        self._raw: PoolProxiedConnection | None = None
        self._sink = sink
        self._signal_sink = signal_sink
        self._events: list[Event] = []
        self._signals: set[str] = set()
        self._put: list[Statement] = []
        self._driver: AsyncConnection[TupleRow] | None = None
        self._reach = ""

    @property
    def session(self) -> AsyncSession:
        """SQLAlchemy's session, for ordinary work. Made when first asked for: many requests need none."""
        if self._session is None:
            engine = self._reaching_engine()
            bind: AsyncEngine | AsyncSQLConnection = engine
            if self._raw is not None:  # what was begun past the session goes on in it
                known = SyncConnection(engine.sync_engine, connection=self._raw)
                bind = AsyncSQLConnection(engine, sync_connection=known)
            self._session = AsyncSession(
                bind, sync_session_class=_Session, expire_on_commit=False, join_transaction_mode="control_fully"
            )
            self._session.info[PUT] = self._put
        return self._session

    async def reach(self, operators: Reach) -> None:
        """Let this transaction see and change what belongs to these operators alone, and no longer to any others.

        Row security keeps such rows (see the tables of `accounts`) from a transaction that has said nothing, whatever
        it asks for. `"*"` is for what the system does by itself, and for admins of the platform. Said before the
        first statement, this costs a pooled transaction nothing, and others one short statement.
        """
        self._reach = operators if operators == "*" else ",".join(str(UUID(int=each.int)) for each in operators)
        if self._session is not None or self._raw is not None:
            await self.execute("SELECT set_config(%s, %s, true)", (REACH, self._reach))

    @contextmanager
    def asking_once(self) -> Iterator[None]:
        """In here, what is asked for by its key (see `core.together`) is asked for once: nobody in here changes it."""
        self.known = {}
        try:
            yield
        finally:
            self.known = None

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
        connection = await self._connect()
        if self._put:
            await _write_put(connection, self._put)
        return connection

    async def _connect(self, *, tries_again: bool = False) -> AsyncConnection[TupleRow]:
        session = self._session
        if session is not None and (session.new or session.dirty or session.deleted):
            await session.flush()
        if self._driver is None:  # asked for once a transaction: each question is a detour through SQLAlchemy
            self._driver = await self._begin(tries_again=tries_again)
        return self._driver

    async def _begin(self, *, tries_again: bool) -> AsyncConnection[TupleRow]:
        """The transaction's connection: the session's, or, where nobody has asked for one, the pool's own.

        A session costs more than many a transaction; behind a pooler it is what begins transactions rightly.
        """
        if self._raw is None and (self._session is not None or self._is_pooled):
            connection = (await (await self.session.connection()).get_raw_connection()).driver_connection
            assert isinstance(connection, AsyncConnection)
            return connection
        if self._raw is None:
            token = TRIES_AGAIN.set(tries_again and not self._reach)
            try:
                self._raw = await greenlet_spawn(self._engine.sync_engine.raw_connection)
            finally:
                TRIES_AGAIN.reset(token)
        connection = self._raw.driver_connection
        assert isinstance(connection, AsyncConnection)
        if self._reach:
            await send_within(connection, [("SELECT set_config($1, $2, true)", (REACH, self._reach))])
        return connection

    async def execute(
        self, query: str, parameters: Sequence[Any] | dict[str, Any] | None = None
    ) -> psycopg.AsyncCursor[TupleRow]:
        """Run one statement on the driver (`%s` or `%(name)s` placeholders) in this transaction."""
        with _bounded_waits():
            return await (await self.driver()).execute(query, parameters)

    async def send(self, statements: Sequence[Statement]) -> list[Rows]:
        """The rows of each statement, written as for a `Pipeline`, run in this transaction and in one round trip."""
        with _bounded_waits():
            is_first = self._driver is None and not self._reach
            connection = await self._connect(tries_again=True)
            put = self._put.copy()
            self._put.clear()
            try:
                answers = await send_within(connection, [*put, *statements])
            except psycopg.OperationalError:
                if self._raw is None or not is_first or not connection.closed:
                    raise
                # it was lost while it rested, and the transaction with it that has begun just now
                await self._lose()
                answers = await send_within(await self._connect(), [*put, *statements])
            return answers[len(put) :]

    async def send_last(self, statements: Sequence[Statement]) -> list[Rows]:
        """What `send` does, and the end of the transaction with it, for the last question of who only asks.

        It may be sent twice, as anything with which a transaction begins.
        """
        if self._session is not None or self._is_pooled or self._put or self._events:
            return await self.send(statements)
        *answers, _ = await self.send([*statements, _COMMIT])
        self._driver = None
        self.memory.clear()
        return answers

    def put(self, what: DeclarativeBase | Statement) -> None:
        """Insert a row that no session is to know, or send a statement whose answer nobody needs: before the next
        statement of this transaction, or with its commit.

        For what is written and left, such as the lines of a journal: see `core.rows`. It is taken as it is now, and
        comes after what the session has: what refers to it must be put, too.
        """
        self._put.append(inserted(what) if isinstance(what, DeclarativeBase) else what)

    async def commit(self) -> None:
        with _bounded_waits():
            if self._events:
                events, self._events = self._events, []
                await self._sink(self, events)
            if self._put and self._driver is None:  # what ends a transaction must never be sent a second time
                await self.send([])
            if self._session is not None:
                await self._commit_session(self._session)
            elif self._driver is not None:
                await self.send([_COMMIT])
            self._driver = None
            self.memory.clear()
            await self._give_back()
        if self._signals:
            signals, self._signals = self._signals, set()
            self._signal_sink(signals)

    async def _commit_session(self, session: AsyncSession) -> None:
        if self._put:
            await self.send([])
        else:
            await session.flush()
        await session.commit()
        if self._raw is not None:
            if self._driver is not None:
                await self._driver.commit()  # nothing is left to commit where the session has done so
            session.bind = self._reaching_engine()  # should it begin again, then with a connection of its own
            session.sync_session.bind = session.bind.sync_engine

    async def rollback(self) -> None:
        self._events.clear()
        self._signals.clear()
        self._put.clear()
        self.memory.clear()
        driver, self._driver = self._driver, None
        try:
            if self._session is not None:
                await self._session.rollback()
            if self._raw is not None and driver is not None:
                await driver.rollback()
        except (DBAPIError, psycopg.Error) as error:
            if not is_outage(error):
                raise
            # the connection is lost, and its transaction with it
            if self._raw is not None:
                await self._lose()
            elif self._session is not None:
                await self._session.invalidate()

    async def abandon(self) -> None:
        """Roll back and give the connection back, where nobody is left to end the block."""
        await self.rollback()
        await self.close()

    async def close(self) -> None:
        """Give the connection back."""
        try:
            if self._session is not None:
                await self._session.close()
        finally:
            await self._give_back()

    async def _lose(self) -> None:
        """The connection is not there any more; another one may be had."""
        raw, self._raw, self._driver = self._raw, None, None
        if raw is not None and raw.is_valid:  # else the session has said so already
            await greenlet_spawn(raw.invalidate)

    def _reaching_engine(self) -> AsyncEngine:
        """The engine whose transactions say for whom they act."""
        return self._engine.execution_options(**{REACH: self._reach}) if self._reach else self._engine

    async def _give_back(self) -> None:
        if self._raw is not None:
            raw, self._raw = self._raw, None
            await greenlet_spawn(raw.close)


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


_LOST_TWICE: Final = "This connection is closed"
"""What SQLAlchemy's pool says when the connection that it makes instead of a lost one is lost at once, too."""


def raise_busy(context: ExceptionContext) -> None:
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
    return isinstance(cause, _OUTAGES) or (isinstance(cause, InvalidRequestError) and str(cause) == _LOST_TWICE)
