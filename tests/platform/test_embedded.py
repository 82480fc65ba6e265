"""The embedded PostgreSQL: what people's data stands on when they type one command."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from structlog.testing import capture_logs

from farebox.core import keeper
from farebox.core.embedded import DatabaseNotStarted, EmbeddedPostgres
from farebox.core.keeper import kept_alive
from farebox.core.processors import off_one_processor

LEAVE_A_NOTE = """
import os, sys, psycopg
from pathlib import Path
from farebox.core.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE note (text text)")
        connection.execute("INSERT INTO note VALUES ('still here')")
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def home():
    """A data directory whose server, if a test leaves one behind, is stopped."""
    with directory() as place:
        yield place


@pytest.fixture(scope="module")
def stopped_home():
    """A data directory with a cluster in it, to be copied: making one takes longer than most of these tests."""
    with directory() as place:
        with EmbeddedPostgres(place):
            pass
        yield place


@pytest.fixture
def used_home(home, stopped_home):
    """A data directory of this test's own that a server has run in before."""
    subprocess.run(["cp", "-a", stopped_home, home], check=True)  # owners, too
    return home


@contextmanager
def directory():
    # not pytest's own directory: another run of pytest closes that to the database's user at any moment
    with tempfile.TemporaryDirectory(prefix="farebox-home-", ignore_cleanup_errors=True) as parent:
        place = Path(parent) / "home"
        yield place
        if (place / "postgres" / "PG_VERSION").exists():
            with EmbeddedPostgres(place):
                pass
            assert server_pid(place) is None


def server_pid(home):
    file = home / "postgres" / "postmaster.pid"
    return int(file.read_text().split()[0]) if file.exists() else None


def ask(server, query):
    with psycopg.connect(server.dsn) as connection:
        (answer,) = connection.execute(query).fetchone() or (None,)
        return answer


def test_it_listens_on_a_private_socket_only_and_keeps_data_safe(home):
    with EmbeddedPostgres(home) as server:
        assert ask(server, "SHOW listen_addresses") == ""
        assert ask(server, "SHOW fsync") == "on"
        assert ask(server, "SHOW full_page_writes") == "on"
        assert ask(server, "SHOW synchronous_commit") == "on"
        assert ask(server, "SHOW is_superuser") == "off"
        assert ask(server, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()") == (
            "farebox"
        )
        assert ask(server, "SHOW server_encoding") == "UTF8"
        sockets = [path.parent for path in home.rglob(".s.PGSQL.5432")]
        assert [stat.S_IMODE(place.stat().st_mode) for place in sockets] == [0o700]
        beside = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir() if path.is_file()}
        assert beside == dict.fromkeys(["postgres.log", "postgres.start.lock", "postgres.use.lock"], 0o600)


def test_our_role_may_install_the_extensions_we_need(home):
    with EmbeddedPostgres(home) as server, psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE EXTENSION unaccent")
        connection.execute("CREATE EXTENSION pg_trgm")
        assert connection.execute("SELECT unaccent('Đà Nẵng'), lower('ĐÀ NẴNG')").fetchone() == ("Da Nang", "đà nẵng")


def test_the_last_to_leave_stops_it(used_home):
    first, second = EmbeddedPostgres(used_home), EmbeddedPostgres(used_home)
    first.start()
    first.wait()
    second.start()
    second.wait()
    pid = server_pid(used_home)
    first.stop()
    assert ask(second, "SELECT 1") == 1
    assert server_pid(used_home) == pid
    second.stop()
    assert server_pid(used_home) is None
    second.stop()  # a second time does nothing


def test_data_and_server_outlive_a_killed_process_and_the_next_takes_over(used_home):
    killed = subprocess.run([sys.executable, "-c", LEAVE_A_NOTE, used_home], check=False)
    assert killed.returncode == -signal.SIGKILL
    orphan = server_pid(used_home)
    with EmbeddedPostgres(used_home) as server:
        assert server_pid(used_home) == orphan
        assert ask(server, "SELECT text FROM note") == "still here"
    assert server_pid(used_home) is None


def test_it_recovers_after_the_server_itself_was_killed(used_home):
    with EmbeddedPostgres(used_home) as server, psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE note AS SELECT 'still here' AS text")
        killed = server_pid(used_home)
        os.kill(killed, signal.SIGKILL)
    wait_until_gone(killed)
    with EmbeddedPostgres(used_home) as server:
        assert ask(server, "SELECT text FROM note") == "still here"


def test_it_is_started_again_whenever_it_dies(used_home):
    """Killed, and told to give up at once: what was committed is there, and the one who asks waits for seconds only."""
    with EmbeddedPostgres(used_home) as server, kept_alive(server):
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE note AS SELECT 'still here' AS text")
        for number in (signal.SIGKILL, signal.SIGQUIT):
            died = server_pid(used_home)
            os.kill(died, number)
            wait_until_gone(died)
            assert when_it_answers(server, "SELECT text FROM note") == "still here"
            assert server_pid(used_home) != died
        last = server_pid(used_home)
    wait_until_gone(last)


