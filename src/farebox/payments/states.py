"""The life of a payment: the one table of transitions, and the one function that moves a payment along it."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import update

from farebox.core.db import UnitOfWork
from farebox.core.pipeline import Statement
from farebox.core.rows import updated
from farebox.payments.models import PaymentRow


class PaymentStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"


class Disposition(StrEnum):
    """What became of money that came in: it counts for the booking, waits for the rest of the price, or is owed back
    for one of the other reasons."""

    APPLIED = "applied"
    KEPT = "kept"
    DUPLICATE = "duplicate"
    LATE = "late"
    MISMATCHED = "mismatched"
    UNWANTED = "unwanted"


TRANSITIONS: Final[Mapping[PaymentStatus, frozenset[PaymentStatus]]] = {
    PaymentStatus.PENDING: frozenset({PaymentStatus.PROCESSING, PaymentStatus.COMPLETED, PaymentStatus.FAILED}),
    PaymentStatus.PROCESSING: frozenset({PaymentStatus.COMPLETED, PaymentStatus.FAILED}),
    # Declined, then paid after all: providers let people try again on the same page.
    PaymentStatus.FAILED: frozenset({PaymentStatus.COMPLETED}),
    PaymentStatus.COMPLETED: frozenset({PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED}),
    PaymentStatus.PARTIALLY_REFUNDED: frozenset({PaymentStatus.REFUNDED}),
    PaymentStatus.REFUNDED: frozenset(),
}
"""From each state, where a payment may go."""


FIRST_CHECK: Final = timedelta(minutes=2)
"""After so long a provider is asked what became of a payment or a refund, should its message not have come."""


LAST_LOOK: Final = timedelta(days=1)
"""How long after a payment has ended the provider is still asked: money may have been on its way."""


def sources_of(target: PaymentStatus) -> list[PaymentStatus]:
    """The states from which a payment may go to `target`."""
    return [source for source, targets in TRANSITIONS.items() if target in targets]


async def move(
    work: UnitOfWork, payment_id: UUID, target: PaymentStatus, columns: Mapping[str, Any] | None = None
) -> bool:
    """Move a payment to `target` if it is in a state from which that is possible; whether it was.

    The UPDATE carries the guard, so of many that try at once, one moves it.
    """
    [moved] = await work.send([moving(work, payment_id, target, columns, rest="RETURNING id")])
    return bool(moved)


def moving(
    work: UnitOfWork, payment_id: UUID, target: PaymentStatus, columns: Mapping[str, Any] | None = None, rest: str = ""
) -> Statement:
    """The statement of `move`, for who needs no answer, or another one."""
    values = {"status": target, "updated_at": work.now} | dict(columns or {})
    guard = "id = $1 AND status = ANY ($2::text[])"
    return updated(PaymentRow, values, guard, payment_id, sources_of(target), rest=rest)


def complete(work: UnitOfWork, payment_id: UUID) -> None:
    """A payment's money has come, whatever becomes of it.

    The provider is asked once more after a while: it may have taken the money twice, and its message been lost.
    """
    columns = {"completed_at": work.now, "failure": None, "next_check_at": work.now + LAST_LOOK}
    work.put(moving(work, payment_id, PaymentStatus.COMPLETED, columns))


async def check_soon(work: UnitOfWork, payment_id: UUID) -> None:
    """Begin anew to ask the provider about a payment, should its message not come: money of it is on its way back."""
    await work.session.execute(
        update(PaymentRow)
        .where(PaymentRow.id == payment_id)
        .values(checks=0, next_check_at=work.now + FIRST_CHECK)
        .execution_options(synchronize_session=False)
    )
