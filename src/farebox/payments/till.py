"""What the staff of an operator look at: transfers that are expected, the cash of a day, one booking's money."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, Text, case, cast, func, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB

from farebox.accounts import Actor, Permission
from farebox.bookings import Booking, get_sold_booking, sold_by
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.payments.adapters import bank, cash
from farebox.payments.due import due_for
from farebox.payments.invoices import InvoiceView, list_invoices
from farebox.payments.models import ChargeRow, InboxRow, LedgerEntryRow, PaymentRow, RefundRow
from farebox.payments.queries import list_payments
from farebox.payments.staff_refunds import RefundView, list_refunds
from farebox.payments.starting import RUNNING
from farebox.payments.views import PaymentView

LONGEST_LIST: Final = 500


@dataclass(frozen=True, slots=True)
class ExpectedTransfer:
    """A transfer that a traveller means to make.

    Attributes:
        reference: the booking's, which they are to write on it.
        amount: what is still to come of it.
        expires_at: until when the seats wait for it.
    """

    payment_id: UUID
    booking_id: UUID
    reference: str
    amount: Money
    begun_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class CashOfDay:
    """What one person took and paid out in cash on a day, in one currency. `actor`: who, as `user:<id>`."""

    actor: str
    receipts: int
    taken: Money
    payouts: int
    paid_out: Money


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One side of a movement of money, debit positive. `commission_bp`: the rate of a share of a sale."""

    transaction_id: UUID
    at: datetime
    kind: str
    account: str
    amount: Money
    commission_bp: int | None


@dataclass(frozen=True, slots=True)
class BookingMoney:
    """All money of one booking.

    Attributes:
        due: what is still to be paid of it.
        refunds: of all its payments, the oldest first.
        lines: of the ledger, for who may see the operator's reports; none of other operators' shares.
    """

    booking: Booking
    due: Money
    payments: tuple[PaymentView, ...]
    refunds: tuple[RefundView, ...]
    invoices: tuple[InvoiceView, ...]
    lines: tuple[LedgerLine, ...]


async def list_expected_transfers(work: UnitOfWork, operator_id: UUID, *, actor: Actor) -> list[ExpectedTransfer]:
    """The transfers for an operator's bookings that have not come, or not all of them; what ends first, first."""
    query = expected_transfers(work, operator_id, actor)
    in_order = query.order_by(query.selected_columns.expires_at, PaymentRow.id).limit(LONGEST_LIST)
    rows = await work.session.execute(in_order.execution_options(populate_existing=True))
    return [
        ExpectedTransfer(
            payment_id=payment.id,
            booking_id=payment.booking_id,
            reference=reference,
            amount=Money(payment.amount_minor - int(minor), payment.currency),
            begun_at=payment.created_at,
            expires_at=expires_at,
        )
        for payment, reference, expires_at, minor in rows
        if payment.booking_id is not None
    ]


def expected_transfers(
    work: UnitOfWork, operator_id: UUID, actor: Actor
) -> Select[PaymentRow, str, datetime | None, int]:
    """Those transfers, for what lists or counts them: the payment, the booking's reference, until when its seats are
    kept, and how much has come, in minor units."""
    sold = sold_by(operator_id, actor, Permission.BOOKINGS_SELL).subquery()
    came = (
        select(func.coalesce(func.sum(ChargeRow.amount_minor), 0))
        .where(ChargeRow.payment_id == PaymentRow.id, ChargeRow.currency == PaymentRow.currency)
        .scalar_subquery()
    )
    return (
        select(PaymentRow, sold.c.reference, sold.c.expires_at, came)
        .join(sold, sold.c.id == PaymentRow.booking_id)
        .where(
            PaymentRow.provider == bank.NAME,
            PaymentRow.status.in_(RUNNING),
            PaymentRow.superseded_at.is_(None),
            sold.c.expires_at > work.now,
        )
    )


