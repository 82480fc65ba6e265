"""People whom who runs the software lets in, the first admin among them. Nobody has a password by default."""

from typing import Final

from sqlalchemy import update

from farebox.accounts.mail_tokens import make_mail_token
from farebox.accounts.people import find_person_by_email
from farebox.accounts.people_models import PersonRow
from farebox.accounts.registering import check_email, make_person
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid

LINK_SECONDS: Final = 86_400


async def let_in(work: UnitOfWork, email: str, *, is_admin: bool, secrets: Secrets) -> str:
    """Make an account, or find it, and return the path of a link that works once, for 24 hours, to set its password.

    Args:
        is_admin: makes them an admin of the platform. Who is one already stays one.

    Raises:
        Invalid: not an address.
    """
    address, errors = check_email(email)
    if errors:
        raise Invalid(errors)
    person = await find_person_by_email(work, address, secrets=secrets)
    person_id = person.id if person else await make_person(work, email=address, verified=False, secrets=secrets)
    if is_admin:
        roles = sorted({"user", "admin"} | (person.roles if person else set()))
        await work.session.execute(
            update(PersonRow).where(PersonRow.id == person_id).values(roles=roles, updated_at=work.now)
        )
    token = await make_mail_token(work, person_id, "reset-password", seconds=LINK_SECONDS)
    return f"/reset-password?token={token}"
