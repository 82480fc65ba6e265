"""Erasing a person: at once and for good, as soon as nobody owes anybody anything.

What stays of their bookings is what tax law asks for: amounts, dates, references, rides. Nothing of it names anybody
but a business on an invoice that was written for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from farebox.accounts import (
    SYSTEM,
    Actor,
    end_booking_sessions,
    erase_person,
    is_last_admin,
    list_unverified,
    lock_person,
    note_access,
    person_subject,
)
from farebox.bookings import forget_typed, list_booking_ids, list_unfinished, wipe_people
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.jobs import Jobs
from farebox.inventory import release_all
from farebox.notifications import MessageKind, Office, wipe_messages
from farebox.payments import has_money, issue_for_businesses, list_unsettled, wipe_buyers, wipe_invoice_details
from farebox.privacy.errors import NotErasable, Obstacle
from farebox.privacy.events import UserErased

UNVERIFIED_DAYS = 30
"""An account whose address nobody confirms is forgotten after so long."""


@dataclass(frozen=True, slots=True)
class Obstacles:
    """What is in the way of erasing somebody, and the references of the bookings that are."""

    reasons: tuple[Obstacle, ...] = ()
    references: tuple[str, ...] = ()


async def find_obstacles(work: UnitOfWork, person_id: UUID) -> Obstacles:
    """What would have to end first. The unit of work must reach all operators."""
    owner = Actor("user", person_id).owner
    unfinished = await list_unfinished(work, owner)
    reasons: set[Obstacle] = {each.why for each in unfinished}
    if await list_unsettled(work, await list_booking_ids(work, owner)):
        reasons.add("money-owed")
    if await has_money(work, person_id):
        reasons.add("wallet")
    if await is_last_admin(work, person_id):
        reasons.add("last-admin")
    return Obstacles(tuple(sorted(reasons)), tuple(each.reference for each in unfinished))


async def erase(
    work: UnitOfWork, person_id: UUID, *, actor: Actor, jobs: Jobs, office: Office, secrets: Secrets
) -> None:
    """Erase a person's account and what names them in their bookings. It cannot be undone.

    What they hold is given back, all their sessions end, and a last mail says that it is done. The unit of work must
    reach all operators.

    Raises:
        PersonNotFound: there is no such person, or they have been erased.
        NotErasable: the account is still needed; nothing was changed.
    """
    await lock_person(work, person_id)
    owner = Actor("user", person_id).owner
    await release_all(work, owner=owner)  # first: who books locks what they hold, and is seen below or refused
    obstacles = await find_obstacles(work, person_id)
    if obstacles.reasons:
        raise NotErasable(obstacles=list(obstacles.reasons), references=list(obstacles.references))
    booking_ids = await list_booking_ids(work, owner)
    await issue_for_businesses(work, booking_ids, secrets=secrets)  # while it is known whom they are for
    await forget_typed(work, owner=owner)
    await _wipe(work, person_id, booking_ids, secrets)
    erased = await erase_person(work, person_id, jobs=jobs, secrets=secrets)
    await note_access(work, actor, person_subject(person_id), "erased", facts={"bookings": len(booking_ids)})
    await office.tell_person(
        work, erased.email, MessageKind.ACCOUNT_ERASED, str(person_id), language_code=erased.language
    )
    work.publish(UserErased(user_id=person_id))


async def erase_unverified(work: UnitOfWork, *, jobs: Jobs, secrets: Secrets, limit: int = 100) -> int:
    """Erase accounts that nobody has confirmed for a month; how many. Nobody is told: it was nobody's wish to be."""
    ids = await list_unverified(work, days=UNVERIFIED_DAYS, limit=limit)
    for person_id in ids:
        await _wipe(work, person_id, (), secrets)
        await erase_person(work, person_id, jobs=jobs, secrets=secrets)
        await note_access(work, SYSTEM, person_subject(person_id), "erased", facts={"why": "unverified"})
    return len(ids)


async def _wipe(work: UnitOfWork, person_id: UUID, booking_ids: Sequence[UUID], secrets: Secrets) -> None:
    await wipe_people(work, booking_ids, secrets=secrets)
    await wipe_buyers(work, booking_ids, secrets=secrets)
    await wipe_invoice_details(work, booking_ids)
    await wipe_messages(work, person_id=person_id, booking_ids=booking_ids, secrets=secrets)
    await end_booking_sessions(work, booking_ids)
