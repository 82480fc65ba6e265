"""Entering messages, and what happens to them. Sending is a job's, after commit: no network call in a transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from farebox.accounts import (
    SYSTEM,
    Actor,
    PersonNotFound,
    answer_mail_request,
    get_person,
    get_personal_settings,
    list_sessions,
    open_request,
)
from farebox.bookings import Booking, get_booking, make_lookup_code
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.i18n import DEFAULT_LANGUAGE, LANGUAGES, language
from farebox.core.ids import new_id
from farebox.core.jobs import Jobs
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.notifications.compose import (
    GivenUp,
    booking_url,
    change_failed_draft,
    expired_draft,
    given_up_draft,
    letter_draft,
    lookup_draft,
    refund_draft,
    tickets_drafts,
    trips_in_words,
)
from farebox.notifications.errors import TooManyMessages
from farebox.notifications.models import MessageRow
from farebox.notifications.views import Attachment, Draft, InvoiceFile, MessageKind, MessageStatus
from farebox.payments import issue_invoices, list_invoices
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
            await self._enter_about(work, booking, await self._welcome(work, booking, drafts))

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
        await self._enter_about(work, booking, drafts)
        return _masked(drafts[0].recipient)

    async def tell_expired(self, work: UnitOfWork, booking_id: UUID) -> None:
        """The booking ran out unpaid."""
        booking = await get_booking(work, booking_id, actor=SYSTEM)
        draft = expired_draft(booking, base_url=self._base_url, secrets=self._secrets)
        await self._enter_about(work, booking, await self._welcome(work, booking, [draft]))

    async def tell_given_up(self, work: UnitOfWork, booking_id: UUID, given_up: GivenUp) -> None:
        """The booking, or some seats of it, was cancelled, and what becomes of the money."""
        booking = await get_booking(work, booking_id, actor=SYSTEM)
        draft = given_up_draft(booking, given_up, base_url=self._base_url, secrets=self._secrets)
        await self._enter_about(work, booking, [draft])

    async def send_changed(self, work: UnitOfWork, booking_id: UUID, *, change_id: UUID, kind: MessageKind) -> None:
        """The tickets of a booking in which seats or names have changed, to everybody who gets any."""
        booking = await get_booking(work, booking_id, actor=SYSTEM)
        cards = await self._cards(work, booking)
        if cards:
            drafts = tickets_drafts(
                booking, cards, kind=kind, occasion=str(change_id), base_url=self._base_url, secrets=self._secrets
            )
            await self._enter_about(work, booking, await self._welcome(work, booking, drafts))

    async def tell_change_failed(self, work: UnitOfWork, booking_id: UUID, *, change_id: UUID, reason: str) -> None:
        """A change that waited for its payment was not made; the booking is as it was."""
        booking = await get_booking(work, booking_id, actor=SYSTEM)
        draft = change_failed_draft(
            booking, change_id=change_id, reason=reason, base_url=self._base_url, secrets=self._secrets
        )
        await self._enter_about(work, booking, [draft])

    async def tell_refund(
        self, work: UnitOfWork, booking_id: UUID, *, refund_id: UUID, amount: Money, reason: str, to: str
    ) -> None:
        """Money goes back, and why. `to`: `origin`, or `wallet`."""
        booking = await get_booking(work, booking_id, actor=SYSTEM)
        draft = refund_draft(
            booking,
            refund_id=refund_id,
            amount=amount,
            reason=reason,
            to=to,
            base_url=self._base_url,
            secrets=self._secrets,
        )
        await self._enter_about(work, booking, [draft])

    async def send_receipt(self, work: UnitOfWork, booking_id: UUID, *, payment_id: UUID, amount: Money) -> None:
        """The receipt of a payment, with the invoices that say what was paid for. They are written if need be."""
        await issue_invoices(work, booking_id, secrets=self._secrets)
        invoices = [each for each in await list_invoices(work, booking_id, actor=SYSTEM) if each.kind == "invoice"]
        latest = invoices[-1].issued_at if invoices else None  # in their order, not by the clock: it may go back
        files = [
            InvoiceFile(filename=f"{each.number}.pdf", invoice_id=each.id)
            for each in invoices
            if each.issued_at == latest
        ]
        booking = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
        with language(booking.language):
            trips = "; ".join(trips_in_words(booking))
        await self.tell_contact(
            work,
            booking_id,
            MessageKind.RECEIPT,
            str(payment_id),
            {"amount": amount, "at": work.now, "trips": trips},
            timezone=booking.items[0].description.origin.timezone,
            attachments=files,
        )

    async def send_credit_note(self, work: UnitOfWork, booking_id: UUID, *, credit_note_id: UUID) -> None:
        """A credit note, with the operator's invoice that was written together with it, where there is one."""
        written = await list_invoices(work, booking_id, actor=SYSTEM)
        note = next(each for each in written if each.id == credit_note_id)
        files = [
            InvoiceFile(filename=f"{each.number}.pdf", invoice_id=each.id)
            for each in written
            if each.id == note.id
            or (each.kind, each.operator_id, each.issued_at) == ("invoice", note.operator_id, note.issued_at)
        ]
        facts = {"number": note.number, "amount": note.total}
        await self.tell_contact(work, booking_id, MessageKind.CREDIT_NOTE, str(note.id), facts, attachments=files)

    async def remind_of_open_returns(self, work: UnitOfWork, booking_id: UUID) -> None:
        """The open returns of a booking will not be good for long; nothing where they were used or given up since."""
        booking = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
        if booking.open_returns:
            first = min(booking.open_returns, key=lambda each: each.valid_until)
            facts = {
                "origin": first.origin,
                "destination": first.destination,
                "until": first.valid_until,
                "percent": f"{first.refund_bp / 100:g}",
            }
            kind = MessageKind.OPEN_RETURNS_ENDING
            await self.tell_contact(work, booking_id, kind, str(first.id), facts, timezone=first.timezone)

    async def tell_contact(
        self,
        work: UnitOfWork,
        booking_id: UUID,
        kind: MessageKind,
        occasion: str,
        facts: Mapping[str, Any],
        *,
        timezone: str | None = None,
        attachments: Sequence[Attachment] = (),
    ) -> None:
        """A message of `payment_letters` to whoever booked. Once for each occasion. Instants are told in `timezone`."""
        booking = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
        about = {"reference": booking.reference, "url": booking_url(self._base_url, booking.reference), **facts}
        recipient = booking.contact.email.open(self._secrets)
        with language(booking.language):
            draft = letter_draft(kind, occasion=occasion, recipient=recipient, facts=about, timezone=timezone)
        await self._enter_about(work, booking, [replace(draft, attachments=tuple(attachments))])

    async def tell_operators(
        self, work: UnitOfWork, booking_id: UUID, kind: MessageKind, occasion: str, facts: Mapping[str, Any]
    ) -> None:
        """The same to the operators who sold it, at the address that their travellers are given."""
        booking = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
        addresses = {item.description.operator_email for item in booking.items} - {""}
        about = {"reference": booking.reference, **facts}
        with language(DEFAULT_LANGUAGE):
            drafts = [
                letter_draft(kind, occasion=occasion, recipient=address, facts=about) for address in sorted(addresses)
            ]
        await self._enter(work, drafts, language_code=DEFAULT_LANGUAGE, booking_id=booking.id)

    async def send_lookup_code(self, work: UnitOfWork, lookup_id: UUID) -> None:
        """The code that opens a booking, where the request was right; else nothing."""
        if await self._is_entered(work, MessageKind.LOOKUP_CODE, str(lookup_id)):
            return  # a second code would make the first, which is on its way, worthless
        found = await make_lookup_code(work, lookup_id, secrets=self._secrets)
        if found is not None:
            draft = lookup_draft(found, lookup_id=lookup_id, secrets=self._secrets)
            await self._enter_about(work, found.booking, [draft])

    async def tell_person(
        self,
        work: UnitOfWork,
        whom: UUID | str,
        kind: MessageKind,
        occasion: str,
        data: Mapping[str, Any] | None = None,
        *,
        language_code: str | None = None,
    ) -> None:
        """A message to a person about their account, or to an address that may have none. Once for each occasion.

        Says nothing to who has been erased.

        Args:
            whom: the person, or an address.
            occasion: what it is about, such as the id of an event: told again, it is not sent again.
            data: the facts that the kind's words name (see `letters`), and `url` where it has a button: the path of a
                page of ours, such as `/account/security`.
            language_code: of the mail, where neither a person's own language nor another reason decides.
        """
        facts = dict(data or {})
        if "url" in facts:
            facts["url"] = f"{self._base_url}{facts['url']}"
        person_id, address, timezone = None, whom, None
        if isinstance(whom, UUID):
            try:
                person = await get_person(work, whom, secrets=self._secrets)
            except PersonNotFound:
                return
            person_id, address, timezone = person.id, person.email, person.timezone
            language_code = person.language or language_code
        code = language_code if language_code in LANGUAGES else DEFAULT_LANGUAGE
        with language(code):
            draft = letter_draft(kind, occasion=occasion, recipient=str(address), facts=facts, timezone=timezone)
        await self._enter(work, [draft], language_code=code, person_id=person_id)

    async def answer_mail_request(self, work: UnitOfWork, sealed: str) -> None:
        """What somebody asked for about an account: links to confirm, to choose a password, to change the address."""
        request = open_request(sealed, secrets=self._secrets)
        answered = select(MessageRow.id).where(MessageRow.booking_id.is_(None), MessageRow.occasion == str(request.id))
        if await work.session.scalar(answered.limit(1)) is not None:
            return  # a second link would only confuse
        for mail in await answer_mail_request(work, request, secrets=self._secrets):
            await self.tell_person(
                work, mail.whom, MessageKind(mail.kind), str(request.id), mail.facts, language_code=request.language
            )

    async def tell_of_sign_in(self, work: UnitOfWork, person_id: UUID, session_id: UUID) -> None:
        """Somebody signed in on a device that was not seen before. Nothing where that session has ended already."""
        for session in await list_sessions(work, person_id):
            if session.id == session_id:
                place = f" ({session.place})" if session.place else ""
                facts = {
                    "url": "/account/security",
                    "device": f"{session.device or '?'}{place}",
                    "at": session.created_at,
                }
                await self.tell_person(work, person_id, MessageKind.NEW_SIGN_IN, str(session_id), facts)

    async def _welcome(self, work: UnitOfWork, booking: Booking, drafts: Sequence[Draft]) -> list[Draft]:
        """Those that whoever booked has not switched off for themselves. Others on the booking get theirs."""
        kind, _, owner = booking.owner.partition(":")
        if kind != "user":
            return list(drafts)
        try:
            chosen = await get_personal_settings(work, UUID(owner))
            person = await get_person(work, UUID(owner), secrets=self._secrets)
        except PersonNotFound:
            return list(drafts)
        if chosen.allows("booking", "email"):
            return list(drafts)
        return [draft for draft in drafts if draft.recipient.casefold() != person.email.casefold()]

    async def _cards(self, work: UnitOfWork, booking: Booking) -> list[TicketCard]:
        with language(booking.language):
            return await ticket_cards(work, booking, secrets=self._secrets)

    async def _is_entered(self, work: UnitOfWork, kind: MessageKind, occasion: str) -> bool:
        found = select(MessageRow.id).where(MessageRow.kind == kind, MessageRow.occasion == occasion).limit(1)
        return await work.session.scalar(found) is not None

    async def _enter_about(self, work: UnitOfWork, booking: Booking, drafts: Sequence[Draft]) -> None:
        await self._enter(work, drafts, language_code=booking.language, booking_id=booking.id)

    async def _enter(
        self,
        work: UnitOfWork,
        drafts: Sequence[Draft],
        *,
        language_code: str,
        booking_id: UUID | None = None,
        person_id: UUID | None = None,
    ) -> None:
        """Enter each draft once, however often this is called, and queue its sending in the same transaction."""
        if not drafts:
            return
        about = {"booking_id": booking_id, "person_id": person_id, "language": language_code}
        entered = await work.session.scalars(
            insert(MessageRow)
            .values([self._row(work, draft) | about for draft in drafts])
            .on_conflict_do_nothing(index_elements=["booking_id", "kind", "occasion", "recipient_index"])
            .returning(MessageRow.id)
        )
        for message_id in entered:
            await self._jobs.defer(work, SEND, message_id=str(message_id))

    def _row(self, work: UnitOfWork, draft: Draft) -> dict[str, object]:
        return {
            "id": new_id(),
            "kind": draft.kind,
            "occasion": draft.occasion,
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