def test_one_of_two_who_share_it_starts_it_again(used_home):
    with (
        EmbeddedPostgres(used_home) as first,
        EmbeddedPostgres(used_home) as second,
        kept_alive(first),
        kept_alive(second),
    ):
        died = server_pid(used_home)
        os.kill(died, signal.SIGKILL)
        wait_until_gone(died)
        assert when_it_answers(second, "SELECT 1") == 1
        assert first.is_alive
        assert second.is_alive
        revived = server_pid(used_home)
    wait_until_gone(revived)  # whoever started it, the last to leave stops it


def test_it_is_stopped_by_the_last_to_leave_though_another_has_started_it_again(used_home):
    with EmbeddedPostgres(used_home) as starter:
        died = server_pid(used_home)
        with EmbeddedPostgres(used_home) as other:
            os.kill(died, signal.SIGKILL)
            assert starter._process is not None
            starter._process.wait()
            other.revive()
            revived = server_pid(used_home)
            assert revived != died
    wait_until_gone(revived)


def test_starting_again_in_vain_pauses_longer_each_time_and_says_why(used_home, monkeypatch):
    """And is mended by mending the cause."""
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.05)
    with EmbeddedPostgres(used_home) as server, capture_logs() as logs:
        configuration = used_home / "postgres" / "postgresql.conf"
        good = configuration.read_text()
        configuration.write_text(good + "shared_buffers = lots\n")
        with kept_alive(server):
            os.kill(server_pid(used_home), signal.SIGKILL)
            in_vain: list[Any] = []
            deadline = time.monotonic() + 60
            while len(in_vain) < 3 and time.monotonic() < deadline:
                time.sleep(0.02)
                in_vain = [line for line in logs if line["event"] == "postgres-not-revived"]
            assert [line["next_try_seconds"] for line in in_vain[:3]] == [0.1, 0.2, 0.4]
            assert "shared_buffers" in in_vain[0]["reason"]
            configuration.write_text(good)
            assert when_it_answers(server, "SELECT 1") == 1


def test_a_pid_file_that_names_a_stranger_does_not_stop_it(used_home):
    with EmbeddedPostgres(used_home) as server:
        ask(server, "SELECT 1")
        content = (used_home / "postgres" / "postmaster.pid").read_text()
    stranger = subprocess.Popen(["sleep", "60"], user=(used_home / "postgres").stat().st_uid)
    try:
        pid_file = used_home / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n" + content.partition("\n")[2])
        os.chown(pid_file, (used_home / "postgres").stat().st_uid, -1)
        pid_file.chmod(0o600)
        with EmbeddedPostgres(used_home) as server:
            assert ask(server, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_what_a_kill_left_half_made_is_made_again(home):
    (home / "postgres.new").mkdir(parents=True)
    (home / "postgres.new" / "PG_VERSION").write_text("18\n")
    home.chmod(0o711)
    with EmbeddedPostgres(home) as server:
        assert ask(server, "SELECT 1") == 1
    assert not (home / "postgres.new").exists()


def test_a_path_too_long_for_a_socket_gets_a_private_place_elsewhere(home):
    deep = home / ("d" * 60) / ("e" * 60)
    home.mkdir(mode=0o755)
    with EmbeddedPostgres(deep) as server:
        assert ask(server, "SELECT 1") == 1
        place = Path(str(conninfo_to_dict(server.dsn)["host"]))
        assert not place.is_relative_to(home)
        assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_data_of_another_version_is_left_alone_and_said(used_home):
    version = used_home / "postgres" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(DatabaseNotStarted, match=r"made by PostgreSQL 17.*pg_dump"):
        EmbeddedPostgres(used_home).start()
    version.write_text("18\n")


def test_a_broken_configuration_is_quoted(used_home):
    configuration = used_home / "postgres" / "postgresql.conf"
    good = configuration.read_text()
    configuration.write_text(good + "shared_buffers = lots\n")
    server = EmbeddedPostgres(used_home)
    server.start()
    with pytest.raises(DatabaseNotStarted, match="shared_buffers"):
        server.wait()
    configuration.write_text(good)


def test_a_place_that_is_no_directory_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseNotStarted, match="--home or FAREBOX_HOME"):
        EmbeddedPostgres(tmp_path / "file" / "home").start()


def test_people_can_overrule_our_settings(used_home):
    with (used_home / "postgres" / "postgresql.conf").open("a") as file:
        file.write("work_mem = 3MB\n")
    with EmbeddedPostgres(used_home) as server:
        assert ask(server, "SHOW work_mem") == "3MB"


def when_it_answers(server, query):
    deadline = time.monotonic() + 60
    while True:
        try:
            return ask(server, query)
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def wait_until_gone(pid):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return
            os.kill(pid, 0)
        except OSError:
            return
        time.sleep(0.01)
    pytest.fail(f"process {pid} is still there")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody says where a process may run")
def test_the_database_leaves_one_processor_to_those_who_ask_it(used_home):
    ours = os.sched_getaffinity(0)
    with EmbeddedPostgres(used_home) as server, psycopg.connect(server.dsn) as connection:
        theirs = os.sched_getaffinity(connection.info.backend_pid)
    assert theirs == (ours - {min(ours)} or ours)
    assert os.sched_getaffinity(0) == ours


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody says where a process may run")
def test_the_database_has_the_only_processor_there_is():
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(ours)})
    try:
        with off_one_processor():
            assert os.sched_getaffinity(0) == {max(ours)}
    finally:
        os.sched_setaffinity(0, ours)
