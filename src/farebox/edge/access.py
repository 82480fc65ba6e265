"""Who may call a route. Default deny: a route without a rule does not start.

Each handler declares `opt={"access": …}`:

- `public`: anybody;
- `guest`: a guest session or better;
- `booking`: who may have a booking: the same, a session that reaches one booking (after the one-time code), an API key;
- `user`: a person who has signed in;
- `staff`: who may do for some operator, or everywhere, what `opt={"permission": …}` names: people, with a second proof
  where the operator or the platform asks for one, and keys and devices that were given it;
- `internal`: this machine, or the operations password.

With `opt={"step_up": True}` a person must besides have proved within the last minutes who they are.

A rule opens the door only; which booking or departure is reached is decided in each query by the actor.
"""

import base64
import binascii
import ipaddress
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Literal, get_args
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.exceptions import ImproperlyConfiguredException, NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.middleware.csrf import CSRF_SECRET_LENGTH, generate_csrf_hash
from litestar.plugins import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute, WebSocketRoute
from litestar.types import ASGIApp, Receive, Scope, Send

from farebox.accounts import (
    ANONYMOUS,
    Actor,
    Permission,
    SecondProofRequired,
    Sessions,
    StepUpRequired,
    has_second_proof,
)
from farebox.core.errors import NotAllowed, SignInRequired
from farebox.edge.observe import RESPONSE_HEADERS

Access = Literal["public", "guest", "booking", "user", "staff", "internal"]
ACCESS_RULES: frozenset[str] = frozenset(get_args(Access))

KINDS: Final[Mapping[str, frozenset[str]]] = {
    "guest": frozenset({"guest", "user"}),
    "booking": frozenset({"guest", "user", "partner"}),
    "user": frozenset({"user"}),
    "staff": frozenset({"user", "partner", "device"}),
    "internal": frozenset(),
}
"""Whose credentials a rule takes at all."""

PROOF_LASTS: Final = timedelta(minutes=10)
"""How long after it a proof counts as fresh, where a route asks for a fresh one."""

SESSION_COOKIE = "farebox_session"
BOOKING_COOKIE = "farebox_booking"
"""Carries the credential for one booking, to that booking's pages only; the visitor's own session stays beside it."""
IS_STAFF: Final = "farebox_is_staff"
"""Key of a request's state: whoever asks acts for somebody else, so that pages can show the way to the console."""

CSRF_HEADER: Final = "x-csrftoken"

PROXY_HEADERS = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Connection = ASGIConnection[Any, Any, Any, Any]


def credential(connection: Connection) -> str | None:
    """The token of a request: the Authorization header, or the browser's cookie.

    A cookie alone never changes anything through the API. With it must come what only a page of ours can read: the
    CSRF token that its forms carry, here in the header `X-CSRFToken`.
    """
    scheme, _, token = _authorization(connection).partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    is_api = connection.scope["path"].startswith("/api/")
    if is_api and connection.scope.get("method", "GET") not in SAFE_METHODS and not _is_our_page(connection):
        return None
    return connection.cookies.get(BOOKING_COOKIE) or connection.cookies.get(SESSION_COOKIE)


def _is_our_page(connection: Connection) -> bool:
    """Whether a request carries the token of the browser's CSRF cookie, made by us, as forms do."""
    config = connection.app.csrf_config
    token = connection.headers.get(CSRF_HEADER, "")
    kept = connection.cookies.get(config.cookie_name, "") if config else ""
    if config is None or not token or not secrets.compare_digest(token.encode(), kept.encode()):
        return False
    made, signature = token[:CSRF_SECRET_LENGTH], token[CSRF_SECRET_LENGTH:]
    return secrets.compare_digest(signature.encode(), generate_csrf_hash(made, config.secret).encode())


