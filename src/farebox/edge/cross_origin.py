"""Which other sites' scripts may ask the API."""

from typing import Final

from litestar.config.cors import CORSConfig

from farebox.core.settings import Settings

SENT: Final = ["Accept-Language", "Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-ID"]
SHOWN: Final = [
    "Content-Disposition",
    "ETag",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-ID",
]
LASTS_SECONDS: Final = 600


def cors_config(settings: Settings) -> CORSConfig | None:
    """For the origins of `FAREBOX_CLIENT_ORIGINS`; `None`, and not a step in any request, where none is named.

    They send their credential in a header. Cookies are for our own pages: a browser neither sends them for such an
    origin nor shows it what came of them.
    """
    if not settings.client_origins:
        return None
    return CORSConfig(
        allow_origins=settings.client_origin_list,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=SENT,
        expose_headers=SHOWN,
        allow_credentials=False,
        max_age=LASTS_SECONDS,
    )
