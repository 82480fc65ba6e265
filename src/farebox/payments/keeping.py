"""Money that is not where it belongs yet, and what providers sent."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, union, update

from farebox.core.db import UnitOfWork
from farebox.payments.models import ChargeRow, InboxRow, PaymentRow, RefundRow

BATCH: Final = 500


async def list_unsettled(work: UnitOfWork, booking_ids: Collection[UUID]) -> set[UUID]:
    """Those of these bookings for which money is still to move: a refund on its way or refused, money taken that is
    neither applied nor given back, or a provider's message that was not handled."""
    owed = RefundRow.status.in_(["pending", "failed"])
    refunds = select(RefundRow.booking_id).where(RefundRow.booking_id.in_(booking_ids), owed)
    charges = (
        select(PaymentRow.booking_id)
        .join(ChargeRow, ChargeRow.payment_id == PaymentRow.id)
        .where(
            PaymentRow.booking_id.in_(booking_ids),
            ChargeRow.disposition != "applied",
            ChargeRow.refunded_minor < ChargeRow.amount_minor,
        )
    )
    messages = (
        select(PaymentRow.booking_id)
        .join(InboxRow, InboxRow.payment_id == PaymentRow.id)
        .where(PaymentRow.booking_id.in_(booking_ids), InboxRow.handled_at.is_(None))
    )
    found = await work.session.scalars(union(refunds, charges, messages))
    return {booking_id for booking_id in found if booking_id is not None}


async def wipe_old_bodies(work: UnitOfWork, *, before: datetime) -> int:
    """Forget the wording of providers' messages that were handled by then, a batch at a time; what they meant stays.

    They may name who paid. How many that were.
    """
    old = (
        select(InboxRow.id)
        .where(InboxRow.handled_at < before, InboxRow.body != b"")
        .order_by(InboxRow.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    ids = (await work.session.scalars(old)).all()
    await work.session.execute(
        update(InboxRow).where(InboxRow.id.in_(ids)).values(body=b"").execution_options(synchronize_session=False)
    )
    return len(ids)