async def sum_up_cash(
    work: UnitOfWork, operator_id: UUID, day: date, *, timezone: str, actor: Actor
) -> list[CashOfDay]:
    """What each person took and paid out in cash for an operator's bookings on a day of a zone."""
    start = datetime.combine(day, time(), ZoneInfo(timezone))
    end = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(timezone))
    sold = sold_by(operator_id, actor, Permission.BOOKINGS_SELL).subquery()
    took = await work.session.execute(
        select(_writer(), ChargeRow.currency, func.count(), func.sum(ChargeRow.amount_minor))
        .join(PaymentRow, PaymentRow.id == ChargeRow.payment_id)
        .join(sold, sold.c.id == PaymentRow.booking_id)
        .join(
            InboxRow,
            (InboxRow.provider == ChargeRow.provider)
            & (InboxRow.external_id == cast(PaymentRow.id, Text) + ":" + ChargeRow.external_id),
        )
        .where(ChargeRow.provider == cash.NAME, ChargeRow.received_at >= start, ChargeRow.received_at < end)
        .group_by(text("1"), text("2"))
    )
    gave = await work.session.execute(
        select(_writer(), RefundRow.currency, func.count(), func.sum(RefundRow.amount_minor))
        .join(PaymentRow, PaymentRow.id == RefundRow.payment_id)
        .join(sold, sold.c.id == RefundRow.booking_id)
        .join(
            InboxRow,
            (InboxRow.provider == PaymentRow.provider)
            & (InboxRow.external_id == cast(RefundRow.id, Text) + ":paid-out"),
        )
        .where(
            or_(PaymentRow.provider == cash.NAME, RefundRow.destination == "hand"),
            RefundRow.completed_at >= start,
            RefundRow.completed_at < end,
        )
        .group_by(text("1"), text("2"))
    )
    taken = {(who, currency): (count, int(minor)) for who, currency, count, minor in took}
    paid_out = {(who, currency): (count, int(minor)) for who, currency, count, minor in gave}
    lines = []
    for who, currency in taken.keys() | paid_out.keys():
        receipts, received = taken.get((who, currency), (0, 0))
        payouts, given = paid_out.get((who, currency), (0, 0))
        lines.append(CashOfDay(who or "", receipts, Money(received, currency), payouts, Money(given, currency)))
    return sorted(lines, key=lambda line: (-line.taken.minor, line.actor, line.taken.currency))


async def get_booking_money(work: UnitOfWork, operator_id: UUID, booking_id: UUID, *, actor: Actor) -> BookingMoney:
    """All money of a booking with something of an operator's.

    Raises:
        BookingNotFound: no such booking, or not of this operator, or not for this actor.
    """
    booking = await get_sold_booking(work, operator_id, booking_id, actor=actor)
    payments = await list_payments(work, booking_id, actor=actor)
    refunds = [each for payment in payments for each in await list_refunds(work, payment.id, actor=actor)]
    due = await due_for(work, booking) if booking.is_open else Money.zero(booking.total.currency)
    return BookingMoney(
        booking=booking,
        due=due,
        payments=tuple(payments),
        refunds=tuple(sorted(refunds, key=lambda refund: refund.created_at)),
        invoices=tuple(await list_invoices(work, booking_id, actor=actor)),
        lines=tuple(await _ledger_lines(work, operator_id, booking_id, actor)),
    )


async def _ledger_lines(work: UnitOfWork, operator_id: UUID, booking_id: UUID, actor: Actor) -> list[LedgerLine]:
    if not actor.may(Permission.REPORTS_READ, operator_id):
        return []
    own = LedgerEntryRow.account.in_([f"sales:{operator_id}", f"commission:{operator_id}"])
    is_share = or_(LedgerEntryRow.account.startswith("sales:"), LedgerEntryRow.account.startswith("commission:"))
    rows = await work.session.scalars(
        select(LedgerEntryRow)
        .where(LedgerEntryRow.booking_id == booking_id, or_(own, ~is_share))
        .order_by(LedgerEntryRow.id)
    )
    return [
        LedgerLine(
            row.transaction_id, row.at, row.kind, row.account, Money(row.amount_minor, row.currency), row.commission_bp
        )
        for row in rows
    ]


def _writer() -> ColumnElement[str | None]:
    """Who wrote a note: as it stands in the note, or, where its wording was wiped, who took the payment last."""
    note = cast(func.convert_from(InboxRow.body, "UTF8"), JSONB)["actor"].astext
    return func.coalesce(case((InboxRow.body != b"", note)), PaymentRow.actor)
