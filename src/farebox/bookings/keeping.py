"""What bookings keep of people, and for how long. Amounts, dates, references and rides stay; who it was, is wiped.

A wiped text opens as the empty one, and its digest is empty, so that it is never found.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from farebox.bookings.details import contact_key
from farebox.bookings.models import BookingPassengerRow, BookingRow
from farebox.bookings.states import UNPAID, BookingStatus
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.pricing import forget_promotion_people

BATCH: Final = 500
NOWHERE: Final = b""
"""The digest of what was wiped."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A booking that its owner still needs, and why."""

    id: UUID
    reference: str
    why: Literal["unpaid", "upcoming"]


async def list_unfinished(work: UnitOfWork, owner: str) -> list[Unfinished]:
    """The owner's bookings that wait for money, or whose ride is not over; they cannot change until this transaction
    ends."""
    rows = await work.session.execute(
        select(BookingRow.id, BookingRow.reference, BookingRow.status)
        .where(
            BookingRow.owner == owner,
            (BookingRow.status.in_(UNPAID) & (BookingRow.expires_at > func.clock_timestamp()))
            | ((BookingRow.status == BookingStatus.CONFIRMED) & (BookingRow.completes_at > work.now)),
        )
        .order_by(BookingRow.id)
        .with_for_update()
    )
    return [
        Unfinished(booking_id, reference, "unpaid" if status in UNPAID else "upcoming")
        for booking_id, reference, status in rows
    ]


async def list_booking_ids(work: UnitOfWork, owner: str) -> list[UUID]:
    """All bookings of an owner, in the order of their making."""
    return list(await list_references(work, owner))


async def list_references(work: UnitOfWork, owner: str) -> dict[UUID, str]:
    """The references of an owner's bookings by their ids, in the order of their making."""
    rows = await work.session.execute(
        select(BookingRow.id, BookingRow.reference).where(BookingRow.owner == owner).order_by(BookingRow.id)
    )
    return {booking_id: reference for booking_id, reference in rows}  # noqa: C416  (rows are no pairs to the type checker)


async def wipe_people(work: UnitOfWork, booking_ids: Collection[UUID], *, secrets: Secrets) -> None:
    """Forget who these bookings were for: contact, names, documents, phones, addresses, what somebody wrote about it,
    and that they had a code."""
    had_codes = await _list_code_holders(work, booking_ids, secrets)
    await _wipe_contacts(work, BookingRow.id.in_(booking_ids), secrets)
    await _wipe_code_holders(work, had_codes)
    await _wipe_notes(work, booking_ids)
    await _wipe_passengers(work, BookingPassengerRow.booking_id.in_(booking_ids), {"full_name": ""}, secrets)


async def wipe_old_documents(work: UnitOfWork, *, before: datetime, secrets: Secrets) -> int:
    """Forget documents, phones, addresses and needs of the passengers of rides that were over by then, a batch at a
    time; the names stay. How many passengers that were."""
    old = (
        select(BookingPassengerRow.id)
        .join(BookingRow, BookingRow.id == BookingPassengerRow.booking_id)
        .where(
            BookingRow.completes_at < before,
            BookingRow.status.not_in(UNPAID),
            BookingPassengerRow.id_number_index != NOWHERE,
        )
        .order_by(BookingPassengerRow.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=BookingPassengerRow)
    )
    ids = (await work.session.scalars(old)).all()
    return await _wipe_passengers(work, BookingPassengerRow.id.in_(ids), {}, secrets)


async def wipe_old_people(work: UnitOfWork, *, before: datetime, secrets: Secrets) -> int:
    """Forget who the bookings were for that were over by then, a batch at a time; how many bookings that were."""
    old = (
        select(BookingRow.id)
        .where(
            BookingRow.completes_at < before,
            BookingRow.status.not_in(UNPAID),
            BookingRow.contact_email_index != NOWHERE,
        )
        .order_by(BookingRow.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    ids = (await work.session.scalars(old)).all()
    await wipe_people(work, ids, secrets=secrets)
    return len(ids)


async def _list_code_holders(
    work: UnitOfWork, booking_ids: Collection[UUID], secrets: Secrets
) -> dict[UUID, set[bytes]]:
    """Promotion -> the digests under which it knows who these bookings are for, whatever key they were made with."""
    rows = await work.session.execute(
        select(BookingRow.promotion_id, BookingRow.contact_email, BookingRow.contact_email_index).where(
            BookingRow.id.in_(booking_ids),
            BookingRow.promotion_id.is_not(None),
            BookingRow.contact_email_index != NOWHERE,
        )
    )
    found: dict[UUID, set[bytes]] = {}
    for promotion_id, sealed, index in rows:
        assert promotion_id is not None  # as asked for
        email = secrets.decrypt(sealed, place="booking.contact_email")
        digests = {index, *secrets.blind_indexes(contact_key(email, region=""))}
        found.setdefault(promotion_id, set()).update(digests)
    return found


async def _wipe_code_holders(work: UnitOfWork, had_codes: Mapping[UUID, set[bytes]]) -> None:
    """Unless another booking, which is not wiped, says the same."""
    for promotion_id, people in had_codes.items():
        still = await work.session.scalar(
            select(BookingRow.id)
            .where(BookingRow.promotion_id == promotion_id, BookingRow.contact_email_index.in_(people))
            .limit(1)
        )
        if still is None:
            await forget_promotion_people(work, promotion_id, people)


async def _wipe_notes(work: UnitOfWork, booking_ids: Collection[UUID]) -> None:
    """The one thing that may be taken out of the audit: what somebody wrote in their own words."""
    await work.execute(
        "UPDATE booking_audit SET facts = facts - 'note' WHERE booking_id = ANY(%s) AND facts ? 'note'",
        (list(booking_ids),),
    )


async def _wipe_contacts(work: UnitOfWork, which: ColumnElement[bool], secrets: Secrets) -> None:
    await work.session.execute(
        update(BookingRow)
        .where(which)
        .values(
            contact_email=secrets.encrypt("", place="booking.contact_email"),
            contact_email_index=NOWHERE,
            contact_phone=secrets.encrypt("", place="booking.contact_phone"),
            contact_phone_index=NOWHERE,
        )
        .execution_options(synchronize_session=False)
    )


async def _wipe_passengers(work: UnitOfWork, which: ColumnElement[bool], more: dict[str, Any], secrets: Secrets) -> int:
    wiped = await work.session.scalars(
        update(BookingPassengerRow)
        .where(which)
        .values(
            id_number=secrets.encrypt("", place="booking_passenger.id_number"),
            id_number_index=NOWHERE,
            phone=secrets.encrypt("", place="booking_passenger.phone"),
            phone_index=NOWHERE,
            email=None,
            email_index=None,
            special_needs=False,
            **more,
        )
        .returning(BookingPassengerRow.id)
        .execution_options(synchronize_session=False)
    )
    return len(wiped.all())
