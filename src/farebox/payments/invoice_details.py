"""Whom a traveller wants the invoices of a booking to name: a company with its tax number, or a person with an address.

They are given before the booking is paid, or at any time after. What was written by then stays, as every document does:
it is credited, and the same price invoiced anew, with numbers of their own (see `invoices`).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from farebox.accounts import Actor, Permission
from farebox.bookings import Booking, ConcernsOthers, get_booking
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_, is_country
from farebox.payments.errors import InvoiceDetailsFixed
from farebox.payments.events import InvoiceDetailsChanged
from farebox.payments.models import InvoiceDetailsRow

LONGEST_BUYER: Final = 150
LONGEST_TAX_NUMBER: Final = 40
LONGEST_ADDRESS_LINE: Final = 100
MOST_ADDRESS_LINES: Final = 4
LONGEST_ADDRESS: Final = MOST_ADDRESS_LINES * (LONGEST_ADDRESS_LINE + 1)

MOST_CHANGES: Final = 20
"""Each after the sale uses up two of the operator's numbers."""

PLACE: Final = "invoice_details.details"

_TAX_NUMBER: Final = "tax number\t"


@dataclass(frozen=True, slots=True, repr=False)
class InvoiceTo:
    """Who is named on invoices. No `repr`, so that it does not end in a log.

    Attributes:
        name: a person or a company; never empty.
        address: lines of text.
        country: ISO 3166-1 alpha-2, or empty.
    """

    name: str
    tax_number: str = ""
    address: str = ""
    country: str = ""


def check_invoice_to(given: InvoiceTo) -> InvoiceTo:
    """The details in one form: composed (NFC), single blanks, no empty lines, the country's code in capitals.

    Raises:
        Invalid: each rule that is broken, under `invoiceTo.`.
    """
    errors: list[FieldError] = []

    def line(field: str, typed: str, longest: int) -> str:
        tidy = " ".join(unicodedata.normalize("NFC", typed).split())
        if len(tidy) > longest:
            errors.append(FieldError(f"invoiceTo.{field}", "too-long", N_("This is too long."), most=longest))
        elif not tidy.isprintable():
            errors.append(FieldError(f"invoiceTo.{field}", "unprintable", N_("This cannot be printed.")))
        return tidy

    name = line("name", given.name, LONGEST_BUYER)
    if not name:
        errors.append(FieldError("invoiceTo.name", "required", N_("Enter a name or a company.")))
    tax_number = line("taxNumber", given.tax_number, LONGEST_TAX_NUMBER)
    typed_lines = [each for each in given.address.splitlines() if each.strip()]
    if len(typed_lines) > MOST_ADDRESS_LINES:
        message = N_("An address has {most} lines at most.")
        errors.append(FieldError("invoiceTo.address", "too-long", message, most=MOST_ADDRESS_LINES))
        typed_lines = []
    address = "\n".join(line("address", each, LONGEST_ADDRESS_LINE) for each in typed_lines)
    country = given.country.strip().upper()
    if country and not is_country(country):
        errors.append(FieldError("invoiceTo.country", "unknown-country", N_("Choose a country of the list.")))
    if errors:
        raise Invalid(list({error.field: error for error in reversed(errors)}.values())[::-1])
    return InvoiceTo(name, tax_number, address, country)


def buyer_lines(given: InvoiceTo) -> list[str]:
    """As they are printed from the top; what is put into words in the reader's language has its name before a tab."""
    country = f"country\t{given.country}" if given.country else ""
    tax_number = f"{_TAX_NUMBER}{given.tax_number}" if given.tax_number else ""
    return [given.name, *given.address.splitlines(), country, tax_number]


def names_business(buyer: str) -> bool:
    """Whether the buyer on a document, as `buyer_lines` has them, has a tax number: a business, as far as can be told.

    The first line is the name, whatever it says.
    """
    return any(line.startswith(_TAX_NUMBER) for line in buyer.splitlines()[1:])


async def find_invoice_to(work: UnitOfWork, booking_id: UUID, *, secrets: Secrets) -> InvoiceTo | None:
    """What was given for a booking that the caller has read as somebody who reaches it; `None`: nothing."""
    return (await list_invoice_to(work, [booking_id], secrets=secrets)).get(booking_id)


