"""The ASGI application: pages for people, JSON for programs, health for machines."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

from litestar import Litestar, Request, Response, Router
from litestar.config.compression import CompressionConfig
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, License, SecurityScheme
from litestar.types import ExceptionHandlersMap

from farebox import __version__
from farebox.api import api_router
from farebox.api.auth import well_known_keys
from farebox.api.document import BEARER, ContractDocument, DocumentAccess
from farebox.api.health import health_router
from farebox.api.problems import answer_domain_error, answer_http_error, answer_unexpected_error, status_of
from farebox.core.crypto import once_made_password
from farebox.core.errors import DomainError
from farebox.edge.access import CheckAccess, guard_access
from farebox.edge.cross_origin import cors_config
from farebox.edge.dependencies import shared_dependencies
from farebox.edge.heads import answer_heads
from farebox.edge.middleware import harden_responses, speak_the_readers_language, tame_cookies
from farebox.edge.observe import log_unexpected, observe
from farebox.edge.rate_limits import open_windows, rate_limit_middleware
from farebox.edge.texts import PlainRequest, refuse_nul
from farebox.edge.versions import name_the_version
from farebox.web import page_error_handlers, page_handlers, template_config
from farebox.wiring import Services

Lifespan: TypeAlias = Callable[[Litestar], AbstractAsyncContextManager[None]]

CSRF_COOKIE = "farebox_csrf"
LARGEST_FORM = 64_000
"""Bytes of a page's form: some times what sixty passengers need.

Forms are taken apart before anything is asked or counted, and two million tiny fields, which fit into a few megabytes,
take seconds in which nobody else is answered.
"""

DESCRIPTION = """
Search trips, hold seats, book, pay, get tickets. Errors are problem documents (RFC 9457). A field of a body that need
not be given may be `null`. HEAD is answered wherever GET is.

Seat maps are live over a WebSocket: `/api/v1/trips/{tripId}/live?from=&to=`. The server sends `{"type": "snapshot",
"tripId", "version", "seats": [{"number", "status"}]}` first, and then, for each change on the ride, `{"type":
"delta", "since", "version", "seats"}` with the seats that changed. A status is what the caller sees, as in the seat
map. Versions are integers of the one connection; whoever has another one than `since` sends `{"type": "snapshot"}`,
and gets a snapshot, one a second at most. The server pings every 20 seconds. It closes with 1001 when it stops, and
with 1013 when too many are watching or the caller reads too slowly: come back after a while, a little later than
others, or poll `/api/v1/trips/{tripId}/seats?since=` meanwhile. Credentials are those of any request, or none; a
cookie counts for our own pages only. `/api/v1/trips/{tripId}/live/sse` is the same as server-sent events.
""".strip()

UNCOMPRESSED = "uncompressed"
"""Key of a route's `opt`, for what must not be gathered into blocks."""

FOR_PROGRAMS = ("/api/", "/health/", "/metrics", "/.well-known/")
"""Where errors are answered with problem documents instead of pages."""


def create_app(services: Services, *, lifespan: Sequence[Lifespan] = ()) -> Litestar:
    """Build the application around the process's services.

    Args:
        lifespan: what lives as long as the application, such as its background work; it disposes of the services.
    """
    settings = services.settings
    windows = open_windows(settings)
    is_https = settings.base_url.startswith("https:")
    app = Litestar(
        route_handlers=[api_router(services), well_known_keys, health_router, *page_handlers(settings)],
        exception_handlers=_error_handlers(),
        dependencies=shared_dependencies(services),
        middleware=[*rate_limit_middleware(windows), guard_access, refuse_nul],
        request_class=PlainRequest,
        after_exception=[log_unexpected],
        lifespan=list(lifespan),
        on_shutdown=[windows.close] if windows else [],
        cors_config=cors_config(settings),
        logging_config=None,
        request_max_body_size=LARGEST_FORM,
        csrf_config=CSRFConfig(
            secret=services.secrets.derive("csrf").hex(),
            cookie_name=CSRF_COOKIE,
            cookie_secure=is_https,
            cookie_httponly=True,
            exclude=["^/api/", "^/health/", "^/metrics"],
        ),
        template_config=template_config(),
        compression_config=CompressionConfig(
            backend="gzip", gzip_compress_level=5, minimum_size=1024, exclude_opt_key=UNCOMPRESSED
        ),
        plugins=[CheckAccess(), DocumentAccess()],
        openapi_config=OpenAPIConfig(
            title="Farebox",
            version=__version__,
            description=DESCRIPTION,
            license=License(name="Apache-2.0", identifier="Apache-2.0"),
            openapi_router=Router(
                "/api/v1/openapi.json", route_handlers=[], opt={"access": "public"}, include_in_schema=False
            ),
            render_plugins=[ContractDocument(path="/")],
            components=Components(
                security_schemes={BEARER: SecurityScheme(type="http", scheme="bearer", description="A guest token.")}
            ),
        ),
        state=State(
            {
                "operations_password": settings.metrics_token or once_made_password(settings.home, "operations"),
                "shows_mailbox": not settings.is_production,
            }
        ),
        debug=False,
    )
    # around the router, so that "no such page" and refusals by middleware are translated, hardened and seen too
    translated = tame_cookies(speak_the_readers_language(name_the_version(app.asgi_handler)))
    observed = observe(harden_responses(translated, is_https=is_https), services.traffic)
    app.asgi_handler = answer_heads(observed)
    return app


def _error_handlers() -> ExceptionHandlersMap:
    """For what no router answers itself, such as an address that does not exist."""
    documents: dict[type[Exception], Callable[[Request[Any, Any, Any], Any], Response[Any]]] = {
        DomainError: answer_domain_error,
        HTTPException: answer_http_error,
        Exception: answer_unexpected_error,
    }
    pages = page_error_handlers(status_of)

    def either(kind: type[Exception]) -> Callable[[Request[Any, Any, Any], Exception], Response[Any]]:
        def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
            is_program = request.scope["path"].startswith(FOR_PROGRAMS)
            response: Response[Any] = (documents if is_program else pages)[kind](request, error)
            return response

        return answer

    return {kind: either(kind) for kind in documents}
