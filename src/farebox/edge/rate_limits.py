"""How often one address may ask: a fixed window for each bucket, counted in this process.

A handler may name its bucket by `opt={"rate": "lookup"}`; otherwise changes count as `write`, and reading is free.
Whoever comes too often gets 429 with `Retry-After`; everybody sees where they stand in the `RateLimit-*` headers.
"""

import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import DefineMiddleware
from litestar.types import ASGIApp, Middleware, Receive, Scope, Send

from farebox.core.errors import DomainError
from farebox.core.i18n import N_
from farebox.core.settings import Settings
from farebox.edge.access import SAFE_METHODS
from farebox.edge.observe import RESPONSE_HEADERS

WINDOW_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many requests of one address in one window."""

    name: str
    limit: int


BUCKETS: Mapping[str, Bucket] = {
    bucket.name: bucket
    for bucket in (
        Bucket("write", 100),
        Bucket("sign-in", 30),
        Bucket("lookup", 20),
        Bucket("booking", 60),
        Bucket("seats", 3000),  # seat maps are polled every few seconds, by several people behind one address
        Bucket("webhook", 6000),  # a provider's servers are few, and its calls are signed
    )
}

WINDOWS = "farebox_rate_windows"
"""Key of the request's state: the counters."""

MAX_CLIENTS = 50_000
"""Counters kept at most: about 10 MB. When they are full, the oldest windows are forgotten first."""


class TooManyRequests(DomainError):
    """This address has used up its bucket. `retry_after` is in seconds."""

    code = "too-many-requests"
    message = N_("That was too often. Try again in {retry_after} seconds.")


class Windows:
    """Counts requests in fixed windows that begin with a client's first request."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def count(self, bucket: Bucket, client: str) -> tuple[int, int]:
        """Count one request; return how many are left (-1: one too many) and the seconds until the window ends."""
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

    def _forget(self, now: float) -> None:
        """Drop what has ended, and a tenth more if that was not enough: windows end in the order they were made."""
        for key, (ends, _) in list(self._windows.items()):
            if ends > now and len(self._windows) < MAX_CLIENTS * 9 // 10:
                return
            del self._windows[key]


def rate_limit_middleware(settings: Settings) -> list[Middleware]:
    """The middleware for the application's list: one set of counters for all routes; none when limits are off."""
    return [DefineMiddleware(limit_rates, windows=Windows())] if settings.rate_limits == "on" else []


def limit_rates(app: ASGIApp, windows: Windows) -> ASGIApp:
    """Count requests by the client's address; IPv6 clients by their /64, which is one household's.

    Belongs inside the router, where the route is known.
    """

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            scope["state"][WINDOWS] = windows
            bucket = _bucket(scope)
            if bucket is not None:
                _count(scope, windows, bucket)
        await app(scope, receive, send)

    return limited


def count_also(connection: ASGIConnection[Any, Any, Any, Any], name: str) -> None:
    """Count a request in one more bucket, for what it turned out to want: a generous route may do something dear.

    Raises:
        TooManyRequests: that bucket is used up.
    """
    windows = connection.scope["state"].get(WINDOWS)
    if windows is not None:  # else limits are off
        _count(connection.scope, windows, BUCKETS[name])


def _count(scope: Scope, windows: Windows, bucket: Bucket) -> None:
    left, seconds = windows.count(bucket, _client(scope))
    scope["state"][RESPONSE_HEADERS] = [
        (b"ratelimit-limit", b"%d" % bucket.limit),
        (b"ratelimit-remaining", b"%d" % max(left, 0)),
        (b"ratelimit-reset", b"%d" % seconds),
    ]
    if left < 0:
        raise TooManyRequests(retry_after=seconds)


def _bucket(scope: Scope) -> Bucket | None:
    name = scope["route_handler"].opt.get("rate")
    if name is not None and scope.get("method") != "OPTIONS":
        return BUCKETS[name]
    return BUCKETS["write"] if scope.get("method") not in SAFE_METHODS else None


def _client(scope: Scope) -> str:
    host = scope["client"][0] if scope["client"] else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((address, 64), strict=False).network_address)
    return host
