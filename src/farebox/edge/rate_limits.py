"""How often one address, and one account, may ask: a fixed window for each bucket.

A handler may name its bucket by `opt={"rate": "lookup"}`; otherwise changes count as `write`, those of staff as
`staff`, and reading is free. Counted is twice: by the address, before anything else is known, and by the person, key or
device whose credential turned out to be good, from however many addresses they ask.
Whoever comes too often gets 429 with `Retry-After`; everybody sees where they stand in the `RateLimit-*` headers.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import DefineMiddleware
from litestar.types import ASGIApp, Middleware, Receive, Scope, Send

from farebox.accounts import Actor
from farebox.core.errors import DomainError
from farebox.core.i18n import N_
from farebox.core.settings import Settings
from farebox.edge.access import SAFE_METHODS
from farebox.edge.observe import RESPONSE_HEADERS
from farebox.edge.windows import Bucket, Counter, SharedWindows, Windows

BUCKETS: Mapping[str, Bucket] = {
    bucket.name: bucket
    for bucket in (
        Bucket("write", 100),
        Bucket("staff", 3000),  # an office is one address, and a program one key
        Bucket("sign-in", 30),
        Bucket("lookup", 20),
        Bucket("booking", 60),
        Bucket("seats", 3000),  # seat maps are polled every few seconds, by several people behind one address
        Bucket("live", 1200),  # connections; each stays for long, but a server that restarts is asked by all at once
        Bucket("webhook", 6000),  # a provider's servers are few, and its calls are signed
    )
}

ACCOUNTS = frozenset({"user", "partner", "device"})
"""Kinds of actors whom another address does not make somebody else."""

WINDOWS = "farebox_rate_windows"
"""Key of the request's state: the counters."""

LEFT = "farebox_rate_left"
"""Key of the request's state: how many requests are left, as it was told."""


class TooManyRequests(DomainError):
    """This address, or this account, has used up its bucket. `retry_after` is in seconds."""

    code = "too-many-requests"
    message = N_("That was too often. Try again in {retry_after} seconds.")


def open_windows(settings: Settings) -> Counter | None:
    """One set of counters for all routes; `None` when limits are off."""
    if settings.rate_limits == "off":
        return None
    return SharedWindows(settings.redis_url) if settings.redis_url else Windows()


def rate_limit_middleware(windows: Counter | None) -> list[Middleware]:
    """The middleware for the application's list."""
    return [] if windows is None else [DefineMiddleware(limit_rates, windows=windows)]


def limit_rates(app: ASGIApp, windows: Counter) -> ASGIApp:
    """Count requests by the client's address; IPv6 clients by their /64, which is one household's.

    Belongs inside the router, where the route is known.
    """

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"][WINDOWS] = windows
        if scope["type"] == ScopeType.HTTP:
            bucket = _bucket(scope)
            if bucket is not None:
                await _count(scope, windows, bucket, client_of(scope))
        await app(scope, receive, send)

    return limited


async def count_also(connection: ASGIConnection[Any, Any, Any, Any], name: str) -> None:
    """Count a request in one more bucket, for what it turned out to want: a generous route may do something dear.

    Raises:
        TooManyRequests: that bucket is used up.
    """
    windows = connection.scope["state"].get(WINDOWS)
    if windows is not None:  # else limits are off
        await _count(connection.scope, windows, BUCKETS[name], client_of(connection.scope))


async def count_account(connection: ASGIConnection[Any, Any, Any, Any], actor: Actor) -> None:
    """Count a request by the account that it came with, too.

    Raises:
        TooManyRequests: the account has used up its bucket.
    """
    windows = connection.scope["state"].get(WINDOWS)
    if windows is None or actor.kind not in ACCOUNTS:
        return
    bucket = _bucket(connection.scope)
    if bucket is not None:
        await _count(connection.scope, windows, bucket, f"{actor.kind}:{actor.id}")


async def _count(scope: Scope, windows: Counter, bucket: Bucket, client: str) -> None:
    left, seconds = await windows.count(bucket, client)
    if left < scope["state"].get(LEFT, left + 1):  # of several counts, they are told the one that will end first
        scope["state"][LEFT] = left
        scope["state"][RESPONSE_HEADERS] = [
            (b"ratelimit-limit", b"%d" % bucket.limit),
            (b"ratelimit-remaining", b"%d" % max(left, 0)),
            (b"ratelimit-reset", b"%d" % seconds),
        ]
    if left < 0:
        raise TooManyRequests(retry_after=seconds)


def _bucket(scope: Scope) -> Bucket | None:
    opt = scope["route_handler"].opt
    name = opt.get("rate")
    if name is not None and scope.get("method") != "OPTIONS":
        return BUCKETS[name]
    if scope.get("method", "GET") in SAFE_METHODS:
        return None
    return BUCKETS["staff" if opt.get("access") == "staff" else "write"]


def client_of(scope: Scope) -> str:
    """Who is asking, as far as counting goes: an address, or the network of one household."""
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
