"""Invoices and credit notes: one for each operator of a booking, numbered without a gap, never changed.

They are written by a job after a booking was confirmed, and after each change of its price or of whom they are to
name. What there is to write is the difference between what was written and what the price is now, so writing again
writes nothing, and a job that was missed is made up for by the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, select, true, update
from sqlalchemy.dialects.postgresql import insert

from farebox.accounts import SYSTEM, Actor, OperatorView, Permission, PersonNotFound, get_person, list_operators
from farebox.bookings import Booking, BookingNotFound, get_booking
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments.errors import InvoiceNotFound
from farebox.payments.events import InvoiceIssued
from farebox.payments.invoice_details import (
    buyer_lines,
    count_changes,
    find_invoice_to,
    list_invoice_to,
    names_business,
)
from farebox.payments.invoice_documents import (
    InvoiceDocument,
    InvoiceKind,
    InvoiceLine,
    ToWrite,
    Written,
    lines_by_operator,
    number_of,
    seller_of,
    services_of,
    to_write,
    with_rates,
)
from farebox.payments.models import InvoiceRow, InvoiceSeriesRow

BUYER: Final = "invoice.buyer"
"""For which column the buyer is sealed."""

WRITTEN: Final = (
    InvoiceRow.price_revision,
    InvoiceRow.buyer_changes,
    InvoiceRow.operator_id,
    InvoiceRow.kind == "invoice",
)
"""The order in which a booking's documents were written, whatever the clocks said (a process may run after another one
whose clock is ahead, and numbers begin anew with a year). Both counters only rise, under the lock of the booking under
which documents are written, too; of one occasion the credit note comes first. `uq_invoice_occasion` makes it total."""


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice or a credit note. The amounts of both are not negative.

    Attributes:
        number: as it is printed; unique with the operator.
        corrects_id: of a credit note, the first invoice that it takes something back of.
        tax: what the total includes.
    """

    id: UUID
    number: str
    kind: InvoiceKind
    operator_id: UUID
    booking_id: UUID
    corrects_id: UUID | None
    total: Money
    tax: Money
    issued_at: datetime


async def issue_invoices(work: UnitOfWork, booking_id: UUID, *, secrets: Secrets) -> list[InvoiceView]:
    """Write what is missing of a booking's invoices and credit notes; nothing before it was confirmed.

    The booking is locked, then the operators' series in the order of their ids, until the unit of work ends: that is
    why no number is given twice, and none is lost when it ends badly.
    """
    booking = await get_booking(work, booking_id, actor=SYSTEM, lock=True, as_it_stands=True)
    if booking.confirmed_at is None:
        return []
    written = await _written(work, booking_id)
    prices = lines_by_operator(booking)
    operators = await list_operators(work, prices.keys())
    buyer = await _buyer(work, booking, secrets)
    issued = []
    for operator_id, lines in sorted(prices.items()):
        before = written.get(operator_id, [])
        issued += [
            await _issue(
                work, booking, operators[operator_id], document, await _buyer_of(work, document, buyer, before)
            )
            for document in to_write(before, with_rates(lines, before), buyer_changes=buyer.changes)
        ]
    return issued


async def issue_for_businesses(work: UnitOfWork, booking_ids: Sequence[UUID], *, secrets: Secrets) -> None:
    """Write now what a job has not yet written of these bookings for a business that was named, by its tax number.

    For who is about to forget what was given: afterwards nobody would know whom that was for.
    """
    given = await list_invoice_to(work, booking_ids, secrets=secrets)
    named = sorted(booking_id for booking_id, invoice_to in given.items() if invoice_to.tax_number)
    for booking_id in named:  # all of them before any series, as the job locks them
        await get_booking(work, booking_id, actor=SYSTEM, lock=True, as_it_stands=True)
    for booking_id in named:
        await issue_invoices(work, booking_id, secrets=secrets)


async def list_invoices(work: UnitOfWork, booking_id: UUID, *, actor: Actor) -> list[InvoiceView]:
    """A booking's invoices and credit notes, the oldest first; staff see their own operator's.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
    """
    booking = await get_booking(work, booking_id, actor=actor, as_it_stands=True)
    rows = await work.session.scalars(
        select(InvoiceRow).where(InvoiceRow.booking_id == booking_id, _reached_by(actor, booking)).order_by(*WRITTEN)
    )
    return [_view(row) for row in rows]


