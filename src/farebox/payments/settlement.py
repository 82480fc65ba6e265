"""What money does when it arrives: one transaction for the seats, the booking, the tickets and the ledger.

A charge counts for what it was paid for, waits for the rest of the price, or goes back. There is no fourth, and what
waits goes back when its booking ends first.
"""

from collections.abc import Sequence
from contextlib import suppress

from farebox.accounts import OPERATORS, SYSTEM, Actor
from farebox.bookings import (
    SOLD,
    Booking,
    BookingStatus,
    CancelReason,
    SeatsGone,
    confirm_booking,
    expire_booking,
    get_booking,
    note_part_paid,
    payment_failed,
)
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.core.rows import inserted, new_row, updated
from farebox.payments import disputes, ledger, repaying
from farebox.payments.due import KEPT, due_for, list_kept, paid_through, source_of, sum_kept
from farebox.payments.events import PaymentApproved, PaymentCompleted, PaymentFailed, PaymentPartiallyPaid
from farebox.payments.exchanges import apply_paid_change
from farebox.payments.models import ChargeRow, PaymentRow
from farebox.payments.providers import ProviderEvent
from farebox.payments.queries import find_row
from farebox.payments.refunds import give_back, request_refund
from farebox.payments.starting import supersede_others
from farebox.payments.states import Disposition, PaymentStatus, complete, move
from farebox.payments.wallet import settle_top_up
from farebox.ticketing import Signer, issue_tickets

WRONG_MONEY = "wrong-amount"
SURPLUS = "surplus"
CHANGE_NOT_MADE = "change-not-made"
KNOWN_CHARGE = "known-charge"
NOTHING = "nothing"

ONCE = "ON CONFLICT (provider, external_id) DO NOTHING RETURNING id"

COUNTING = frozenset({Disposition.APPLIED, Disposition.KEPT})
"""What stays; all else goes back."""


async def settle(work: UnitOfWork, payment: PaymentRow, event: ProviderEvent, *, signer: Signer) -> str:
    """Do what a verified message means, once, however often and however parallel it comes.

    Also for what is paid in house, out of a wallet or at the counter, in the transaction of whoever took the money.
    The booking is locked first: whoever settles, cancels or expires it waits in one line.

    Returns:
        What was done, a word for the inbox: a `Disposition`, `failed`, `approved`, `refunded`, `refund-failed`,
        `disputed`, `dispute-won`, `dispute-lost`, `known-charge`, or `nothing`.
    """
    booking = None
    if payment.booking_id is not None:
        booking = await get_booking(
            work, payment.booking_id, actor=SYSTEM, lock=True, with_holds=event.kind == "paid", as_it_stands=True
        )
    match event.kind:
        case "paid":
            return await _settle_charge(work, payment, event, booking, signer)
        case "failed":
            return await _settle_failure(work, payment, event)
        case "approved":
            work.publish(PaymentApproved(payment_id=payment.id))
            return event.kind
        case "refunded" | "refund-failed":
            return await repaying.settle_refund(work, payment, event)
        case "disputed" | "dispute-won" | "dispute-lost":
            done = await disputes.settle_dispute(work, payment, event)
            if booking is not None and booking.is_open and done == "dispute-won":
                await _sell_if_covered(work, booking, signer)
            return done
    return NOTHING


async def sell_covered(work: UnitOfWork, booking: Booking, *, actor: Actor, signer: Signer) -> Booking:
    """Confirm a booking for which nothing is due any more: it is free, or what is kept for it reaches its total.

    Raises:
        SeatsGone: somebody else has at least one of its seats. Nothing was changed.
    """
    kept = await list_kept(work, booking.id, lock=True)
    confirmed = await confirm_booking(work, booking.id, actor=actor, reason="paid" if kept else "nothing-to-pay")
    await _complete_sale(work, confirmed, kept, signer)
    return confirmed


async def _sell_if_covered(work: UnitOfWork, booking: Booking, signer: Signer) -> None:
    """A part of its price that a bank had taken back is there again: it may be the rest."""
    if not await due_for(work, booking):
        with suppress(SeatsGone):  # then it goes back when the booking ends
            await sell_covered(work, booking, actor=SYSTEM, signer=signer)


