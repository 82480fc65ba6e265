"""Real `farebox serve` processes, and clients as thin as can be: what races and faults are tested with."""

import asyncio
import json
import os
import random
import re
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.forking import launch

from farebox.core.tls import authorities

START_SECONDS = 180
STOP_SECONDS = 20
PAUSES_SECONDS = (0.2, 0.4, 0.8, 1.6, 0)
ANSWER_SECONDS = 30
"""No answer may take longer, whatever happens to the server."""


@dataclass
class Server:
    """A server process that was started, and can be started again on its port."""

    port: int
    home: Path
    environment: Mapping[str, str]
    process: BaseProcess

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.home / f"serve-{self.port}.log").read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        assert self.process.pid
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """`kill -9`: it can do nothing more."""
        self.process.kill()
        self.wait(STOP_SECONDS)

    def wait(self, seconds: float) -> int:
        """Until the process has ended; its exit code, the negative number of the signal where one ended it."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"the server still runs after {seconds} s"
        return self.process.exitcode

    def start_again(self) -> None:
        self.process = _launch(self.port, self.home, self.environment)
        self.wait_until_ready()

    def is_ready(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/health/ready", timeout=2, verify=authorities())  # asked again and again
            return answer.status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.is_alive():
            if self.is_ready():
                return
            time.sleep(0.05)
        pytest.fail(f"the server was not ready in {seconds} s:\n{self.log[-3000:]}")


@contextmanager
def serving(home: Path, settings: Sequence[Mapping[str, str]]) -> Iterator[list[Server]]:
    """Server processes in one data directory, one for each of `settings` (`DATABASE_URL` and so on), all ready."""
    with ExitStack() as stack:
        servers = []
        for own in settings:
            port = free_port()
            environment = {
                **{name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")},
                "FAREBOX_ENV": "demo",
                "FAREBOX_HOME": str(home),
                "FAREBOX_BASE_URL": "http://127.0.0.1:8000",
                "FAREBOX_RATE_LIMITS": "off",
                "FAREBOX_LOG_LEVEL": "WARNING",
                **{f"FAREBOX_{name}": value for name, value in own.items()},
            }
            servers.append(Server(port, home, environment, _launch(port, home, environment)))
            stack.callback(_stop, servers[-1])
        for server in servers:
            server.wait_until_ready()
        yield servers


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, the problem's or the view's JSON, and how long it took."""

    status: int
    body: Any
    seconds: float


class Client:
    """One buyer: a connection kept alive, and a guest token of its own.

    A lost connection is raised as `OSError` or `EOFError`, and the next request opens a new one.
    """

    def __init__(self, server: Server, token: str = "") -> None:
        self.server = server
        self.token = token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def sign_in(self) -> "Client":
        answer = await self.insist("POST", "/guest-sessions")
        assert answer.status == 201, answer
        self.token = answer.body["guestToken"]
        return self

    async def connect(self) -> None:
        self._streams = await asyncio.open_connection("127.0.0.1", self.server.port)

    async def send(self, method: str, path: str, body: object = None) -> Answer:
        content = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} /api/v1{path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}"]
        if content:
            head.append("Content-Type: application/json")
        if self.token:
            head.append(f"Authorization: Bearer {self.token}")
        began = time.perf_counter()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                status, payload = await self._exchange("\r\n".join([*head, "", ""]).encode() + content)
        except BaseException:
            await self.close()
            raise
        return Answer(status, json.loads(payload) if payload else None, time.perf_counter() - began)

    async def insist(self, method: str, path: str, body: object = None) -> Answer:
        """The same again and again, where the server says that it is too busy to say yes or no, as people do."""
        for pause in PAUSES_SECONDS:
            answer = await self.send(method, path, body)
            if answer.status != 503:
                break
            assert answer.body["code"] in {"overloaded", "unavailable"}, answer
            await asyncio.sleep(pause)
        return answer

    async def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, message: bytes) -> tuple[int, bytes]:
        if self._streams is None or self._streams[0].at_eof():  # servers close what was idle for some seconds
            await self.connect()
        assert self._streams
        reader, writer = self._streams
        writer.write(message)
        header = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = re.search(r"content-length: (\d+)", header)
        payload = await reader.readexactly(int(length[1])) if length else b""
        return int(header.split(" ", 2)[1]), payload


async def sign_in(servers: Sequence[Server], count: int) -> list[Client]:
    """So many buyers, in turn at one server and the next, all with their connections open."""
    clients = [Client(servers[number % len(servers)]) for number in range(count)]
    return list(await asyncio.gather(*(client.sign_in() for client in clients)))


async def leave(clients: Sequence[Client]) -> None:
    for client in clients:
        await client.close()


def _launch(port: int, home: Path, environment: Mapping[str, str]) -> BaseProcess:
    return launch("serve", "--port", str(port), environment=environment, log=home / f"serve-{port}.log")


def _stop(server: Server) -> None:
    """At once, since nobody needs what it would still do; but in order where it has a database of its own to stop."""
    if server.environment.get("FAREBOX_DATABASE_URL"):
        server.kill()
        return
    if server.process.is_alive():
        server.signal(signal.SIGCONT)
        server.process.terminate()
    server.wait(STOP_SECONDS)


def free_port() -> int:
    """Below those that the system gives to outgoing connections: a killed server finds it free when it starts again."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
    pytest.fail("no port is free")
