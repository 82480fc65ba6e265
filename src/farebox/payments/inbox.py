"""Messages from providers: written down first, handled next, tried again until it works.

Receiving and handling are two units of work. Once a message is in the inbox it cannot be lost, so the provider is told
"received", whatever becomes of the handling; a periodic job goes on with what failed.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import select, update

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import (
    SOLD,
    Booking,
    BookingExpired,
    BookingStatus,
    CancelReason,
    expect_booking,
    get_booking,
    refuse_part,
)
from farebox.core.db import Database, UnitOfWork
from farebox.core.ids import new_id
from farebox.core.pipeline import Statement
from farebox.core.rows import Selection, as_text, updated
from farebox.payments.due import due_for
from farebox.payments.errors import NotPayable, PaymentRequired, UnknownProvider
from farebox.payments.models import InboxRow, PaymentRow
from farebox.payments.providers import ProviderEvent, Providers
from farebox.payments.settlement import NOTHING, sell_covered, settle
from farebox.ticketing import Signer

log = structlog.get_logger(__name__)

FIRST_RETRY_SECONDS: Final = 30
LONGEST_RETRY_SECONDS: Final = 3600
RETRY_BATCH: Final = 100
LONGEST_ERROR: Final = 500
UNKNOWN_PAYMENT: Final = "unknown-payment"

EARLIEST_FOREIGN: Final = timedelta(hours=1)
"""After so long a payment that we do not know is somebody else's, and not one whose id has yet to be noted."""


class NotKnownYet(Exception):
    """The provider's message was faster than its answer to our order, or is about a payment that is not ours."""


async def receive_webhook(
    database: Database,
    provider: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    providers: Providers,
    signer: Signer,
) -> None:
    """Take a provider's message in, and do what it means. The same message again changes nothing.

    Returns as soon as the message is safe; if handling it fails, a job tries again.

    Args:
        headers: by lower-case name.
        signer: signs the tickets.

    Raises:
        UnknownProvider: there is none of that name.
        BadSignature: it is not from that provider, or too old.
        UnreadableWebhook: it is, but we do not understand it.
    """
    if provider not in providers:
        raise UnknownProvider
    event = await providers[provider].parse_webhook(headers, body)
    async with database.begin() as work:
        [written] = await work.send_last([_writing_down(work, provider, event, body)])
    for inbox_id, booking_id in written:
        await try_to_handle(database, inbox_id, booking_id=booking_id, signer=signer)


async def write_down(work: UnitOfWork, provider: str, event: ProviderEvent, body: bytes) -> UUID | None:
    """Put a verified message into the inbox; its row, or `None` when it came before."""
    [written] = await work.send([_writing_down(work, provider, event, body)])
    return written[0][0] if written else None


def _writing_down(work: UnitOfWork, provider: str, event: ProviderEvent, body: bytes) -> Statement:
    """The row comes back with the id of its payment's booking, unless it was there before: it may be sent twice."""
    which, named = _payment_of(event)
    values = [
        provider,
        named,
        new_id(),
        event.external_id,
        msgspec.json.encode(event).decode(),
        body,
        work.now,
        work.now + timedelta(seconds=FIRST_RETRY_SECONDS),
    ]
    return _WRITE_DOWN.format(which=which), [as_text(each) for each in values]


async def handle(work: UnitOfWork, inbox_id: UUID, *, booking_id: UUID | None = None, signer: Signer) -> str:
    """Do what a message in the inbox means, unless that was done.

    Args:
        booking_id: the booking that it will be about, if that is known: it is read with the message.

    Returns:
        What was done: see `settle`; `unknown-payment` for a payment that is not ours.

    Raises:
        NotKnownYet: the message names a payment by the provider's id, which may still be on its way to us.
    """
    if booking_id is not None:
        expect_booking(work, booking_id)
    entries, payments = await work.send([_ENTRY.about(inbox_id), _PAYMENT_OF_ENTRY.about(inbox_id)])
    [row] = _ENTRY.read(entries)
    if row.handled_at is not None:
        return row.outcome or ""
    payment = next(iter(_PAYMENT_OF_ENTRY.read(payments)), None)
    outcome = await _do(work, row, payment, msgspec.convert(row.event, ProviderEvent), signer)
    done = {"outcome": outcome, "handled_at": work.now, "attempts": row.attempts + 1, "last_error": None}
    work.put(updated(InboxRow, done, "id = $1", inbox_id))
    return outcome


_ENTRY: Final = Selection(InboxRow, "WHERE payment_event.id = $1 FOR UPDATE")
_PAYMENT_OF_ENTRY: Final = Selection(
    PaymentRow, "JOIN payment_event ON payment_event.payment_id = payment.id WHERE payment_event.id = $1"
)


async def _do(work: UnitOfWork, row: InboxRow, payment: PaymentRow | None, event: ProviderEvent, signer: Signer) -> str:
    if event.kind == "other":
        return NOTHING
    payment = payment or await _find_payment(work, row.provider, event)
    if payment is not None:
        return await settle(work, payment, event, signer=signer)
    if event.payment_id is None and work.now - row.received_at < EARLIEST_FOREIGN:
        raise NotKnownYet(event.payment_external_id or event.charge_id)
    return UNKNOWN_PAYMENT


