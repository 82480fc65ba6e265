"""Entering messages, and what happens to them. Sending is a job's, after commit: no network call in a transaction."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import Booking, get_booking, make_lookup_code
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.i18n import language
from farebox.core.ids import new_id
from farebox.core.jobs import Jobs
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.notifications.compose import expired_draft, lookup_draft, refund_draft, tickets_drafts
from farebox.notifications.errors import TooManyMessages
from farebox.notifications.models import MessageRow
from farebox.notifications.views import Draft, MessageKind, MessageStatus
from farebox.ticketing import TicketCard, get_ticketed_booking, ticket_cards

SEND: Final = "notifications.send"
RESEND_WINDOW: Final = timedelta(hours=1)
RESENDS_IN_WINDOW: Final = 5


class Office:
    """Where messages are written: what all the commands below need.

    Args:
        jobs: where the sending is queued.
    """

    def __init__(self, *, jobs: Jobs, settings: Settings, secrets: Secrets) -> None:
        self._jobs = jobs
        self._secrets = secrets
        self._base_url = settings.base_url.rstrip("/")

    async def send_tickets(self, work: UnitOfWork, booking_id: UUID) -> None:
        """The tickets of a booking just confirmed, to its contact and to each passenger with an address."""
        booking = await get_booking(work, booking_id, actor=SYSTEM)
        cards = await self._cards(work, booking)
        if cards:
            drafts = tickets_drafts(
                booking,
                cards,
                kind=MessageKind.BOOKING_CONFIRMED,
                occasion=f"{booking.confirmed_at:%Y%m%dT%H%M%S}",
                base_url=self._base_url,
                secrets=self._secrets,
            )
            await self._enter(work, booking, drafts)

    async def resend_tickets(self, work: UnitOfWork, booking_id: UUID, *, actor: Actor) -> str:
        """The tickets again, to the booking's contact. Returns the address, masked ("a•••@example.com").

        Raises:
            BookingNotFound: no such booking, or not for this actor.
            NotTicketed: it is not confirmed.
            TooManyMessages: asked for too often.
        """
        booking = await get_ticketed_booking(work, booking_id, actor=actor)
        recent = await work.session.scalar(
            select(func.count()).where(
                MessageRow.booking_id == booking_id,
                MessageRow.kind == MessageKind.TICKETS,
                MessageRow.created_at > work.now - RESEND_WINDOW,
            )
        )
        if (recent or 0) >= RESENDS_IN_WINDOW:
            raise TooManyMessages(retry_after=int(RESEND_WINDOW.total_seconds()))
        drafts = tickets_drafts(
            booking,
            await self._cards(work, booking),
            kind=MessageKind.TICKETS,
            occasion=f"{work.now:%Y%m%dT%H%M}",  # asked twice within a minute is asked once
            base_url=self._base_url,
            secrets=self._secrets,
            contact_only=True,
        )
        await self._enter(work, booking, drafts)
        return _masked(drafts[0].recipient)

    async def tell_expired(self, work: UnitOfWork, booking_id: UUID) -> None:
        """The booking ran out unpaid."""
        booking = await get_booking(work, booking_id, actor=SYSTEM)
        await self._enter(work, booking, [expired_draft(booking, base_url=self._base_url, secrets=self._secrets)])

    async def tell_refund(
        self, work: UnitOfWork, booking_id: UUID, *, refund_id: UUID, amount: Money, reason: str
    ) -> None:
        """Money that could not be kept goes back."""
        booking = await get_booking(work, booking_id, actor=SYSTEM)
        draft = refund_draft(
            booking,
            refund_id=refund_id,
            amount=amount,
            reason=reason,
            base_url=self._base_url,
            secrets=self._secrets,
        )
        await self._enter(work, booking, [draft])

    async def send_lookup_code(self, work: UnitOfWork, lookup_id: UUID) -> None:
        """The code that opens a booking, where the request was right; else nothing."""
        if await self._is_entered(work, MessageKind.LOOKUP_CODE, str(lookup_id)):
            return  # a second code would make the first, which is on its way, worthless
        found = await make_lookup_code(work, lookup_id, secrets=self._secrets)
        if found is not None:
            draft = lookup_draft(found, lookup_id=lookup_id, secrets=self._secrets)
            await self._enter(work, found.booking, [draft])

    async def _cards(self, work: UnitOfWork, booking: Booking) -> list[TicketCard]:
        with language(booking.language):
            return await ticket_cards(work, booking, secrets=self._secrets)

    async def _is_entered(self, work: UnitOfWork, kind: MessageKind, occasion: str) -> bool:
        found = select(MessageRow.id).where(MessageRow.kind == kind, MessageRow.occasion == occasion).limit(1)
        return await work.session.scalar(found) is not None

    async def _enter(self, work: UnitOfWork, booking: Booking, drafts: Sequence[Draft]) -> None:
        """Enter each draft once, however often this is called, and queue its sending in the same transaction."""
        entered = await work.session.scalars(
            insert(MessageRow)
            .values([self._row(work, booking, draft) for draft in drafts])
            .on_conflict_do_nothing(index_elements=["booking_id", "kind", "occasion", "recipient_index"])
            .returning(MessageRow.id)
        )
        for message_id in entered:
            await self._jobs.defer(work, SEND, message_id=str(message_id))

    def _row(self, work: UnitOfWork, booking: Booking, draft: Draft) -> dict[str, object]:
        return {
            "id": new_id(),
            "booking_id": booking.id,
            "kind": draft.kind,
            "occasion": draft.occasion,
            "language": booking.language,
            "recipient": self._secrets.encrypt(draft.recipient),
            "recipient_index": self._secrets.blind_index(draft.recipient.casefold()),
            "reply_to": draft.reply_to,
            "subject": draft.subject,
            "html": self._secrets.encrypt(draft.html),
            "text": self._secrets.encrypt(draft.text),
            "attachments": msgspec.to_builtins(draft.attachments),
            "status": MessageStatus.QUEUED,
            "attempts": 0,
            "failure": "",
            "created_at": work.now,
        }


def _masked(address: str) -> str:
    mailbox, _, domain = address.rpartition("@")
    return f"{mailbox[:1]}•••@{domain}"
