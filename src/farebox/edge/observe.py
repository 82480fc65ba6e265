"""The outermost layer of every request: its id, its line in the log, its place in the metrics, its span.

Logged and counted is the route's template (`/api/v1/bookings/{booking_id}`), never the path or the query: those can
carry e-mail addresses and tokens. Nor is the client's address kept.
"""

import re
from functools import cache
from random import getrandbits
from time import perf_counter
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from prometheus_client import Counter, Histogram
from structlog.contextvars import bind_contextvars, reset_contextvars

from farebox.core import metrics
from farebox.core.db import is_outage
from farebox.core.errors import DomainError
from farebox.core.telemetry import request_span
from farebox.core.traffic import Traffic

log = structlog.get_logger("farebox.http")

REQUEST_ID = b"x-request-id"
RESPONSE_HEADERS = "farebox_response_headers"
"""Key of the request's state: headers for the response, whoever answers in the end."""

HUNG_UP = "client disconnected prematurely"
"""How the framework says that a request was not sent to its end. Nobody's mistake, and nobody is there to be told."""

UNMATCHED = "(no such route)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET_ROUTES = ("/static", "/health", "/metrics")

_sane_id = re.compile(rb"[A-Za-z0-9._-]{8,64}").fullmatch


def observe(app: ASGIApp, traffic: Traffic) -> ASGIApp:
    """Wrap the whole application. A sane `X-Request-ID` of the caller is kept, else one is made; either is returned."""

    logger = log.bind()  # resolved once: every request passes here

    async def observed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        started = perf_counter()
        leave = traffic.enter()
        request_id = _request_id(scope)
        status = 500  # until the application says otherwise

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                leave()
                status = message["status"]
                extra = scope["state"].get(RESPONSE_HEADERS, ())
                message["headers"] = [*message["headers"], (REQUEST_ID, request_id), *extra]
            await send(message)

        tokens = bind_contextvars(request_id=request_id.decode())
        try:
            with request_span(scope["headers"]) as span:
                try:
                    await app(scope, receive, send_with_id)
                finally:
                    _record(logger, scope, status, perf_counter() - started, span)
        finally:
            leave()
            reset_contextvars(**tokens)

    return observed


async def log_unexpected(error: Exception, scope: Scope) -> None:
    """The application's hook for exceptions: those that are nobody's intent go to the log with their trace."""
    if isinstance(error, DomainError) or (isinstance(error, HTTPException) and error.status_code < 500):  # noqa: PLR2004
        return
    if isinstance(error, HTTPException) and error.detail == HUNG_UP:
        return
    if is_outage(error):  # of every request while it lasts: a line each, no trace
        log.warning("database-unavailable", route=_route(scope), error=type(error).__name__)
    else:
        log.error("unexpected-error", route=_route(scope), exc_info=error)


def _record(logger: Any, scope: HTTPScope, status: int, seconds: float, span: Any) -> None:
    method = scope["method"] if scope["method"] in METHODS else "OTHER"
    route = _route(scope)
    requests, latency = _series(method, route, status)
    requests.inc()
    latency.observe(seconds)
    if span is not None:
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
    note = logger.debug if route.startswith(QUIET_ROUTES) else logger.info
    note("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), **_ids(scope))


@cache
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return metrics.REQUESTS.labels(method, route, status), metrics.LATENCY.labels(method, route)


def _route(scope: Scope | HTTPScope) -> str:
    return scope.get("path_template") or UNMATCHED


def _ids(scope: HTTPScope) -> dict[str, str]:
    """The things a request names by UUID, for whoever follows one booking through the log."""
    parameters: dict[str, Any] = scope.get("path_params") or {}
    return {name: str(value) for name, value in parameters.items() if name.endswith("_id")}


def _request_id(scope: Scope | HTTPScope) -> bytes:
    for name, value in scope["headers"]:
        if name == REQUEST_ID and _sane_id(value):
            return bytes(value)
    return b"%024x" % getrandbits(96)  # no secret, and must not be the same in two processes: seeded by the system
