"""The way to the mail server: its address, one message, and what its refusals mean."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from farebox.core.settings import BadSetting
from farebox.notifications.views import File, Message

TIMEOUT_SECONDS: Final = 30
SUBMISSION_PORT: Final = 587
TLS_PORT: Final = 465
RELAY_PORT: Final = 25
PERMANENT: Final = range(500, 600)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail leaves.

    Attributes:
        use_tls: TLS from the first byte.
        start_tls: `True` insists on STARTTLS, `False` never uses it, `None` uses it where it is offered.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    use_tls: bool = False
    start_tls: bool | None = None


class Refused(Exception):
    """The server will never take this message. `reason` names no address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Delayed(Exception):
    """It could not be sent now; trying later is right. `reason` names no address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_smtp_url(url: str) -> MailServer:
    """Read `smtp://user:password@host:587?starttls` or `smtps://user:password@host`.

    `?starttls` insists on STARTTLS, `?starttls=no` never uses it; without it, it is used where it is offered.

    Raises:
        BadSetting: not such an address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadSetting(reason="FAREBOX_SMTP_URL has no readable host and port") from None
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise BadSetting(reason="FAREBOX_SMTP_URL must look like smtp://user:password@host:587?starttls or smtps://…")
    wanted = parse_qs(parts.query, keep_blank_values=True).get("starttls")
    start_tls = None if wanted is None else wanted[-1].lower() not in {"no", "off", "false", "0"}
    is_tls = parts.scheme == "smtps"
    default = TLS_PORT if is_tls else SUBMISSION_PORT if start_tls else RELAY_PORT
    return MailServer(
        host=parts.hostname,
        port=port or default,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        use_tls=is_tls,
        start_tls=False if is_tls else start_tls,
    )


def write_mail(message: Message, *, mail_from: str, files: Sequence[File], pictures: Sequence[File]) -> EmailMessage:
    """The message as it goes over the wire: plain text and HTML with its pictures, and the files attached.

    Sent twice, it has the same Message-ID, so that a mailbox can tell.
    """
    domain = parseaddr(mail_from)[1].rpartition("@")[2] or "farebox.invalid"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = mail_from
    mail["To"] = message.recipient
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(message.created_at)
    mail["Message-ID"] = f"<{message.id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if message.reply_to:
        mail["Reply-To"] = message.reply_to
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    parts = mail.get_payload()
    assert isinstance(parts, list)
    html = parts[1]
    assert isinstance(html, EmailMessage)
    for picture in pictures:
        main, _, sub = picture.media_type.partition("/")
        html.add_related(picture.content, main, sub, cid=f"<{picture.name}>", disposition="inline")
    for file in files:
        main, _, sub = file.media_type.partition("/")
        mail.add_attachment(file.content, main, sub, filename=file.name)
    mail["Content-Language"] = message.language  # last, since a new body takes such headers with it
    return mail


async def send_mail(mail: EmailMessage, server: MailServer) -> None:
    """Hand a message to the server.

    Raises:
        Refused: it will never take it: no such mailbox, or content that it does not want.
        Delayed: not now: out of reach, busy, or our credentials are wrong and somebody will mend them.
    """
    try:
        await aiosmtplib.send(
            mail,
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.use_tls,
            start_tls=server.start_tls,
            timeout=TIMEOUT_SECONDS,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        _raise([refusal.code for refusal in error.recipients], "the address was refused")
    except aiosmtplib.SMTPDataError as error:
        _raise([error.code], "the content was refused")
    except aiosmtplib.SMTPResponseException as error:
        raise Delayed(f"{error.code}: {type(error).__name__}") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Delayed(type(error).__name__) from None


def _raise(codes: Sequence[int], reason: str) -> None:
    said = f"{', '.join(map(str, codes))}: {reason}"
    if codes and all(code in PERMANENT for code in codes):
        raise Refused(said) from None
    raise Delayed(said) from None
