"""Charges that a payer's bank wants back (chargebacks).

While a bank looks into one it has the money already; the booking stays valid, and nothing of that charge is paid back
besides. Lost before the trip has begun, the booking is cancelled: the bank's return is its refund. Lost afterwards, the
money is a loss. What was cancelled meanwhile is paid back when the bank has decided, by the bank or by us.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update

from farebox.accounts import SYSTEM
from farebox.bookings import BookingStatus, CancelReason, get_booking
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.payments import ledger
from farebox.payments.after_sale import CANCELLED, cancel_booking
from farebox.payments.events import PaymentDisputed
from farebox.payments.ledger import DisputeStep
from farebox.payments.models import ChargeRow, LedgerEntryRow, PaymentRow, RefundRow
from farebox.payments.providers import EventKind, ProviderEvent
from farebox.payments.refunds import enter_refund, request_refund
from farebox.payments.repaying import end_if_settled
from farebox.payments.states import Disposition

STEPS: Final[dict[EventKind, DisputeStep]] = {"disputed": "open", "dispute-won": "won", "dispute-lost": "lost"}

BEFORE: Final[dict[DisputeStep, tuple[str, ...]]] = {"open": ("",), "won": ("open",), "lost": ("", "open")}
"""Step -> where a charge is before it; the empty word: not disputed. A bank may tell the end alone."""

CHARGEBACK: Final = "chargeback"
"""Why money went back that a payer's bank took."""

NOTHING: Final = "nothing"
UNKNOWN_CHARGE: Final = "unknown-charge"


async def settle_dispute(work: UnitOfWork, payment: PaymentRow, event: ProviderEvent) -> str:
    """Do what a provider's message about a dispute means, once; the booking is locked.

    Returns:
        The kind of the message; `unknown-charge`, or `nothing` where it was told before.
    """
    step = STEPS[event.kind]
    charge = await work.session.scalar(
        select(ChargeRow)
        .where(ChargeRow.provider == payment.provider, ChargeRow.external_id == event.charge_id)
        .execution_options(populate_existing=True)
    )
    if charge is None:
        return UNKNOWN_CHARGE
    was = charge.dispute or ""
    moved = await work.session.scalar(
        update(ChargeRow)
        .where(ChargeRow.id == charge.id, func.coalesce(ChargeRow.dispute, "").in_(BEFORE[step]))
        .values(dispute=step)
        .returning(ChargeRow.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        return NOTHING
    await work.session.refresh(charge)
    taken = await _taken(work, payment, charge, event, is_known=was == "open")
    if was != "open" and step != "open":
        _enter(work, "open", payment, taken)
    _enter(work, step, payment, taken)
    work.publish(
        PaymentDisputed(
            payment_id=payment.id,
            booking_id=payment.booking_id,
            charge_id=charge.id,
            step=step,
            amount=str(taken.amount),
            currency=taken.currency,
        )
    )
    if payment.booking_id is not None and charge.disposition == Disposition.APPLIED and step != "open":
        if step == "lost":
            await _give_up_booking(work, payment.booking_id)
        by_bank = taken if step == "lost" else Money.zero(charge.currency)
        await _return(work, payment.booking_id, charge, by_bank=by_bank)
    return event.kind


def _enter(work: UnitOfWork, step: DisputeStep, payment: PaymentRow, taken: Money) -> None:
    ledger.note_dispute(
        work, step, taken, provider=payment.provider, booking_id=payment.booking_id, payment_id=payment.id
    )


async def _taken(
    work: UnitOfWork, payment: PaymentRow, charge: ChargeRow, event: ProviderEvent, *, is_known: bool
) -> Money:
    """What the bank has: of a dispute that was opened before, what was noted then."""
    if not is_known:
        return Money(event.amount_minor or charge.amount_minor, charge.currency)
    noted = await work.session.scalar(
        select(func.sum(LedgerEntryRow.amount_minor)).where(
            LedgerEntryRow.payment_id == payment.id, LedgerEntryRow.account == ledger.DISPUTES
        )
    )
    return Money(int(noted or 0), charge.currency)


async def _give_up_booking(work: UnitOfWork, booking_id: UUID) -> None:
    """Cancel what was bought with the money, unless it has begun; what else was paid for it goes back."""
    booking = await get_booking(work, booking_id, actor=SYSTEM, lock=True)
    if booking.status is BookingStatus.CONFIRMED and min(item.starts_at for item in booking.items) > work.now:
        await cancel_booking(work, booking_id, actor=SYSTEM, reason=CancelReason.OPERATOR, note=CHARGEBACK)


async def _return(work: UnitOfWork, booking_id: UUID, charge: ChargeRow, *, by_bank: Money) -> None:
    """Settle what is owed of a charge, now or since seats were given up while the bank looked into it.

    Args:
        by_bank: what the bank has given its payer. As far as that is owed it was the refund; the rest is for us.
    """
    by_bank -= await _count_as_made(work, charge, by_bank)
    owed = await _owed(work, booking_id, charge)
    returned = min(by_bank, owed)
    if returned:
        charge.refunded_minor += returned.minor
        refund = enter_refund(
            work, charge, returned, booking_id=booking_id, reason=CHARGEBACK, to="origin", actor=SYSTEM
        )
        refund.status, refund.completed_at = "completed", work.now
        ledger.write(
            work,
            "dispute",
            debit={ledger.RECEIVABLE: returned},
            credit={ledger.LOSSES: returned},  # no loss after all: what it had paid for is taken back, too
            booking_id=booking_id,
            payment_id=charge.payment_id,
        )
    rest = owed - returned
    if rest:
        await request_refund(work, charge, rest, booking_id=booking_id, reason=CANCELLED)
        ledger.note_promise(work, rest, booking_id=booking_id, payment_id=charge.payment_id)
    await end_if_settled(work, booking_id)


async def _count_as_made(work: UnitOfWork, charge: ChargeRow, by_bank: Money) -> Money:
    """Let what the bank has given its payer stand for refunds of the charge that its provider refused meanwhile.

    Returns:
        How much of it does; otherwise somebody would pay it once more, by hand.
    """
    refused = await work.session.scalars(
        select(RefundRow)
        .where(RefundRow.charge_id == charge.id, RefundRow.status == "failed", RefundRow.destination == "origin")
        .order_by(RefundRow.created_at)
        .execution_options(populate_existing=True)
    )
    made = Money.zero(by_bank.currency)
    for refund in refused.all():
        amount = Money(refund.amount_minor, refund.currency)
        if made + amount <= by_bank:
            refund.status, refund.completed_at, refund.updated_at = "completed", work.now, work.now
            ledger.note_refund(
                work,
                amount,
                destination=ledger.LOSSES,  # no loss: it was to go back anyway
                booking_id=refund.booking_id,
                payment_id=refund.payment_id,
            )
            made += amount
    return made


async def _owed(work: UnitOfWork, booking_id: UUID, charge: ChargeRow) -> Money:
    """What was paid by a charge beyond its booking's price, and is not promised back yet."""
    balances = await ledger.balances(work, booking_id=booking_id)
    surplus = -balances.get((ledger.RECEIVABLE, charge.currency), 0)
    return Money(max(0, min(surplus, charge.amount_minor - charge.refunded_minor)), charge.currency)
