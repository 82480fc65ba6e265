"""The ASGI application: pages for people, JSON for programs, health for machines."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme

from farebox import __version__
from farebox.api import api_routers
from farebox.api.health import HEALTH_HANDLERS
from farebox.core.crypto import once_made_password
from farebox.edge.access import guard_access
from farebox.edge.dependencies import shared_dependencies
from farebox.edge.middleware import harden_responses, speak_the_readers_language
from farebox.edge.observe import log_unexpected, observe
from farebox.edge.rate_limits import rate_limit_middleware
from farebox.web.static_files import favicon, static_file
from farebox.web.templating import template_config
from farebox.wiring import Services

Lifespan: TypeAlias = Callable[[Litestar], AbstractAsyncContextManager[None]]

CSRF_COOKIE = "farebox_csrf"


def create_app(services: Services, *, lifespan: Sequence[Lifespan] = ()) -> Litestar:
    """Build the application around the process's services.

    Args:
        lifespan: what lives as long as the application, such as its background work; it disposes of the services.
    """
    settings = services.settings
    is_https = settings.base_url.startswith("https:")
    app = Litestar(
        route_handlers=[*api_routers(services), *HEALTH_HANDLERS, static_file, favicon],
        dependencies=shared_dependencies(services),
        guards=[guard_access],
        middleware=rate_limit_middleware(settings),
        after_exception=[log_unexpected],
        lifespan=list(lifespan),
        logging_config=None,
        csrf_config=CSRFConfig(
            secret=services.secrets.derive("csrf").hex(),
            cookie_name=CSRF_COOKIE,
            cookie_secure=is_https,
            cookie_httponly=True,
            exclude=["^/api/", "^/health/", "^/metrics"],
        ),
        template_config=template_config(),
        compression_config=CompressionConfig(backend="gzip", gzip_compress_level=5, minimum_size=1024),
        openapi_config=OpenAPIConfig(
            title="Farebox",
            version=__version__,
            description="Search trips, hold seats, book, pay, get tickets. Errors are problem documents (RFC 9457).",
            license=License(name="Apache-2.0", identifier="Apache-2.0"),
            openapi_router=Router(
                "/api/v1/openapi.json", route_handlers=[], opt={"access": "public"}, include_in_schema=False
            ),
            render_plugins=[JsonRenderPlugin(path="/")],
            components=Components(
                security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer", description="A guest token.")}
            ),
        ),
        state=State({"operations_password": settings.metrics_token or once_made_password(settings.home, "operations")}),
        debug=False,
    )
    # around the router, so that "no such page" and refusals by middleware are translated, hardened and seen too
    app.asgi_handler = observe(harden_responses(speak_the_readers_language(app.asgi_handler)))
    return app
