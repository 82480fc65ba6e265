"""The demo's mailbox: every mail that was written, for those who try the product without a mail server."""

from uuid import UUID

from litestar import Controller, Response, get
from litestar.response import Template

from farebox.core.db import UnitOfWork
from farebox.notifications import Message, get_attachment, get_message, html_to_show, list_messages
from farebox.web.pages import HTML, AnyRequest, page
from farebox.web.views.booking import MailRow, MailView
from farebox.wiring import Services

SHOWN = 100

MAIL_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; form-action 'none'"
"""A mail brings its own styles, as mails do, and nothing else: no script, nothing from elsewhere."""


class MailboxController(Controller):
    """Registered outside of production only, and open to this machine or the operations password: mails carry codes."""

    path = "/dev/mailbox"
    opt = {"access": "internal"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def mailbox(self, request: AnyRequest, work: UnitOfWork, services: Services) -> Template:
        messages = await list_messages(work, secrets=services.secrets, limit=SHOWN)
        return page(request, "dev/mailbox.html", tuple(map(_row, messages)), is_private=True)

    @get("/{message_id:uuid}")
    async def mail(self, request: AnyRequest, work: UnitOfWork, services: Services, message_id: UUID) -> Template:
        message = await get_message(work, message_id, secrets=services.secrets)
        at = f"/dev/mailbox/{message.id}"
        files = tuple((name, f"{at}/files/{name}") for name in message.filenames)
        return page(
            request, "dev/mail.html", MailView(_row(message), message.text, f"{at}/html", files), is_private=True
        )

    @get("/{message_id:uuid}/html")
    async def html(self, work: UnitOfWork, services: Services, message_id: UUID) -> Response[str]:
        """The mail itself, for the frame in its page."""
        message = await get_message(work, message_id, secrets=services.secrets)
        headers = {"Content-Security-Policy": MAIL_POLICY, "Cache-Control": "no-store"}
        return Response(html_to_show(message), media_type=HTML, headers=headers)

    @get("/{message_id:uuid}/files/{filename:str}")
    async def attachment(
        self, work: UnitOfWork, services: Services, message_id: UUID, filename: str
    ) -> Response[bytes]:
        message = await get_message(work, message_id, secrets=services.secrets)
        await work.commit()  # printing takes time, and this request must not sit on a connection meanwhile
        file = await get_attachment(
            services.database, message, filename, secrets=services.secrets, settings=services.settings
        )
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": "no-store"}
        return Response(file.content, media_type=file.media_type, headers=headers)


def _row(message: Message) -> MailRow:
    return MailRow(
        id=str(message.id),
        subject=message.subject,
        recipient=message.recipient,
        sent_at=message.sent_at or message.created_at,
        status=message.status,
        url=f"/dev/mailbox/{message.id}",
    )
