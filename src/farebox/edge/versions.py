"""The API without its version: `/api/…` is `/api/v1/…`."""

from typing import Final

from litestar.types import ASGIApp, Receive, Scope, Send

VERSIONED: Final = "/api/v1/"
UNVERSIONED: Final = "/api/"


def name_the_version(app: ASGIApp) -> ASGIApp:
    """Lead requests for the API that name no version to the present one: the same handlers, with the same rules."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if path.startswith(UNVERSIONED) and not path.startswith(VERSIONED):
            scope["path"] = path = VERSIONED + path.removeprefix(UNVERSIONED)
            scope["raw_path"] = path.encode()
        await app(scope, receive, send)

    return middleware
