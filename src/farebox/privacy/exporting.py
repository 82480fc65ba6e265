"""Everything about a person, for them: one JSON document, and their tickets beside it."""

import io
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from farebox.accounts import (
    Access,
    Actor,
    booking_subject,
    get_person,
    get_personal_settings,
    get_preferences,
    list_accesses,
    list_consent_history,
    list_factors,
    list_identities,
    list_sessions,
    note_access,
    person_subject,
)
from farebox.bookings import SOLD, Booking, Passenger, list_booking_ids, list_bookings
from farebox.core.crypto import Secrets
from farebox.core.db import Database, UnitOfWork
from farebox.core.money import Money
from farebox.notifications import list_messages_about
from farebox.payments import (
    InvoiceTo,
    InvoiceView,
    PaymentView,
    find_invoice_to,
    list_invoices,
    list_payments,
    list_transactions,
    list_wallets,
)
from farebox.ticketing import render_booking_pdf

FORMAT: Final = "farebox-export/1"
PAGE: Final = 100
MOST_ACCESSES: Final = 10_000

Json = dict[str, Any]


async def export_person(work: UnitOfWork, actor: Actor, *, secrets: Secrets) -> Json:
    """All that is kept about the person who asks, in camelCase, instants in UTC. The export itself is noted.

    The unit of work must reach all operators, since their staff may have looked.

    Raises:
        PersonNotFound: they have been erased.
    """
    assert actor.id is not None, "the door let a person in"
    bookings = await _all_bookings(work, actor)
    await note_access(work, actor, person_subject(actor.id), "exported")
    accesses, _ = await list_accesses(work, await subjects_of(work, actor), limit=MOST_ACCESSES)
    messages = await list_messages_about(
        work, person_id=actor.id, booking_ids=[each.id for each in bookings], secrets=secrets
    )
    document = {
        "format": FORMAT,
        "exportedAt": work.now,
        **await _account(work, actor.id, secrets),
        "bookings": [
            _booking(
                each,
                await list_payments(work, each.id, actor=actor),
                await list_invoices(work, each.id, actor=actor),
                await find_invoice_to(work, each.id, secrets=secrets),
                secrets,
            )
            for each in bookings
        ],
        "wallets": await _wallets(work, Actor("user", actor.id)),
        "messages": [_camel(each) for each in messages],
        "accesses": [access_on_the_wire(each) for each in accesses],
    }
    plain: Json = msgspec.to_builtins(document)
    return plain


async def subjects_of(work: UnitOfWork, actor: Actor) -> list[str]:
    """Under which names the audit knows a person and their bookings."""
    assert actor.id is not None, "the door let a person in"
    return [person_subject(actor.id), *(booking_subject(each) for each in await list_booking_ids(work, actor.owner))]


async def stream_archive(database: Database, actor: Actor, document: Json, *, secrets: Secrets) -> AsyncIterator[bytes]:
    """A zip of the document and of the tickets as PDF, made as it is sent: one booking in memory at a time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(_Sink(buffer), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", msgspec.json.format(msgspec.json.encode(document), indent=2))
        yield _taken(buffer)
        for booking in document["bookings"]:
            if booking["status"] in SOLD:
                _, pdf = await render_booking_pdf(database, UUID(booking["bookingId"]), actor=actor, secrets=secrets)
                archive.writestr(f"tickets/{booking['reference']}.pdf", pdf)
                yield _taken(buffer)
    yield _taken(buffer)


def access_on_the_wire(access: Access) -> Json:
    """Who looked, as everybody may know it: for whom they acted, and not which of its people it was."""
    return {
        "at": access.at,
        "by": access.actor.partition(":")[0],
        "operatorId": access.operator_id,
        "subject": access.subject,
        "action": access.action,
        "fields": access.fields,
    }


async def _account(work: UnitOfWork, person_id: UUID, secrets: Secrets) -> Json:
    person = await get_person(work, person_id, secrets=secrets)
    return {
        "profile": _camel(person),
        "preferences": await get_preferences(work, person_id),
        "settings": _camel(await get_personal_settings(work, person_id)),
        "consents": [_camel(each) for each in await list_consent_history(work, person_id)],
        "sessions": [_camel(each) for each in await list_sessions(work, person_id)],
        "identities": [_camel(each) for each in await list_identities(work, person_id, secrets=secrets)],
        "factors": [_camel(each) for each in await list_factors(work, person_id)],
    }


async def _all_bookings(work: UnitOfWork, actor: Actor) -> list[Booking]:
    """Their own only: who works for operators reaches others' too."""
    own = Actor("user", actor.id)
    bookings: list[Booking] = []
    while True:
        page, total = await list_bookings(work, actor=own, limit=PAGE, offset=len(bookings))
        bookings += page
        if len(bookings) >= total or not page:
            return bookings


