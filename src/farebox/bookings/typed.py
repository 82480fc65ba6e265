"""What was typed about people before there was a booking, kept for whoever typed it while they choose other seats.

It is sealed, it is for one owner, and it lives for an hour: nobody holds seats for longer without booking them.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, update

from farebox.bookings.models import TypedPeopleRow
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id

KEEP: Final = timedelta(hours=1)
PLACE: Final = "typed_people.typed"


async def keep_typed(work: UnitOfWork, typed: str, *, owner: str, secrets: Secrets) -> UUID:
    """Keep a text for its owner; the id under which only they find it again."""
    row = TypedPeopleRow(
        id=new_id(), owner=owner, typed=secrets.encrypt(typed, place=PLACE), expires_at=work.now + KEEP
    )
    work.session.add(row)
    await work.session.flush()
    return row.id


async def find_typed(work: UnitOfWork, typed_id: UUID, *, owner: str, secrets: Secrets) -> str | None:
    """What the owner has typed; `None` for what is somebody else's, or over."""
    sealed = await work.session.scalar(
        select(TypedPeopleRow.typed).where(
            TypedPeopleRow.id == typed_id,
            TypedPeopleRow.owner == owner,
            TypedPeopleRow.expires_at > func.clock_timestamp(),
        )
    )
    return None if sealed is None else secrets.decrypt(sealed, place=PLACE)


async def forget_typed(work: UnitOfWork, *, owner: str, typed_id: UUID | None = None) -> None:
    """Forget all that an owner has typed, or one of it."""
    theirs = TypedPeopleRow.owner == owner
    await work.session.execute(
        delete(TypedPeopleRow).where(theirs if typed_id is None else theirs & (TypedPeopleRow.id == typed_id))
    )


async def give_typed(work: UnitOfWork, *, source: str, target: str) -> None:
    """What a visitor has typed is the person's who has signed in there."""
    await work.session.execute(update(TypedPeopleRow).where(TypedPeopleRow.owner == source).values(owner=target))


async def forget_old_typed(work: UnitOfWork) -> None:
    """Forget what nobody can read any more."""
    await work.session.execute(delete(TypedPeopleRow).where(TypedPeopleRow.expires_at <= func.clock_timestamp()))
