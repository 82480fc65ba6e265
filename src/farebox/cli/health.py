"""`farebox doctor` and `farebox version`."""

import platform
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from farebox import __version__
from farebox.cli.claims import HomeTaken, PortRefused, PortTaken, claim_home, claim_port
from farebox.cli.database import database
from farebox.cli.screen import out
from farebox.cli.start import Home, Host, Port
from farebox.core.errors import DomainError
from farebox.core.settings import BadSetting, Settings, load_settings

if TYPE_CHECKING:
    from farebox.doctor import Finding

MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


def doctor(*, host: Host = "127.0.0.1", port: Port = 8000, home: Home = None) -> int:
    """Look at everything Farebox stands on, and say what is wrong and what to do. Exit code 1 if something fails."""
    from farebox.doctor import Finding, Level  # noqa: PLC0415

    try:
        settings = load_settings(home=home)
        findings = list(_examine(settings, host, port))
    except BadSetting as error:
        findings = [Finding(Level.FAIL, "settings", error.text(), "Mend it and run this again.")]
    table = Table.grid(padding=(0, 2))
    for finding in findings:
        mark, color = MARKS[finding.level]
        table.add_row(Text(mark, style=color), Text(finding.subject), Text(finding.found))
        if finding.advice:
            table.add_row("", "", Text(f"→ {finding.advice}", style="bold"))
    out.print(table)
    failed = sum(finding.level is Level.FAIL for finding in findings)
    out.print(f"\n{failed} to mend." if failed else "\nNothing is broken.")
    return 1 if failed else 0


def version() -> None:
    """Print the versions of Farebox and of what it runs on."""
    out.print(f"Farebox {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")


def _examine(settings: Settings, host: str, port: int) -> "Iterator[Finding]":
    from farebox.doctor import Finding, Level, examine_database, examine_machine  # noqa: PLC0415

    yield from examine_machine(settings)
    yield _port(settings, host, port)
    if not settings.database_url and not (settings.home / "postgres").exists():
        yield Finding(Level.OK, "database", "none yet (made at the first start)")
        return
    try:
        with database(settings) as ready:
            yield from examine_database(ready)
    except DomainError as error:
        yield Finding(
            Level.FAIL, "database", error.text(), "The end of postgres.log in the data directory may say more."
        )


def _port(settings: Settings, host: str, port: int) -> "Finding":
    from farebox.doctor import Finding, Level  # noqa: PLC0415

    try:
        claim_port(host, port).close()
    except PortTaken as error:
        taken = Finding(
            Level.WARN, "port", f"{port} is taken by another program", f"Start with --port {error.fields['other']}."
        )
        if not settings.home.exists():
            return taken
        try:
            claim_home(settings.home).release()
        except HomeTaken:
            return Finding(Level.OK, "port", f"{port} is taken, and Farebox is running here")
        return taken
    except PortRefused as error:
        return Finding(Level.FAIL, "port", error.text(), "Choose another --host or --port.")
    return Finding(Level.OK, "port", f"{port} is free")
