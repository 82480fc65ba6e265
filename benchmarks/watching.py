"""Thousands of WebSocket watchers in one process: `python -m benchmarks.watching PORT PATH COUNT`.

Thin: a watcher knows frames, and keeps the instant at which each of its messages came. Says "watching" once all have
their first message, and answers a line on its standard input with a line of all the instants since.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from typing import cast

import uvloop

CONNECTING = 64
PORTS_OF_AN_ADDRESS = 20_000
TEXT, PING = 0x81, 0x89


class Watcher(asyncio.Protocol):
    """One connection. `arrivals`: when each text message was there, by the clock that all processes share."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._unread = b""
        self._is_open = False
        self.arrivals: list[float] = []
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own does not say that it is one
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        data = self._unread + data
        if not self._is_open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._unread = head
                return
            if b" 101 " not in head:
                self.first.set_exception(RuntimeError(head.decode()))
                return
            self._is_open = True
        while len(data) >= 2:
            start, size = (4, int.from_bytes(data[2:4], "big")) if data[1] == 126 else (2, data[1])
            if len(data) < start + size:
                break
            if data[0] == TEXT:
                self.arrivals.append(now)
            elif data[0] == PING:
                masked = bytes([0x8A, 0x80 | size, 0, 0, 0, 0]) + data[start : start + size]
                self._transport.write(masked)
            data = data[start + size :]
        self._unread = data
        if self.arrivals and not self.first.done():
            self.first.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.first.done():
            said = self._unread[:200]
            self.first.set_exception(RuntimeError(f"the server closed the connection: {exc!r}, {said!r}"))


async def watch(port: int, path: str, count: int) -> None:
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()
    turn = asyncio.Semaphore(CONNECTING)
    loop = asyncio.get_running_loop()

    async def connect(number: int) -> Watcher:
        address = f"127.0.0.{1 + number // PORTS_OF_AN_ADDRESS}"
        async with turn:
            _, watcher = await loop.create_connection(
                lambda: Watcher(request), "127.0.0.1", port, local_addr=(address, 0)
            )
            await watcher.first
        return watcher

    watchers = await asyncio.gather(*map(connect, range(count)))
    print("watching", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        arrivals = [watcher.arrivals[1:] for watcher in watchers]
        print(json.dumps(arrivals), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(watch(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
    os._exit(0)  # thousands of sockets need no farewell