async def resolve_actor(connection: Connection, sessions: Sessions) -> Actor:
    """Who is asking, as far as the route's rule wants to know.

    Raises:
        SignInRequired: no credential where one is needed, or one that is unknown or has run out.
        NotAllowed: a credential that does not open this route.
        SecondProofRequired, StepUpRequired: one that would, once its owner has proved more.
    """
    rule = rule_of(connection.route_handler)
    token = credential(connection)
    if token is None:
        if rule != "public":
            raise SignInRequired
        return ANONYMOUS
    try:
        actor = await _authenticate(connection, sessions, token)
    except SignInRequired:
        if rule == "public" and "authorization" not in connection.headers:
            return ANONYMOUS  # an old cookie is no reason to refuse a page that anybody may see
        raise
    if rule != "public":
        _refuse_others(actor, rule, connection.route_handler.opt, sessions)
    if actor.grants or actor.withheld:
        connection.scope["state"][IS_STAFF] = True
    return actor


def _refuse_others(actor: Actor, rule: str, opt: Mapping[str, Any], sessions: Sessions) -> None:
    """Raises what `resolve_actor` raises for an actor for whom a route is not."""
    if actor.kind not in KINDS[rule] or (actor.booking_id is not None and rule != "booking"):
        raise NotAllowed
    if rule == "staff" and not actor.may(opt["permission"]):
        raise SecondProofRequired if actor.lacks_proof(opt["permission"]) else NotAllowed
    if opt.get("step_up") and not _is_proved_now(actor, sessions):
        raise StepUpRequired


def _is_proved_now(actor: Actor, sessions: Sessions) -> bool:
    """By the second factor too, where they have one: a password alone may be known to somebody else."""
    if actor.proved_at is None or sessions.clock() - actor.proved_at > PROOF_LASTS:
        return False
    return has_second_proof(actor) or not actor.has_second_factor


async def _authenticate(connection: Connection, sessions: Sessions, token: str) -> Actor:
    try:
        return await sessions.authenticate(token)
    except SignInRequired:
        own = connection.cookies.get(SESSION_COOKIE)
        if own is None or token != connection.cookies.get(BOOKING_COOKIE):
            raise
        return await sessions.authenticate(own)  # the credential for the booking has run out, the visitor's own may do


def _authorization(connection: Connection) -> str:
    """Read from what came in: every request comes here, and a dictionary of all its headers takes longer to make."""
    return next(
        (value.decode("latin-1") for name, value in connection.scope["headers"] if name == b"authorization"), ""
    )


def rule_of(handler: BaseRouteHandler) -> str:
    rule = handler.opt.get("access")
    if rule not in ACCESS_RULES:
        raise NotAllowed
    return str(rule)


class CheckAccess(ReceiveRoutePlugin):
    """Lets no application start with a route that does not say who may call it."""

    def receive_route(self, route: BaseRoute) -> None:
        handlers: list[BaseRouteHandler] = []
        if isinstance(route, HTTPRoute):
            handlers = [each for each in route.route_handlers if "OPTIONS" not in each.http_methods]
        elif isinstance(route, WebSocketRoute):
            handlers = [route.route_handler]
        for handler in handlers:
            rule = handler.opt.get("access")
            if rule not in ACCESS_RULES:
                raise ImproperlyConfiguredException(f"{route.path} has no access rule")
            if rule == "staff" and not isinstance(handler.opt.get("permission"), Permission):
                raise ImproperlyConfiguredException(f"{route.path} is for staff and names no permission")
            if handler.opt.get("step_up") and rule not in {"user", "staff"}:
                raise ImproperlyConfiguredException(f"{route.path} asks for a fresh proof of people who give none")


def guard_access(app: ASGIApp) -> ASGIApp:
    """Refuses routes without a rule, and the internal ones from outside.

    Belongs inside the router, where the route is known. Plain middleware, since a guard of Litestar's costs each
    request a copy of its handler. A browser is told to ask for the operations password.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if rule_of(scope["route_handler"]) == "internal" and not is_internal(ASGIConnection(scope)):
            scope["state"][RESPONSE_HEADERS] = [(b"www-authenticate", b'Basic realm="Farebox operations"')]
            raise NotAuthorizedException
        await app(scope, receive, send)

    return guarded


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
