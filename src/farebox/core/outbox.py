"""The outbox: an event and the jobs that react to it are written in the transaction that made it a fact.

A crash after commit loses nothing; a rollback leaves nothing. Reactions run as jobs, at least once, so each must be
idempotent.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base, UnitOfWork
from farebox.core.events import Envelope, Event
from farebox.core.ids import new_id
from farebox.core.jobs import Jobs
from farebox.core.rows import new_row

SOURCE = "farebox"


class OutboxEvent(Base):
    """Everything that was ever published, in order."""

    __tablename__ = "outbox_event"
    __table_args__ = (Index(None, "type", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str]
    at: Mapped[datetime]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    meta: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Outbox:
    """Writes events and defers the jobs that react to them.

    Args:
        jobs: where reactions run.
        reactions: event type -> names of jobs, each called with the event's `data` as its keyword argument `event`.
    """

    def __init__(self, jobs: Jobs, reactions: dict[str, list[str]]) -> None:
        self._jobs = jobs
        self._reactions = reactions

    async def __call__(self, work: UnitOfWork, events: list[Event]) -> None:
        envelopes = [seal(event, work.now) for event in events]
        work.put_rows(
            [
                new_row(
                    OutboxEvent,
                    id=UUID(envelope.id.removeprefix("evt_")),
                    type=envelope.type,
                    at=work.now,
                    data=envelope.data,
                    meta=envelope.metadata,
                )
                for envelope in envelopes
            ]
        )
        jobs = [(job, {"event": each.data}) for each in envelopes for job in self._reactions.get(each.type, ())]
        if jobs:
            self._jobs.defer_all(work, jobs)


def seal(event: Event, at: datetime) -> Envelope:
    """Put an event into its envelope."""
    return Envelope(
        id=f"evt_{new_id()}",
        type=event.type,
        timestamp=at.isoformat(),
        source=SOURCE,
        data=msgspec.to_builtins(event),
        metadata={},
    )
