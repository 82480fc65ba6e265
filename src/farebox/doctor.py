"""`farebox doctor`: looks at everything that the software stands on, and says what is wrong and what to do about it."""

import asyncio
import os
import shutil
import smtplib
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg

from farebox.core.crypto import load_secrets
from farebox.core.errors import NotFound, Unavailable
from farebox.core.files import open_files, try_files
from farebox.core.keys import looks_typed, read_keys
from farebox.core.settings import Settings
from farebox.migrations.state import OLDEST_POSTGRES, find_version, head
from farebox.payments import provider_mistakes

NEEDED_EXTENSIONS = ("unaccent", "pg_trgm")
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
DISK_FAIL_MB, DISK_WARN_MB = 200, 1000
SKEW_WARN_SECONDS, SKEW_FAIL_SECONDS = 2, 30
WORKER_SILENT_SECONDS = 60
JOB_LATE_SECONDS = 300
CONNECTIONS_OF_A_PROCESS = 15
SHORTEST_TOKEN = 16
SAMPLE_ZONES = ("Asia/Ho_Chi_Minh", "Europe/Berlin")


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found, and, unless all is well, what to do."""

    level: Level
    subject: str
    found: str
    advice: str = ""


Findings = Iterator[Finding]


def examine_machine(settings: Settings) -> Findings:
    """Everything that can be said without the database."""
    for check in (
        _python,
        _home,
        _disk,
        _secrets,
        _zones,
        _mail,
        _files,
        _base_url,
        _payments,
        _providers,
        _limits,
        _telemetry,
    ):
        yield from check(settings)


def examine_database(settings: Settings) -> Findings:
    """Everything about the database that the settings name, and about the pooler before it."""
    before = datetime.now(UTC)
    try:
        connection = psycopg.connect(settings.server_url, connect_timeout=5, autocommit=True)
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        name = "FAREBOX_DIRECT_DATABASE_URL" if settings.direct_database_url else "FAREBOX_DATABASE_URL"
        yield Finding(Level.FAIL, "database", " ".join(str(error).split()), f"Start it, or mend {name}.")
        return
    with connection:
        if settings.direct_database_url:
            yield from _pooler(settings, connection)
        yield from _server(connection)
        yield from _clock(connection, before)
        yield from _extensions(connection)
        version = find_version(settings.server_url)
        if version != head():
            yield Finding(Level.FAIL, "schema", f"at {version or 'nothing'}, needs {head()}", "Run `farebox migrate`.")
            return
        yield Finding(Level.OK, "schema", f"at {version}")
        yield from _worker(connection)


def _python(_: Settings) -> Findings:
    version, shown = sys.version_info[:2], sys.version.split()[0]
    if OLDEST_PYTHON <= version <= NEWEST_PYTHON:
        yield Finding(Level.OK, "Python", shown)
    else:
        yield Finding(Level.WARN, "Python", shown, "Farebox is tested with Python 3.11 to 3.13.")


def _home(settings: Settings) -> Findings:
    home = settings.home
    place = home if home.exists() else _nearest(home)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        yield Finding(
            Level.FAIL, "data directory", f"{home}: {error.strerror}", "Make it writable, or set FAREBOX_HOME."
        )
    else:
        yield Finding(Level.OK, "data directory", str(home) if home.exists() else f"{home} (made at the first start)")


def _disk(settings: Settings) -> Findings:
    free = shutil.disk_usage(_nearest(settings.home)).free // 1_000_000
    advice = "Make room: PostgreSQL stops when the disk is full."
    level = Level.FAIL if free < DISK_FAIL_MB else Level.WARN if free < DISK_WARN_MB else Level.OK
    yield Finding(level, "disk", f"{free:,} MB free", "" if level is Level.OK else advice)


def _secrets(settings: Settings) -> Findings:
    directory = settings.home / "secrets"
    if not directory.exists() and not os.environ.get("FAREBOX_SECRET_KEY"):
        yield Finding(Level.OK, "secrets", "none yet (made at the first start)")
        return
    open_to_others = [
        path
        for path in (directory, *directory.glob("*"))
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if open_to_others:
        names = " ".join(str(path) for path in open_to_others)
        yield Finding(Level.FAIL, "secrets", f"readable by others: {names}", f"chmod go= {names}")
        return
    try:
        load_secrets(settings.home)
        weak = list(_weak_secrets(settings))
    except (OSError, ValueError) as error:
        yield Finding(
            Level.FAIL, "secrets", str(error), "Restore the key from your backup: what it sealed opens with no other."
        )
        return
    yield from weak or [Finding(Level.OK, "secrets", "there, and private")]


def _weak_secrets(settings: Settings) -> Findings:
    """Of the environment's keys: those that somebody typed, those that are the same, and the one that is missing."""
    given = {
        name: key
        for name in ("FAREBOX_SECRET_KEY", "FAREBOX_SIGNING_KEY", "FAREBOX_OLD_SECRET_KEYS")
        for key in read_keys(os.environ.get(name, ""), name)
    }
    for name, key in given.items():
        if looks_typed(key):
            advice = "Draw one: openssl rand -base64 32 | tr '+/' '-_'. Let the former one go on opening: see \"Keys\"."
            yield Finding(Level.FAIL, "secrets", f"{name} can be guessed", advice)
    secret, signing = given.get("FAREBOX_SECRET_KEY"), given.get("FAREBOX_SIGNING_KEY")
    if secret is not None and secret == signing:
        yield Finding(
            Level.WARN,
            "secrets",
            "one key for everything",
            "Give FAREBOX_SIGNING_KEY a key of its own before you sell.",
        )
    if (secret is None) != (signing is None):
        missing = "FAREBOX_SECRET_KEY" if secret is None else "FAREBOX_SIGNING_KEY"
        yield Finding(
            Level.WARN, "secrets", f"{missing} is missing beside the other", "Set both, or each machine makes its own."
        )
    if settings.metrics_token and len(settings.metrics_token) < SHORTEST_TOKEN:
        yield Finding(
            Level.WARN,
            "secrets",
            "FAREBOX_METRICS_TOKEN is short",
            f"At least {SHORTEST_TOKEN} random characters, or unset it: then one is made.",
        )


