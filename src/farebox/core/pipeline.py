"""Several statements in one round trip, on a connection that does nothing else, or within a transaction.

psycopg has a pipeline mode of its own, which talks to the socket once for each statement. Here they leave together,
which for a batch is most of what the driver costs. Values are written as PostgreSQL reads them, lists as one text: that
is several times cheaper than what the driver makes of a list.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

import msgspec
import psycopg
from psycopg import AsyncConnection, pq
from psycopg.abc import PQGen
from psycopg.abc import Transformer as Reader
from psycopg.adapt import AdaptersMap, Transformer
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads

Statement: TypeAlias = tuple[str, Sequence[str | None]]
"""SQL with `$1`, `$2` … and their values, as PostgreSQL reads them."""

Rows: TypeAlias = list[tuple[Any, ...]]

LOOKUPS: Final = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""Settings of a session in which everything is found by its index, row by row.

Right for every number of rows asked for, and for tables that were empty when the plans were made and are large a minute
later.
"""

MOST_PREPARED: Final = 500
"""How many statements a connection has prepared on the server: some hundred bytes to some kilobytes each."""

CALL_OFF_SECONDS: Final = 5.0

_DONE: Final = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK})


class Pipeline:
    """Owns the connection; make it with `open_pipeline`."""

    known = None
    """Nobody asks it twice for the same: see `together.Question`."""

    def __init__(self, connection: AsyncConnection[TupleRow]) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._names: dict[str, bytes] = {}
        self._pgconn.enter_pipeline_mode()

    @property
    def is_closed(self) -> bool:
        return self._connection.closed

    async def prepare(self, statements: Iterable[str]) -> None:
        """Have the server parse and plan these once."""
        names = {statement: b"statement_%d" % number for number, statement in enumerate(statements)}
        for statement, name in names.items():
            self._pgconn.send_prepare(name, statement.encode())
        _check(await _results(self._pgconn))
        self._names = names

    async def send(self, statements: Sequence[Statement]) -> list[Rows]:
        """Send all statements; the rows of each.

        Raises:
            psycopg.Error: the first that failed; the server has skipped those after it.
        """
        for statement in statements:
            _send(self._pgconn, statement, self._names.get(statement[0]))
        results = await _results(self._pgconn)
        _check(results)
        return _rows(self._connection, results)

    async def roll_back(self) -> None:
        """Leave the transaction, if there is one."""
        if self._pgconn.transaction_status != pq.TransactionStatus.IDLE:
            await self.send([("ROLLBACK", ())])

    async def close(self) -> None:
        await self._connection.close()


async def open_pipeline(dsn: str, **arguments: Any) -> Pipeline:
    """Connect; the arguments are psycopg's.

    Raises:
        psycopg.OperationalError: nobody answers.
    """
    return Pipeline(await AsyncConnection.connect(dsn, **arguments))


async def send_within(
    connection: AsyncConnection[TupleRow], statements: Sequence[Statement], *, is_apart: bool = False
) -> list[Rows]:
    """Send all statements within the connection's transaction, which begins here if need be; the rows of each.

    Each is prepared on the server when it comes for the first time, unless the connection has `prepare_threshold=None`:
    so they should be texts of which there are few.

    Args:
        is_apart: where no transaction has begun, these are one by themselves, and it ends with them.

    Raises:
        psycopg.Error: the first that failed; the server has skipped those after it.
    """
    pgconn = connection.pgconn
    async with connection.lock:
        begins = not is_apart and not connection.autocommit and pgconn.transaction_status == pq.TransactionStatus.IDLE
        known = _prepared.setdefault(connection, {})
        unknown = [] if connection.prepare_threshold is None else _unknown(statements, known)
        pgconn.enter_pipeline_mode()
        try:
            if begins:
                pgconn.send_query_params(b"BEGIN", None)
            for text, name in unknown:
                pgconn.send_prepare(name, text.encode())
            names = {**known, **dict(unknown)} if unknown else known
            for statement in statements:
                _send(pgconn, statement, names.get(statement[0]))
            results = await _results(pgconn)
        except asyncio.CancelledError:
            await _call_off(connection)
            raise
        except BaseException:  # answers may be on their way: nobody can use the connection any more
            pgconn.finish()
            raise
        pgconn.exit_pipeline_mode()
    prepared, answers = results[begins : begins + len(unknown)], results[begins + len(unknown) :]
    known.update(each for each, result in zip(unknown, prepared, strict=True) if result.status in _DONE)
    try:
        _check(results)
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.InvalidSqlStatementName):
        _prepared.pop(connection, None)  # a table has other columns since it was planned, or somebody forgot all plans
        raise
    return _rows(connection, answers)


