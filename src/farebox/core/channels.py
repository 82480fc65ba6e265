"""Ways to tell other processes: PostgreSQL's LISTEN/NOTIFY, and Redis' publish/subscribe where there is one.

A channel raises when its other end is gone or silent, and knows nothing of trying again: `core.signals` does that.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, LiteralString, Protocol

from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

from farebox.core.settings import BadSetting

NAME = "farebox_signals"

PROBE_SECONDS = 5.0
"""After so long a silence, a listener asks whether the other end is still there."""

ANSWER_SECONDS = 2.0
"""How long the other end may take to answer. Short, since whoever waits could tell by another way meanwhile."""

KEEP_ALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}


class Channel(Protocol):
    """One way between processes. `listen` and `publish` may run at the same time, but each only once."""

    name: str

    async def publish(self, payload: str) -> None:
        """Tell everybody who listens, ourselves too. Raises when it may not have arrived."""

    async def listen(self, hear: Callable[[str], None], on_connected: Callable[[], None]) -> None:
        """Hand over each payload, from the call of `on_connected` on, until that is no longer possible: then raise."""

    async def close(self) -> None:
        """Give up the connection that `publish` keeps."""


class PostgresChannel:
    """LISTEN and NOTIFY, each on a connection of its own that commits by itself.

    Never in a transaction that does something else: those that notify commit one after another.

    Args:
        dsn: PostgreSQL's own address; behind a transaction pooler nobody hears anything.
    """

    name = "postgresql"

    def __init__(self, dsn: str) -> None:
        self._dsn = make_conninfo(dsn, application_name="farebox-signals", connect_timeout=5, **KEEP_ALIVE)
        self._speaker: AsyncConnection[Any] | None = None

    async def publish(self, payload: str) -> None:
        try:
            if self._speaker is None:
                self._speaker = await self._connect()
            await _ask(self._speaker, "SELECT pg_notify(%s, %s)", (NAME, payload))
        except BaseException:
            await self.close()
            raise

    async def listen(self, hear: Callable[[str], None], on_connected: Callable[[], None]) -> None:
        connection = await self._connect()
        try:
            await _ask(connection, f"LISTEN {NAME}")
            on_connected()
            while True:
                async for notice in connection.notifies(timeout=PROBE_SECONDS):
                    hear(notice.payload)
                await _ask(connection, "SELECT 1")
        finally:
            await connection.close()

    async def close(self) -> None:
        speaker, self._speaker = self._speaker, None
        if speaker is not None:
            await speaker.close()

    async def _connect(self) -> AsyncConnection[Any]:
        return await AsyncConnection.connect(self._dsn, autocommit=True, prepare_threshold=None)


async def _ask(connection: AsyncConnection[Any], statement: LiteralString, parameters: Sequence[str] = ()) -> None:
    """Run a statement; raise `TimeoutError` when no answer comes, while psycopg still tries to have it cancelled."""
    asking = asyncio.create_task(connection.execute(statement, parameters))
    asking.add_done_callback(lambda task: task.cancelled() or task.exception())
    try:
        done, _ = await asyncio.wait([asking], timeout=ANSWER_SECONDS)
    finally:
        asking.cancel()
    if not done:
        raise TimeoutError("PostgreSQL does not answer")
    asking.result()


class RedisChannel:
    """PUBLISH and SUBSCRIBE.

    Raises:
        BadSetting: an address that Redis does not have.
    """

    name = "redis"

    def __init__(self, url: str) -> None:
        from redis.asyncio import Redis  # noqa: PLC0415  (a tenth of a second that most never need)
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415

        try:
            self._redis = Redis.from_url(
                url,
                decode_responses=True,
                socket_connect_timeout=ANSWER_SECONDS / 2,
                socket_timeout=ANSWER_SECONDS / 2,
                retry=Retry(NoBackoff(), 0),  # else it would reconnect in silence, and nobody knew of the gap
            )
        except ValueError as error:
            raise BadSetting(reason=f"FAREBOX_REDIS_URL: {error}") from error

    async def publish(self, payload: str) -> None:
        await self._redis.publish(NAME, payload)

    async def listen(self, hear: Callable[[str], None], on_connected: Callable[[], None]) -> None:
        async with self._redis.pubsub() as ears:
            await ears.subscribe(NAME)
            is_asked = False
            while True:
                message = await ears.get_message(timeout=ANSWER_SECONDS if is_asked else PROBE_SECONDS)
                if message is None and is_asked:
                    raise TimeoutError("Redis does not answer")
                is_asked = message is None
                if message is None:
                    await ears.ping()
                elif message["type"] == "subscribe":
                    on_connected()
                elif message["type"] == "message":
                    hear(message["data"])

    async def close(self) -> None:
        await self._redis.aclose()
