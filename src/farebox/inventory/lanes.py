"""A queue in front of one database connection: whoever came while a batch was under way is in the next one."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Final

import psycopg
import structlog

from farebox.core.db import SESSION, Database
from farebox.core.metrics import HOLDS
from farebox.core.pipeline import LOOKUPS, Pipeline, open_pipeline
from farebox.inventory.batches import STATEMENTS, SomebodyWasFaster, take_together
from farebox.inventory.deciding import Member, PackedKey
from farebox.inventory.errors import Overloaded, UnitsTaken
from farebox.inventory.views import Hold, TakeRequest, topics_of

log = structlog.get_logger(__name__)

LARGEST_BATCH: Final = 128
MOST_KEYS: Final = 4096
"""Keys of a batch, so that many large requests do not make it slow."""

ATTEMPTS: Final = 3
"""How often a batch is decided anew when another process was faster, before its members go one by one."""

LOCK_TIMEOUT_MS: Final = 250
"""A batch waits less long than a single take, since everybody in it waits."""

STATEMENT_TIMEOUT_MS: Final = 1000
SILENCE_SECONDS: Final = 5.0
"""A database that has not answered for so long is out of reach."""

LONGEST_PAUSE_SECONDS: Final = 1.0
"""Between two attempts to connect."""

_LOCKED: Final = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.UniqueViolation,  # another process has just made a hold with the same id
)

_SESSION: Final = LOOKUPS | {
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
}


@dataclass(slots=True, eq=False)
class Waiter:
    """A request in the queue, and where its answer goes. `since` is the event loop's clock."""

    request: TakeRequest
    keys: set[PackedKey]
    answer: "asyncio.Future[Hold]"
    since: float

    def refuse(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Lane:
    """Takes what is asked of it batch by batch, over a connection of its own.

    Args:
        send_apart: is given the waiters that cannot be served in a batch, because somebody holds a lock on what they
            want, or because one of them makes the database refuse the whole.
    """

    def __init__(
        self, database: Database, *, patience_seconds: float, send_apart: Callable[[Sequence[Waiter]], None]
    ) -> None:
        self._database = database
        self._patience_seconds = patience_seconds
        self._send_apart = send_apart
        self._queue: deque[Waiter] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._pipeline: Pipeline | None = None
        self._pause = 0.0
        self._try_again_at = 0.0
        self._begin: Sequence[str] = ()
        if database.is_pooled:
            settings = ", ".join(
                f"set_config('{name}', '{value}', true)" for name, value in (SESSION | _SESSION).items()
            )
            self._begin = ("BEGIN", f"SELECT {settings}")

    def join(self, request: TakeRequest, keys: set[PackedKey]) -> "asyncio.Future[Hold]":
        """Queue up. Who does not want the answer any more cancels it."""
        loop = asyncio.get_running_loop()
        waiter = Waiter(request, keys, loop.create_future(), loop.time())
        self._queue.append(waiter)
        if self._worker is None:
            self._worker = loop.create_task(self._serve(), context=Context())  # it serves all, not who came first
        return waiter.answer

    async def close(self) -> None:
        """Refuse the queue, let the batch under way come to its end, and hang up."""
        for waiter in self._drain():
            waiter.refuse(Overloaded())
        if self._worker is not None:
            await asyncio.wait([self._worker], timeout=SILENCE_SECONDS)
        await self._hang_up()

    async def _serve(self) -> None:
        try:
            while batch := self._next_batch():
                await self._take_or_give_up(batch)
        finally:
            self._worker = None

    def _next_batch(self) -> list[Waiter]:
        """Those who have come, in their order, but for those who have left or have waited too long."""
        batch: list[Waiter] = []
        keys = 0
        latest = asyncio.get_running_loop().time() - self._patience_seconds
        queue = self._queue
        while queue and len(batch) < LARGEST_BATCH and (not batch or keys + len(queue[0].keys) <= MOST_KEYS):
            waiter = queue.popleft()
            if waiter.answer.done():
                continue
            if waiter.since < latest:
                waiter.refuse(Overloaded())
                continue
            batch.append(waiter)
            keys += len(waiter.keys)
        return batch

    async def _take_or_give_up(self, batch: Sequence[Waiter]) -> None:
        """Serve the batch, or say at once, to it and to the queue, that the database is out of reach."""
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                await self._take(batch)
        except Exception as error:  # whatever it is, nobody must be left waiting
            log.warning("desk-out-of-reach", reason=str(error) or "no answer")
            await self._hang_up()
            for waiter in [*batch, *self._drain()]:
                waiter.refuse(psycopg.OperationalError(str(error)))

    async def _take(self, batch: Sequence[Waiter]) -> None:
        for _ in range(ATTEMPTS):
            members = [Member(waiter.request, waiter.keys) for waiter in batch]
            is_new, pipeline = await self._connect()
            try:
                await take_together(pipeline, members, begin=self._begin)
            except SomebodyWasFaster:
                continue
            except _LOCKED as error:
                log.info("batch-waited-in-vain", members=len(batch), reason=str(error))
                break
            except Exception as error:
                if pipeline.is_closed:
                    if is_new or any(member.is_new for member in members):
                        raise  # else nothing was sent that could have been done
                    continue
                # Nothing was committed. The same may come again from whatever the connection remembers.
                log.warning("batch-refused", members=len(batch), reason=str(error))
                await self._hang_up()
                break
            self._answer(batch, members)
            return
        self._send_apart(batch)

    def _answer(self, batch: Sequence[Waiter], members: Sequence[Member]) -> None:
        topics: set[str] = set()
        apart = []
        taken = lost = 0
        for waiter, member in zip(batch, members, strict=True):
            if member.hold is not None:
                if member.is_new:
                    taken += 1
                    topics |= topics_of(want.inventory_id for want in member.request.wants)
                    for old in member.ended:
                        topics |= topics_of(old.runs)
                if not waiter.answer.done():  # else its client has left: the hold stays until its time is over
                    waiter.answer.set_result(member.hold)
            elif member.refusal is not None:
                lost += isinstance(member.refusal, UnitsTaken)
                waiter.refuse(member.refusal)
            else:
                apart.append(waiter)
        if taken:
            HOLDS.labels("taken").inc(taken)
            self._database.signal(topics)
        if lost:
            HOLDS.labels("lost").inc(lost)
        if apart:
            self._send_apart(apart)

    async def _connect(self) -> tuple[bool, Pipeline]:
        """Whether it was made just now, and the connection."""
        if self._pipeline is not None and not self._pipeline.is_closed:
            return False, self._pipeline
        clock = asyncio.get_running_loop().time
        if clock() < self._try_again_at:
            raise psycopg.OperationalError("the database was out of reach a moment ago")
        arguments = self._database.connect_arguments | {"autocommit": True, "connect_timeout": 3}
        is_pooled = self._database.is_pooled
        if not is_pooled:
            arguments["options"] += "".join(f" -c {name}={value}" for name, value in _SESSION.items())
        try:
            self._pipeline = await open_pipeline(self._database.dsn, **arguments)
            if not is_pooled:
                await self._pipeline.prepare(STATEMENTS)
        except psycopg.Error:
            self._pause = min(2 * self._pause or 0.05, LONGEST_PAUSE_SECONDS)
            self._try_again_at = clock() + self._pause
            await self._hang_up()
            raise
        self._pause = 0.0
        return True, self._pipeline

    async def _hang_up(self) -> None:
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            await pipeline.close()

    def _drain(self) -> list[Waiter]:
        waiters = list(self._queue)
        self._queue.clear()
        return waiters
