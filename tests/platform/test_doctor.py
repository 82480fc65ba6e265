"""The doctor: each thing that can be wrong is named, with what to do about it."""

import shutil
import socket
import sys
from collections import namedtuple

import psycopg
import pytest

from farebox import doctor
from farebox.core.crypto import load_secrets
from farebox.core.keys import encoded
from farebox.core.settings import load_settings
from farebox.doctor import Level, examine_database, examine_machine


def findings(of):
    return {finding.subject: finding for finding in of}


def machine(home, **settings):
    return findings(examine_machine(load_settings({}, home=home, **settings)))


def test_a_fresh_machine_has_nothing_to_mend(tmp_path):
    found = machine(tmp_path / "home")
    assert {finding.level for finding in found.values()} == {Level.OK}
    assert found["data directory"].found.endswith("(made at the first start)")
    assert not (tmp_path / "home").exists()


def test_whatever_is_wrong_comes_with_advice(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    monkeypatch.setattr(doctor, "SAMPLE_ZONES", ("Moon/Tranquility",))
    found = machine(tmp_path / "file", rate_limits="off", base_url="shop.example", smtp_url="smtp://127.0.0.1:1")
    wrong = {subject: finding.level for subject, finding in found.items() if finding.level is not Level.OK}
    assert wrong == {
        "Python": Level.WARN,
        "data directory": Level.FAIL,
        "rate limits": Level.WARN,
        "base URL": Level.FAIL,
        "mail": Level.FAIL,
        "time zones": Level.FAIL,
    }
    assert all(finding.advice for finding in found.values() if finding.level is not Level.OK)


RANDOM, OTHER = encoded(bytes(range(32))), encoded(bytes(range(100, 132)))


@pytest.mark.parametrize(
    ("variables", "level", "found"),
    [
        ({"FAREBOX_SECRET_KEY": RANDOM, "FAREBOX_SIGNING_KEY": OTHER}, Level.OK, "there, and private"),
        (
            {"FAREBOX_SECRET_KEY": "A" * 43, "FAREBOX_SIGNING_KEY": OTHER},
            Level.FAIL,
            "FAREBOX_SECRET_KEY can be guessed",
        ),
        ({"FAREBOX_OLD_SECRET_KEYS": "A" * 43}, Level.FAIL, "FAREBOX_OLD_SECRET_KEYS can be guessed"),
        ({"FAREBOX_SECRET_KEY": RANDOM, "FAREBOX_SIGNING_KEY": RANDOM}, Level.WARN, "one key for everything"),
        ({"FAREBOX_SECRET_KEY": RANDOM}, Level.WARN, "FAREBOX_SIGNING_KEY is missing beside the other"),
        ({"FAREBOX_OLD_SECRET_KEYS": "x!"}, Level.FAIL, "FAREBOX_OLD_SECRET_KEYS is not base64url"),
    ],
)
def test_keys_that_are_weak_or_missing(tmp_path, monkeypatch, variables, level, found):
    load_secrets(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    finding = machine(tmp_path)["secrets"]
    assert (finding.level, finding.found) == (level, found)
    assert bool(finding.advice) == (level is not Level.OK)


def test_a_short_operations_password(tmp_path):
    load_secrets(tmp_path)
    assert machine(tmp_path, metrics_token="secret")["secrets"].found == "FAREBOX_METRICS_TOKEN is short"
    assert machine(tmp_path, metrics_token="a-long-one-from-a-generator")["secrets"].level is Level.OK


@pytest.mark.parametrize(
    ("env", "url", "level"),
    [
        ("development", "http://127.0.0.1:8000", Level.OK),
        ("development", "https://tickets.example", Level.WARN),
        ("demo", "https://tickets.example", Level.WARN),
        ("production", "https://tickets.example", Level.OK),
    ],
)
def test_test_payments_where_travellers_come(tmp_path, env, url, level):
    assert machine(tmp_path, env=env, base_url=url)["payments"].level is level


def test_a_payment_provider_of_which_a_key_is_missing(tmp_path):
    finding = machine(tmp_path, stripe_secret_key="sk_live_1")["payment provider"]
    assert (finding.level, finding.found) == (Level.FAIL, "stripe is off: FAREBOX_STRIPE_WEBHOOK_SECRET missing")
    assert "payment provider" not in machine(tmp_path, stripe_secret_key="sk_live_1", stripe_webhook_secret="whsec_1")


@pytest.mark.parametrize(("free_mb", "level"), [(100, Level.FAIL), (500, Level.WARN), (5000, Level.OK)])
def test_a_full_disk(tmp_path, monkeypatch, free_mb, level):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, free_mb * 1_000_000))
    assert machine(tmp_path)["disk"].level is level


