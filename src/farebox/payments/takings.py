"""What an operator takes, by the books: sales, and what became less or more of them afterwards."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from farebox.accounts import Actor, Permission
from farebox.core.db import UnitOfWork
from farebox.core.ids import first_id_at
from farebox.core.money import Money
from farebox.payments.models import LedgerEntryRow

SLACK: Final = timedelta(days=1)
"""By so much, clocks may differ by which ids are made and movements are dated."""


@dataclass(frozen=True, slots=True)
class Takings:
    """What an operator took since an instant, in one currency, the platform's share included.

    Attributes:
        sold: the prices of what was sold.
        changed: what was cancelled, lowered, or cost more after a change; negative where less is left.
    """

    sold: Money
    changed: Money

    @property
    def left(self) -> Money:
        return self.sold + self.changed


async def sum_up_takings(
    work: UnitOfWork, operator_id: UUID, since: tuple[datetime, datetime], *, actor: Actor
) -> list[tuple[Takings, Takings]]:
    """An operator's takings since each of two instants, one pair for each currency; none for who may not see its
    reports."""
    if not actor.may(Permission.REPORTS_READ, operator_id):
        return []
    is_sale = LedgerEntryRow.kind == "sale"
    minor = func.sum(-LedgerEntryRow.amount_minor)
    kinds = [(kind, LedgerEntryRow.at >= each) for each in since for kind in (is_sale, ~is_sale)]
    sums = [func.coalesce(minor.filter(*which), 0) for which in kinds]
    rows = await work.session.execute(
        select(LedgerEntryRow.currency, *sums)
        .where(
            LedgerEntryRow.transaction_id >= first_id_at(min(since) - SLACK),
            LedgerEntryRow.at >= min(since),
            LedgerEntryRow.account.in_([f"{share}:{operator_id}" for share in ("sales", "commission", "open-returns")]),
        )
        .group_by(LedgerEntryRow.currency)
        .order_by(LedgerEntryRow.currency)
    )
    return [_pair(currency, *map(int, minors)) for currency, *minors in rows]


def _pair(currency: str, *minors: int) -> tuple[Takings, Takings]:
    sold, changed, sold_before, changed_before = (Money(minor, currency) for minor in minors)
    return Takings(sold, changed), Takings(sold_before, changed_before)
