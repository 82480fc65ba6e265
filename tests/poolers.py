"""PgBouncer in transaction mode before the server of the tests: Debian's program, on a port of its own."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.databases import ROLE

from farebox.core.dbuser import database_user

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
NEEDED = "NOTHING WENT THROUGH A POOLER: no pgbouncer on this machine (Debian: apt-get install pgbouncer)"
SERVER_CONNECTIONS = 12
"""For each database: fewer than the clients have, so that transactions of one client meet several sessions."""

CONFIGURATION = """
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {directory}/users
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 400
query_wait_timeout = 4
server_round_robin = 1
ignore_startup_parameters = extra_float_digits
logfile = {directory}/pgbouncer.log
log_connections = 0
log_disconnections = 0
"""


@dataclass(frozen=True)
class Pooler:
    """A running PgBouncer. It cleans no session behind anybody, as is its way in transaction mode."""

    port: int
    user: str

    def url(self, database: str) -> str:
        return f"postgresql://{quote(self.user)}@127.0.0.1:{self.port}/{database}"


@contextmanager
def pooling(server_dsn: str) -> Iterator[Pooler]:
    """PgBouncer before a server, for the time of the block. Skips, and says so, where the program is absent."""
    if PROGRAM is None:
        pytest.skip(NEEDED)
    server = conninfo_to_dict(server_dsn)
    name = str(server.get("user", "postgres"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    user = database_user()  # PgBouncer refuses root, as PostgreSQL does
    with tempfile.TemporaryDirectory(prefix="farebox-pooler-") as place:
        directory = Path(place)
        address = " ".join(f"{key}={server[key]}" for key in ("host", "port") if key in server)
        users = "".join(f'"{each}" "{server.get("password") or ""}"\n' for each in (name, ROLE))
        (directory / "users").write_text(users)
        (directory / "pgbouncer.ini").write_text(
            CONFIGURATION.format(server=address, port=port, directory=directory, connections=SERVER_CONNECTIONS)
        )
        for path in (directory, *directory.iterdir()):
            shutil.chown(path, user.uid, user.gid)
        process = subprocess.Popen(
            [PROGRAM, "--quiet", directory / "pgbouncer.ini"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **user.switch,
        )
        pooler = Pooler(port, ROLE)
        try:
            _wait_for(process, pooler, directory / "pgbouncer.log")
            yield pooler
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(process: "subprocess.Popen[bytes]", pooler: Pooler, log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg.connect(pooler.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"pgbouncer did not start:\n{log.read_text() if log.exists() else ''}")
