"""Promising money back, in the transaction that finds that it is owed. Jobs make what is promised (`repaying`)."""

from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import func, select, true, update

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import Booking, get_booking
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import ledger
from farebox.payments.errors import NoWallet, RefundTooLarge
from farebox.payments.events import RefundRequested
from farebox.payments.models import ChargeRow, PaymentRow, RefundRow
from farebox.payments.states import Disposition

Destination: TypeAlias = Literal["origin", "wallet"]
"""Where money goes back to: the way it came, or into the wallet of the person whose booking it was."""

PERSON = "user:"
"""How the owner of a booking begins who is a person with an account."""


async def give_back(
    work: UnitOfWork,
    booking_id: UUID,
    amount: Money,
    *,
    to: Destination = "origin",
    reason: str,
    actor: Actor,
    payment_id: UUID | None = None,
) -> list[UUID]:
    """Promise back a part of what was paid for a booking, or all of it: out of its latest charge first.

    Charges that a payer's bank has taken back, or may take, are left out: nobody is paid twice.

    Args:
        reason: one word of ours; it travels in events, so nothing that somebody typed.
        payment_id: out of what came through this payment alone.

    Returns:
        The refunds, which jobs make; none where the amount is zero.

    Raises:
        BookingNotFound: no such booking.
        RefundTooLarge: more than is left of what was paid for it. Nothing was promised.
        NoWallet: the booking is nobody's who has one.
    """
    if not amount:
        return []
    refuse_wallet_of_nobody(await get_booking(work, booking_id, actor=SYSTEM, lock=True, as_it_stands=True), to)
    charges = await _charges_with_rest(work, booking_id, amount.currency, payment_id)
    rest = sum(charge.amount_minor - charge.refunded_minor for charge in charges)
    if rest < amount.minor:
        raise RefundTooLarge(left=Money(rest, amount.currency))
    refunds = []
    wanted = amount.minor
    for charge in charges:
        part = Money(min(wanted, charge.amount_minor - charge.refunded_minor), amount.currency)
        if not part:
            break
        refunds.append(
            await request_refund(work, charge, part, booking_id=booking_id, reason=reason, to=to, actor=actor)
        )
        ledger.note_promise(work, part, booking_id=booking_id, payment_id=charge.payment_id)
        wanted -= part.minor
    return refunds


def refuse_wallet_of_nobody(booking: Booking, to: str) -> None:
    """Raises: NoWallet: the money is to go into a wallet, and who booked has no account."""
    if to == "wallet" and not booking.owner.startswith(PERSON):
        raise NoWallet


async def left_to_give_back(work: UnitOfWork, booking: Booking, *, payment_id: UUID | None = None) -> Money:
    """What of the money that counts for a booking, locked by the caller, can be paid back at most; or of what came
    through one payment."""
    charges = await _charges_with_rest(work, booking.id, booking.total.currency, payment_id)
    return Money(sum(charge.amount_minor - charge.refunded_minor for charge in charges), booking.total.currency)


async def _charges_with_rest(
    work: UnitOfWork, booking_id: UUID, currency: str, payment_id: UUID | None
) -> list[ChargeRow]:
    """The charges that count for a booking and have not gone back wholly, locked, the latest first."""
    rows = await work.session.scalars(
        select(ChargeRow)
        .join(PaymentRow, PaymentRow.id == ChargeRow.payment_id)
        .where(
            PaymentRow.booking_id == booking_id,
            true() if payment_id is None else PaymentRow.id == payment_id,
            ChargeRow.disposition == Disposition.APPLIED,
            ChargeRow.currency == currency,
            ChargeRow.refunded_minor < ChargeRow.amount_minor,
            func.coalesce(ChargeRow.dispute, "won") == "won",
        )
        .order_by(ChargeRow.received_at.desc(), ChargeRow.id.desc())
        .with_for_update(of=ChargeRow)
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def request_refund(
    work: UnitOfWork,
    charge: ChargeRow,
    amount: Money,
    *,
    booking_id: UUID | None,
    reason: str,
    to: Destination = "origin",
    actor: Actor = SYSTEM,
) -> UUID:
    """Promise a part of a charge, or all of it, back. The job that reacts to the event asks the provider.

    The ledger is the caller's: money that never counted is due to go back already.

    Raises:
        RefundTooLarge: the promises together would be more than the charge.
    """
    await work.session.flush()
    promised = await work.session.scalar(
        update(ChargeRow)
        .where(
            ChargeRow.id == charge.id,
            ChargeRow.currency == amount.currency,
            ChargeRow.refunded_minor + amount.minor <= ChargeRow.amount_minor,
        )
        .values(refunded_minor=ChargeRow.refunded_minor + amount.minor)
        .returning(ChargeRow.id)
        .execution_options(synchronize_session=False)
    )
    if promised is None:
        raise RefundTooLarge(left=Money(charge.amount_minor - charge.refunded_minor, charge.currency))
    row = enter_refund(work, charge, amount, booking_id=booking_id, reason=reason, to=to, actor=actor)
    announce(work, row)
    return row.id


def enter_refund(
    work: UnitOfWork, charge: ChargeRow, amount: Money, *, booking_id: UUID | None, reason: str, to: str, actor: Actor
) -> RefundRow:
    """The row of a refund that was promised. `to`: a `Destination`, or `hand`."""
    row = RefundRow(
        id=new_id(),
        booking_id=booking_id,
        payment_id=charge.payment_id,
        charge_id=charge.id,
        destination=to,
        actor=actor.kind if actor.id is None else f"{actor.kind}:{actor.id}",
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=reason,
        status="pending",
        attempts=0,
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(row)
    return row


def announce(work: UnitOfWork, refund: RefundRow, *, is_again: bool = False) -> None:
    """Have a refund made once this has committed."""
    work.publish(
        RefundRequested(
            refund_id=refund.id,
            payment_id=refund.payment_id,
            booking_id=refund.booking_id,
            amount=str(Money(refund.amount_minor, refund.currency).amount),
            currency=refund.currency,
            reason=refund.reason,
            to=refund.destination,
            is_again=is_again,
        )
    )