async def _settle_failure(work: UnitOfWork, payment: PaymentRow, event: ProviderEvent) -> str:
    failed = await move(work, payment.id, PaymentStatus.FAILED, {"failure": event.failure})
    if not failed:
        return NOTHING
    await _let_wait(work, payment, event.failure)
    work.publish(PaymentFailed(payment_id=payment.id, booking_id=payment.booking_id, failure=event.failure))
    return "failed"


async def _let_wait(work: UnitOfWork, payment: PaymentRow, failure: str) -> None:
    """The booking waits for another attempt, unless one has been begun already."""
    now = await find_row(work, payment.id)  # the other one was read before the booking was locked
    if now is not None and now.booking_id is not None and now.superseded_at is None:
        await payment_failed(work, now.booking_id, actor=SYSTEM, failure=failure)


async def _settle_charge(
    work: UnitOfWork, payment: PaymentRow, event: ProviderEvent, booking: Booking | None, signer: Signer
) -> str:
    with work.asking_once():
        charge, kept = await _record_charge(work, payment, event, booking)
        if charge is None:
            return KNOWN_CHARGE
        received = Money(charge.amount_minor, charge.currency)
        if booking is None:
            disposition = await settle_top_up(work, payment, received, charge_id=charge.id)
            _decide(work, charge, disposition)
        elif payment.purpose == "change":
            disposition = await _settle_for_change(work, payment, charge, booking, signer)
        else:
            disposition = await _settle_for_booking(work, payment, charge, booking, kept, signer)
    if disposition is Disposition.MISMATCHED:
        if await move(work, payment.id, PaymentStatus.FAILED, {"failure": WRONG_MONEY}):
            await _let_wait(work, payment, WRONG_MONEY)
    elif disposition is not Disposition.KEPT or await paid_through(work, payment.id) >= payment.amount_minor:
        complete(work, payment.id)
    if disposition not in COUNTING:
        is_for_change = payment.purpose == "change" and disposition is not Disposition.DUPLICATE
        reason = CHANGE_NOT_MADE if is_for_change else disposition
        await request_refund(work, charge, received, booking_id=payment.booking_id, reason=reason)
    return disposition


async def _record_charge(
    work: UnitOfWork, payment: PaymentRow, event: ProviderEvent, booking: Booking | None
) -> tuple[ChargeRow | None, Sequence[ChargeRow]]:
    """The charge's new row, or `None` when it is there already: the unique key decides. And what is kept beside it.

    The operators, whose commissions a sale is written with, are read in the same round trip.
    """
    charge = new_row(
        ChargeRow,
        id=new_id(),
        payment_id=payment.id,
        provider=payment.provider,
        external_id=event.charge_id,
        amount_minor=event.amount_minor,
        currency=event.currency,
        disposition=Disposition.APPLIED,
        refunded_minor=0,
        dispute=None,
        received_at=work.now,
    )
    sellers = set(ledger.sellers_of(booking).values()) if booking else set()
    asked = [inserted(charge, rest=ONCE), KEPT.about(payment.booking_id), OPERATORS.asking(sellers)]
    written, kept, operators = await work.send(asked)
    if not written:
        return None, []
    OPERATORS.learn(work, operators, sellers)
    if not kept:
        return charge, []
    assert payment.booking_id is not None  # something is kept for it
    return charge, await list_kept(work, payment.booking_id, lock=True)


def _decide(work: UnitOfWork, charge: ChargeRow, disposition: Disposition) -> None:
    """Write down what a charge that has just been recorded turned out to be."""
    if charge.disposition != disposition:
        charge.disposition = disposition
        work.put(updated(ChargeRow, {"disposition": disposition}, "id = $1", charge.id))


