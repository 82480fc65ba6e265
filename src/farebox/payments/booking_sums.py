"""What was paid for bookings, what is still to be paid, and through which payments: for whoever has read a booking."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from farebox.bookings import Booking, BookingStatus
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.core.rows import Selection
from farebox.payments.due import sum_kept
from farebox.payments.models import ChargeRow, PaymentRow, RefundRow
from farebox.payments.staff_refunds import RefundView, refund_view
from farebox.payments.states import Disposition, PaymentStatus
from farebox.payments.views import PaymentView, payment_view

_THESE: Final = "ANY ($1::uuid[])"
_PAYMENTS: Final = Selection(PaymentRow, f"WHERE booking_id = {_THESE} ORDER BY created_at DESC, id DESC")
_CHARGES: Final = Selection(
    ChargeRow, f"JOIN payment ON payment.id = payment_charge.payment_id WHERE payment.booking_id = {_THESE}"
)
_REFUNDS: Final = Selection(RefundRow, f"WHERE booking_id = {_THESE} ORDER BY created_at, id")

_COUNTS: Final = {Disposition.APPLIED, Disposition.KEPT}
_TAKEN_BACK: Final = {"open", "lost"}


@dataclass(frozen=True, slots=True)
class PaymentWithRefunds:
    """One attempt to pay, and what went back of it or is to, the oldest first."""

    payment: PaymentView
    refunds: tuple[RefundView, ...]


@dataclass(frozen=True, slots=True)
class BookingSums:
    """The money of one booking.

    Attributes:
        paid: what came for it and is there: less what went back, and without what a payer's bank has, or wants, back.
        due: what is still to be paid before it is confirmed; a change of it is paid by itself.
        status: `refunded` once all that came has gone back, `partially_refunded` once some has; `failed` where the last
            attempt to pay came to nothing; `pending` while nothing came.
        payments: the latest first.
    """

    paid: Money
    due: Money
    status: PaymentStatus
    payments: tuple[PaymentWithRefunds, ...] = ()


def sums_of_new(booking: Booking) -> BookingSums:
    """Those of a booking that was made just now."""
    return BookingSums(Money.zero(booking.total.currency), booking.total, PaymentStatus.PENDING)


async def sum_up_bookings(work: UnitOfWork, bookings: Sequence[Booking]) -> dict[UUID, BookingSums]:
    """The money of bookings that the caller has read as somebody who reaches them. One question for all of them."""
    ids = [str(booking.id) for booking in bookings]
    found = await work.send([each.about(ids) for each in (_PAYMENTS, _CHARGES, _REFUNDS)])
    payments: dict[UUID | None, list[PaymentRow]] = defaultdict(list)
    for payment in _PAYMENTS.read(found[0]):
        payments[payment.booking_id].append(payment)
    charges: dict[UUID, list[ChargeRow]] = defaultdict(list)
    for charge in _CHARGES.read(found[1]):
        charges[charge.payment_id].append(charge)
    refunds: dict[UUID, list[RefundRow]] = defaultdict(list)
    for refund in _REFUNDS.read(found[2]):
        refunds[refund.payment_id].append(refund)
    return {
        booking.id: _sums(
            booking,
            [(each, charges[each.id], refunds[each.id]) for each in payments[booking.id]],
        )
        for booking in bookings
    }


def _sums(booking: Booking, rows: Sequence[tuple[PaymentRow, list[ChargeRow], list[RefundRow]]]) -> BookingSums:
    currency = booking.total.currency
    charges = [charge for _, own, _ in rows for charge in own]
    back = _gone_back(charges, [refund for _, _, own in rows for refund in own])
    there = [
        charge
        for charge in charges
        if charge.disposition in _COUNTS and charge.currency == currency and charge.dispute not in _TAKEN_BACK
    ]
    kept = sum_kept(charge for charge in there if charge.disposition == Disposition.KEPT)
    return BookingSums(
        paid=Money(sum(charge.amount_minor - back[charge.id] for charge in there), currency),
        due=Money(max(0, booking.total.minor - kept) if booking.is_open else 0, currency),
        status=_status(booking, [payment for payment, _, _ in rows], charges, back),
        payments=tuple(
            PaymentWithRefunds(
                payment_view(payment, {each.status for each in own}), tuple(refund_view(refund) for refund in own)
            )
            for payment, _, own in rows
        ),
    )


def _gone_back(charges: Iterable[ChargeRow], refunds: Iterable[RefundRow]) -> dict[UUID, int]:
    """Minor units of each charge that its payer has again."""
    back = {charge.id: charge.amount_minor if charge.dispute == "lost" else 0 for charge in charges}
    for refund in refunds:
        if refund.status == "completed":
            back[refund.charge_id] += refund.amount_minor
    return back


def _status(
    booking: Booking, payments: Sequence[PaymentRow], charges: Sequence[ChargeRow], back: dict[UUID, int]
) -> PaymentStatus:
    if booking.status is BookingStatus.PAYMENT_PROCESSING:
        return PaymentStatus.PROCESSING
    was_sold = booking.confirmed_at is not None
    counted = [] if booking.is_open else charges
    if was_sold:
        counted = [charge for charge in charges if charge.disposition == Disposition.APPLIED]
    if counted and all(back[charge.id] >= charge.amount_minor for charge in counted):
        return PaymentStatus.REFUNDED
    if any(back[charge.id] for charge in counted):
        return PaymentStatus.PARTIALLY_REFUNDED
    if counted or was_sold:
        return PaymentStatus.COMPLETED
    has_failed = bool(payments) and payments[0].status == PaymentStatus.FAILED
    return PaymentStatus.FAILED if has_failed else PaymentStatus.PENDING
