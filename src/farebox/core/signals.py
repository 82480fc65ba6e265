"""Signals between processes: something has changed, look again.

A signal carries topics (`run:42`) and no news. Whoever hears it reads the truth from the database, so neither the order
of signals nor the loss of one can make anybody believe something wrong; it can only make them late.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import TypeAlias

import structlog

from farebox.core.channels import ANSWER_SECONDS, Channel, PostgresChannel, RedisChannel
from farebox.core.metrics import CHANNELS

log = structlog.get_logger(__name__)

Listener: TypeAlias = Callable[[Collection[str] | None], None]
"""Is told the topics of a signal; `None`: signals may have been missed, anything may have changed. Does not wait."""

GATHER_SECONDS = 0.02
"""Signals of so long a time leave together: NOTIFYs are committed one after another, in the whole database."""

LONGEST_PAYLOAD = 7_900
"""Bytes. PostgreSQL refuses 8000."""

EVERYTHING = "*"

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


class Signals:
    """This process's door to the others. Everybody listens on all channels; the first that works is spoken on.

    Args:
        dsn: PostgreSQL's own address.
        redis_url: of the Redis to be preferred; empty: none.

    Raises:
        BadSetting: an address that no Redis can have.
    """

    def __init__(self, dsn: str, *, redis_url: str = "") -> None:
        self._channels: list[Channel] = [PostgresChannel(dsn)]
        if redis_url:
            self._channels.insert(0, RedisChannel(redis_url))
        self._process = secrets.token_urlsafe(6)
        self._listeners: list[Listener] = []
        self._connected: set[str] = set()
        self._silent_until = dict.fromkeys((channel.name for channel in self._channels), 0.0)
        self._pauses = dict.fromkeys((channel.name for channel in self._channels), FIRST_PAUSE_SECONDS)
        self._waiting: set[str] = set()
        self._speaking: asyncio.Task[None] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every channel is being listened to, so that what others publish now is heard."""
        return len(self._connected) == len(self._channels)

    def subscribe(self, listener: Listener) -> None:
        """Tell `listener` of each signal, our own too, from now on."""
        self._listeners.append(listener)

    def publish(self, topics: Collection[str]) -> None:
        """Tell everybody, soon: ourselves at once, other processes some milliseconds later. Neither waits nor raises.

        For what has been committed: who hears it, looks.
        """
        self._tell(topics)
        self._waiting.update(topics)
        if self._speaking is None or self._speaking.done():
            self._speaking = asyncio.get_running_loop().create_task(self._speak(), name="signals")

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear other processes inside the block."""
        tasks = [asyncio.create_task(self._keep_listening(channel)) for channel in self._channels]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=ANSWER_SECONDS)
            self._connected.clear()

    async def close(self) -> None:
        """Publish what waits, as far as that can be done soon, and close the connections."""
        speaking, self._speaking = self._speaking, None
        if speaking is not None and not speaking.done():
            await asyncio.wait([speaking], timeout=ANSWER_SECONDS)
            speaking.cancel()
        for channel in self._channels:
            await channel.close()

    async def _speak(self) -> None:
        """Publish until nothing waits any more."""
        pause = FIRST_PAUSE_SECONDS
        while self._waiting:
            await asyncio.sleep(GATHER_SECONDS)
            topics, self._waiting = self._waiting, set()
            if await self._publish(encode(self._process, topics)):
                pause = FIRST_PAUSE_SECONDS
                continue
            self._waiting |= topics
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _publish(self, payload: str) -> bool:
        """Say it on the first channel that takes it; whether one did."""
        now = asyncio.get_running_loop().time
        for channel in self._channels:
            is_last = channel is self._channels[-1]
            if now() < self._silent_until[channel.name] and not is_last:
                continue
            try:
                await channel.publish(payload)
            except Exception as error:
                log.warning("signals-not-published", channel=channel.name, error=type(error).__name__)
                self._pauses[channel.name] = min(self._pauses[channel.name] * 2, LONGEST_PAUSE_SECONDS)
                self._silent_until[channel.name] = now() + _jittered(self._pauses[channel.name])
            else:
                self._pauses[channel.name] = FIRST_PAUSE_SECONDS
                return True
        return False

    async def _keep_listening(self, channel: Channel) -> None:
        """Listen, and listen again after a failure, until cancelled."""
        pause = FIRST_PAUSE_SECONDS

        def connected() -> None:
            nonlocal pause
            pause = FIRST_PAUSE_SECONDS
            self._connected.add(channel.name)
            CHANNELS.labels(channel.name).set(1)
            log.info("signals-connected", channel=channel.name)
            self._tell(None)  # what was said before, nobody heard

        while True:
            try:
                await channel.listen(self._hear, connected)
            except Exception as error:
                log.warning("signals-lost", channel=channel.name, error=type(error).__name__)
            finally:
                self._connected.discard(channel.name)
                CHANNELS.labels(channel.name).set(0)
            await asyncio.sleep(_jittered(pause))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _hear(self, payload: str) -> None:
        process, topics = decode(payload)
        if process != self._process:  # we were told when we said it
            self._tell(topics)

    def _tell(self, topics: Collection[str] | None) -> None:
        for listener in self._listeners:
            listener(topics)


def encode(process: str, topics: Collection[str]) -> str:
    """What travels: who says it, and the topics; "everything" where these are too many."""
    payload = " ".join((process, *sorted(topics)))
    return payload if len(payload.encode()) <= LONGEST_PAYLOAD else f"{process} {EVERYTHING}"


def decode(payload: str) -> tuple[str, list[str] | None]:
    process, _, topics = payload.partition(" ")
    return process, None if topics == EVERYTHING else topics.split()


def _jittered(seconds: float) -> float:
    """Not exactly so long, so that processes that lost something together do not all come back together."""
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311
