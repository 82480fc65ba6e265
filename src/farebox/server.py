"""Running Farebox: pages, API, jobs and the sweeper together in one process, or in several alike."""

import asyncio
import gc
import os
import resource
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog
import uvicorn
from litestar import Litestar
from uvicorn.supervisors import Multiprocess

from farebox.app import create_app
from farebox.background import keep_working, schedule, show_live
from farebox.core.logs import configure_logs
from farebox.core.settings import Settings, load_settings
from farebox.core.telemetry import configure_telemetry
from farebox.edge.sockets import LiveWebSocket, PatientHttp
from farebox.wiring import Services, build_services

log = structlog.get_logger(__name__)

REQUEST_GRACE_SECONDS = 10
"""How long a stopping server waits for the answers at hand."""

PARENT_CHECK_SECONDS = 1.0

NEW_OBJECTS = 10_000
"""How many more objects there may be before Python looks for those that nobody needs.

Its own 700 are those of a few requests: under load it looked hundreds of times a second, mostly at what was still being
worked on, and that was a tenth of all work.
"""

LARGEST_MESSAGE = 4096
"""Bytes that a client may send at once over a WebSocket."""


def serve(
    settings: Settings, listener: socket.socket, *, workers: int = 1, on_ready: Callable[[], None] = lambda: None
) -> None:
    """Serve on a bound socket until SIGINT or SIGTERM, then stop in order: connections, jobs, database.

    Args:
        workers: processes; each does everything, and all listen on the one socket.
        on_ready: called once connections are accepted (with several processes: once they are being started).
    """
    _open_many_files()
    if workers == 1:
        _Server(_config(application(settings)), on_ready).run([listener])
        return
    os.environ.update(_as_environment(settings))
    with tempfile.TemporaryDirectory(prefix="farebox-metrics-") as shared:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared
        on_ready()
        Multiprocess(_config("farebox.server:child", workers=workers), [listener]).run()


def work(settings: Settings) -> None:
    """Run jobs and the sweeper without a web server, until SIGINT or SIGTERM."""

    async def until_stopped() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        async with keep_working(_services(settings)):
            await stopped.wait()

    asyncio.run(until_stopped())


def application(settings: Settings) -> Litestar:
    """The ASGI application with its background work in its lifespan."""
    services = _services(settings)
    return create_app(services, lifespan=[lambda _: _living(services)])


def child() -> Litestar:
    """The application of one of several processes, which reads its settings from the environment it was given."""
    settings = load_settings()
    configure_logs(settings)
    services = _services(settings)

    @asynccontextmanager
    async def living(_: Litestar) -> AsyncIterator[None]:
        watch = asyncio.create_task(_leave_with_parent(os.getppid()))
        async with _living(services):
            yield
        watch.cancel()

    return create_app(services, lifespan=[living])


@asynccontextmanager
async def _living(services: Services) -> AsyncIterator[None]:
    """What goes on beside answering: jobs, sweeping, and showing seat maps live."""
    gc.collect()
    gc.freeze()  # what was made for the start stays: going through all of it takes a tenth of a second each time
    gc.set_threshold(NEW_OBJECTS)
    async with keep_working(services), show_live(services):
        yield


def _open_many_files() -> None:
    """Each connection is an open file, and shells allow a thousand by default."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS calls its limit infinite, and then refuses that
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it accepts connections."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._on_ready()


def _services(settings: Settings) -> Services:
    configure_telemetry(settings)
    services = build_services(settings)
    schedule(services)
    return services


def _config(app: Litestar | str, *, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        loop="uvloop",
        http=PatientHttp,
        ws=LiveWebSocket,
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,  # a state for each connection, to save bytes that are few
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=REQUEST_GRACE_SECONDS,
    )


def _as_environment(settings: Settings) -> dict[str, str]:
    """What the command line set, for processes that only see the environment."""
    return {
        "FAREBOX_ENV": settings.env,
        "FAREBOX_HOME": str(settings.home),
        "FAREBOX_DATABASE_URL": settings.database_url,
        "FAREBOX_BASE_URL": settings.base_url,
    }


async def _leave_with_parent(parent: int) -> None:
    """End this process when the one that started it was killed, so that nobody serves on without a keeper."""
    while os.getppid() == parent:  # noqa: ASYNC110  (no event tells of it)
        await asyncio.sleep(PARENT_CHECK_SECONDS)
    signal.raise_signal(signal.SIGTERM)
