"""What the benchmarks run against: a database of their own, the `farebox` program, and a plain HTTP client."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from farebox.core.embedded import EmbeddedPostgres

PROGRAM = (sys.executable, "-c", "from farebox.cli import main; main()")
START_SECONDS = 60
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Stage:
    """A data directory with its server running."""

    home: Path
    dsn: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "FAREBOX_ENV": "demo",
            "FAREBOX_HOME": str(self.home),
            "FAREBOX_DATABASE_URL": "",
            "FAREBOX_RATE_LIMITS": "off",
            "FAREBOX_LOG_LEVEL": "WARNING",
        }


@contextmanager
def set_stage(home: Path) -> Iterator[Stage]:
    """An embedded PostgreSQL in `home`, with the settings that it has in the product."""
    with EmbeddedPostgres(home) as server:
        yield Stage(home, server.wait())


@dataclass(frozen=True, slots=True)
class Run:
    """A command that ended: its wall-clock time, and the most memory that its process had."""

    seconds: float
    peak_mb: float


def run_farebox(stage: Stage, arguments: Sequence[str]) -> Run:
    """Run a `farebox` command to its end. Raises `RuntimeError` with its output when it fails."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*PROGRAM, *arguments], env=stage.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(output.decode())
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Run(time.perf_counter() - begun, usage.ru_maxrss / unit)


@contextmanager
def serving(stage: Stage, program: Sequence[str] = PROGRAM) -> Iterator[int]:
    """`farebox serve` in a process of its own, ready to answer; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    log = stage.home / "benchmark-server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*program, "serve", "--port", str(port)], env=stage.environment, stdout=output, stderr=output
        )
    try:
        _wait_until_ready(process, port, log)
        yield port
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


class Client:
    """One kept-alive HTTP/1.1 connection, as thin as can be: on the same machine, the client's work counts too."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.token = ""

    async def open(self) -> "Client":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**22)
        return self

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def get(self, path: str) -> Any:
        return await self.send("GET", path)

    async def post(self, path: str, body: object = None) -> Any:
        return await self.send("POST", path, b"" if body is None else json.dumps(body).encode())

    async def send(self, method: str, path: str, body: bytes = b"") -> Any:
        """The answer's JSON value, or its bytes where it is something else. Raises `RuntimeError` for refusals."""
        credential = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        content = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if method != "GET" else ""
        head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{credential}{content}\r\n"
        self._writer.write(head.encode() + body)
        header = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = re.search(r"content-length: (\d+)", header)
        payload = await self._reader.readexactly(int(length[1])) if length else b""
        status = int(header.split(" ", 2)[1])
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {payload.decode()}")
        return json.loads(payload) if "application/json" in header else payload
