"""Starts the embedded PostgreSQL again when it dies under us: on a machine with one operator nobody else does.

It dies when the system runs out of memory, when the disk is full, or when somebody kills it. What was committed is
there when it comes back; requests meanwhile are answered 503.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from farebox.core.embedded import DatabaseNotStarted, EmbeddedPostgres

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0


@contextmanager
def kept_alive(server: EmbeddedPostgres) -> Iterator[None]:
    """Look after a server that answers, for the time of the block."""
    leaving = threading.Event()
    keeper = threading.Thread(target=_look_after, args=(server, leaving), name="postgres-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        leaving.set()
        keeper.join()


def _look_after(server: EmbeddedPostgres, leaving: threading.Event) -> None:
    """Look often, and after each start in vain half as often, so that a full disk is not filled with our log."""
    pause = LOOK_SECONDS
    while not leaving.wait(pause):
        if server.is_alive:
            pause = LOOK_SECONDS
            continue
        log.warning("postgres-died", directory=str(server.directory))
        try:
            server.revive()
        except (DatabaseNotStarted, OSError) as error:
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            log.error("postgres-not-revived", reason=str(error), next_try_seconds=pause)
        else:
            pause = LOOK_SECONDS
            log.warning("postgres-revived", directory=str(server.directory))
