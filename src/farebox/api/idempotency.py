"""`Idempotency-Key` on every write of the API: sent again with the same body, it gets the stored answer.

The key belongs to whoever sends it, whatever token they have by now; used for another route or body, it is refused.
Without a credential it is ignored: an answer kept for nobody in particular would be told to anybody who guesses it.
"""

import gzip
import hashlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.types.asgi_types import HTTPResponseBodyEvent, HTTPResponseStartEvent

from farebox.api.reading import given_again, read_whole
from farebox.core.errors import FieldError, Invalid, SignInRequired
from farebox.core.i18n import N_
from farebox.core.idempotency import (
    Answer,
    IdempotencyMismatch,
    IdempotencyRunning,
    begin_request,
    forget_request,
    keep_answer,
)
from farebox.edge.access import SAFE_METHODS
from farebox.wiring import Services

LONGEST_KEY = 255

KEPT_HEADERS = frozenset({"cache-control", "content-language", "content-type", "location"})
REPLAYED = (b"idempotency-replayed", b"true")

IDEMPOTENT = (IdempotencyMismatch, IdempotencyRunning)
"""What any write may answer to an `Idempotency-Key`."""


def idempotency_middleware(services: Services) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware for the API's routers."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            headers = dict(scope["headers"])
            key, authorization = headers.get(b"idempotency-key"), headers.get(b"authorization")
            method = str(scope.get("method", "GET"))
            if method in SAFE_METHODS or key is None or authorization is None:
                await app(scope, receive, send)
                return
            whose = await _whose(authorization, services)
            if whose is None:
                await app(scope, receive, send)
                return
            database, secrets = services.database, services.secrets
            digest = _digest(whose, _checked(key))
            body = await read_whole(receive)
            body_digest = _digest(method.encode(), scope["path"].encode(), scope["query_string"], body)
            async with database.begin() as work:
                answer = await begin_request(work, digest, body_digest, secrets=secrets)
            if answer is not None:
                await _replay(answer, send)
                return

            async def end(answer: Answer | None) -> None:
                async with database.begin() as work:
                    if answer is not None:
                        await keep_answer(work, digest, answer, secrets=secrets)
                    else:
                        await forget_request(work, digest)

            recorder = _Recorder(send, end)
            try:
                await app(scope, given_again(body, receive), recorder)
            finally:
                if not recorder.is_whole:
                    await end(None)

        return middleware

    return wrap


class _Recorder:
    """Passes an answer on. Before its end goes out it is kept: whoever has the whole of it may ask again at once."""

    def __init__(self, send: Send, end: Callable[[Answer | None], Awaitable[None]]) -> None:
        self._send = send
        self._end = end
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self.is_whole = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            self._body += message["body"]
            self.is_whole = not message["more_body"]
            if self.is_whole:
                await self._end(self._answer())
        await self._send(message)

    def _answer(self) -> Answer | None:
        """What was answered, unless asking again is right: after our own failures, refusals for now, no credential."""
        is_passing = self._status >= HTTPStatus.INTERNAL_SERVER_ERROR or "retry-after" in self._headers
        if is_passing or self._status == HTTPStatus.UNAUTHORIZED:
            return None
        is_packed = self._headers.get("content-encoding") == "gzip"  # the only coding that the application uses
        try:
            body = (gzip.decompress(self._body) if is_packed else self._body).decode()
        except UnicodeDecodeError:
            return None
        return Answer(self._status, {name: self._headers[name] for name in KEPT_HEADERS & self._headers.keys()}, body)


async def _whose(authorization: bytes, services: Services) -> bytes | None:
    """Who has a credential, by a name that outlives it; `None`: nobody, as the route will say."""
    _, _, token = authorization.decode("latin-1").partition(" ")
    try:
        actor = await services.sessions.authenticate(token.strip())
    except SignInRequired:
        return None
    return f"{actor.kind}:{actor.id}:{actor.booking_id}".encode()


def _checked(key: bytes) -> bytes:
    if not key.strip() or len(key) > LONGEST_KEY:
        message = N_("An Idempotency-Key has 1 to 255 characters.")
        raise Invalid([FieldError("Idempotency-Key", "invalid-idempotency-key", message)])
    return key.strip()


def _digest(*parts: bytes) -> bytes:
    """A digest in which the parts cannot run into each other."""
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


async def _replay(answer: Answer, send: Send) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    body = answer.body.encode()
    headers += [(b"content-length", str(len(body)).encode()), REPLAYED]
    await send(HTTPResponseStartEvent(type="http.response.start", status=answer.status, headers=headers))
    await send(HTTPResponseBodyEvent(type="http.response.body", body=body, more_body=False))
