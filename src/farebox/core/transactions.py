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
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection as AsyncSQLConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import await_only, greenlet_spawn

from farebox.core.events import Event
from farebox.core.outages import bounded_waits, is_outage
from farebox.core.pipeline import Rows, Statement, send_within
from farebox.core.rows import inserted, inserted_rows

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

MOST_ROWS: Final = 8
"""How many a statement inserts: each number of them is another text, which every connection keeps prepared."""

_Key: TypeAlias = tuple[str, tuple[str | None, ...]]

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
    with bounded_waits():
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
        self._expected: list[Statement] = []
        self._answers: dict[_Key, Rows] = {}
        self._is_apart = False
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

    @contextmanager
    def asking_apart(self) -> Iterator[None]:
        """In here, what is sent together is by itself, where no transaction has begun: for who only asks, and does not
        mind that one answer is newer than another. It spares a commit."""
        self._is_apart = True
        try:
            yield
        finally:
            self._is_apart = False

    def expect(self, statements: Iterable[Statement]) -> None:
        """Let these leave behind what is sent next, since they will be asked for.

        Whoever then sends one of them (in this transaction, once) has its answer. So nobody may change in between what
        they ask for: let what is sent next lock it.
        """
        self._expected.extend(statements)

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
        with bounded_waits():
            return await (await self.driver()).execute(query, parameters)

    async def send(self, statements: Sequence[Statement]) -> list[Rows]:
        """The rows of each statement, written as for a `Pipeline`, run in this transaction and in one round trip."""
        if self._answers and statements:
            keys = [_key(statement) for statement in statements]
            if all(key in self._answers for key in keys):
                answers = [self._answers[key] for key in keys]
                for key in keys:
                    self._answers.pop(key, None)
                return answers
        expected, self._expected = self._expected, []
        found = await self._send([*statements, *expected])
        answers = found[: len(statements)]
        self._answers |= zip(map(_key, expected), found[len(statements) :], strict=True)
        return answers

    async def _send(self, statements: Sequence[Statement]) -> list[Rows]:
        with bounded_waits():
            is_first = self._driver is None and not self._reach
            connection = await self._connect(tries_again=True)
            put = self._put.copy()
            self._put.clear()
            is_apart = self._is_apart and not put
            try:
                answers = await send_within(connection, [*put, *statements], is_apart=is_apart)
            except psycopg.OperationalError:
                if self._raw is None or not is_first or not connection.closed:
                    raise
                # it was lost while it rested, and the transaction with it that has begun just now
                await self._lose()
                answers = await send_within(await self._connect(), [*put, *statements], is_apart=is_apart)
            return answers[len(put) :]

    async def send_last(self, statements: Sequence[Statement]) -> list[Rows]:
        """What `send` does, and the end of the transaction with it, for who only asks, or does what may be done twice.

        As anything with which a transaction begins it is sent again where the connection was lost, and then nobody
        knows whether it had been committed.
        """
        if self._session is not None or self._is_pooled or self._put or self._events:
            return await self.send(statements)
        *answers, _ = await self._send([*statements, _COMMIT])
        self._end()
        return answers

    def put(self, what: DeclarativeBase | Statement) -> None:
        """Insert a `core.rows.new_row`, or send a statement whose answer nobody needs: before the next
        statement of this transaction, or with its commit.

        For what is written and left, such as the lines of a journal: see `core.rows`. It is taken as it is now, and
        comes after what the session has: what refers to it must be put, too.
        """
        self._put.append(what if isinstance(what, tuple) else inserted(what))

    def put_rows(self, rows: Sequence[DeclarativeBase]) -> None:
        """What `put` does with each, where they are of one model and made of the same columns."""
        for first in range(0, len(rows), MOST_ROWS):
            self._put.append(inserted_rows(rows[first : first + MOST_ROWS]))

    async def commit(self) -> None:
        with bounded_waits():
            if self._events:
                events, self._events = self._events, []
                await self._sink(self, events)
            if self._put and self._driver is None:  # what ends a transaction must never be sent a second time
                await self._send([])
            if self._session is not None:
                await self._commit_session(self._session)
            elif self._driver is not None and (self._put or _has_begun(self._driver)):
                await self._send([_COMMIT])
            self._end()
            await self._give_back()
        if self._signals:
            signals, self._signals = self._signals, set()
            self._signal_sink(signals)

    async def _commit_session(self, session: AsyncSession) -> None:
        if self._put:
            await self._send([])
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
        driver = self._driver
        self._end()
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

    def _end(self) -> None:
        """Forget what holds in one transaction only."""
        self._driver = None
        self._expected.clear()
        self._answers.clear()
        self.memory.clear()

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


def _key(statement: Statement) -> _Key:
    text, parameters = statement
    return text, tuple(parameters)


def _has_begun(connection: AsyncConnection[TupleRow]) -> bool:
    return connection.pgconn.transaction_status != TransactionStatus.IDLE
