"""uvicorn's connections, made fit for thousands of readers that stay, and for those who do not read or write.

Two things are added for live maps. A frame that goes to many is written to each of them as it is, without a task, a
queue and an encoding for each. And what a client does not read is kept for a moment only: then its connection ends.
And a client says in good time, and briefly, what it wants: else one alone fills the memory with a head without an end.
"""

import asyncio
import socket
from asyncio.transports import BaseTransport
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from farebox.core.metrics import WATCHERS_DROPPED

PUSH: Final = "farebox.push"
"""Extension of a WebSocket's scope, two functions that do not wait: `write` a frame made by `text_frame`; `end` with a
code."""

ENDLESS: Final = "farebox.endless"
"""Key of a request's state: its response ends with the connection only. Not waited for when the server stops."""

UNREAD_BYTES = 32_768
"""What we keep for a client that does not read; the system's buffers keep about as much again."""

PATIENCE_SECONDS = 5.0
"""For a client that is told that its connection ends, and does not read that either."""

STALLED_SECONDS = 60.0
"""For a client that asked for something, and reads none of it."""

LARGEST_HEAD = 16_384
"""Bytes of a request beside its body, most of all its headers; browsers and proxies send a few thousand."""

MOST_WAITING = 10
"""Requests that a client may send before it has the answer to the first. Browsers and proxies send none."""

REQUEST_SECONDS = 30.0
"""For a client to send a request, body and all; and for its first byte, once it has connected."""

MOST_SAID = 16_384
"""Bytes that the client of a WebSocket may send at once. It has little to say, and each small frame costs us time."""

SAID_A_SECOND = 4096
"""And in the long run."""

GOING_AWAY = 1001
POLICY_VIOLATION = 1008
TRY_AGAIN_LATER = 1013


def text_frame(body: bytes) -> bytes:
    """A whole text message as a server sends it."""
    return Frame(Opcode.TEXT, body).serialize(mask=False)


class LiveWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that can be pushed to, and that drops a client which falls behind (1013) or talks too much (1008)."""

    _said: float = 0.0
    _said_at: float = 0.0

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=UNREAD_BYTES)
        _bound_system_buffer(self.transport)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            self.scope["extensions"][PUSH] = {"write": self.push, "end": self.end}

    def data_received(self, data: bytes) -> None:
        if self.handshake_initiated:
            now = self.loop.time()
            self._said = max(self._said - (now - self._said_at) * SAID_A_SECOND, 0.0) + len(data)
            self._said_at = now
            if self._said > MOST_SAID:
                self.end(POLICY_VIOLATION)
                return
        super().data_received(data)

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # a refusal is an answer; uvicorn would log each as an error of ours

    def push(self, frame: bytes) -> None:
        if self.handshake_complete and not self.close_sent and not self.transport.is_closing():
            self.transport.write(frame)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.loop.call_soon(self.drop)

    def drop(self) -> None:
        """End the connection: at once if the client reads, in a moment if it does not."""
        if self.handshake_complete and not self.close_sent and not self.disconnected:
            WATCHERS_DROPPED.labels("websocket").inc()
        self.end(TRY_AGAIN_LATER)

    def shutdown(self) -> None:
        if self.handshake_complete:
            self.end(GOING_AWAY)
        else:
            super().shutdown()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._abort_later()

    def end(self, code: int) -> None:
        """Say farewell and close; a client that does not read it is cut off in a moment."""
        self.stop_keepalive()
        if self.conn.state is not State.OPEN or self.close_sent:  # before its handshake, or after its farewell
            self.transport.abort()
            return
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
        self.conn.send_close(code)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()
        self._abort_later()

    def _abort_later(self) -> None:
        self.loop.call_later(PATIENCE_SECONDS, self.transport.abort)


class PatientHttp(HttpToolsProtocol):
    """HTTP that waits for a client to read on, but not for ever; and not at all where the response has no end. Nor does
    it wait for ever for what the client wants.
    """

    _stalled: asyncio.TimerHandle | None = None
    _awaited: asyncio.TimerHandle | None = None
    _is_midway: bool = False
    _beside_bodies: int = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        self._beside_bodies += len(data)  # the parser keeps what it cannot pass on yet: a name, a value, a trailer
        super().data_received(data)
        if self._is_midway and self._awaited is None:  # most requests come all at once: for those no clock is set
            self._await_request()
        if self._beside_bodies > LARGEST_HEAD and not self.transport.is_closing():
            cycle: Any = self.cycle
            if cycle is None or cycle.response_complete:
                self.send_400_response("The request has too large a head.")
            else:
                self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._forget_request()
        self._is_midway = True

    def on_headers_complete(self) -> None:
        self._beside_bodies = 0
        if self.parser.should_upgrade():
            self._forget_request()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > LARGEST_HEAD:
            raise ValueError  # it came all at once; the parser makes a bad request of it
        if len(self.pipeline) == MOST_WAITING:
            self.transport.abort()
            raise ValueError  # so that what else has come is not even parsed
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._beside_bodies = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._forget_request()
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._is_endless():
            WATCHERS_DROPPED.labels("sse").inc()
            self.loop.call_soon(self.transport.abort)
        elif self._stalled is None:
            self._stalled = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget_stall()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_stall()
        self._forget_request()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        if self._is_endless():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.transport.close()

    def _is_endless(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete and bool(cycle.scope["state"].get(ENDLESS))

    def _await_request(self) -> None:
        self._awaited = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _forget_request(self) -> None:
        self._beside_bodies = 0
        self._is_midway = False
        if self._awaited is not None:
            self._awaited.cancel()
            self._awaited = None

    def _forget_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


def _bound_system_buffer(transport: asyncio.Transport) -> None:
    """Else the system keeps some megabytes for each client that does not read, before we hear of it."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD_BYTES)