def test_secrets_that_others_can_read(tmp_path):
    load_secrets(tmp_path)
    assert machine(tmp_path)["secrets"].level is Level.OK
    (tmp_path / "secrets" / "secret.key").chmod(0o644)
    finding = machine(tmp_path)["secrets"]
    assert finding.level is Level.FAIL
    assert finding.advice == f"chmod go= {tmp_path}/secrets/secret.key"


def test_a_key_that_was_cut_short(tmp_path, monkeypatch):
    monkeypatch.setenv("FAREBOX_SECRET_KEY", "c2hvcnQ")
    finding = machine(tmp_path)["secrets"]
    assert finding.level is Level.FAIL
    assert "32 bytes" in finding.found


@pytest.mark.parametrize(
    ("env", "url", "level"),
    [
        ("development", "http://127.0.0.1:8000", Level.OK),
        ("production", "https://tickets.example", Level.OK),
        ("production", "http://tickets.example", Level.WARN),
        ("production", "https://localhost", Level.WARN),
        ("production", "https://tickets.example/shop", Level.FAIL),
        ("development", "ftp://tickets.example", Level.FAIL),
    ],
)
def test_the_base_url(tmp_path, env, url, level):
    assert machine(tmp_path, env=env, base_url=url)["base URL"].level is level


def test_production_without_mail_is_warned(tmp_path):
    assert machine(tmp_path, env="production", base_url="https://t.example")["mail"].level is Level.WARN


def test_a_database_without_a_schema(settings, database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS alembic_version")
    found = findings(examine_database(settings))
    assert found["schema"].level is Level.FAIL
    assert found["schema"].advice == "Run `farebox migrate`."
    assert found["PostgreSQL"].level is Level.OK
    assert found["clock"].level is Level.OK
    assert found["extensions"].level is Level.OK


def test_a_database_without_a_worker(settings, migrated):
    found = findings(examine_database(settings))
    assert found["schema"].level is Level.OK
    assert found["worker"].level is Level.WARN
    assert "Start `farebox serve` or `farebox worker`" in found["worker"].advice


def test_a_worker_that_lives_and_one_that_died(settings, migrated):
    migrated.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()), (now() - interval '1 hour')")
    assert findings(examine_database(settings))["worker"].found == "1 at work"


def test_jobs_that_were_given_up(settings, migrated):
    migrated.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status)"
        " VALUES ('default', 'mail', 0, '{}', 'failed')"
    )
    assert findings(examine_database(settings))["jobs"].found == "1 given up"


def test_nobody_answers(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"postgresql://farebox:secret@127.0.0.1:{closed.getsockname()[1]}/farebox"
        (finding,) = examine_database(load_settings({}, home=tmp_path, database_url=url))
    assert finding.level is Level.FAIL
    assert "secret" not in finding.found
    assert "FAREBOX_DATABASE_URL" in finding.advice


@pytest.fixture
def migrated(database_url, monkeypatch):
    """A connection to a database that is at the newest version, whichever that is."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def test_the_machine_is_left_as_it_was(tmp_path):
    before = sorted(tmp_path.iterdir())
    machine(tmp_path)
    assert sorted(tmp_path.iterdir()) == before
