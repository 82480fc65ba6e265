"""The command line from outside: one command that starts, serves, stops cleanly, and says what is in its way."""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.servers import free_port

from farebox.core.settings import load_settings

FAREBOX = Path(sys.executable).with_name("farebox")
START_SECONDS = 180

FEED = {
    "agency": "agency_id,agency_name,agency_timezone\nHL,Hill Lines,Europe/Berlin\n",
    "stops": "stop_id,stop_name,stop_lat,stop_lon\nA,Aberg,50,8\nB,Bedorf,51,9\n",
    "routes": "route_id,agency_id,route_short_name,route_type\nR,HL,1,3\n",
    "trips": "route_id,service_id,trip_id,trip_headsign\nR,daily,T,Bedorf\n",
    "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nT,8:00,8:00,A,1\nT,9:00,9:00,B,2\n",
    "calendar": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "daily,1,1,1,1,1,1,1,20200101,20201231\n",
}
STOP_SECONDS = 30


@pytest.fixture(scope="module")
def home():
    """A data directory that the tests of this module fill and share, as somebody's would be over days."""
    with tempfile.TemporaryDirectory(prefix="farebox-home-", ignore_cleanup_errors=True) as directory:
        yield Path(directory) / "home"


@pytest.fixture
def empty_home():
    with tempfile.TemporaryDirectory(prefix="farebox-home-", ignore_cleanup_errors=True) as directory:
        yield Path(directory) / "home"


def environment(**settings):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")}
    return clean | {"FAREBOX_" + name.upper(): value for name, value in settings.items()}


def farebox(*arguments, **settings):
    return subprocess.run(
        [FAREBOX, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        env=environment(**settings),
        check=False,
    )


def said(run):
    """What a person reads, whatever the width of the terminal."""
    return " ".join((run.stdout + run.stderr).split())


@dataclass
class Running:
    process: subprocess.Popen[str]
    port: int

    @property
    def pid(self):
        return self.process.pid

    def stop(self, number=signal.SIGTERM):
        """Its exit code, output and errors."""
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=STOP_SECONDS)
        return self.process.returncode, output, errors


@contextmanager
def running(*arguments, home, port=None, **settings):
    """A server, waited for until it is ready, and killed at the latest in the end."""
    port = port or free_port()
    command = [FAREBOX, *arguments, "--port", str(port), "--home", str(home)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**settings)
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while fetch(port, "/health/ready")[0] != 200:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                pytest.fail("it did not start: " + "".join(process.communicate()))
            time.sleep(0.05)
        yield Running(process, port)
    finally:
        process.kill()
        process.communicate()