async def _settle_for_booking(
    work: UnitOfWork,
    payment: PaymentRow,
    charge: ChargeRow,
    booking: Booking,
    kept: Sequence[ChargeRow],
    signer: Signer,
) -> Disposition:
    """Confirm the booking if the money reaches its total and the seats can be had; else say what the money is."""
    received = Money(charge.amount_minor, charge.currency)
    due = Money(booking.total.minor - sum_kept(kept), booking.total.currency)
    disposition = _judge(work, booking, received, due)
    confirmed = booking
    if disposition is Disposition.APPLIED:
        try:
            confirmed = await confirm_booking(work, booking.id, actor=SYSTEM, locked=booking)
        except SeatsGone:
            if booking.is_open:
                await expire_booking(work, booking.id)
            disposition = Disposition.LATE
    _decide(work, charge, disposition)
    ledger.note_charge(
        work,
        received,
        source=source_of(payment),
        counts=disposition in COUNTING,
        booking_id=booking.id,
        payment_id=payment.id,
    )
    if disposition is Disposition.APPLIED:
        await _complete_sale(work, confirmed, kept, signer, last=charge)
        _announce(work, payment, received)
    elif disposition is Disposition.KEPT:
        await _note_part(work, payment, received, due - received)
    return disposition


def _judge(work: UnitOfWork, booking: Booking, received: Money, due: Money) -> Disposition:
    """What money is for its booking, before the seats are looked at. The booking is locked, so its state holds."""
    if booking.status in SOLD:
        return Disposition.DUPLICATE
    if booking.status is BookingStatus.REFUNDED or booking.reason not in {None, CancelReason.EXPIRED}:
        return Disposition.UNWANTED
    if received.currency != due.currency:
        return Disposition.MISMATCHED
    if booking.is_open:
        return Disposition.APPLIED if received.minor >= due.minor else Disposition.KEPT
    if received.minor < due.minor or min(item.starts_at for item in booking.items) <= work.now:
        return Disposition.LATE  # the seats may be free, but it is not enough, or it has begun
    return Disposition.APPLIED


async def _complete_sale(
    work: UnitOfWork, confirmed: Booking, kept: Sequence[ChargeRow], signer: Signer, *, last: ChargeRow | None = None
) -> None:
    """What belongs to a booking just confirmed: its money counts, its tickets, its sale; what is too much goes back.

    Args:
        kept: what had come before; `last` brought the rest.
    """
    for charge in kept:
        charge.disposition = Disposition.APPLIED
    chosen = last.payment_id if last else None
    for payment_id in {charge.payment_id for charge in kept} - {chosen}:
        complete(work, payment_id)  # one that had not brought all that it was begun for
    issue_tickets(work, confirmed, signer=signer)
    await ledger.note_sale(work, confirmed)
    supersede_others(work, confirmed.id, chosen=chosen)
    surplus = Money(sum_kept([*kept, *([last] if last else [])]), confirmed.total.currency) - confirmed.total
    await give_back(work, confirmed.id, surplus, reason=SURPLUS, actor=SYSTEM)


async def _note_part(work: UnitOfWork, payment: PaymentRow, received: Money, missing: Money) -> None:
    """A part of the price has come: the booking waits for the rest, through this payment or through another one."""
    assert payment.booking_id is not None  # it was paid for a booking
    is_over = await paid_through(work, payment.id) >= payment.amount_minor
    facts = {"amount": str(received.amount), "missing": str(missing.amount), "currency": received.currency}
    await note_part_paid(work, payment.booking_id, actor=SYSTEM, is_over=is_over, facts=facts)
    work.publish(
        PaymentPartiallyPaid(
            payment_id=payment.id,
            booking_id=payment.booking_id,
            amount=str(received.amount),
            missing=str(missing.amount),
            currency=received.currency,
        )
    )


async def _settle_for_change(
    work: UnitOfWork, payment: PaymentRow, charge: ChargeRow, booking: Booking, signer: Signer
) -> Disposition:
    """Make the change that was waiting for this money; else say why it goes back."""
    received = Money(charge.amount_minor, charge.currency)
    disposition = await apply_paid_change(work, payment, booking, received, signer=signer)
    _decide(work, charge, disposition)
    ledger.note_charge(
        work,
        received,
        source=source_of(payment),
        counts=disposition in COUNTING,
        booking_id=booking.id,
        payment_id=payment.id,
    )
    if disposition is Disposition.APPLIED:
        supersede_others(work, booking.id, change_id=payment.change_id, chosen=payment.id)
        _announce(work, payment, received)
    return disposition


def _announce(work: UnitOfWork, payment: PaymentRow, received: Money) -> None:
    assert payment.booking_id is not None  # it was paid for one
    work.publish(
        PaymentCompleted(
            payment_id=payment.id,
            booking_id=payment.booking_id,
            amount=str(received.amount),
            currency=received.currency,
        )
    )
