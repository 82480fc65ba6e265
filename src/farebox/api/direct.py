"""A short way to the handlers that are asked thousands of times a second, past most of the framework.

For each request Litestar makes a request object, looks up what the handler wants, makes dictionaries of the body,
checks those against the signature, and builds a response: more work than many a handler does. One with
`opt={"direct": True}` is called at once. It is declared like any other, so its document and its rules are the same; it
takes `services`, `actor` unless it is for anybody, `data` if there is a body, and the parameters of its path, and
returns what is sent.

A body that is not what it must be goes the framework's way, which knows how to say what is wrong with it.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from farebox.api.problems import answer_domain_error
from farebox.api.reading import given_again, read_whole
from farebox.core.errors import DomainError
from farebox.edge.dependencies import identify
from farebox.edge.texts import NUL_IN_JSON
from farebox.wiring import Services

DIRECT: Final = "direct"
"""Key of a handler's `opt`."""

_CONTENT_TYPE: Final = (b"content-type", b"application/json")
_encode = msgspec.json.Encoder().encode


class _Direct:
    """What it takes to call a handler, looked up once."""

    def __init__(self, handler: HTTPRouteHandler) -> None:
        parameters = handler.parsed_fn_signature.parameters
        body = parameters.get("data")
        self.is_for_anybody = "actor" not in parameters
        self.call = handler.fn
        self.read = None if body is None else msgspec.json.Decoder(body.annotation).decode
        self.status = handler.status_code


def direct_middleware(services: Services) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware for the API's routers, the innermost: the others have had their say before."""
    known: dict[HTTPRouteHandler, _Direct] = {}

    def wrap(app: ASGIApp) -> ASGIApp:
        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            handler: Any = scope["route_handler"]
            if DIRECT not in handler.opt:
                await app(scope, receive, send)
                return
            direct = known.get(handler) or known.setdefault(handler, _Direct(handler))
            arguments: dict[str, Any] = dict(scope["path_params"])
            if direct.read is not None:
                body = await read_whole(receive)
                try:
                    arguments["data"] = direct.read(body)
                    is_read = NUL_IN_JSON not in body
                except (ValueError, RecursionError):  # msgspec's errors and those of UTF-8 are of the former kind
                    is_read = False
                if not is_read:
                    await app(scope, given_again(body, receive), send)
                    return
            try:
                if not direct.is_for_anybody:
                    arguments["actor"] = await identify(ASGIConnection(scope), services)
                content = _encode(await direct.call(services=services, **arguments))
            except DomainError as error:
                request = Request[Any, Any, Any](scope, receive, send)
                await answer_domain_error(request, error).to_asgi_response(None, request)(scope, receive, send)
                return
            headers = [_CONTENT_TYPE, (b"content-length", b"%d" % len(content))]
            await send({"type": "http.response.start", "status": direct.status, "headers": headers})
            await send({"type": "http.response.body", "body": content, "more_body": False})

        return middleware

    return wrap