async def get_invoice(
    work: UnitOfWork, invoice_id: UUID, *, actor: Actor, secrets: Secrets
) -> tuple[InvoiceView, InvoiceDocument, str]:
    """An invoice, what is printed on it, and its buyer: lines of text as `buyer_lines` has them, empty once wiped.

    Raises:
        InvoiceNotFound: no such invoice, or not for this actor.
    """
    booking_id = await work.session.scalar(select(InvoiceRow.booking_id).where(InvoiceRow.id == invoice_id))
    if booking_id is None:
        raise InvoiceNotFound
    try:
        booking = await get_booking(work, booking_id, actor=actor, as_it_stands=True)
    except BookingNotFound:
        raise InvoiceNotFound from None
    row = await work.session.scalar(
        select(InvoiceRow)
        .where(InvoiceRow.id == invoice_id, _reached_by(actor, booking))
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise InvoiceNotFound
    buyer = secrets.decrypt(row.buyer, place=BUYER) if row.buyer else ""
    return _view(row), msgspec.convert(row.document, InvoiceDocument), buyer


async def wipe_buyers(work: UnitOfWork, booking_ids: Sequence[UUID], *, secrets: Secrets) -> None:
    """Forget who these bookings' invoices were for. What they are of, and their amounts, stay.

    A business that one names, by its tax number, stays on it, too: what was written for it is its record, and the
    seller's. It goes with all others in the end (`wipe_old_buyers`).
    """
    rows = await work.session.execute(
        select(InvoiceRow.id, InvoiceRow.buyer)
        .where(InvoiceRow.booking_id.in_(booking_ids), InvoiceRow.buyer.is_not(None))
        .with_for_update()
    )
    named = [(row_id, secrets.decrypt(sealed, place=BUYER)) for row_id, sealed in rows if sealed is not None]
    await _wipe(work, [row_id for row_id, buyer in named if not names_business(buyer)])


async def wipe_old_buyers(work: UnitOfWork, *, before: datetime, limit: int = 500) -> int:
    """Forget who invoices from before then were for, a batch at a time; how many that were."""
    old = (
        select(InvoiceRow.id)
        .where(InvoiceRow.issued_at < before, InvoiceRow.buyer.is_not(None))
        .order_by(InvoiceRow.issued_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = (await work.session.scalars(old)).all()
    await _wipe(work, ids)
    return len(ids)


async def _wipe(work: UnitOfWork, ids: Sequence[UUID]) -> None:
    await work.session.execute(
        update(InvoiceRow).where(InvoiceRow.id.in_(ids)).values(buyer=None).execution_options(synchronize_session=False)
    )


def _reached_by(actor: Actor, booking: Booking) -> ColumnElement[bool]:
    """Of a booking that the actor reaches, which invoices: all of one's own, else those of one's operators."""
    if actor.is_everywhere or actor.booking_id is not None or actor.owner == booking.owner:
        return true()
    return InvoiceRow.operator_id.in_(actor.operators_with(Permission.BOOKINGS_READ))


async def _written(work: UnitOfWork, booking_id: UUID) -> dict[UUID, list[Written]]:
    """What was written of a booking before, by operator, in the order of writing."""
    rows = await work.session.scalars(select(InvoiceRow).where(InvoiceRow.booking_id == booking_id).order_by(*WRITTEN))
    found: dict[UUID, list[Written]] = {}
    for row in rows:
        view, document = _view(row), msgspec.convert(row.document, InvoiceDocument)
        found.setdefault(row.operator_id, []).append(
            Written(row.id, view.kind, view.number, document.lines, row.buyer_changes)
        )
    return found


async def _buyer(work: UnitOfWork, booking: Booking, secrets: Secrets) -> "_Buyer":
    """Whom the invoices name: who was asked for, else whoever booked; and nobody who was erased."""
    changes = await count_changes(work, booking.id)
    given = await find_invoice_to(work, booking.id, secrets=secrets) if changes else None
    lines = buyer_lines(given) if given else await _who_booked(work, booking, secrets)
    text = "\n".join(line for line in lines if line)
    return _Buyer(secrets.encrypt(text, place=BUYER) if text else None, changes)


@dataclass(frozen=True, slots=True)
class _Buyer:
    """Sealed; and how often the details had been changed by then."""

    sealed: bytes | None
    changes: int


async def _who_booked(work: UnitOfWork, booking: Booking, secrets: Secrets) -> list[str]:
    """The person with the account, else the first passenger; and the address that the booking was made with."""
    kind, _, person_id = booking.owner.partition(":")
    name = ""
    if kind == "user":
        try:
            person = await get_person(work, UUID(person_id), secrets=secrets)
        except PersonNotFound:
            return []
        name = f"{person.first_name} {person.last_name}".strip()
    people = [*booking.passengers, *(seat.passenger for seat in booking.former)]
    return [name or (people[0].full_name if people else ""), booking.contact.email.open(secrets)]


async def _buyer_of(work: UnitOfWork, document: ToWrite, buyer: "_Buyer", before: Sequence[Written]) -> "_Buyer":
    """A credit note is for whom the invoice was that it corrects. So is an invoice for whom the latest was where nobody
    is known any more: a business that somebody had named who was erased."""
    sources: Sequence[Written] = document.corrects
    if not sources and buyer.sealed is None:
        sources = [each for each in before if each.kind == "invoice" and each.buyer_changes == buyer.changes]
    if not sources:
        return buyer
    sealed = await work.session.scalar(select(InvoiceRow.buyer).where(InvoiceRow.id == sources[-1].id))
    return _Buyer(sealed, buyer.changes)


async def _issue(
    work: UnitOfWork, booking: Booking, operator: OperatorView, document: ToWrite, buyer: "_Buyer"
) -> InvoiceView:
    year = work.now.astimezone(ZoneInfo(operator.timezone)).year
    services = services_of(booking)
    frozen = InvoiceDocument(
        seller=seller_of(operator),
        reference=booking.reference,
        services=tuple(services[item_id] for item_id in dict.fromkeys(line.item_id for line in document.lines)),
        lines=document.lines,
        corrects=tuple(each.number for each in document.corrects),
    )
    row = InvoiceRow(
        id=new_id(),
        operator_id=operator.id,
        kind=document.kind,
        year=year,
        number=await _next_number(work, operator.id, document.kind, year),
        booking_id=booking.id,
        price_revision=booking.revision,
        buyer_changes=buyer.changes,
        corrects_id=document.corrects[0].id if document.corrects else None,
        total_minor=_sum(document.lines, "amount_minor"),
        tax_minor=_sum(document.lines, "tax_minor"),
        currency=booking.total.currency,
        buyer=buyer.sealed,
        document=msgspec.to_builtins(frozen),
        issued_at=work.now,
    )
    work.session.add(row)
    await work.session.flush()
    issued = _view(row)
    work.publish(
        InvoiceIssued(
            invoice_id=issued.id,
            booking_id=booking.id,
            operator_id=operator.id,
            kind=issued.kind,
            number=issued.number,
            amount=str(issued.total.amount),
            currency=issued.total.currency,
        )
    )
    return issued


async def _next_number(work: UnitOfWork, operator_id: UUID, kind: InvoiceKind, year: int) -> int:
    """The series' next number. Its row stays locked until this transaction ends, and goes back with it."""
    taken = insert(InvoiceSeriesRow).values(operator_id=operator_id, kind=kind, year=year, last_number=1)
    number: int = (
        await work.session.execute(
            taken.on_conflict_do_update(
                index_elements=["operator_id", "kind", "year"],
                set_={"last_number": InvoiceSeriesRow.last_number + 1},
            ).returning(InvoiceSeriesRow.last_number)
        )
    ).scalar_one()
    return number


def _sum(lines: Sequence[InvoiceLine], column: str) -> int:
    return sum(getattr(line, column) for line in lines)


def _view(row: InvoiceRow) -> InvoiceView:
    kind: InvoiceKind = "invoice" if row.kind == "invoice" else "credit-note"
    return InvoiceView(
        id=row.id,
        number=number_of(kind, row.year, row.number),
        kind=kind,
        operator_id=row.operator_id,
        booking_id=row.booking_id,
        corrects_id=row.corrects_id,
        total=Money(row.total_minor, row.currency),
        tax=Money(row.tax_minor, row.currency),
        issued_at=row.issued_at,
    )
