"""HEAD wherever GET is: the same answer without its body (RFC 9110, 9.3.2)."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.types.asgi_types import HTTPResponseBodyEvent


def answer_heads(app: ASGIApp) -> ASGIApp:
    """Asks the application for what GET would get, and sends on how that begins.

    The server keeps the scope, in which it looks up that nothing may follow; the application gets a copy.
    """

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "HEAD":
            await app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send(HTTPResponseBodyEvent(type="http.response.body", body=b"", more_body=False))

        asked = scope.copy()
        asked["method"] = "GET"
        await app(asked, receive, send_head)

    return middleware