class Connection(AsyncConnection[TupleRow]):
    """psycopg's, for `send_within`: when it has the server forget what was prepared, that is meant for both."""

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        if name is None:  # after a rollback: psycopg starts anew, since tables may have gone
            _prepared.pop(self, None)
        return super()._deallocate(name)


_prepared: WeakKeyDictionary[AsyncConnection[TupleRow], dict[str, bytes]] = WeakKeyDictionary()
"""What each connection's server has parsed and planned: statement -> its name there."""

_numbers = count()


def _unknown(statements: Sequence[Statement], known: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    texts = dict.fromkeys([text for text, _ in statements if text not in known])
    if not texts:
        return []
    return [(text, b"sent_%d" % next(_numbers)) for text in list(texts)[: MOST_PREPARED - len(known)]]


def _send(pgconn: pq.abc.PGconn, statement: Statement, name: bytes | None) -> None:
    text, parameters = statement
    values = [None if value is None else value.encode() for value in parameters]
    if name is None:
        pgconn.send_query_params(text.encode(), values)
    else:
        pgconn.send_query_prepared(name, values)


async def _call_off(connection: AsyncConnection[TupleRow]) -> None:
    """Have the server stop, and read what it still says, so that the connection can be used again; else end it."""
    try:
        async with asyncio.timeout(CALL_OFF_SECONDS):
            await connection.cancel_safe()
            await _received(connection.pgconn)
        connection.pgconn.exit_pipeline_mode()
    except BaseException:
        connection.pgconn.finish()
        raise


async def _results(pgconn: pq.abc.PGconn) -> list[pq.abc.PGresult]:
    """What the server says to each of the commands that were sent, in their order."""
    pgconn.pipeline_sync()
    return await _received(pgconn)


async def _received(pgconn: pq.abc.PGconn) -> list[pq.abc.PGresult]:
    results: list[pq.abc.PGresult] = []
    while True:
        while not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:  # the end of one statement's results
                if pgconn.status == pq.ConnStatus.BAD:
                    raise psycopg.OperationalError("the connection is lost")
            elif result.status == pq.ExecStatus.PIPELINE_SYNC:
                return results
            else:
                results.append(result)
        await _ready(pgconn.socket, writable=bool(pgconn.flush()))
        pgconn.consume_input()


def _check(results: Sequence[pq.abc.PGresult]) -> None:
    for result in results:
        if result.status not in _DONE:
            raise _error(result)


_readers: WeakKeyDictionary[AsyncConnection[TupleRow], Reader] = WeakKeyDictionary()
"""What reads each connection's values: it remembers how. It must not know the connection, or neither would ever go."""


def _rows(connection: AsyncConnection[TupleRow], results: Sequence[pq.abc.PGresult]) -> list[Rows]:
    reader = _readers.get(connection)
    if reader is None:
        reader = _readers[connection] = _reader_for(connection)
    rows = [_rows_of(reader, result) for result in results]
    reader.set_pgresult(None)
    return rows


def _reader_for(connection: AsyncConnection[TupleRow]) -> Reader:
    adapters = AdaptersMap(connection.adapters)
    set_json_loads(msgspec.json.decode, adapters)  # several times faster than the standard library's
    return Transformer(adapters)


def _rows_of(reader: Reader, result: pq.abc.PGresult) -> Rows:
    if not result.ntuples:
        return []
    reader.set_pgresult(result)
    return reader.load_rows(0, result.ntuples, tuple)


def _error(result: pq.abc.PGresult) -> psycopg.Error:
    state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    message = (result.error_message or b"").decode(errors="replace").strip()
    try:
        return psycopg.errors.lookup(state)(message)
    except KeyError:
        return psycopg.DatabaseError(message)


async def _ready(socket: int, *, writable: bool) -> None:
    """Wait until there is something to read, or, where asked, room to write."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(socket, _wake, ready)
    if writable:
        loop.add_writer(socket, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(socket)
        if writable:
            loop.remove_writer(socket)


def _wake(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def numbers(values: Iterable[int]) -> str:
    """An array of numbers."""
    return "{" + ",".join(map(str, values)) + "}"


def texts(values: Iterable[str]) -> str:
    """An array of any texts."""
    return quoted(value.replace("\\", "\\\\").replace('"', '\\"') for value in values)


def quoted(values: Iterable[str]) -> str:
    """An array of texts that have neither quotes nor backslashes."""
    return "{" + ",".join([f'"{value}"' for value in values]) + "}"


def plain(values: Iterable[str]) -> str:
    """An array of texts that need no quotes, such as ids."""
    return "{" + ",".join(values) + "}"
