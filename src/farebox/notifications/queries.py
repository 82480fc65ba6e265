"""Reading messages: for the demo's mailbox and for the job that sends them."""

import base64
from uuid import UUID

import msgspec
from sqlalchemy import select

from farebox.accounts import SYSTEM
from farebox.core.crypto import Secrets
from farebox.core.db import Database, UnitOfWork
from farebox.core.i18n import language
from farebox.core.settings import Settings
from farebox.notifications.errors import MessageNotFound
from farebox.notifications.models import MessageRow
from farebox.notifications.views import (
    Attachment,
    CalendarFile,
    CodePicture,
    File,
    InvoiceFile,
    Message,
    MessageKind,
    MessageStatus,
    TicketsFile,
)
from farebox.payments import render_invoice
from farebox.ticketing import calendar, qr_png, render_booking_pdf


async def list_messages(work: UnitOfWork, *, secrets: Secrets, limit: int = 50, offset: int = 0) -> list[Message]:
    """The latest messages first."""
    newest = select(MessageRow).order_by(MessageRow.created_at.desc(), MessageRow.id.desc())
    return [_message(row, secrets) for row in await work.session.scalars(newest.limit(limit).offset(offset))]


async def get_message(work: UnitOfWork, message_id: UUID, *, secrets: Secrets, lock: bool = False) -> Message:
    """Raises: MessageNotFound."""
    query = select(MessageRow).where(MessageRow.id == message_id).execution_options(populate_existing=True)
    row = await work.session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise MessageNotFound
    return _message(row, secrets)


async def get_attachment(
    database: Database, message: Message, filename: str, *, secrets: Secrets, settings: Settings
) -> File:
    """A file attached to a message, as it would be sent now.

    Raises:
        MessageNotFound: it has no such file.
        NotTicketed: the booking is no longer confirmed, so there are no tickets to print.
    """
    for spec in message.attachments:
        if not isinstance(spec, CodePicture) and spec.filename == filename:
            return await make_file(database, message, spec, secrets=secrets, settings=settings)
    raise MessageNotFound


async def make_file(
    database: Database, message: Message, spec: Attachment, *, secrets: Secrets, settings: Settings
) -> File:
    """The file that an attachment stands for, in the message's language."""
    with language(message.language):
        match spec:
            case TicketsFile():
                assert message.booking_id is not None, "tickets are a booking's"
                _, content = await render_booking_pdf(
                    database, message.booking_id, actor=SYSTEM, secrets=secrets, passenger_ids=spec.passenger_ids
                )
                return File(spec.filename, "application/pdf", content)
            case CalendarFile():
                assert message.booking_id is not None, "and so is its calendar"
                async with database.begin() as work:
                    _, content = await calendar(work, message.booking_id, actor=SYSTEM, base_url=settings.base_url)
                return File(spec.filename, "text/calendar", content)
            case InvoiceFile():
                _, content = await render_invoice(database, spec.invoice_id, actor=SYSTEM, secrets=secrets)
                return File(spec.filename, "application/pdf", content)
            case CodePicture():
                return File(spec.content_id, "image/png", qr_png(spec.token))


def html_to_show(message: Message) -> str:
    """The HTML with the pictures within it as data URLs, for a page that shows the mail."""
    html = message.html
    for spec in message.attachments:
        if isinstance(spec, CodePicture):
            picture = base64.b64encode(qr_png(spec.token)).decode()
            html = html.replace(f"cid:{spec.content_id}", f"data:image/png;base64,{picture}")
    return html


def _message(row: MessageRow, secrets: Secrets) -> Message:
    return Message(
        id=row.id,
        booking_id=row.booking_id,
        kind=MessageKind(row.kind),
        status=MessageStatus(row.status),
        language=row.language,
        recipient=secrets.decrypt(row.recipient),
        reply_to=row.reply_to,
        subject=row.subject,
        html=secrets.decrypt(row.html),
        text=secrets.decrypt(row.text),
        attachments=msgspec.convert(row.attachments, tuple[Attachment, ...]),
        attempts=row.attempts,
        failure=row.failure,
        created_at=row.created_at,
        sent_at=row.sent_at,
    )
