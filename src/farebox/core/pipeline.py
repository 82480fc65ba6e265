"""Several statements in one round trip, on a connection that does nothing else.

psycopg has a pipeline mode of its own, which talks to the socket once for each statement. Here they leave together,
which for a batch is most of what the driver costs. Values are written as PostgreSQL reads them, lists as one text: that
is several times cheaper than what the driver makes of a list.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import AsyncConnection, pq
from psycopg.adapt import Transformer
from psycopg.rows import TupleRow

Statement: TypeAlias = tuple[str, Sequence[str]]
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

_DONE: Final = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK})


class Pipeline:
    """Owns the connection; make it with `open_pipeline`."""

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
        await self._results()
        self._names = names

    async def send(self, statements: Sequence[Statement]) -> list[Rows]:
        """Send all statements; the rows of each.

        Raises:
            psycopg.Error: the first that failed; the server has skipped those after it.
        """
        for text, parameters in statements:
            values = [value.encode() for value in parameters]
            name = self._names.get(text)
            if name is None:
                self._pgconn.send_query_params(text.encode(), values)
            else:
                self._pgconn.send_query_prepared(name, values)
        return [self._rows(result) for result in await self._results()]

    async def roll_back(self) -> None:
        """Leave the transaction, if there is one."""
        if self._pgconn.transaction_status != pq.TransactionStatus.IDLE:
            await self.send([("ROLLBACK", ())])

    async def close(self) -> None:
        await self._connection.close()

    async def _results(self) -> list[pq.abc.PGresult]:
        pgconn = self._pgconn
        pgconn.pipeline_sync()
        results: list[pq.abc.PGresult] = []
        while True:
            while not pgconn.is_busy():
                result = pgconn.get_result()
                if result is None:  # the end of one statement's results
                    if pgconn.status == pq.ConnStatus.BAD:
                        raise psycopg.OperationalError("the connection is lost")
                elif result.status == pq.ExecStatus.PIPELINE_SYNC:
                    for each in results:
                        if each.status not in _DONE:
                            raise _error(each)
                    return results
                else:
                    results.append(result)
            await _ready(pgconn.socket, writable=bool(pgconn.flush()))
            pgconn.consume_input()

    def _rows(self, result: pq.abc.PGresult) -> Rows:
        if not result.ntuples:
            return []
        transformer = Transformer(self._connection)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)


async def open_pipeline(dsn: str, **arguments: Any) -> Pipeline:
    """Connect; the arguments are psycopg's.

    Raises:
        psycopg.OperationalError: nobody answers.
    """
    return Pipeline(await AsyncConnection.connect(dsn, **arguments))


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
