"""`farebox people` and `farebox keys`: letting people in, and changing the keys that sign their access tokens."""

import asyncio
from typing import Annotated

from cyclopts import App, Parameter

from farebox.cli.database import database
from farebox.cli.screen import out
from farebox.cli.start import Home, bring_up_to_date
from farebox.core.logs import configure_logs
from farebox.core.settings import Settings, load_settings

app = App(name="people", help="People with an account: let the first admin in.")
keys = App(name="keys", help="Keys that sign access tokens.")


@app.command
def add(
    *,
    email: Annotated[str, Parameter(help="Their address; an account that has it is used.")],
    admin: Annotated[bool, Parameter(help="Make them an admin of the whole platform.", negative="")] = False,
    home: Home = None,
) -> None:
    """Make an account, and print a link that works once, for 24 hours, with which its owner chooses a password."""
    settings = load_settings(home=home)
    configure_logs(settings)
    with database(settings) as ready:
        bring_up_to_date(ready, is_ours=not settings.database_url)
        path = asyncio.run(_let_in(ready, email, is_admin=admin))
    role = " It is an admin's." if admin else ""
    out.print(f"The account is ready.{role} Open this once, within 24 hours, and choose a password:", soft_wrap=True)
    out.print(f"{ready.base_url.rstrip('/')}{path}", soft_wrap=True)


@keys.command
def rotate(*, home: Home = None) -> None:
    """Sign access tokens with a new key from now on. Older keys verify for one more hour: nobody is signed out."""
    settings = load_settings(home=home)
    configure_logs(settings)
    with database(settings) as ready:
        kid = asyncio.run(_rotate(ready))
    out.print(f"Key {kid} signs, in every process within a minute.", soft_wrap=True)


async def _let_in(settings: Settings, email: str, *, is_admin: bool) -> str:
    from farebox.accounts import let_in  # noqa: PLC0415
    from farebox.core.crypto import load_secrets  # noqa: PLC0415
    from farebox.core.db import Database  # noqa: PLC0415

    opened = Database(settings.database_url, direct_url=settings.direct_database_url)
    try:
        async with opened.begin() as work:
            return await let_in(work, email, is_admin=is_admin, secrets=load_secrets(settings.home))
    finally:
        await opened.dispose()


async def _rotate(settings: Settings) -> str:
    from farebox.accounts import rotate_signing_key  # noqa: PLC0415
    from farebox.core.crypto import load_secrets  # noqa: PLC0415
    from farebox.core.db import Database  # noqa: PLC0415

    opened = Database(settings.database_url, direct_url=settings.direct_database_url)
    try:
        async with opened.begin() as work:
            return await rotate_signing_key(work, secrets=load_secrets(settings.home))
    finally:
        await opened.dispose()
