"""Counting in fixed windows that begin with the first request: in this process, or in a Redis for several."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, Protocol

import structlog

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 900

MAX_CLIENTS = 50_000
"""Counters kept at most: about 10 MB. When they are full, the oldest windows are forgotten first."""

PATIENCE_SECONDS: Final = 0.25
"""How long a Redis may take to count; it usually takes less than one of its thousandths."""

AVOID_SECONDS: Final = 5.0
"""After a Redis has failed, counting goes on in this process for so long, and nobody waits for it."""

COUNT = """
local used = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], left)
end
return {used, left}
"""
"""Counts and begins the window in one step, so that no counter is left without an end."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many requests in one window: of one address, and of one account where it asks with one."""

    name: str
    limit: int


class Counter(Protocol):
    """Counts one request; tells how many are left (-1: one too many) and the seconds until the window ends."""

    async def count(self, bucket: Bucket, client: str) -> tuple[int, int]: ...

    async def close(self) -> None: ...


class Windows:
    """Counts in this process's memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    async def count(self, bucket: Bucket, client: str) -> tuple[int, int]:
        now = self._clock()
        key = (bucket.name, client)
        ends, used = self._windows.get(key, (0.0, 0))
        if ends <= now:
            self._windows.pop(key, None)  # so that it is inserted anew, behind the older ones
            ends, used = now + WINDOW_SECONDS, 0
            if len(self._windows) >= MAX_CLIENTS:
                self._forget(now)
        used = min(used + 1, bucket.limit + 1)
        self._windows[key] = (ends, used)
        return bucket.limit - used, ceil(ends - now)

    async def close(self) -> None:
        return None

    def _forget(self, now: float) -> None:
        """Drop what has ended, and a tenth more if that was not enough: windows end in the order they were made."""
        for key, (ends, _) in list(self._windows.items()):
            if ends > now and len(self._windows) < MAX_CLIENTS * 9 // 10:
                return
            del self._windows[key]


class SharedWindows:
    """Counts in a Redis, for all processes together; in this one's memory while the Redis is not to be had."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        # loaded where a Redis is named only
        from redis.asyncio import Redis  # noqa: PLC0415
        from redis.exceptions import RedisError  # noqa: PLC0415

        self._redis: Any = Redis.from_url(url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS)
        self._count = self._redis.register_script(COUNT)
        self._failures = (RedisError, OSError, TimeoutError)
        self._clock = clock
        self._avoid_until = 0.0
        self._own = Windows(clock)

    async def count(self, bucket: Bucket, client: str) -> tuple[int, int]:
        if self._clock() >= self._avoid_until:
            try:
                key = f"farebox:rate:{bucket.name}:{client}"
                used, left_ms = await self._count(keys=[key], args=[WINDOW_SECONDS * 1000])
                return max(bucket.limit - used, -1), ceil(left_ms / 1000)
            except self._failures as error:
                self._avoid_until = self._clock() + AVOID_SECONDS
                log.warning("rate-limits-not-shared", error=type(error).__name__, seconds=AVOID_SECONDS)
        return await self._own.count(bucket, client)

    async def close(self) -> None:
        await self._redis.aclose()
