"""The table of messages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base
from farebox.notifications.views import MessageStatus


class MessageRow(Base):
    """One message to one address.

    The unique key is the rule that one occasion (an event, a request) reaches an address once, however often its
    reaction runs. Address and content are sealed (AES-256-GCM), since they name people and may carry a code.
    `attachments` says what to attach; the files are made when it is sent. A message is about a booking, or to a person
    about their account, or neither: to somebody who may have none.
    """

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint(f"status IN {tuple(map(str, MessageStatus))}", name="status"),
        Index(
            "uq_message_occasion",
            "booking_id",
            "kind",
            "occasion",
            "recipient_index",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "person_id"),
        Index(None, "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"))
    kind: Mapped[str]
    occasion: Mapped[str]
    language: Mapped[str]
    recipient: Mapped[bytes] = mapped_column(LargeBinary)
    recipient_index: Mapped[bytes] = mapped_column(LargeBinary)
    reply_to: Mapped[str]
    subject: Mapped[str]
    html: Mapped[bytes] = mapped_column(LargeBinary)
    text: Mapped[bytes] = mapped_column(LargeBinary)
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    failure: Mapped[str]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
