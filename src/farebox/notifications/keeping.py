"""How long messages keep what they said and to whom. That there was one, about what and when, stays."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import BYTEA

from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.notifications.models import MessageRow
from farebox.notifications.views import MessageKind, MessageStatus, SentMessage

BATCH: Final = 500

NOBODY: Final = func.sha256(func.convert_to(cast(MessageRow.id, Text), "UTF8"), type_=BYTEA)
"""The digest of the recipient once it was wiped: the message's own, since two to one occasion must differ in it."""


async def list_messages_about(
    work: UnitOfWork, *, person_id: UUID, booking_ids: Collection[UUID], secrets: Secrets
) -> list[SentMessage]:
    """What was sent to a person about their account and about these bookings, in order."""
    rows = await work.session.scalars(
        select(MessageRow).where(_about(person_id, booking_ids)).order_by(MessageRow.created_at, MessageRow.id)
    )
    return [
        SentMessage(
            kind=MessageKind(row.kind),
            booking_id=row.booking_id,
            recipient=secrets.decrypt(row.recipient),
            subject=row.subject,
            text=secrets.decrypt(row.text),
            status=MessageStatus(row.status),
            created_at=row.created_at,
            sent_at=row.sent_at,
        )
        for row in rows
    ]


async def wipe_messages(work: UnitOfWork, *, person_id: UUID, booking_ids: Collection[UUID], secrets: Secrets) -> None:
    """Forget what was said to a person about their account and about these bookings; what waits is not sent."""
    await _wipe(work, _about(person_id, booking_ids), secrets)


async def wipe_old_messages(work: UnitOfWork, *, before: datetime, secrets: Secrets) -> int:
    """Forget what was written before then, a batch at a time; how many messages that were."""
    old = (
        select(MessageRow.id)
        .where(
            MessageRow.created_at < before,
            MessageRow.status != MessageStatus.QUEUED,
            MessageRow.recipient_index != NOBODY,
        )
        .order_by(MessageRow.created_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    ids = (await work.session.scalars(old)).all()
    await _wipe(work, MessageRow.id.in_(ids), secrets)
    return len(ids)


def _about(person_id: UUID, booking_ids: Collection[UUID]) -> ColumnElement[bool]:
    return or_(MessageRow.person_id == person_id, MessageRow.booking_id.in_(booking_ids))


async def _wipe(work: UnitOfWork, which: ColumnElement[bool], secrets: Secrets) -> None:
    blank = secrets.encrypt("")
    values: dict[str, Any] = {"recipient": blank, "html": blank, "text": blank, "recipient_index": NOBODY}
    wiped = update(MessageRow).where(which).execution_options(synchronize_session=False)
    await work.session.execute(wiped.values(values | {"attachments": []}))
    await work.session.execute(
        wiped.where(MessageRow.status == MessageStatus.QUEUED).values(status=MessageStatus.FAILED, failure="erased")
    )
