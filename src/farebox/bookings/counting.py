"""How much is booked with an operator."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func

from farebox.accounts import Actor, Permission
from farebox.bookings.models import BookingRow
from farebox.bookings.queries import sold_by
from farebox.core.db import UnitOfWork
from farebox.core.ids import first_id_at

LONGEST_WAIT: Final = timedelta(days=8)
"""No booking waits longer for its money: the longest that settings let a bank transfer take, and a day."""


async def count_confirmed_bookings(
    work: UnitOfWork, operator_id: UUID, since: Sequence[datetime], *, actor: Actor
) -> list[int]:
    """How many bookings with something of an operator's were confirmed since each of these instants, cancelled
    afterwards or not; none for who may not see its reports."""
    sold = sold_by(operator_id, actor, Permission.REPORTS_READ)
    within = sold.where(BookingRow.id >= first_id_at(min(since) - LONGEST_WAIT), BookingRow.confirmed_at >= min(since))
    counts = [func.count().filter(BookingRow.confirmed_at >= each) for each in since]
    row = (await work.session.execute(within.with_only_columns(*counts))).one()
    return [int(count) for count in row]
