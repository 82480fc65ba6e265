"""What a visitor did becomes a person's: on signing in in the same browser, or by the proved e-mail address."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, update

from farebox.accounts import Actor, end_guest_session, get_person, lock_person
from farebox.bookings.details import contact_key
from farebox.bookings.models import BookingRow
from farebox.bookings.states import BookingStatus, record
from farebox.bookings.typed import give_typed
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.inventory import give_holds

GUESTS: Final = "guest:%"


@dataclass(frozen=True, slots=True)
class Adopted:
    """How much has changed hands."""

    holds: int = 0
    bookings: int = 0


async def adopt_guest(work: UnitOfWork, guest_session_id: UUID, person_id: UUID) -> Adopted:
    """Give what a visitor's session holds and has booked to the person who has just signed in there, and end it.

    All of it or nothing, and to one person only: whoever comes second finds the session ended, and gets nothing. What
    the visitor books in that very moment is either given along or refused.

    Raises:
        PersonNotFound: there is no such person, or they have been erased.
    """
    await lock_person(work, person_id)
    if not await end_guest_session(work, guest_session_id):
        return Adopted()
    guest, person = Actor("guest", guest_session_id), Actor("user", person_id)
    # Holds first: who books locks them before there is a booking.
    holds = await give_holds(work, source=guest.owner, target=person.owner)
    await give_typed(work, source=guest.owner, target=person.owner)
    bookings = await _give(work, BookingRow.owner == guest.owner, to=person, reason="adopted")
    return Adopted(holds, len(bookings))


async def claim_bookings(work: UnitOfWork, person_id: UUID, *, secrets: Secrets) -> list[UUID]:
    """Give a person the bookings that visitors made with this person's e-mail address as the contact.

    Nothing happens before the address is proved to be theirs. The visitor who made a booking reaches it no longer with
    the session in which that was; the code that is mailed to the contact still opens it.

    Returns:
        The bookings that are the person's now.

    Raises:
        PersonNotFound: there is no such person, or they have been erased.
    """
    await lock_person(work, person_id)
    person = await get_person(work, person_id, secrets=secrets)
    if not person.is_verified:
        return []
    indexes = secrets.blind_indexes(contact_key(person.email, region=""))
    theirs = BookingRow.contact_email_index.in_(indexes) & BookingRow.owner.like(GUESTS)
    return await _give(work, theirs, to=Actor("user", person_id), reason="claimed")


async def _give(work: UnitOfWork, which: ColumnElement[bool], *, to: Actor, reason: str) -> list[UUID]:
    """The guard is in the UPDATE: of two who want the same booking, the second finds that it is no guest's any more."""
    given = await work.session.execute(
        update(BookingRow)
        .where(which)
        .values(owner=to.owner, updated_at=work.now)
        .returning(BookingRow.id, BookingRow.status)
        .execution_options(synchronize_session=False)
    )
    rows = given.all()
    for booking_id, status in rows:
        state = BookingStatus(status)
        record(work, booking_id, actor=to, source=state, target=state, reason=reason)
    return [booking_id for booking_id, _ in rows]
