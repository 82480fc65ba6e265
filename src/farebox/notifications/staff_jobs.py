"""Mail to those who are invited to work for an operator."""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from farebox.accounts import ROLE_NAMES, make_invitation_mail
from farebox.core.crypto import Secrets
from farebox.core.db import Database, UnitOfWork
from farebox.core.i18n import gettext, language
from farebox.core.jobs import Jobs
from farebox.notifications.commands import Office
from farebox.notifications.models import MessageRow
from farebox.notifications.views import MessageKind

INVITED: Final = "notifications.staff-invited"

STAFF_REACTIONS: Final[Mapping[str, list[str]]] = {"staff.invited": [INVITED]}


def register_staff_jobs(jobs: Jobs, database: Database, office: Office, secrets: Secrets) -> None:
    """Enter the job that mails invitations, each once for an event however often it runs."""

    async def staff_invited(event: Mapping[str, Any]) -> None:
        async with database.begin(reach="*") as work:
            await _send_invitation(work, UUID(event["invitationId"]), event["occasion"], office, secrets)

    jobs.register(INVITED, staff_invited)


async def _send_invitation(
    work: UnitOfWork, invitation_id: UUID, occasion: str, office: Office, secrets: Secrets
) -> None:
    """The link of an invitation, unless it waits no longer."""
    entered = select(MessageRow.id).where(MessageRow.booking_id.is_(None), MessageRow.occasion == occasion)
    if await work.session.scalar(entered.limit(1)) is not None:
        return  # a second link would make the first, which is on its way, worthless
    mail = await make_invitation_mail(work, invitation_id, secrets=secrets)
    if mail is None:
        return
    with language(mail.language):
        role = gettext(ROLE_NAMES[mail.role])
    facts = {
        "operator": mail.operator.name,
        "role": role,
        "days": ceil((mail.expires_at - work.now) / timedelta(days=1)),
        "url": f"/join?token={mail.token}",
    }
    await office.tell_person(work, mail.email, MessageKind.STAFF_INVITED, occasion, facts, language_code=mail.language)
