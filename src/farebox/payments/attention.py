"""What waits for somebody of an operator's staff: disputes, payments that get no further, and how much of what."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, literal, select, union_all

from farebox.accounts import Actor, Permission
from farebox.bookings import sold_by
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.payments.counter import BY_HAND, waiting_refunds
from farebox.payments.models import ChargeRow, DisputeRow, InboxRow, PaymentRow
from farebox.payments.states import PaymentStatus
from farebox.payments.till import expected_transfers

LONG: Final = timedelta(hours=1)
"""A payment that is under way for longer is looked at: providers tell within seconds, banks of cards within minutes."""

LONGEST_LIST: Final = 500


@dataclass(frozen=True, slots=True)
class OpenDispute:
    """Money that a payer's bank wants back, undecided."""

    booking_id: UUID
    reference: str
    amount: Money
    provider: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class StuckPayment:
    """A payment that gets no further by itself. `is_unread`: its provider has told something that could not be done."""

    booking_id: UUID
    reference: str
    amount: Money
    provider: str
    begun_at: datetime
    is_unread: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for somebody; zero of what is not the actor's to do."""

    transfers: int
    hand_refunds: int
    disputes: int
    stuck_payments: int


async def list_open_disputes(work: UnitOfWork, operator_id: UUID, *, actor: Actor) -> list[OpenDispute]:
    """The undecided disputes about bookings with something of an operator's, the oldest first; none for who may not
    give money back there."""
    query = _disputes(operator_id, actor).order_by(DisputeRow.opened_at, DisputeRow.id).limit(LONGEST_LIST)
    return [
        OpenDispute(booking_id, reference, Money(dispute.amount_minor, currency), dispute.provider, dispute.opened_at)
        for dispute, currency, booking_id, reference in await work.session.execute(query)
    ]


async def list_stuck_payments(work: UnitOfWork, operator_id: UUID, *, actor: Actor) -> list[StuckPayment]:
    """The payments of bookings with something of an operator's that are under way for long, or of which a message could
    not be handled, the oldest first; none for who does not say what came there."""
    query = _stuck(work, operator_id, actor).order_by(PaymentRow.created_at, PaymentRow.id).limit(LONGEST_LIST)
    return [
        StuckPayment(
            booking_id=booking_id,
            reference=reference,
            amount=Money(payment.amount_minor, payment.currency),
            provider=payment.provider,
            begun_at=payment.created_at,
            is_unread=is_unread,
        )
        for payment, booking_id, reference, is_unread in await work.session.execute(query)
    ]


async def count_waiting(work: UnitOfWork, operator_id: UUID, *, actor: Actor) -> Waiting:
    """How much of an operator's waits for somebody, counted in one statement."""
    lists = (
        expected_transfers(work, operator_id, actor).subquery(),
        waiting_refunds(actor, operator_id).subquery(),
        _disputes(operator_id, actor).subquery(),
        _stuck(work, operator_id, actor).subquery(),
    )
    counts = [select(func.count()).select_from(each).scalar_subquery() for each in lists]
    return Waiting(*(await work.session.execute(select(*counts))).one())


def _disputes(operator_id: UUID, actor: Actor) -> Select[DisputeRow, str, UUID, str]:
    sold = sold_by(operator_id, actor, Permission.PAYMENTS_REFUND).subquery()
    return (
        select(DisputeRow, ChargeRow.currency, sold.c.id, sold.c.reference)
        .join(ChargeRow, ChargeRow.id == DisputeRow.charge_id)
        .join(PaymentRow, PaymentRow.id == ChargeRow.payment_id)
        .join(sold, sold.c.id == PaymentRow.booking_id)
        .where(DisputeRow.step == literal("open", literal_execute=True))  # a plan for any step has no index to use
    )


def _stuck(work: UnitOfWork, operator_id: UUID, actor: Actor) -> Select[PaymentRow, UUID, str, bool]:
    """Both kinds are few, and found by the indexes of what is to be checked, and of messages that wait."""
    sold = sold_by(operator_id, actor, Permission.PAYMENTS_RECEIVE).subquery()
    unread = select(InboxRow.payment_id).where(InboxRow.handled_at.is_(None), InboxRow.attempts > 0)
    long = select(PaymentRow.id).where(
        PaymentRow.next_check_at.is_not(None),
        PaymentRow.status == PaymentStatus.PROCESSING,
        PaymentRow.superseded_at.is_(None),
        PaymentRow.provider.not_in(BY_HAND),
        PaymentRow.created_at <= work.now - LONG,
    )
    return (
        select(PaymentRow, sold.c.id, sold.c.reference, PaymentRow.id.in_(unread))
        .join(sold, sold.c.id == PaymentRow.booking_id)
        .where(PaymentRow.id.in_(union_all(unread, long)))
    )
