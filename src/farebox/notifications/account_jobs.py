"""What makes messages to people about their account: the events and requests that lead to them."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from farebox.accounts import MAIL_REQUESTED
from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.notifications.commands import Office
from farebox.notifications.views import MessageKind

SIGNED_IN: Final = "notifications.signed-in"
PASSWORD_CHANGED: Final = "notifications.password-changed"  # noqa: S105  (no password)
TOKEN_REUSED: Final = "notifications.refresh-token-reused"  # noqa: S105  (no password)

ACCOUNT_REACTIONS: Final[Mapping[str, list[str]]] = {
    "user.logged_in": [SIGNED_IN],
    "user.password_changed": [PASSWORD_CHANGED],
    "user.refresh_token_reused": [TOKEN_REUSED],
}

Event = Mapping[str, Any]


def register_account_jobs(jobs: Jobs, database: Database, office: Office) -> None:
    """Enter the jobs that tell people about their account."""

    async def mail_requested(sealed: str) -> None:
        async with database.begin() as work:
            await office.answer_mail_request(work, sealed)

    async def signed_in(event: Event) -> None:
        if event["isNewDevice"]:
            async with database.begin() as work:
                await office.tell_of_sign_in(work, UUID(event["userId"]), UUID(event["sessionId"]))

    async def password_changed(event: Event) -> None:
        async with database.begin() as work:
            facts = {"url": "/forgot-password", "at": work.now}
            await office.tell_person(
                work, UUID(event["userId"]), MessageKind.PASSWORD_CHANGED, event["occasion"], facts
            )

    async def token_reused(event: Event) -> None:
        async with database.begin() as work:
            facts = {"url": "/account/security"}
            await office.tell_person(
                work, UUID(event["userId"]), MessageKind.REFRESH_TOKEN_REUSED, event["sessionId"], facts
            )

    jobs.register(MAIL_REQUESTED, mail_requested)
    jobs.register(SIGNED_IN, signed_in)
    jobs.register(PASSWORD_CHANGED, password_changed)
    jobs.register(TOKEN_REUSED, token_reused)
