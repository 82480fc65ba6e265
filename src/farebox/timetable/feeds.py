"""The feeds that were imported."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from farebox.core.db import UnitOfWork
from farebox.timetable.models import Feed


@dataclass(frozen=True, slots=True)
class FeedView:
    """An imported feed.

    Attributes:
        version: the publisher's own name of the edition, or empty.
        first_date, last_date: days with service, after shifting; `None` without any.
    """

    id: UUID
    code: str
    name: str
    version: str
    first_date: date | None
    last_date: date | None


async def find_feed(work: UnitOfWork, code: str) -> FeedView | None:
    """The feed with this code, as it was imported last."""
    row = await work.session.scalar(select(Feed).where(Feed.code == code))
    if row is None:
        return None
    return FeedView(row.id, row.code, row.name, row.version, row.first_date, row.last_date)
