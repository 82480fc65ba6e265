"""People with an account: reading who somebody is."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from farebox.accounts.errors import PersonNotFound
from farebox.accounts.people_models import PersonRow
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork

LONGEST_EMAIL: Final = 254


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """Somebody with an account. No `repr`, so that it does not end in a log.

    Attributes:
        is_verified: the address was proved to be theirs.
        phone: E.164, or empty.
        roles: of the whole platform: `user`, `premium`, `admin`.
        language, currency, timezone: as chosen; `None`: as the reader's browser says.
        has_password: false for who signs in elsewhere only.
    """

    id: UUID
    email: str
    is_verified: bool
    first_name: str
    last_name: str
    phone: str
    birth_date: date | None
    avatar: str | None
    roles: frozenset[str]
    language: str | None
    currency: str | None
    timezone: str | None
    has_password: bool
    created_at: datetime


def email_key(email: str) -> str:
    """The form under which an address is indexed; never fails. Bookings index their contacts in the same one."""
    return email.strip()[:LONGEST_EMAIL].casefold()


async def get_person(work: UnitOfWork, person_id: UUID, *, secrets: Secrets) -> Person:
    """Raises: PersonNotFound: there is no such person, or they have been erased."""
    row = await work.session.get(PersonRow, person_id, populate_existing=True)
    if row is None or row.erased_at is not None:
        raise PersonNotFound
    return _opened(row, secrets)


async def find_person_by_email(work: UnitOfWork, email: str, *, secrets: Secrets) -> Person | None:
    """The person who has this address, verified or not, however it is capitalised."""
    row = await work.session.scalar(
        select(PersonRow)
        .where(PersonRow.email_index.in_(secrets.blind_indexes(email_key(email))))
        .execution_options(populate_existing=True)
    )
    return _opened(row, secrets) if row is not None else None


def _opened(row: PersonRow, secrets: Secrets) -> Person:
    assert row.email is not None, "only who was erased has none"
    return Person(
        id=row.id,
        email=secrets.decrypt(row.email),
        is_verified=row.email_verified_at is not None,
        first_name=row.first_name,
        last_name=row.last_name,
        phone=secrets.decrypt(row.phone) if row.phone else "",
        birth_date=date.fromisoformat(secrets.decrypt(row.birth_date)) if row.birth_date else None,
        avatar=row.avatar,
        roles=frozenset(row.roles),
        language=row.language,
        currency=row.currency,
        timezone=row.timezone,
        has_password=row.password_hash is not None,
        created_at=row.created_at,
    )