def fetch(port, path, headers=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def server_pid(home):
    file = home / "postgres" / "postmaster.pid"
    return int(file.read_text().split()[0]) if file.exists() else None


def test_one_command_starts_a_shop_says_where_and_takes_postgresql_along(home):
    with running("demo", home=home) as shop:
        base = f"http://127.0.0.1:{shop.port}"
        status, health = fetch(shop.port, "/health/ready")
        assert (status, json.loads(health)) == (200, {"status": "ready", "database": "ok", "schema": "ok"})
        status, found = fetch(shop.port, "/api/v1/places/suggest?q=ha%20noi")
        assert status == 200
        assert json.loads(found)["items"]
        assert "farebox_http_requests_total" in fetch(shop.port, "/metrics")[1]
        invited = farebox(
            "staff",
            "add",
            "--operator",
            "truong-son-lines",
            "--email",
            "you@example.com",
            "--home",
            home,
            base_url=base,
        )
        code, output, errors = shop.stop()
    assert code == 0
    assert "Traceback" not in errors
    for address in ("/", "/api/v1/openapi.json", "/dev/mailbox", "/health/ready", "/metrics"):
        assert f"{base}{address}" in output
    told = (
        f"FAREBOX_BASE_URL={base} farebox staff add --operator truong-son-lines --email you@example.com --home {home}"
    )
    assert told in output
    assert f"{base}/join?token=" in invited.stdout  # which that command says
    assert server_pid(home) is None


def test_where_nothing_is_unusual_the_command_for_staff_is_short(monkeypatch):
    from farebox.cli import start

    for name in [name for name in os.environ if name.startswith("FAREBOX_")]:
        monkeypatch.delenv(name)
    command = start.staff_command(load_settings())
    assert command == "farebox staff add --operator truong-son-lines --email you@example.com"


def test_metrics_through_a_proxy_want_the_printed_password_also_after_it_was_stopped_with_ctrl_c(home):
    with running("demo", home=home) as shop:
        through_proxy = {"X-Forwarded-For": "192.0.2.7"}
        assert fetch(shop.port, "/metrics", through_proxy)[0] in {401, 403}
        assert fetch(shop.port, "/metrics", through_proxy | {"Authorization": "Bearer wrong"})[0] in {401, 403}
        code, output, errors = shop.stop(signal.SIGINT)
    assert code == 0  # Ctrl-C stops it as cleanly as SIGTERM
    assert "Traceback" not in errors
    assert server_pid(home) is None
    password = output.split("Password", 1)[1].split()[0]
    with running("demo", home=home) as shop:
        assert fetch(shop.port, "/metrics", through_proxy | {"Authorization": f"Bearer {password}"})[0] == 200


def test_it_refuses_a_second_one_on_its_data_and_starts_again_after_kill_9(home):
    with running("demo", home=home) as shop:
        second = farebox("demo", "--home", home, "--port", free_port())
        assert second.returncode == 1
        assert f"process {shop.pid}" in said(second)
        assert "--home" in said(second)
        assert "Traceback" not in said(second)
        assert fetch(shop.port, "/health/ready")[0] == 200
        shop.process.kill()
        shop.process.communicate()
        left_running = server_pid(home)
    assert left_running
    with running("demo", home=home) as shop:
        assert server_pid(home) == left_running
        assert shop.stop()[0] == 0
    assert server_pid(home) is None


def test_a_port_that_is_taken_is_named_with_another_to_try(empty_home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = farebox("demo", "--home", empty_home, "--port", port)
    assert run.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in said(run)
    assert f"--port {port + 1}" in said(run)
    assert not (empty_home / "postgres").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    run = farebox("demo", "--home", tmp_path / "file", "--port", free_port())
    assert run.returncode == 1
    assert str(tmp_path / "file") in said(run)
    assert "FAREBOX_HOME" in said(run)
    assert "Traceback" not in said(run)


def test_the_demo_refuses_production(empty_home):
    run = farebox("demo", "--home", empty_home, env="production")
    assert run.returncode == 1
    assert "farebox serve" in said(run)


def test_shifting_without_a_feed_is_refused_in_a_sentence(empty_home):
    run = farebox("demo", "--home", empty_home, "--shift-to", "2026-12-01")
    assert run.returncode == 1
    assert "--shift-to moves the calendar of a feed of your own. Name it with --feed" in said(run)
    assert not empty_home.exists()


def test_a_database_that_does_not_answer_is_named_without_its_password(empty_home):
    run = farebox("migrate", "--home", empty_home, database_url="postgresql://me:hidden@127.0.0.1:1/nothing")
    assert run.returncode == 1
    assert "127.0.0.1:1/nothing" in said(run)
    assert "hidden" not in said(run)


def test_serve_leaves_the_schema_of_somebody_elses_database_alone(empty_home, database_url):
    import psycopg

    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS alembic_version")
    run = farebox("serve", "--home", empty_home, "--port", free_port(), database_url=database_url)
    assert run.returncode == 1
    assert "farebox migrate" in said(run)


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",)], ids=["serve", "worker"])
def test_production_beside_a_database_of_ones_own_wants_its_keys_given(empty_home, database_url, command):
    """Keys made on one machine open nothing on another."""
    given = {"env": "production", "database_url": database_url, "secret_key": "c" * 43}
    run = farebox(*command, "--home", empty_home, **given)
    assert run.returncode == 1
    assert "Set FAREBOX_SIGNING_KEY: 32 random bytes" in said(run)
    assert not (empty_home / "secrets").exists()


def test_several_processes_serve_together_and_stop_together(home):
    with running("serve", "--workers", "2", home=home) as shop:
        for _ in range(20):
            assert fetch(shop.port, "/health/live")[0] == 200
        assert 'route="/health/live",status="200"} 20.0' in fetch(shop.port, "/metrics")[1]
        code, _, errors = shop.stop()
    assert code == 0
    assert "Traceback" not in errors
    assert server_pid(home) is None


def test_a_file_that_is_no_timetable_is_refused_in_a_sentence(home, tmp_path):
    (tmp_path / "feed.zip").write_text("not a zip")
    run = farebox("import-gtfs", tmp_path / "feed.zip", home=str(home))
    assert run.returncode == 1
    assert run.stderr.startswith("error: ")
    assert "Traceback" not in said(run)
    assert server_pid(home) is None


def test_a_folder_of_ones_own_is_taken_and_read_again_only_when_it_changed(tmp_path):
    """In a data directory whose name is awkward in addresses."""
    (tmp_path / "feed").mkdir()
    for name, text in FEED.items():
        (tmp_path / "feed" / f"{name}.txt").write_text(text)
    with tempfile.TemporaryDirectory(prefix="farebox-home-", ignore_cleanup_errors=True) as directory:
        outputs = []
        for headsign in ("Bedorf", "Bedorf", "Bedorf ZOB"):
            (tmp_path / "feed" / "trips.txt").write_text(FEED["trips"].replace("Bedorf", headsign))
            with running(
                "demo", "--feed", str(tmp_path / "feed"), home=Path(directory) / "Nhà của tôi (a+b %41)"
            ) as shop:
                code, output, errors = shop.stop()
            assert (code, "Traceback" in errors) == (0, False)
            outputs.append(output)
    assert ["Imported Hill Lines" in output for output in outputs] == [True, False, True]


def test_a_port_that_cannot_be_is_refused(empty_home):
    run = farebox("demo", "--home", empty_home, "--port", "99999")
    assert run.returncode != 0
    assert "99999" in said(run)
    assert not empty_home.exists()


def test_doctor_finds_nothing_broken_and_leaves_nothing_running(home):
    run = farebox("doctor", "--home", home, "--port", free_port())
    assert run.returncode == 0, run.stdout
    assert "Nothing is broken." in run.stdout
    assert server_pid(home) is None


def test_doctor_fails_on_settings_that_cannot_be_read():
    run = farebox("doctor", max_seats="many")
    assert run.returncode == 1
    assert "FAREBOX_MAX_SEATS" in said(run)


@pytest.mark.parametrize("command", ["demo", "serve", "worker", "migrate", "import-gtfs", "doctor", "version"])
def test_every_command_explains_itself(command):
    run = farebox(command, "--help")
    assert run.returncode == 0
    assert f"farebox {command}" in said(run)


def test_version():
    from farebox import __version__

    assert f"Farebox {__version__}" in farebox("version").stdout


def test_nobody_looks_for_garbage_while_the_program_is_loaded(monkeypatch):
    from farebox.cli import start

    seen = []
    monkeypatch.setattr(start, "import_module", lambda name: seen.append((name, gc.isenabled())))
    start.load_program()
    assert seen == [("farebox.server", False)]
    assert gc.isenabled()