async def list_invoice_to(work: UnitOfWork, booking_ids: Sequence[UUID], *, secrets: Secrets) -> dict[UUID, InvoiceTo]:
    """The same of several: of those for which something was given."""
    rows = await work.session.execute(
        select(InvoiceDetailsRow.booking_id, InvoiceDetailsRow.details).where(
            InvoiceDetailsRow.booking_id.in_(booking_ids)
        )
    )
    return {booking_id: _open(sealed, secrets) for booking_id, sealed in rows if sealed is not None}


async def change_invoice_to(
    work: UnitOfWork, booking_id: UUID, given: InvoiceTo | None, *, actor: Actor, secrets: Secrets
) -> InvoiceTo | None:
    """Name somebody on the invoices of a booking, or, with `None`, nobody but who booked.

    Of what is sold already, a job credits what was written and invoices it anew. The same again changes nothing.

    Returns:
        what is kept of it.

    Raises:
        Invalid: as `check_invoice_to`; nothing was changed.
        BookingNotFound: no such booking, or not for this actor to change.
        ConcernsOthers: who acts for operators changes it where all of the booking is theirs.
        InvoiceDetailsFixed: they were changed too often.
    """
    clean = None if given is None else check_invoice_to(given)
    booking = await get_booking(work, booking_id, actor=actor, lock=True, as_it_stands=True)
    if not _is_for(actor, booking):
        raise ConcernsOthers
    before = await find_invoice_to(work, booking_id, secrets=secrets)
    if before == clean:
        return clean
    changes = await count_changes(work, booking_id)
    if changes >= MOST_CHANGES:
        raise InvoiceDetailsFixed(most=MOST_CHANGES)
    sealed = None if clean is None else secrets.encrypt(msgspec.json.encode(clean).decode(), place=PLACE)
    values = {"details": sealed, "changes": changes + 1, "changed_at": work.now}
    await work.session.execute(
        insert(InvoiceDetailsRow)
        .values(booking_id=booking_id, **values)
        .on_conflict_do_update(index_elements=["booking_id"], set_=values)
        .execution_options(synchronize_session=False)
    )
    if booking.confirmed_at is not None:
        work.publish(InvoiceDetailsChanged(booking_id=booking_id))
    return clean


async def count_changes(work: UnitOfWork, booking_id: UUID) -> int:
    """How often the details of a booking were changed."""
    changes = await work.session.scalar(
        select(InvoiceDetailsRow.changes).where(InvoiceDetailsRow.booking_id == booking_id)
    )
    return changes or 0


async def wipe_invoice_details(work: UnitOfWork, booking_ids: Sequence[UUID]) -> None:
    """Forget whom the invoices of these bookings were to name. Nothing is written anew for that."""
    await work.session.execute(
        update(InvoiceDetailsRow)
        .where(InvoiceDetailsRow.booking_id.in_(booking_ids), InvoiceDetailsRow.details.is_not(None))
        .values(details=None)
        .execution_options(synchronize_session=False)
    )


async def wipe_old_invoice_details(work: UnitOfWork, *, before: datetime, limit: int = 500) -> int:
    """Forget the details that were given before then, a batch at a time; how many that were."""
    old = (
        select(InvoiceDetailsRow.booking_id)
        .where(InvoiceDetailsRow.changed_at < before, InvoiceDetailsRow.details.is_not(None))
        .order_by(InvoiceDetailsRow.changed_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    booking_ids = (await work.session.scalars(old)).all()
    await wipe_invoice_details(work, booking_ids)
    return len(booking_ids)


def _is_for(actor: Actor, booking: Booking) -> bool:
    """Whether the invoices of all of a booking, whoever sells it, are for this actor to change."""
    if actor.is_everywhere or actor.booking_id is not None or actor.owner == booking.owner:
        return True
    theirs = actor.operators_with(Permission.BOOKINGS_CHANGE)
    sold = {item.operator_id for item in booking.items} | {seat.operator_id for seat in booking.former}
    return sold <= theirs


def _open(sealed: bytes, secrets: Secrets) -> InvoiceTo:
    return msgspec.json.decode(secrets.decrypt(sealed, place=PLACE), type=InvoiceTo)
