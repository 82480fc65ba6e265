"""`farebox secrets`: a new key for sealed fields, while the product runs."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cyclopts import App

from farebox.cli.database import database
from farebox.cli.screen import err, out
from farebox.cli.start import Home
from farebox.core.errors import SetupError
from farebox.core.i18n import N_
from farebox.core.logs import configure_logs
from farebox.core.settings import Settings, load_settings

app = App(name="secrets", help="Keys of sealed fields: make a new one, seal anew, see what is left to do.")


class KeyFromEnvironment(SetupError):
    code = "key-from-environment"
    message = N_(
        "The key comes from FAREBOX_SECRET_KEY, so it is yours to change. 1. Draw a new one: `{draw}`. 2. On every"
        " machine add it to FAREBOX_OLD_SECRET_KEYS and restart. 3. On every machine make it FAREBOX_SECRET_KEY, with"
        " the former one in FAREBOX_OLD_SECRET_KEYS, and restart. 4. Run `farebox secrets reseal`."
    )


@app.command
def rotate(*, home: Home = None) -> int:
    """Make a new key, and seal everything anew with it. The product may run meanwhile; older keys still open."""
    from farebox.core.keys import SealingKeys  # noqa: PLC0415

    settings = _settings(home)
    if os.environ.get("FAREBOX_SECRET_KEY"):
        raise KeyFromEnvironment(draw="openssl rand -base64 32 | tr '+/' '-_'")
    with database(settings) as ready:
        SealingKeys(ready.home / "secrets").make()
        out.print("A new key seals from now on. Back up the secrets directory: without it nothing opens again.")
        return asyncio.run(_reseal(ready))


@app.command
def reseal(*, home: Home = None) -> int:
    """Go on sealing anew what older keys sealed: after `rotate` was stopped, or FAREBOX_SECRET_KEY changed."""
    with database(_settings(home)) as ready:
        return asyncio.run(_reseal(ready))


@app.command
def status(*, home: Home = None) -> None:
    """Tell how many rows of each table older keys have sealed."""
    with database(_settings(home)) as ready:
        for table, rows in asyncio.run(_count(ready)).items():
            out.print(f"{rows:>10,}  {table}")


def _settings(home: Home) -> Settings:
    settings = load_settings(home=home)
    configure_logs(settings)
    return settings


async def _count(settings: Settings) -> dict[str, int]:
    from farebox.core.crypto import load_secrets  # noqa: PLC0415
    from farebox.core.db import Database  # noqa: PLC0415
    from farebox.core.resealing import count_old  # noqa: PLC0415
    from farebox.migrations import load_models  # noqa: PLC0415
    from farebox.privacy import SEALED  # noqa: PLC0415

    load_models()
    house = Database(settings.database_url, direct_url=settings.direct_database_url)
    try:
        return await count_old(house, load_secrets(settings.home), SEALED)
    finally:
        await house.dispose()


async def _reseal(settings: Settings) -> int:
    from farebox.core.crypto import load_secrets  # noqa: PLC0415
    from farebox.core.db import Database  # noqa: PLC0415
    from farebox.core.resealing import reseal as seal_anew  # noqa: PLC0415
    from farebox.privacy import SEALED  # noqa: PLC0415

    left = await _count(settings)
    house = Database(settings.database_url, direct_url=settings.direct_database_url)
    try:
        with _progress(sum(left.values())) as advance:
            done = await seal_anew(house, load_secrets(settings.home), SEALED, on_progress=advance)
    finally:
        await house.dispose()
    for table, each in done.items():
        out.print(f"{each.rows:>10,}  {table}")
        if each.unreadable:
            err.print(f"{each.unreadable:,} rows of {table} were sealed with a key that is not here.")
        if each.ambiguous:
            err.print(f"{each.ambiguous:,} rows of {table} have the digest of another row, and keep their former one.")
    return 1 if any(each.unreadable for each in done.values()) else 0


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str, int], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task("sealing anew", total=total)
        yield lambda table, rows: bar.update(task, advance=rows, description=table)
