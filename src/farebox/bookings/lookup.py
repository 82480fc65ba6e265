"""Seeing one's booking without its credential: reference, contact, and a code that is mailed to the contact.

Hit and miss look alike and take alike: a request is one row and one event, written without looking whether such a
booking exists. The job that reacts looks, and makes and mails the code; it exists nowhere but in the mail.
"""

import hashlib
import hmac
import secrets as random
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, update

from farebox.accounts import SYSTEM, open_booking_session
from farebox.bookings.assembling import contact_of
from farebox.bookings.details import contact_key
from farebox.bookings.errors import ReferenceMistyped
from farebox.bookings.events import LookupCodeRequested
from farebox.bookings.models import BookingLookupRow, BookingRow
from farebox.bookings.queries import get_booking
from farebox.bookings.references import check_reference, normalise_reference
from farebox.bookings.views import Booking
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.ids import new_id
from farebox.core.settings import Settings

CODE_DIGITS: Final = 6
CODE_SECONDS: Final = 600
MAX_TRIES: Final = 5
MAX_CODES: Final = 3
"""Codes for one booking within `LIMIT_SECONDS`; more are not mailed. Bounds both guesses and unwanted mail."""

LIMIT_SECONDS: Final = 900
KEEP_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True, repr=False)
class LookupCode:
    """What the mail says. No `repr`: the code is nowhere but in the mail."""

    booking: Booking
    code: str
    minutes: int


@dataclass(frozen=True, slots=True, repr=False)
class Verified:
    """The code was right: the booking, and a token that reaches it and nothing else."""

    booking: Booking
    token: str


async def request_lookup(
    work: UnitOfWork, reference: str, contact: str, *, settings: Settings, secrets: Secrets
) -> None:
    """Ask for a code. Says nothing about whether there is such a booking.

    Args:
        contact: the booking's e-mail address or phone number, as typed. The code goes to the booking's e-mail address.

    Raises:
        Invalid: no booking ever had such a reference: it was mistyped.
    """
    try:
        meant = check_reference(reference)
    except ReferenceMistyped as error:
        raise Invalid([FieldError("reference", error.code, error.message)]) from None
    row = BookingLookupRow(
        id=new_id(),
        reference=meant,
        contact_index=secrets.blind_index(contact_key(contact, region=settings.phone_region)),
        created_at=work.now,
        tries=0,
    )
    work.session.add(row)
    work.publish(LookupCodeRequested(lookup_id=row.id))


async def make_lookup_code(work: UnitOfWork, lookup_id: UUID, *, secrets: Secrets) -> LookupCode | None:
    """The code to be mailed for a request, or `None` when there is nothing to mail. Made anew when asked again.

    Earlier codes of the booking stop working.
    """
    lookup = await work.session.scalar(
        select(BookingLookupRow).where(BookingLookupRow.id == lookup_id).with_for_update()
    )
    if lookup is None or lookup.used_at is not None:
        return None
    row = await work.session.scalar(
        select(BookingRow).where(BookingRow.reference == lookup.reference).with_for_update(key_share=True)
    )
    if row is None or not _is_contact(row, lookup.contact_index, secrets):
        return None
    booking_id = row.id
    since = work.now - timedelta(seconds=LIMIT_SECONDS)
    recent = await work.session.scalar(
        select(func.count()).where(
            BookingLookupRow.booking_id == booking_id,
            BookingLookupRow.created_at > since,
            BookingLookupRow.id != lookup.id,
        )
    )
    if (recent or 0) >= MAX_CODES:
        return None
    await work.session.execute(
        update(BookingLookupRow)
        .where(BookingLookupRow.booking_id == booking_id, BookingLookupRow.id != lookup.id)
        .values(code_digest=None)
    )
    code = f"{random.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    lookup.booking_id = booking_id
    lookup.code_digest = _digest(secrets, lookup.id, code)
    lookup.expires_at = work.now + timedelta(seconds=CODE_SECONDS)
    await work.session.flush()
    return LookupCode(await get_booking(work, booking_id, actor=SYSTEM), code, CODE_SECONDS // 60)


async def verify_lookup(
    work: UnitOfWork, reference: str, contact: str, code: str, *, settings: Settings, secrets: Secrets
) -> Verified | None:
    """Exchange a code for the booking and a token that reaches it.

    A wrong code is counted, so this returns `None` and does not raise: the caller answers, and the count is kept.
    `None` for every kind of miss alike.
    """
    newest = (
        select(BookingLookupRow.id)
        .where(
            BookingLookupRow.reference == normalise_reference(reference),
            BookingLookupRow.contact_index.in_(
                secrets.blind_indexes(contact_key(contact, region=settings.phone_region))
            ),
            BookingLookupRow.code_digest.is_not(None),
        )
        .order_by(BookingLookupRow.created_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    # Counting is what lets one try: a hundred guesses sent at once are still five.
    tried = await work.session.execute(
        update(BookingLookupRow)
        .where(
            BookingLookupRow.id == newest,
            BookingLookupRow.tries < MAX_TRIES,
            BookingLookupRow.used_at.is_(None),
            BookingLookupRow.expires_at > work.now,
        )
        .values(tries=BookingLookupRow.tries + 1)
        .returning(BookingLookupRow.id, BookingLookupRow.booking_id, BookingLookupRow.code_digest)
        .execution_options(synchronize_session=False)
    )
    row = tried.one_or_none()
    lookup_id, booking_id, expected = row if row is not None else (UUID(int=0), None, b"")
    digits = "".join(character for character in code if character.isdecimal())
    if not hmac.compare_digest(_digest(secrets, lookup_id, digits), expected or b"") or booking_id is None:
        return None
    await work.session.execute(
        update(BookingLookupRow).where(BookingLookupRow.id == lookup_id).values(used_at=work.now, code_digest=None)
    )
    token = await open_booking_session(work, booking_id, ttl_seconds=settings.guest_session_seconds)
    return Verified(await get_booking(work, booking_id, actor=SYSTEM), token)


async def delete_old_lookups(work: UnitOfWork) -> None:
    """Forget requests of yesterday: they name references, some of them true."""
    await work.session.execute(
        delete(BookingLookupRow).where(BookingLookupRow.created_at < work.now - timedelta(seconds=KEEP_SECONDS))
    )


def _is_contact(row: BookingRow, asked: bytes, secrets: Secrets) -> bool:
    """Whether a request named the booking's contact. Both may have been indexed under different keys."""
    contact = contact_of(row)
    return any(
        asked in secrets.blind_indexes(contact_key(known, region=""))
        for known in (contact.email.open(secrets), contact.phone.open(secrets))
        if known
    )


def _digest(secrets: Secrets, lookup_id: UUID, code: str) -> bytes:
    """Keyed, since six digits are soon guessed from a plain digest, and different for each request."""
    return hmac.digest(secrets.derive("lookup-code"), lookup_id.bytes + code.encode(), hashlib.sha256)
