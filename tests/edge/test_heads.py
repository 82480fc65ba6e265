"""Clients that take long, or many bytes, to say what they want."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn

from farebox import server
from farebox.edge import sockets

START = b"GET / HTTP/1.1\r\nHost: farebox.example\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: farebox.example\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = 4_000_000


async def echo_length(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads the body and answers its length."""
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message["body"]), message["more_body"]
    body = str(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """Our own protocol around that application; the port."""
    config = server._config(echo_length)  # type: ignore[arg-type]
    config.lifespan = "off"
    config.load()
    state = uvicorn.server.ServerState()
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: sockets.PatientHttp(config, state, {}), "127.0.0.1", 0)
    async with listener:
        yield listener.sockets[0].getsockname()[1]


async def talk(port: int, *parts: bytes) -> bytes:
    """Everything that is answered until the server ends the connection, or has answered 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await asyncio.wait_for(writer.drain(), 20)
        async with asyncio.timeout(20):
            answer = await reader.read(4096)
            is_last = answer.startswith(b"HTTP/1.1 200") and b"close" not in parts[-1]
            return answer if is_last else answer + await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


async def pour(port: int, beginning: bytes, part: bytes) -> int:
    """How many bytes can be sent, a part after the other, before the server ends the connection; up to `ENDLESS`."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    writer.write(beginning)
    sent = 0
    with suppress(ConnectionError):
        while sent < ENDLESS:
            writer.write(part)
            sent += len(part)
            await asyncio.wait_for(writer.drain(), 20)
    writer.transport.abort()
    return sent


@pytest.mark.parametrize(
    ("beginning", "endless"),
    [
        (START, b"X: y\r\n"),
        (START + b"X: ", b"aaaaaa"),
        (b"GET /", b"aaaaaa"),
        (START + b"Cookie: ", b"a=b; "),
        (CHUNKED + b"3\r\nabc\r\n0\r\n", b"X: y\r\n"),
        (CHUNKED + b"3;", b"aaaaaa"),
    ],
    ids=["headers", "a value", "an address", "a cookie", "trailers", "a chunk's extension"],
)
async def test_a_request_without_an_end_is_cut_off_soon(beginning: bytes, endless: bytes) -> None:
    async with serving() as port:
        assert await pour(port, beginning, endless * 5000) < ENDLESS


async def test_a_large_head_is_refused_even_if_it_comes_all_at_once_and_a_usual_one_is_not() -> None:
    async with serving() as port:
        usual = START + b"Cookie: " + b"a" * (sockets.LARGEST_HEAD * 3 // 4) + b"\r\n\r\n"
        large = START + b"Cookie: " + b"a" * sockets.LARGEST_HEAD + b"\r\n\r\n"
        assert (await talk(port, usual)).startswith(b"HTTP/1.1 200 ")
        assert (await talk(port, large)).startswith(b"HTTP/1.1 400 ")


async def test_bodies_are_not_counted_as_heads() -> None:
    async with serving() as port:
        body = b"a" * (20 * sockets.LARGEST_HEAD)
        whole = START.replace(b"GET", b"POST") + b"Content-Length: %d\r\n\r\n" % len(body)
        assert (await talk(port, whole, body)).endswith(b"\r\n%d" % len(body))
        chunks = [b"%x\r\n" % len(body) + body + b"\r\n"] * 3 + [b"0\r\n\r\n"]
        assert (await talk(port, CHUNKED, *chunks)).endswith(b"\r\n%d" % (3 * len(body)))


async def test_many_requests_of_one_connection_are_not_one_large_head() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(1 + sockets.LARGEST_HEAD // len(START)):
            writer.write(START + b"\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            await reader.readexactly(1)
        writer.transport.abort()


async def test_a_few_requests_may_wait_for_their_turn_and_thousands_may_not() -> None:
    async with serving() as port:
        a_few = await talk(port, (START + b"\r\n") * 10 + START + b"Connection: close\r\n\r\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write((START + b"\r\n") * 5000)
        thousands = b""
        with suppress(ConnectionError):
            thousands = await asyncio.wait_for(reader.read(1_000_000), 20)
            while part := await asyncio.wait_for(reader.read(1_000_000), 20):
                thousands += part
        writer.transport.abort()
        assert a_few.count(b"HTTP/1.1 200 ") == 11
        assert thousands.count(b"HTTP/1.1 200 ") <= 11


@pytest.mark.parametrize(
    "parts",
    [(), (b"GET / HT",), (START + b"\r\n", START), (CHUNKED + b"5\r\nab",)],
    ids=["nothing", "half", "half of the second", "half a body"],
)
async def test_whoever_does_not_say_what_they_want_is_not_waited_for(
    parts: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "REQUEST_SECONDS", 0.1)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for part in parts:
            writer.write(part)
        async with asyncio.timeout(20):
            with suppress(ConnectionError):
                await reader.read()
        writer.transport.abort()
