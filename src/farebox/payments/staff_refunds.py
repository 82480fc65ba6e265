"""Refunds at the operator's will: something off the price of what was sold, and a failed refund made another way."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from farebox.accounts import SYSTEM, Actor, Permission
from farebox.bookings import Booking, BookingNotFound, get_booking, lower_price
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.money import Money, total
from farebox.payments import ledger
from farebox.payments.errors import PaymentNotFound, RefundNotFound, RefundTooLarge
from farebox.payments.models import ChargeRow, PaymentRow, RefundRow
from farebox.payments.refunds import (
    Destination,
    announce,
    enter_refund,
    give_back,
    left_to_give_back,
    refuse_wallet_of_nobody,
)

ALLOWANCE = "allowance"
"""Why money goes back that the operator gives."""


@dataclass(frozen=True, slots=True)
class RefundView:
    """Money on its way back.

    Attributes:
        status: `pending`; `completed`; `failed`: it is still owed; `replaced`: by another one.
        destination: `origin`, `wallet` or `hand`.
        reason: why, in a word of ours.
    """

    id: UUID
    payment_id: UUID
    status: str
    destination: str
    amount: Money
    reason: str
    created_at: datetime
    completed_at: datetime | None


async def refund_payment(
    work: UnitOfWork, payment_id: UUID, amount: Money, *, to: Destination = "origin", note: str, actor: Actor
) -> list[RefundView]:
    """Give a part of what was paid back, or all of it, and take it off the booking's price: who travels still does.

    Where several operators sold a booking, each gives back of its own part of the price only. Of an open return nothing
    is taken off: it is still owed to the traveller as it was bought.

    Args:
        note: why, in words; kept in the booking's audit.

    Raises:
        PaymentNotFound: no such payment, or none of those who sold the booking lets this actor pay back.
        RefundTooLarge: more than is left of it, or of what the actor's operators sold.
        NoWallet: the booking is nobody's who has a wallet.
        Invalid: no amount, or not in the currency that was paid.
    """
    row, booking = await _find(work, payment_id, actor)
    booking = await get_booking(work, booking.id, actor=SYSTEM, lock=True, as_it_stands=True)
    own, left = _own_part(booking, actor)
    if amount.minor <= 0 or amount.currency != booking.total.currency:
        message = N_("Give an amount above zero, in the currency that was paid.")
        raise Invalid([FieldError("amount", "invalid-amount", message)])
    if amount.minor > left.minor:
        raise RefundTooLarge(left=left)
    before, after = await lower_price(work, booking.id, amount, items=own, actor=actor, note=note)
    await ledger.note_reprice(work, before, after)
    refunds = await give_back(work, booking.id, amount, to=to, reason=ALLOWANCE, actor=actor, payment_id=row.id)
    return [each for each in await _views(work, row.id) if each.id in refunds]


async def most_to_refund(work: UnitOfWork, payment_id: UUID, *, actor: Actor) -> tuple[Booking, Money]:
    """The booking of a payment, locked, and how much of that payment `refund_payment` would give back now at most.

    Raises:
        PaymentNotFound: as `refund_payment`.
    """
    _, booking = await _find(work, payment_id, actor)
    booking = await get_booking(work, booking.id, actor=SYSTEM, lock=True, as_it_stands=True)
    _, priced = _own_part(booking, actor)
    return booking, min(priced, await left_to_give_back(work, booking, payment_id=payment_id))


async def refund_again(work: UnitOfWork, refund_id: UUID, *, to: Destination, actor: Actor) -> RefundView:
    """Make a refund that failed once more, the same way or into the traveller's wallet.

    Raises:
        RefundNotFound: no such refund that failed, or not of operators for all of whom this actor may pay back.
        NoWallet: the booking is nobody's who has a wallet.
    """
    payment_id = await work.session.scalar(select(RefundRow.payment_id).where(RefundRow.id == refund_id))
    if payment_id is None:
        raise RefundNotFound
    try:
        _, booking = await _reach(work, payment_id, actor)
    except PaymentNotFound:
        raise RefundNotFound from None
    failed = await work.session.get_one(RefundRow, refund_id, with_for_update=True, populate_existing=True)
    if failed.status != "failed":
        raise RefundNotFound
    refuse_wallet_of_nobody(booking, to)
    failed.status, failed.updated_at = "replaced", work.now
    charge = await work.session.get_one(ChargeRow, failed.charge_id)
    amount = Money(failed.amount_minor, failed.currency)
    again = enter_refund(work, charge, amount, booking_id=booking.id, reason=failed.reason, to=to, actor=actor)
    announce(work, again, is_again=True)
    await work.session.flush()
    return refund_view(again)


async def list_refunds(work: UnitOfWork, payment_id: UUID, *, actor: Actor) -> list[RefundView]:
    """What went back of a payment, or is to, the oldest first.

    Raises:
        PaymentNotFound: no such payment, or not for this actor.
    """
    await _find(work, payment_id, actor)
    return await _views(work, payment_id)


def _own_part(booking: Booking, actor: Actor) -> tuple[list[UUID], Money]:
    """The items that the actor's operators sold, and what they cost without open returns.

    Raises:
        PaymentNotFound: there are none.
    """
    own = [item for item, seller in ledger.sellers_of(booking).items() if actor.may(Permission.PAYMENTS_REFUND, seller)]
    if not own:
        raise PaymentNotFound
    currency = booking.total.currency
    lines = [line for line in booking.lines if line.item_id in own and line.open_return_id is None]
    priced = total([line.amount for line in lines], currency)
    return own, min(booking.total, max(priced, Money.zero(currency)))


async def _find(work: UnitOfWork, payment_id: UUID, actor: Actor) -> tuple[PaymentRow, Booking]:
    row = await work.session.get(PaymentRow, payment_id, populate_existing=True)
    if row is None or row.booking_id is None:
        raise PaymentNotFound
    try:
        return row, await get_booking(work, row.booking_id, actor=actor, as_it_stands=True)
    except BookingNotFound:
        raise PaymentNotFound from None


async def _reach(work: UnitOfWork, payment_id: UUID, actor: Actor) -> tuple[PaymentRow, Booking]:
    """A payment that somebody may give back: all who sold a part of the booking let them. The booking is locked."""
    row, booking = await _find(work, payment_id, actor)
    if not all(actor.may(Permission.PAYMENTS_REFUND, seller) for seller in ledger.sellers_of(booking).values()):
        raise PaymentNotFound
    return row, await get_booking(work, booking.id, actor=SYSTEM, lock=True, as_it_stands=True)


async def _views(work: UnitOfWork, payment_id: UUID) -> list[RefundView]:
    rows = await work.session.scalars(
        select(RefundRow)
        .where(RefundRow.payment_id == payment_id)
        .order_by(RefundRow.created_at, RefundRow.id)
        .execution_options(populate_existing=True)
    )
    return [refund_view(row) for row in rows]


def refund_view(row: RefundRow) -> RefundView:
    """A refund as it stands."""
    return RefundView(
        id=row.id,
        payment_id=row.payment_id,
        status=row.status,
        destination=row.destination,
        amount=Money(row.amount_minor, row.currency),
        reason=row.reason,
        created_at=row.created_at,
        completed_at=row.completed_at,
    )
