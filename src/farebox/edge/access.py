"""Who may call a route. Default deny: a route without a rule does not start.

Each handler declares `opt={"access": …}`:

- `public`: anybody;
- `guest`: a guest session or better;
- `booking`: a guest session, or a session that reaches one booking (after the one-time code);
- `staff`: people of the operator;
- `internal`: this machine, or the operations password.

A rule opens the door only; which booking or departure is reached is decided in each query by the actor.
"""

import base64
import binascii
import ipaddress
import secrets
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler

from farebox.accounts import ANONYMOUS, Actor, authenticate
from farebox.core.db import UnitOfWork
from farebox.core.errors import NotAllowed, SignInRequired
from farebox.edge.observe import RESPONSE_HEADERS

Access = Literal["public", "guest", "booking", "staff", "internal"]
ACCESS_RULES: frozenset[str] = frozenset(get_args(Access))

SESSION_COOKIE = "farebox_session"
BOOKING_COOKIE = "farebox_booking"
"""Carries the credential for one booking, to that booking's pages only; the visitor's own session stays beside it."""
PROXY_HEADERS = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Connection = ASGIConnection[Any, Any, Any, Any]


def credential(connection: Connection) -> str | None:
    """The token of a request: the Authorization header, or the browser's cookie.

    A cookie alone never changes anything through the API: pages carry a CSRF token, API calls a header.
    """
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    is_api = connection.scope["path"].startswith("/api/")
    if is_api and connection.scope.get("method", "GET") not in SAFE_METHODS:
        return None
    return connection.cookies.get(BOOKING_COOKIE) or connection.cookies.get(SESSION_COOKIE)


async def resolve_actor(connection: Connection, work: UnitOfWork) -> Actor:
    """Who is asking, as far as the route's rule wants to know.

    Raises:
        SignInRequired: no credential where one is needed, or one that is unknown or has run out.
        NotAllowed: a credential that does not open this route.
    """
    rule = rule_of(connection.route_handler)
    token = credential(connection)
    if token is None:
        if rule != "public":
            raise SignInRequired
        return ANONYMOUS
    try:
        actor = await _authenticate(connection, work, token)
    except SignInRequired:
        if rule == "public" and "authorization" not in connection.headers:
            return ANONYMOUS  # an old cookie is no reason to refuse a page that anybody may see
        raise
    if rule == "staff" and actor.kind != "staff":
        raise NotAllowed
    if rule == "guest" and actor.kind not in {"guest", "staff"}:
        raise NotAllowed
    return actor


async def _authenticate(connection: Connection, work: UnitOfWork, token: str) -> Actor:
    try:
        return await authenticate(work, token)
    except SignInRequired:
        own = connection.cookies.get(SESSION_COOKIE)
        if own is None or token != connection.cookies.get(BOOKING_COOKIE):
            raise
        return await authenticate(work, own)  # the credential for the booking has run out, the visitor's own may do


def rule_of(handler: BaseRouteHandler) -> str:
    rule = handler.opt.get("access")
    if rule not in ACCESS_RULES:
        raise NotAllowed
    return str(rule)


def guard_access(connection: Connection, handler: BaseRouteHandler) -> None:
    """The application's first guard: refuses routes without a rule, and the internal ones from outside.

    A browser is told to ask for the operations password.
    """
    if rule_of(handler) == "internal" and not is_internal(connection):
        connection.scope["state"][RESPONSE_HEADERS] = [(b"www-authenticate", b'Basic realm="Farebox operations"')]
        raise NotAuthorizedException


def is_internal(connection: Connection) -> bool:
    """Whether a request comes from this very machine, not through a proxy, or carries the operations password."""
    if _comes_from_here(connection):
        return True
    expected: str = connection.app.state.operations_password
    return secrets.compare_digest(_password(connection).encode(), expected.encode())


def _comes_from_here(connection: Connection) -> bool:
    """From a loopback address, to a loopback address, with nothing that a proxy adds.

    A page on the internet can point its own name at this machine and have a visitor's browser ask; the name in the
    request gives that away.
    """
    client = connection.client
    if client is None or not PROXY_HEADERS.isdisjoint(connection.headers):
        return False
    try:
        asked = urlsplit(f"//{connection.headers.get('host', '')}").hostname or ""
    except ValueError:
        return False
    return _is_loopback(client.host) and _is_loopback(asked)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _password(connection: Connection) -> str:
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