async def _wallets(work: UnitOfWork, actor: Actor) -> list[Json]:
    """What is in their wallets, and all that came and went."""
    found = []
    for wallet in await list_wallets(work, actor=actor):
        entries: list[Json] = []
        while True:
            page, total = await list_transactions(
                work, wallet.balance.currency, actor=actor, limit=PAGE, offset=len(entries)
            )
            entries += [
                {"at": each.at, "kind": each.kind, "amount": _money(each.amount), "reference": each.reference}
                for each in page
            ]
            if len(entries) >= total or not page:
                break
        found.append({"balance": _money(wallet.balance), "held": _money(wallet.held), "transactions": entries})
    return found


def _booking(
    booking: Booking,
    payments: Sequence[PaymentView],
    invoices: Sequence[InvoiceView],
    invoice_to: InvoiceTo | None,
    secrets: Secrets,
) -> Json:
    return {
        "bookingId": booking.id,
        "reference": booking.reference,
        "status": booking.status,
        "createdAt": booking.created_at,
        "confirmedAt": booking.confirmed_at,
        "cancelledAt": booking.cancelled_at,
        "contact": {"email": booking.contact.email.open(secrets), "phone": booking.contact.phone.open(secrets)},
        "total": _money(booking.total),
        "lines": [
            {"kind": line.kind, "label": line.label, "seatNumber": line.seat_number, "amount": _money(line.amount)}
            for line in booking.lines
        ],
        "items": [
            {
                "kind": item.kind,
                "startsAt": item.starts_at,
                "completesAt": item.completes_at,
                "description": item.description,
                "seatNumbers": item.seat_numbers,
            }
            for item in booking.items
        ],
        "passengers": [_passenger(each, secrets) for each in booking.passengers],
        "openReturns": [
            {
                "from": each.origin,
                "to": each.destination,
                "validUntil": each.valid_until,
                "passengerType": each.passenger_type,
                "paid": _money(each.price),
            }
            for each in booking.open_returns
        ],
        "payments": [
            {
                "paymentId": payment.id,
                "provider": payment.provider,
                "method": payment.method,
                "status": payment.status,
                "amount": _money(payment.amount),
                "createdAt": payment.created_at,
                "completedAt": payment.completed_at,
            }
            for payment in payments
        ],
        "invoiceTo": _camel(invoice_to) if invoice_to else None,
        "invoices": [
            {
                "number": invoice.number,
                "kind": invoice.kind,
                "total": _money(invoice.total),
                "tax": _money(invoice.tax),
                "issuedAt": invoice.issued_at,
            }
            for invoice in invoices
        ],
    }


def _passenger(passenger: Passenger, secrets: Secrets) -> Json:
    return {
        "seatNumber": passenger.seat_number,
        "fullName": passenger.full_name,
        "idType": passenger.id_type,
        "idNumber": passenger.id_number.open(secrets),
        "phone": passenger.phone.open(secrets),
        "email": passenger.email.open(secrets) if passenger.email else None,
        "passengerType": passenger.passenger_type,
        "specialNeeds": passenger.special_needs,
    }


def _money(money: Money) -> Json:
    return {"amount": str(money.amount), "currency": money.currency}


def _camel(record: Any) -> Mapping[str, Any]:
    """A dataclass under the names of the wire."""
    return {_first_low(name): getattr(record, name) for name in record.__dataclass_fields__}


def _first_low(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


class _Sink(io.RawIOBase):
    """What a zip is written to when it cannot be gone back in: it then needs no whole copy."""

    def __init__(self, buffer: io.BytesIO) -> None:
        super().__init__()
        self._buffer = buffer

    def writable(self) -> bool:
        return True

    def write(self, chunk: Any) -> int:
        return self._buffer.write(chunk)


def _taken(buffer: io.BytesIO) -> bytes:
    chunk = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return chunk
