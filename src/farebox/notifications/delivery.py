"""Sending: one job a message, tried again with growing pauses, its outcome kept with it."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import update

from farebox.core.crypto import Secrets
from farebox.core.db import Database, UnitOfWork
from farebox.core.errors import DomainError
from farebox.core.settings import Settings
from farebox.notifications.letters import LETTERS
from farebox.notifications.models import MessageRow
from farebox.notifications.queries import get_message, make_file
from farebox.notifications.smtp import Delayed, Refused, parse_smtp_url, send_mail, write_mail
from farebox.notifications.views import CodePicture, File, Message, MessageKind, MessageStatus

MAX_ATTEMPTS: Final = 8

log = structlog.get_logger()


class NotSentYet(Exception):
    """Tells the queue to run the job again later."""


@dataclass(frozen=True, slots=True)
class Postman:
    """Sends messages, or keeps them where no mail server is configured."""

    database: Database
    settings: Settings
    secrets: Secrets

    async def deliver(self, message_id: UUID) -> None:
        """Send one message and keep what came of it. Does nothing when it was sent, kept or given up before.

        Raises:
            NotSentYet: the server could not take it now, and more attempts are left.
        """
        async with self.database.begin() as work:
            message = await get_message(work, message_id, secrets=self.secrets, lock=True)
            if message.status is not MessageStatus.QUEUED:
                return
            if not self.settings.smtp_url:
                await self._note(work, message, MessageStatus.KEPT)
                return
            await self._count(work, message)
        try:
            files, pictures = await self._files(message)
        except DomainError as error:  # cancelled before the tickets went out
            await self._finish(message, MessageStatus.FAILED, error.code)
            return
        await self._send(message, files, pictures)

    async def _send(self, message: Message, files: list[File], pictures: list[File]) -> None:
        mail = write_mail(message, mail_from=self.settings.mail_from, files=files, pictures=pictures)
        try:
            await send_mail(mail, parse_smtp_url(self.settings.smtp_url))
        except Refused as refused:
            await self._finish(message, MessageStatus.FAILED, refused.reason)
        except Delayed as delayed:
            if message.attempts + 1 < MAX_ATTEMPTS:
                await self._finish(message, MessageStatus.QUEUED, delayed.reason)
                raise NotSentYet(delayed.reason) from None
            await self._finish(message, MessageStatus.FAILED, delayed.reason)
        else:
            await self._finish(message, MessageStatus.SENT)

    async def _files(self, message: Message) -> tuple[list[File], list[File]]:
        files: list[File] = []
        pictures: list[File] = []
        for spec in message.attachments:
            made = await make_file(self.database, message, spec, secrets=self.secrets, settings=self.settings)
            (pictures if isinstance(spec, CodePicture) else files).append(made)
        return files, pictures

    async def _finish(self, message: Message, status: MessageStatus, failure: str = "") -> None:
        async with self.database.begin() as work:
            await self._note(work, message, status, failure=failure)

    async def _note(self, work: UnitOfWork, message: Message, status: MessageStatus, *, failure: str = "") -> None:
        values: dict[str, object] = {"status": status, "failure": failure}
        if status in {MessageStatus.SENT, MessageStatus.KEPT}:
            values["sent_at"] = self.database.clock()
        if status in {MessageStatus.SENT, MessageStatus.FAILED} and _is_secret(message.kind):
            blank = self.secrets.encrypt("")  # the code or link is nowhere but in the mail
            values |= {"html": blank, "text": blank}
        await work.session.execute(update(MessageRow).where(MessageRow.id == message.id).values(values))
        log.info("message", message_id=str(message.id), kind=message.kind, status=status, failure=failure)

    async def _count(self, work: UnitOfWork, message: Message) -> None:
        await work.session.execute(
            update(MessageRow).where(MessageRow.id == message.id).values(attempts=MessageRow.attempts + 1)
        )


def _is_secret(kind: MessageKind) -> bool:
    return kind is MessageKind.LOOKUP_CODE or (kind in LETTERS and LETTERS[kind].is_secret)
