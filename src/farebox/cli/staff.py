"""`farebox staff`: the first of those who work for an operator; they invite the others."""

import asyncio
from typing import Annotated, Literal, TypeAlias

from cyclopts import App, Parameter

from farebox.cli.database import database
from farebox.cli.screen import out
from farebox.cli.start import Home, bring_up_to_date
from farebox.core.logs import configure_logs
from farebox.core.settings import Settings, load_settings

StaffRole: TypeAlias = Literal["agent", "driver", "operator_admin"]
"""As `accounts` has it, which would take its time to load."""

app = App(name="staff", help="Who works for an operator: the first one; they invite the others.")


@app.command
def add(
    *,
    operator: Annotated[str, Parameter(help="The operator's code, such as its agency's id in the timetable.")],
    email: Annotated[str, Parameter(help="Their address.")],
    role: Annotated[StaffRole, Parameter(help="What they are to be.")] = "operator_admin",
    home: Home = None,
) -> None:
    """Let somebody work for an operator. Who has no account yet gets a link that works once, for seven days."""
    settings = load_settings(home=home)
    configure_logs(settings)
    with database(settings) as ready:
        bring_up_to_date(ready, is_ours=not settings.database_url)
        path = asyncio.run(_add(ready, operator, email, role))
    if not path:
        out.print(f"{email} works for {operator} from now on, as {role}.")
        return
    out.print(f"No account has {email} as its proven address. Let them open this, once, within seven days:")
    out.print(f"{ready.base_url.rstrip('/')}{path}", soft_wrap=True)


async def _add(settings: Settings, operator: str, email: str, role: StaffRole) -> str:
    """The path of an invitation; empty where none was needed."""
    from farebox.accounts import (  # noqa: PLC0415
        SYSTEM,
        add_member_by_email,
        find_operator_by_code,
        invite,
        make_invitation_mail,
    )
    from farebox.core.crypto import load_secrets  # noqa: PLC0415
    from farebox.core.db import Database  # noqa: PLC0415

    secrets = load_secrets(settings.home)
    opened = Database(settings.database_url, direct_url=settings.direct_database_url)
    try:
        async with opened.begin(reach="*") as work:
            if await add_member_by_email(work, operator, email, role, secrets=secrets):
                return ""
            found = await find_operator_by_code(work, operator)
            assert found is not None, "it was found a moment ago"
            invitation = await invite(
                work, found.id, email, role, actor=SYSTEM, secrets=secrets, language=found.language
            )
            mail = await make_invitation_mail(work, invitation.id, secrets=secrets)  # no job mails it from here
            return f"/join?token={mail.token}" if mail else ""
    finally:
        await opened.dispose()
