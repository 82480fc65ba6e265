"""Seat maps that change while one looks at them: over a WebSocket, or as an event stream."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from litestar import Request, WebSocket, get, websocket
from litestar.connection import ASGIConnection
from litestar.exceptions import WebSocketDisconnect
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter, QueryParameter
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_400_BAD_REQUEST
from litestar.types import Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from farebox.api.problems import answer_domain_error, problems
from farebox.api.trips import PLACE_OR_STOP
from farebox.coaches import LiveMaps, Message, TooManyWatchers, Watcher, owner_of
from farebox.core.db import is_outage
from farebox.core.errors import DomainError, FieldError, Invalid, NotAllowed, Unavailable
from farebox.core.i18n import N_
from farebox.edge.access import credential, resolve_actor
from farebox.edge.rate_limits import client_of, count_also
from farebox.edge.sockets import ENDLESS, GOING_AWAY, POLICY_VIOLATION, PUSH, TRY_AGAIN_LATER, text_frame
from farebox.timetable import DepartureNotFound, NotBoardable
from farebox.wiring import Services

Connection = ASGIConnection[Any, Any, Any, Any]

NO_SUCH_TRIP = 4404

SNAPSHOT_PAUSE_SECONDS = 1.0
"""A client gets no more than one snapshot in so long a time."""

IDLE_TALK_SECONDS = 0.05
"""What means nothing to us is not read faster than this."""

HEARTBEAT_SECONDS = 15.0
"""An event stream says something that often, so that proxies keep it open."""

QUEUED_MESSAGES = 100

_EVENT_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events until it has a few kilobytes of them
}


@websocket("/trips/{trip_id:str}/live", opt={"access": "public"})
async def watch_seats(socket: WebSocket[Any, Any, Any], services: Services, trip_id: str) -> None:
    """See the description of the API. Everything that can be refused is, by HTTP, before the connection is accepted."""
    with suppress(ClientDisconnected, WebSocketDisconnect):  # gone while we were answering
        await _watch(socket, services, _uuid_or_none(trip_id))


async def _watch(socket: WebSocket[Any, Any, Any], services: Services, trip_id: UUID | None) -> None:
    try:
        watcher = await _admit(socket, services, trip_id, "websocket")
    except TooManyWatchers:
        await socket.accept()
        await socket.close(TRY_AGAIN_LATER)
        return
    except DomainError as error:
        await _refuse(socket, error)
        return
    except Exception as error:
        if not is_outage(error):
            raise
        await _refuse(socket, Unavailable())
        return
    try:
        await socket.accept()
        scope: Any = socket.scope
        write: Callable[[bytes], None] = scope["extensions"][PUSH]["write"]
        end: Callable[[int], None] = scope["extensions"][PUSH]["end"]
        services.live.begin(
            watcher,
            lambda message: write(_frame(message)),
            lambda is_gone: end(NO_SUCH_TRIP if is_gone else GOING_AWAY),
        )
        await _answer(socket, services.live, watcher)
    finally:
        services.live.leave(watcher)


@get(
    "/trips/{trip_id:uuid}/live/sse",
    summary="Watch the seat map",
    operation_id="watchSeats",
    tags=["Trips"],
    opt={"access": "public", "rate": "live", "uncompressed": True},
    media_type="text/event-stream",
    responses={
        HTTP_200_OK: ResponseSpec(
            str, generate_examples=False, media_type="text/event-stream", description="Events without an end."
        ),
        **problems(DepartureNotFound, NotBoardable, Invalid, TooManyWatchers, NotAllowed),
    },
)
async def stream_seats(
    request: Request[Any, Any, Any],
    services: Services,
    trip_id: Annotated[UUID, Parameter(description="`tripId` of a trip that was found.")],
    from_id: Annotated[UUID | None, QueryParameter(name="from", description=PLACE_OR_STOP)] = None,
    to_id: Annotated[UUID | None, QueryParameter(name="to", description=PLACE_OR_STOP)] = None,
) -> ASGIResponse:
    """The seats of the ride as server-sent events: `snapshot` first, then a `delta` for each change, with the JSON that
    the WebSocket `/trips/{tripId}/live` sends. A new connection begins with a snapshot again.
    """
    return _EventStream(services.live, await _admit(request, services, trip_id, "sse"))


class _EventStream(ASGIResponse):
    """Ends when the client goes, or when the server stops."""

    def __init__(self, live: LiveMaps, watcher: Watcher) -> None:
        super().__init__(media_type="text/event-stream", headers=_EVENT_HEADERS)
        self._live = live
        self._watcher = watcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"][ENDLESS] = True
        messages: asyncio.Queue[Message] = asyncio.Queue()
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            headers = [(name, value) for name, value in self.encoded_headers if name != b"content-length"]
            await send({"type": "http.response.start", "status": HTTP_200_OK, "headers": headers})
            self._live.begin(self._watcher, messages.put_nowait, lambda _: gone.cancel())
            while not gone.done() and messages.qsize() < QUEUED_MESSAGES:
                following = asyncio.ensure_future(messages.get())
                await asyncio.wait([following, gone], timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                body = _event(following.result()) if following.done() else b": \n\n"
                following.cancel()
                await send({"type": "http.response.body", "body": body, "more_body": True})
        finally:
            gone.cancel()
            self._live.leave(self._watcher)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _admit(connection: Connection, services: Services, trip_id: UUID | None, kind: str) -> Watcher:
    """The watcher that a connection asks to be.

    Raises:
        TooManyRequests, NotAllowed, SignInRequired: its address, its origin or its credential is not welcome.
        DepartureNotFound, NotBoardable, Invalid: it asks for something that is not there.
        TooManyWatchers: later, perhaps.
    """
    if kind == "websocket":  # the middleware counts requests only
        await count_also(connection, "live")
    if trip_id is None:
        raise DepartureNotFound
    owner = None
    if credential(connection) is not None:
        if "authorization" not in connection.headers and _is_foreign(connection, services.settings.base_url):
            raise NotAllowed
        owner = owner_of(await resolve_actor(connection, services.sessions))
    return await services.live.admit(
        trip_id,
        _stop(connection, "from"),
        _stop(connection, "to"),
        owner=owner,
        address=client_of(connection.scope),
        kind=kind,
    )


def _is_foreign(connection: Connection, base_url: str) -> bool:
    """Whether a page of somebody else makes a browser ask, with the cookie that the browser has for us."""
    origin = connection.headers.get("origin")
    if origin is None:
        return connection.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}
    try:
        theirs, ours = urlsplit(origin), urlsplit(base_url)
    except ValueError:
        return True
    if theirs.scheme != "https" and ours.scheme == "https":
        return True
    return theirs.netloc != connection.headers.get("host") and theirs[:2] != ours[:2]


async def _answer(socket: WebSocket[Any, Any, Any], live: LiveMaps, watcher: Watcher) -> None:
    """Hear what the client has to say, until it goes."""
    clock = asyncio.get_running_loop().time
    next_snapshot_at = clock() + SNAPSHOT_PAUSE_SECONDS
    while True:
        event: Any = await socket.receive()
        if event["type"] == "websocket.disconnect":
            return
        try:
            said = msgspec.json.decode(event.get("text") or event.get("bytes") or b"")
        except (msgspec.DecodeError, RecursionError):
            await socket.close(POLICY_VIOLATION, "not JSON")
            return
        if said == {"type": "snapshot"}:
            await asyncio.sleep(next_snapshot_at - clock())  # meanwhile the socket is not read: there is no queue
            next_snapshot_at = clock() + SNAPSHOT_PAUSE_SECONDS
            live.show_again(watcher)
        else:
            await asyncio.sleep(IDLE_TALK_SECONDS)


async def _refuse(socket: WebSocket[Any, Any, Any], error: DomainError) -> None:
    """Answer the handshake with a problem document instead."""
    answer = answer_domain_error(None, error)  # type: ignore[arg-type]
    status = answer.status_code
    if isinstance(error, Invalid):  # an id that is none
        status = HTTP_400_BAD_REQUEST
        answer.content |= {"status": status, "title": HTTPStatus(status).phrase}
    headers = {"Content-Type": str(answer.media_type), **answer.headers}
    encoded = [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
    send: Any = socket.send
    await socket.receive()
    await send({"type": "websocket.http.response.start", "status": status, "headers": encoded})
    await send({"type": "websocket.http.response.body", "body": msgspec.json.encode(answer.content)})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@lru_cache(maxsize=64)  # all watchers of a stretch get the same few
def _frame(message: Message) -> bytes:
    return text_frame(message.body)


@lru_cache(maxsize=64)
def _event(message: Message) -> bytes:
    return b"event: %b\nid: %d\ndata: %b\n\n" % (message.type.encode(), message.version, message.body)


def _stop(connection: Connection, name: str) -> UUID | None:
    given = connection.query_params.get(name)
    if given is None:
        return None
    stop_id = _uuid_or_none(given)
    if stop_id is None:
        raise Invalid([FieldError(name, "invalid", N_("This is not an id."))])
    return stop_id


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
