"""Charges that a payer's bank wants back (chargebacks).

While a bank looks into one it has the money already; the booking stays valid, and nothing of that charge is paid back
besides. Lost before the trip has begun, the booking is cancelled: the bank's return is its refund. Lost afterwards, the
money is a loss. What was cancelled meanwhile is paid back when the bank has decided, by the bank or by us.

What was put into a wallet is held back there meanwhile, and taken out if it is lost (`disputed_top_ups`).

A charge may be disputed several times, each time by an id of the provider's. One that waits for the rest of a price
does not count while a bank has it: the payer may pay it another way.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import select

from farebox.accounts import SYSTEM
from farebox.bookings import SOLD, BookingStatus, CancelReason, get_booking
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import ledger
from farebox.payments.after_sale import cancel_booking
from farebox.payments.disputed_top_ups import CHARGEBACK, hold_back, let_go, owner_of_wallet, take_back
from farebox.payments.events import PaymentDisputed, WalletDisputed
from farebox.payments.ledger import DisputeStep
from farebox.payments.models import ChargeRow, DisputeRow, PaymentRow, RefundRow
from farebox.payments.providers import EventKind, ProviderEvent
from farebox.payments.refunds import enter_refund, request_refund
from farebox.payments.repaying import end_if_settled
from farebox.payments.states import Disposition

STEPS: Final[dict[EventKind, DisputeStep]] = {"disputed": "open", "dispute-won": "won", "dispute-lost": "lost"}

DISPUTE_SETTLED: Final = "dispute-settled"
"""Why money goes back that was owed while the bank had it: what was cancelled meanwhile, and what it did not take."""

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
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if charge is None:
        return UNKNOWN_CHARGE
    dispute = await _find(work, charge, event)
    if dispute is not None and dispute.step in {step, "won", "lost"}:
        return NOTHING  # it was told before
    is_new = dispute is None
    if dispute is None:
        if step == "won":
            return NOTHING  # nobody has opened it; only of one that is lost may a bank tell the end alone
        dispute = _open(work, charge, event)
        _enter(work, "open", payment, charge, dispute)
    if step != "open":
        dispute.step, dispute.updated_at = step, work.now
        _enter(work, step, payment, charge, dispute)
    await _sum_up(work, charge)
    if payment.purpose == "top-up" and charge.disposition == Disposition.APPLIED:
        await _settle_wallet(work, payment, charge, dispute, is_new=is_new)
    taken = Money(dispute.amount_minor, charge.currency)
    work.publish(
        PaymentDisputed(
            payment_id=payment.id,
            booking_id=payment.booking_id,
            charge_id=charge.id,
            dispute_id=dispute.id,
            step=step,
            counts=charge.disposition == Disposition.APPLIED,
            amount=str(taken.amount),
            currency=taken.currency,
        )
    )
    if payment.booking_id is not None and step != "open":
        by_bank = taken if step == "lost" else Money.zero(charge.currency)
        await _settle_end(work, payment.booking_id, charge, by_bank)
    return event.kind


async def _settle_wallet(
    work: UnitOfWork, payment: PaymentRow, charge: ChargeRow, dispute: DisputeRow, *, is_new: bool
) -> None:
    """Hold back what was put into a wallet while the bank looks into it; then take it, or let it go. Tell its owner."""
    assert payment.wallet_id is not None  # the table's CHECK says so
    wanted = Money(dispute.amount_minor, charge.currency)
    if is_new:
        await hold_back(work, payment.wallet_id, charge, dispute)
    in_wallet = Money(dispute.held_minor, charge.currency)
    if dispute.step == "won":
        await let_go(work, payment.wallet_id, dispute)
    elif dispute.step == "lost":
        by_bank = wanted - await _count_as_made(work, charge, wanted)
        in_wallet = await take_back(work, payment.wallet_id, charge, dispute, by_bank)
    work.publish(
        WalletDisputed(
            wallet_id=payment.wallet_id,
            person_id=await owner_of_wallet(work, payment.wallet_id),
            dispute_id=dispute.id,
            step=dispute.step,
            amount=str(wanted.amount),
            held=str(Money(dispute.held_minor, charge.currency).amount),
            in_wallet=str(in_wallet.amount),
            currency=charge.currency,
        )
    )


async def _find(work: UnitOfWork, charge: ChargeRow, event: ProviderEvent) -> DisputeRow | None:
    """The dispute that a message is about: by its id; else the one that is open, or the latest.

    One of which an earlier message named no id gets it from the first that does.
    """
    known = select(DisputeRow).where(DisputeRow.charge_id == charge.id).execution_options(populate_existing=True)
    if not event.dispute_id:
        order = (DisputeRow.step != "open", DisputeRow.opened_at.desc())
        return await work.session.scalar(known.order_by(*order).limit(1))
    is_it = DisputeRow.external_id == event.dispute_id
    may_be = (DisputeRow.external_id == charge.external_id) & DisputeRow.step.in_(["open", STEPS[event.kind]])
    found = await work.session.scalar(known.where(is_it | may_be).order_by(~is_it).limit(1))
    if found is not None:
        found.external_id = event.dispute_id
    return found


def _open(work: UnitOfWork, charge: ChargeRow, event: ProviderEvent) -> DisputeRow:
    dispute = DisputeRow(
        id=new_id(),
        charge_id=charge.id,
        provider=charge.provider,
        external_id=event.dispute_id or charge.external_id,
        step="open",
        amount_minor=event.amount_minor or charge.amount_minor,
        held_minor=0,
        opened_at=work.now,
        updated_at=work.now,
    )
    work.session.add(dispute)
    return dispute


async def _sum_up(work: UnitOfWork, charge: ChargeRow) -> None:
    """What the disputes of a charge come to: one that is open decides, else one that is lost."""
    await work.session.flush()
    steps = set(await work.session.scalars(select(DisputeRow.step).where(DisputeRow.charge_id == charge.id)))
    charge.dispute = next(step for step in ("open", "lost", "won") if step in steps)
    await work.session.flush()


def _enter(work: UnitOfWork, step: DisputeStep, payment: PaymentRow, charge: ChargeRow, dispute: DisputeRow) -> None:
    taken = Money(dispute.amount_minor, charge.currency)
    ledger.note_dispute(
        work, step, taken, provider=payment.provider, booking_id=payment.booking_id, payment_id=payment.id
    )


async def _settle_end(work: UnitOfWork, booking_id: UUID, charge: ChargeRow, by_bank: Money) -> None:
    """One of a charge's disputes has ended: settle what the booking is owed of it.

    Args:
        by_bank: what the bank has given its payer.
    """
    if by_bank and charge.disposition == Disposition.APPLIED:
        await _give_up_booking(work, booking_id)
    by_bank -= await _count_as_made(work, charge, by_bank)
    if charge.disposition == Disposition.APPLIED:
        await _return(work, booking_id, charge, await _owed(work, booking_id, charge), by_bank)
    elif charge.disposition == Disposition.KEPT:
        await _end_kept(work, booking_id, charge, by_bank)
    await end_if_settled(work, booking_id)


async def _end_kept(work: UnitOfWork, booking_id: UUID, charge: ChargeRow, by_bank: Money) -> None:
    """Of a part of the price that waits for the rest: what the bank did not take counts again, while it is wanted.

    Where the bank got something of it, the payer did not mean to pay: all of it goes back.
    """
    booking = await get_booking(work, booking_id, actor=SYSTEM)
    if charge.dispute == "won" and booking.is_open:
        return
    rest = Money(charge.amount_minor - charge.refunded_minor, charge.currency)
    await _return(work, booking_id, charge, rest, by_bank)
    if charge.dispute != "open":
        is_late = booking.reason is CancelReason.EXPIRED
        charge.disposition = (
            Disposition.DUPLICATE if booking.status in SOLD else Disposition.LATE if is_late else Disposition.UNWANTED
        )


async def _give_up_booking(work: UnitOfWork, booking_id: UUID) -> None:
    """Cancel what was bought with the money, unless it has begun; what else was paid for it goes back.

    Of what has begun, rides back that are not chosen yet are cancelled: they were not paid for after all.
    """
    booking = await get_booking(work, booking_id, actor=SYSTEM, lock=True)
    if booking.status is not BookingStatus.CONFIRMED:
        return
    has_begun = min(item.starts_at for item in booking.items) <= work.now
    returns = [each.id for each in booking.open_returns] if has_begun else None
    if returns or not has_begun:
        await cancel_booking(work, booking_id, actor=SYSTEM, open_returns=returns, reason=CancelReason.DISPUTE_LOST)


async def _return(work: UnitOfWork, booking_id: UUID, charge: ChargeRow, owed: Money, by_bank: Money) -> None:
    """Give back what is owed of a charge. As far as the bank gave it to its payer, that was the refund.

    The rest is for us, once no bank has a hand on the charge any more.
    """
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
    if rest and charge.dispute != "open":
        await request_refund(work, charge, rest, booking_id=booking_id, reason=DISPUTE_SETTLED)
        ledger.note_promise(work, rest, booking_id=booking_id, payment_id=charge.payment_id)


async def _count_as_made(work: UnitOfWork, charge: ChargeRow, by_bank: Money) -> Money:
    """Let what the bank has given its payer stand for refunds of the charge that its provider refused meanwhile.

    Returns:
        How much of it does; otherwise somebody would pay it once more, by hand.
    """
    refused = await work.session.scalars(
        select(RefundRow)
        .where(RefundRow.charge_id == charge.id, RefundRow.status == "failed", RefundRow.destination == "origin")
        .order_by(RefundRow.created_at)
        .with_for_update()  # somebody may be noting now that it was paid by hand
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