def _zones(_: Settings) -> Findings:
    try:
        for name in SAMPLE_ZONES:
            ZoneInfo(name)
    except ZoneInfoNotFoundError as error:
        yield Finding(Level.FAIL, "time zones", str(error), "Install the Python package tzdata.")
    else:
        yield Finding(Level.OK, "time zones", "known")


def _mail(settings: Settings) -> Findings:
    if not settings.smtp_url:
        level = Level.WARN if settings.is_production else Level.OK
        advice = "Set FAREBOX_SMTP_URL, or no traveller gets a ticket by mail." if settings.is_production else ""
        yield Finding(level, "mail", "kept here, not sent (FAREBOX_SMTP_URL is not set)", advice)
        return
    url = urlsplit(settings.smtp_url)
    kind = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    try:
        with kind(url.hostname or "", url.port or 0, timeout=5) as server:
            server.ehlo()
    except (OSError, smtplib.SMTPException) as error:
        yield Finding(
            Level.FAIL,
            "mail",
            f"{url.hostname}: {error}",
            "Mend FAREBOX_SMTP_URL, or let this machine reach that server.",
        )
    else:
        yield Finding(Level.OK, "mail", f"{url.hostname} answers")


def _files(settings: Settings) -> Findings:
    """Of a bucket, whether we may write, read and delete in it; a folder of ours is part of the data directory."""
    if not settings.files_url:
        return
    try:
        asyncio.run(try_files(open_files(settings)))
    except NotFound as error:
        yield Finding(
            Level.FAIL, "files", f"{settings.files_url}: {error.text()}", "Let the bucket keep what it is given."
        )
    except Unavailable as error:
        reason = str(error.__cause__).strip().partition("\n")[0][:200]
        advice = "Mend FAREBOX_FILES_URL, FAREBOX_FILES_ENDPOINT or the keys (AWS_…)."
        yield Finding(Level.FAIL, "files", f"{settings.files_url}: {reason}", advice)
    else:
        yield Finding(Level.OK, "files", f"{settings.files_url} can be written, read and deleted from")


def _base_url(settings: Settings) -> Findings:
    url = urlsplit(settings.base_url)
    advice = "Set FAREBOX_BASE_URL to the address in people's browsers; links in mails begin with it."
    if url.scheme not in {"http", "https"} or not url.hostname or url.path.strip("/") or url.query:
        yield Finding(Level.FAIL, "base URL", settings.base_url, advice)
    elif settings.is_production and (url.scheme != "https" or _is_local(url.hostname)):
        yield Finding(Level.WARN, "base URL", f"{settings.base_url} in production", advice + " It should be https.")
    else:
        yield Finding(Level.OK, "base URL", settings.base_url)


def _payments(settings: Settings) -> Findings:
    """Test payments beside an address that travellers have: whoever says "paid" has paid."""
    host = urlsplit(settings.base_url).hostname
    if settings.is_production:
        yield Finding(Level.OK, "payments", "no test payments")
    elif host is None or _is_local(host):
        yield Finding(Level.OK, "payments", "test payments, for this machine")
    else:
        found = f"test payments at {settings.base_url}: tickets for nothing"
        yield Finding(Level.WARN, "payments", found, "Set FAREBOX_ENV=production where real travellers come.")


def _providers(settings: Settings) -> Findings:
    for found, advice in provider_mistakes(settings):
        yield Finding(Level.FAIL, "payment provider", found, advice)


def _limits(settings: Settings) -> Findings:
    if settings.rate_limits == "off":
        yield Finding(Level.WARN, "rate limits", "off", "Only for tests: unset FAREBOX_RATE_LIMITS.")
    else:
        yield Finding(Level.OK, "rate limits", "on")