async def try_to_handle(database: Database, inbox_id: UUID, *, booking_id: UUID | None = None, signer: Signer) -> bool:
    """Handle a message in a unit of work of its own; a failure is written down, and the next attempt put off."""
    try:
        async with database.begin() as work:
            await handle(work, inbox_id, booking_id=booking_id, signer=signer)
    except Exception as error:
        if isinstance(error, NotKnownYet):
            log.info("payment-event-waits", inbox_id=str(inbox_id))
        else:
            log.exception("payment-event-failed", inbox_id=str(inbox_id))
        async with database.begin() as work:
            await _put_off(work, inbox_id, f"{type(error).__name__}: {error}")
        return False
    return True


async def handle_waiting(database: Database, *, signer: Signer) -> int:
    """Try again what is in the inbox and due; how many were handled."""
    async with database.begin() as work:
        waiting = await work.session.scalars(
            select(InboxRow.id)
            .where(InboxRow.handled_at.is_(None), InboxRow.next_attempt_at <= work.now)
            .order_by(InboxRow.next_attempt_at)
            .limit(RETRY_BATCH)
        )
        ids = waiting.all()
    return sum([await try_to_handle(database, inbox_id, signer=signer) for inbox_id in ids])


async def confirm_paid(work: UnitOfWork, booking_id: UUID, *, actor: Actor, signer: Signer) -> Booking:
    """Confirm a booking whose money has verifiably arrived, or that is free. Confirming again changes nothing.

    Messages about it that wait in the inbox are handled here and now, so a traveller who comes back from the provider
    never sees "not paid" for want of a job.

    Raises:
        BookingNotFound: no such booking for this actor; or nothing is due, and they may read it, but not sell it.
        ConcernsOthers: nothing is due, and the actor acts for some of its operators only.
        PaymentRequired: no verified payment has arrived.
        BookingExpired: its time is over.
        NotPayable: it was cancelled.
    """
    booking = await get_booking(work, booking_id, actor=actor, as_it_stands=True)
    if booking.status not in SOLD:
        for inbox_id in await _lock_waiting(work, booking_id):
            await handle(work, inbox_id, signer=signer)
        booking = await get_booking(work, booking_id, actor=SYSTEM, lock=True)  # it is sold below, by one of many
    if booking.is_open and not await due_for(work, booking):
        await get_booking(work, booking_id, actor=actor, lock=True)
        await refuse_part(work, booking_id, actor=actor)
        booking = await sell_covered(work, booking, actor=actor, signer=signer)
    if booking.status in SOLD:
        return booking
    if booking.is_open:
        raise PaymentRequired
    if booking.status is BookingStatus.CANCELLED and booking.reason is CancelReason.EXPIRED:
        raise BookingExpired
    raise NotPayable(booking_status=booking.status)


async def _find_payment(work: UnitOfWork, provider: str, event: ProviderEvent) -> PaymentRow | None:
    which, named = _payment_of(event)
    payments = _PAYMENTS[which]
    [found] = await work.send([payments.about(provider, named)])
    return next(iter(payments.read(found)), None)


def _payment_of(event: ProviderEvent) -> tuple[str, object]:
    """How the payment that a message is about is found: by our id or the provider's, or by the charge that it names."""
    if event.payment_id is not None:
        return _BY_ID, event.payment_id
    if event.payment_external_id:
        return _BY_EXTERNAL_ID, event.payment_external_id
    return _BY_CHARGE, event.charge_id


_BY_ID: Final = "payment.provider = $1 AND payment.id = $2"
_BY_EXTERNAL_ID: Final = "payment.provider = $1 AND payment.external_id = $2"
_BY_CHARGE: Final = (
    "payment.provider = $1"
    " AND payment.id IN (SELECT payment_id FROM payment_charge WHERE provider = $1 AND external_id = $2)"
)

_PAYMENTS: Final = {which: Selection(PaymentRow, f"WHERE {which}") for which in (_BY_ID, _BY_EXTERNAL_ID, _BY_CHARGE)}

_WRITE_DOWN: Final = """
    INSERT INTO payment_event
        (provider, payment_id, id, external_id, event, body, received_at, next_attempt_at, attempts)
    VALUES ($1, (SELECT payment.id FROM payment WHERE {which} LIMIT 1), $3, $4, $5, $6, $7, $8, 0)
    ON CONFLICT (provider, external_id) DO NOTHING
    RETURNING id, (SELECT booking_id FROM payment WHERE payment.id = payment_event.payment_id)
"""


async def _lock_waiting(work: UnitOfWork, booking_id: UUID) -> Sequence[UUID]:
    """The messages about a booking that were not handled yet, locked all at once and before the booking.

    Who handles a message locks it first and the booking next: any other order, and the two would block each other.
    """
    waiting = await work.session.scalars(
        select(InboxRow.id)
        .join(PaymentRow, PaymentRow.id == InboxRow.payment_id)
        .where(PaymentRow.booking_id == booking_id, InboxRow.handled_at.is_(None))
        .order_by(InboxRow.id)
        .with_for_update(of=InboxRow)
    )
    return waiting.all()


async def _put_off(work: UnitOfWork, inbox_id: UUID, error: str) -> None:
    attempts = await work.session.scalar(select(InboxRow.attempts).where(InboxRow.id == inbox_id)) or 0
    seconds = min(FIRST_RETRY_SECONDS * 2**attempts, LONGEST_RETRY_SECONDS)
    await work.session.execute(
        update(InboxRow)
        .where(InboxRow.id == inbox_id, InboxRow.handled_at.is_(None))
        .values(
            attempts=InboxRow.attempts + 1,
            last_error=error[:LONGEST_ERROR],
            next_attempt_at=work.now + timedelta(seconds=seconds),
        )
    )
