"""One question to the database for all requests that ask the same kind of thing at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextvars import Context
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

import psycopg

from farebox.core.db import Database
from farebox.core.errors import Unavailable
from farebox.core.pipeline import LOOKUPS, Pipeline, Rows, Statement, open_pipeline, texts

Key = TypeVar("Key")
Value = TypeVar("Value")

MOST_AT_ONCE: Final = 200
"""How many keys one question asks for."""

PATIENCE_SECONDS: Final = 3.0
"""How long one question may take, connecting included."""


_KEYS: Final = "= ANY($1::uuid[])"


class Reader(Protocol):
    """What can be asked: a unit of work, or a connection on which whatever is sent together is by itself."""

    @property
    def known(self) -> dict[tuple[str, Any], Any] | None: ...

    async def send(self, statements: Sequence[Statement]) -> list[Rows]: ...


class Question(Generic[Key, Value]):
    """Facts that have keys, read with one statement.

    Args:
        statement: `$1` is the array of the keys. The first column of each row is its key.
        value: what a row says.
    """

    def __init__(self, statement: str, value: "Callable[[tuple[Any, ...]], Value]") -> None:
        self.statement = statement
        self._value = value
        self._of_one = statement.replace(_KEYS, "= $1::uuid")

    def about(self, keys: Collection[Key]) -> Statement:
        """The statement that asks for these keys."""
        return self.statement, (texts(map(str, keys)),)

    def asking(self, keys: Collection[Key]) -> Statement:
        """The same for a unit of work.

        A single id is not asked for as a list: a plan for a list is made anew each time, since lists can be long.
        """
        is_one = len(keys) == 1 and self._of_one != self.statement
        return (self._of_one, (str(*keys),)) if is_one else self.about(keys)

    def about_found(self, query: str, *parameters: object) -> Statement:
        """The statement that asks for the one key that a query with these parameters finds, as an id."""
        return self.statement.replace(_KEYS, f"= ({query})"), [str(each) for each in parameters]

    def read(self, rows: Rows) -> dict[Key, Value]:
        """The values of the keys that have one."""
        return {row[0]: self._value(row) for row in rows}

    def learn(self, reader: Reader, rows: Rows, keys: Collection[Key]) -> dict[Key, Value]:
        """What `read` does, kept where what is known of these keys is not asked again."""
        found = self.read(rows)
        if reader.known is not None:
            reader.known.update({(self.statement, key): found.get(key) for key in keys})
        return found

    async def ask(self, reader: Reader, keys: Collection[Key]) -> dict[Key, Value]:
        """The values of these keys, those that have one. `asking_once`, what is known is not asked for."""
        known = reader.known or {}
        if all((self.statement, key) in known for key in keys):
            values = {key: known[self.statement, key] for key in keys}
            return {key: value for key, value in values.items() if value is not None}
        [rows] = await reader.send([self.asking(keys)])
        return self.learn(reader, rows, keys)


Ask: TypeAlias = Callable[[Reader, Collection[Key]], Awaitable[Mapping[Key, Value]]]


class Together(Generic[Key, Value]):
    """Answers many with one question.

    While nothing is under way, a question is put at once; who comes meanwhile waits for the next one, and shares it.
    So the more ask, the less each costs; and nobody is told anything that was read before they asked.

    Questions run on a connection of their own, outside of all units of work, where what is sent together is a
    transaction: they see what has been committed. They must be fit for being put again, as happens when the connection
    was cut.

    Args:
        ask: the question: the values of the keys that have one. It runs in no request's context and no language.
        statements: what it sends, worth preparing. Each must find its rows by their keys: see `LOOKUPS`.
    """

    def __init__(self, database: Database, ask: "Ask[Key, Value]", statements: Sequence[str] = ()) -> None:
        self._database = database
        self._ask = ask
        self._statements = statements
        self._waiting: list[tuple[Key, asyncio.Future[Value | None]]] = []
        self._asking: asyncio.Task[None] | None = None
        self._pipeline: Pipeline | None = None

    async def find(self, key: Key) -> Value | None:
        """The value of a key, `None` where it has none.

        Raises:
            Unavailable: no answer in time.
        """
        answer: asyncio.Future[Value | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._answer_all(), context=Context())
        return await answer

    async def dispose(self) -> None:
        """Give the connection back; who still waits is refused."""
        if self._asking is not None:
            self._asking.cancel()
        for _, answer in self._waiting:
            if not answer.done():
                answer.set_exception(Unavailable())
        self._waiting.clear()
        await self._hang_up()

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._answer(asked)
        finally:
            self._asking = None

    async def _answer(self, asked: Sequence[tuple[Key, "asyncio.Future[Value | None]"]]) -> None:
        try:
            found = await self._put({key for key, _ in asked})
        except BaseException as error:
            for _, answer in asked:
                if not answer.done():  # else who asked has gone
                    answer.set_exception(error if isinstance(error, Exception) else Unavailable())
            if not isinstance(error, Exception):
                raise
        else:
            for key, answer in asked:
                if not answer.done():
                    answer.set_result(found.get(key))

    async def _put(self, keys: Collection[Key]) -> Mapping[Key, Value]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                if self._pipeline is not None:
                    try:
                        return await self._ask(self._pipeline, keys)
                    except psycopg.OperationalError:  # the server was started anew since the last question
                        await self._hang_up()
                self._pipeline = await self._connect()
                return await self._ask(self._pipeline, keys)
        except TimeoutError:
            await self._hang_up()
            raise Unavailable from None

    async def _connect(self) -> Pipeline:
        arguments = self._database.connect_arguments | {"autocommit": True}
        if self._database.is_pooled:
            return await open_pipeline(self._database.dsn, **arguments)
        arguments["options"] += "".join(f" -c {name}={value}" for name, value in LOOKUPS.items())
        pipeline = await open_pipeline(self._database.dsn, **arguments)
        await pipeline.prepare(self._statements)
        return pipeline

    async def _hang_up(self) -> None:
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            await pipeline.close()