def _telemetry(settings: Settings) -> Findings:
    if settings.telemetry == "on" and find_spec("opentelemetry.sdk") is None:
        yield Finding(Level.FAIL, "telemetry", "the packages are missing", "pip install 'farebox[telemetry]'")


def _server(connection: "psycopg.Connection[tuple[object, ...]]") -> Findings:
    version = connection.info.server_version // 10_000
    if version < OLDEST_POSTGRES:
        yield Finding(Level.FAIL, "PostgreSQL", str(version), f"Farebox needs {OLDEST_POSTGRES} or newer.")
    else:
        yield Finding(Level.OK, "PostgreSQL", f"{version} answers")
    row = connection.execute(
        "SELECT current_setting('server_encoding'),"
        " (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user),"
        " current_setting('max_connections')::int - (SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL)"
    ).fetchone()
    assert row is not None
    encoding, sees_everything, free = row
    if encoding != "UTF8":
        yield Finding(Level.FAIL, "encoding", str(encoding), "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0")
    if sees_everything:
        yield Finding(
            Level.WARN,
            "database role",
            "a superuser, or exempt from row security: nothing keeps operators' rows apart but the program",
            "Give Farebox a role of its own that owns its database only: NOSUPERUSER NOBYPASSRLS.",
        )
    else:
        yield Finding(Level.OK, "database role", "bound by row security")
    if isinstance(free, int) and free < CONNECTIONS_OF_A_PROCESS:
        yield Finding(
            Level.WARN,
            "connections",
            f"{free} free, a process may want {CONNECTIONS_OF_A_PROCESS}",
            "Raise max_connections, or put PgBouncer in between.",
        )


def _pooler(settings: Settings, direct: "psycopg.Connection[tuple[object, ...]]") -> Findings:
    """Whether it answers, and leads to the same database: bookings through one and jobs in another never meet."""
    question = "SELECT current_database(), pg_postmaster_start_time()"
    try:
        with psycopg.connect(settings.database_url, connect_timeout=5, prepare_threshold=None) as pooled:
            is_same = pooled.execute(question).fetchone() == direct.execute(question).fetchone()
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        yield Finding(Level.FAIL, "pooler", " ".join(str(error).split()), "Start it, or mend FAREBOX_DATABASE_URL.")
        return
    if is_same:
        yield Finding(Level.OK, "pooler", "answers, and leads to the same database")
    else:
        yield Finding(
            Level.FAIL,
            "pooler",
            "leads to another database than FAREBOX_DIRECT_DATABASE_URL",
            "Let both name the same one.",
        )


def _clock(connection: "psycopg.Connection[tuple[object, ...]]", before: datetime) -> Findings:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    after = datetime.now(UTC)
    assert row is not None
    theirs = row[0]
    assert isinstance(theirs, datetime)
    skew = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0)
    level = Level.FAIL if skew > SKEW_FAIL_SECONDS else Level.WARN if skew > SKEW_WARN_SECONDS else Level.OK
    advice = "" if level is Level.OK else "Let both machines keep time by NTP: holds and tickets depend on it."
    yield Finding(level, "clock", f"{skew:.1f} s from the database's" if skew else "agrees with the database's", advice)


def _extensions(connection: "psycopg.Connection[tuple[object, ...]]") -> Findings:
    rows = connection.execute(
        "SELECT name FROM pg_available_extensions WHERE name = ANY(%s)", [list(NEEDED_EXTENSIONS)]
    )
    missing = sorted(set(NEEDED_EXTENSIONS) - {row[0] for row in rows})
    if missing:
        yield Finding(
            Level.FAIL,
            "extensions",
            f"not available: {', '.join(missing)}",
            "Install PostgreSQL's contrib package on the server.",
        )
    else:
        yield Finding(Level.OK, "extensions", ", ".join(NEEDED_EXTENSIONS))


def _worker(connection: "psycopg.Connection[tuple[object, ...]]") -> Findings:
    row = connection.execute(
        "SELECT (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s)),"
        " (SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'),"
        " (SELECT count(*) FROM procrastinate_jobs job JOIN procrastinate_events event"
        "  ON event.job_id = job.id AND event.type = 'deferred' WHERE job.status = 'todo'"
        "  AND job.scheduled_at IS NULL AND event.at < now() - make_interval(secs => %s))",
        [WORKER_SILENT_SECONDS, JOB_LATE_SECONDS],
    ).fetchone()
    assert row is not None
    alive, failed, late = row
    if not alive:
        yield Finding(
            Level.WARN,
            "worker",
            "none is at work",
            "Mails and refunds wait. Start `farebox serve` or `farebox worker`.",
        )
    else:
        yield Finding(Level.OK, "worker", f"{alive} at work")
    if late:
        yield Finding(
            Level.WARN, "jobs", f"{late} wait for more than 5 minutes", "Add a `farebox worker`; see the log."
        )
    if failed:
        yield Finding(Level.WARN, "jobs", f"{failed} given up", "The log says why (job-failed).")


def _nearest(path: Path) -> Path:
    return next(place for place in (path, *path.absolute().parents) if place.exists())


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
