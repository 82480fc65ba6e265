"""`farebox demo`, `serve` and `worker`: the commands that keep running."""

import gc
import os
import shlex
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import ExistingPath, PositiveInt, UInt16
from msgspec.structs import replace

from farebox.cli.claims import claim_home, claim_port
from farebox.cli.database import database
from farebox.cli.screen import facts, out
from farebox.core.crypto import once_made_password
from farebox.core.errors import SetupError
from farebox.core.i18n import N_
from farebox.core.logs import configure_logs
from farebox.core.settings import Settings, load_settings

Host = Annotated[str, Parameter(help="Address to listen on; 0.0.0.0 for all.")]
Port = Annotated[UInt16, Parameter(help="Port to listen on; 0 for any that is free.")]
Home = Annotated[Path | None, Parameter(help="Data directory, instead of FAREBOX_HOME or ./.farebox.")]


class NotForProduction(SetupError):
    code = "not-for-production"
    message = N_(
        "`farebox demo` fills the database with samples and refuses FAREBOX_ENV=production. Use `farebox serve`."
    )


class NothingToShift(SetupError):
    code = "nothing-to-shift"
    message = N_("--shift-to moves the calendar of a feed of your own. Name it with --feed, or leave --shift-to out.")


class SchemaBehind(SetupError):
    code = "schema-behind"
    message = N_("The database's schema is not the one this Farebox needs. Run `farebox migrate` first.")


class KeysNotGiven(SetupError):
    """Keys made in the data directory of one machine open nothing on the next, and are lost with it. `names`: which."""

    code = "keys-not-given"
    message = N_(
        "In production with a database of your own, the keys come from the environment. Set {names}: 32 random bytes"
        " each, in base64url. Keys made here before are in the folder secrets of the data directory."
    )


KEYS = ("FAREBOX_SECRET_KEY", "FAREBOX_SIGNING_KEY")


def demo(
    *,
    port: Port = 8000,
    host: Host = "127.0.0.1",
    feed: Annotated[
        ExistingPath | None,
        Parameter(help="Your own GTFS file, or a folder of its parts, instead of the sample network."),
    ] = None,
    shift_to: Annotated[date | None, Parameter(help="Move the feed's calendar so that it begins here.")] = None,
    home: Home = None,
) -> None:
    """Start everything at once, with a sample network (or your own timetable) on sale from today."""
    if load_settings().is_production:
        raise NotForProduction
    if shift_to and feed is None:
        raise NothingToShift
    settings = load_settings(env="demo", home=home)
    with _ready(settings, host, port) as (ready, listener):
        from farebox.cli.loading import ensure_schema, load_feed, load_sample_network  # noqa: PLC0415
        from farebox.server import serve as run  # noqa: PLC0415

        ensure_schema(ready)
        if feed is None:
            load_sample_network(ready)
        else:
            load_feed(ready, feed, shift_to=shift_to)
        with suppress(KeyboardInterrupt):  # being told to stop is how it ends
            run(ready, listener, on_ready=lambda: _welcome(ready))


def serve(*, host: Host = "127.0.0.1", port: Port = 8000, workers: PositiveInt = 1, home: Home = None) -> None:
    """Serve pages, API and jobs.

    Parameters
    ----------
    workers
        Processes to run. Each does everything; one for each processor core is right.
    """
    settings = load_settings(home=home)
    with _ready(settings, host, port) as (ready, listener):
        from farebox.server import serve as run  # noqa: PLC0415

        bring_up_to_date(ready, is_ours=not settings.database_url)
        with suppress(KeyboardInterrupt):
            run(ready, listener, workers=workers, on_ready=lambda: _tell_address(ready))


def worker(*, home: Home = None) -> None:
    """Run jobs without serving pages, beside one or more `farebox serve`."""
    settings = load_settings(home=home)
    configure_logs(settings)
    demand_keys(settings)
    with database(settings, load=load_program) as ready:
        from farebox.server import work  # noqa: PLC0415

        bring_up_to_date(ready, is_ours=not settings.database_url)
        out.print("Farebox works on its jobs. Ctrl-C stops it.")
        work(ready)


@contextmanager
def _ready(settings: Settings, host: str, port: int) -> Iterator[tuple[Settings, socket.socket]]:
    """Claims first, since they fail fast; then the database, while our own code loads."""
    configure_logs(settings)
    demand_keys(settings)
    with ExitStack() as stack:
        if not settings.database_url:
            stack.callback(claim_home(settings.home).release)
        listener = stack.enter_context(claim_port(host, port))
        if not os.environ.get("FAREBOX_BASE_URL"):
            settings = replace(settings, base_url=_address(host, listener.getsockname()[1]))
        ready = stack.enter_context(database(settings, load=load_program))
        yield ready, listener


def load_program() -> None:
    """Import all that serving needs. Nobody looks for garbage meanwhile: there is none, and it took a seventh of it."""
    gc.disable()
    try:
        import_module("farebox.server")
    finally:
        gc.enable()


def demand_keys(settings: Settings) -> None:
    """Raises: KeysNotGiven: in production, where the database is not the embedded one, which has them beside it."""
    missing = [name for name in KEYS if not os.environ.get(name)]
    if settings.is_production and settings.database_url and missing:
        raise KeysNotGiven(names=missing)


def bring_up_to_date(settings: Settings, *, is_ours: bool) -> None:
    """The embedded database is migrated without asking; another one belongs to somebody who decides when."""
    from farebox.cli.loading import ensure_schema  # noqa: PLC0415
    from farebox.migrations.state import is_current  # noqa: PLC0415

    if is_ours:
        ensure_schema(settings)
    elif not is_current(settings.server_url):
        raise SchemaBehind


def _address(host: str, port: int) -> str:
    """Where people reach us when the settings do not say it."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _tell_address(settings: Settings) -> None:
    facts("Farebox is running.", [("Shop", settings.base_url)])
    if not settings.is_production:
        out.print(
            "Test payments are on: tickets cost nothing. FAREBOX_ENV=production shuts them off.\n", soft_wrap=True
        )


def staff_command(settings: Settings) -> str:
    """What lets somebody into the demo's console: on this data, and with a link that leads to this address."""
    usual = load_settings()
    words = ["farebox", "staff", "add", "--operator", "truong-son-lines", "--email", "you@example.com"]
    if settings.home != usual.home:
        words += ["--home", str(settings.home)]
    where = "" if settings.base_url == usual.base_url else f"FAREBOX_BASE_URL={shlex.quote(settings.base_url)} "
    return where + shlex.join(words)


def _welcome(settings: Settings) -> None:
    base = settings.base_url
    facts(
        "Farebox is running. Ctrl-C stops it.",
        [
            ("Shop", f"{base}/"),
            ("API", f"{base}/api/v1/openapi.json"),
            ("Mailbox", f"{base}/dev/mailbox"),
            ("Console", f"{base}/console"),
            ("Health", f"{base}/health/ready"),
            ("Metrics", f"{base}/metrics"),
            ("Data", str(settings.home)),
            ("Password", settings.metrics_token or once_made_password(settings.home, "operations")),
        ],
    )
    out.print(
        "The password opens metrics and mailbox from other machines; from this one they need none.\n"
        "This lets you into the console of an operator of the sample network:\n"
        f"{staff_command(settings)}\n",
        style="dim",
        soft_wrap=True,
    )
