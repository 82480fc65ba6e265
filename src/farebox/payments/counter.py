"""The counter: staff take cash, note transfers that have come, and pay out by hand what goes back that way.

What they note settles as a provider's message does, in the transaction of who notes it: too little, too much, too late
and twice end in the same ways. Each note is in the inbox, with who wrote it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Select, bindparam, false, func, select, update

from farebox.accounts import SYSTEM, Actor, Permission
from farebox.bookings import BookingNotFound, get_booking, sold_for
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.payments.adapters import bank, cash
from farebox.payments.errors import NotByHand, PaymentNotFound, ReferenceUsed, RefundNotFound, UnknownMethod
from farebox.payments.inbox import handle, write_down
from farebox.payments.models import ChargeRow, PaymentRow, RefundRow
from farebox.payments.providers import ProviderEvent
from farebox.payments.queries import acts_for_seller, get_payment
from farebox.payments.starting import supersede_others, what_is_due
from farebox.payments.states import PaymentStatus
from farebox.payments.views import PaymentView
from farebox.ticketing import Signer

BY_HAND: Final = frozenset({bank.NAME, cash.NAME})
"""The providers of whose money the staff tell."""

HAND: Final = "hand"
LONGEST_REFERENCE: Final = 140
"""Of a SEPA transfer's reference, the longest that there is."""

LONGEST_LIST: Final = 500


class _Note(msgspec.Struct, frozen=True):
    """What is kept of a note beside what it means: whose it is, and the words on the slip."""

    actor: str
    reference: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HandRefund:
    """Money that the staff are to pay out.

    Attributes:
        booking_id, reference: of what it was paid for; `None` and empty for what goes out of a wallet.
        provider: how it came in.
        is_refused: its provider was asked and will not give it back.
        promised_at: since when it is owed.
    """

    id: UUID
    payment_id: UUID
    booking_id: UUID | None
    reference: str
    amount: Money
    provider: str
    reason: str
    is_refused: bool
    is_paid: bool
    promised_at: datetime


async def take_cash(
    work: UnitOfWork,
    booking_id: UUID,
    *,
    change_id: UUID | None = None,
    actor: Actor,
    settings: Settings,
    signer: Signer,
) -> PaymentView:
    """Take what is due of a booking, or of a change of it, in cash, and settle it at once.

    Raises:
        BookingNotFound, ChangeNotFound: no such booking for this actor, no such change.
        UnknownMethod: the actor does not sell for its operator.
        BookingExpired: its time is over.
        NotPayable, NothingToPay: it does not wait for money.
    """
    booking = await get_booking(work, booking_id, actor=actor, lock=True)
    if not acts_for_seller(actor, booking, Permission.BOOKINGS_SELL):
        raise UnknownMethod
    due = await what_is_due(work, booking, change_id, actor=actor, settings=settings)
    payment = PaymentRow(
        id=new_id(),
        purpose=due.purpose,
        booking_id=booking_id,
        change_id=change_id,
        provider=cash.NAME,
        method=cash.NAME,
        status=PaymentStatus.PENDING,
        amount_minor=due.amount.minor,
        currency=due.amount.currency,
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(payment)
    await work.session.flush()
    supersede_others(work, booking_id, change_id=change_id, chosen=payment.id)
    await _settle_receipt(work, payment, due.amount, str(payment.id), actor=actor, reference="", signer=signer)
    return await get_payment(work, payment.id, actor=SYSTEM)


async def note_received(
    work: UnitOfWork, payment_id: UUID, amount: Money, reference: str, *, actor: Actor, signer: Signer
) -> PaymentView:
    """Note that money has come for a payment by transfer or in cash. The same note again changes nothing.

    Args:
        reference: what tells this money from other money: the bank's reference of the transfer, or a receipt's number.

    Raises:
        PaymentNotFound: no such payment, or not of an operator for whom the actor may say what came.
        NotByHand: its provider tells what came.
        ReferenceUsed: that money is noted already, for another payment or in another amount.
        Invalid: no reference, or no amount.
    """
    reference = _checked_reference(reference)
    if amount.minor <= 0:
        raise Invalid([FieldError("amount", "not-positive", N_("The amount must be more than zero."))])
    payment = await _get_to_note(work, payment_id, actor)
    if payment.provider not in BY_HAND:
        raise NotByHand(provider=payment.provider)
    # A transfer is one transfer for whichever booking it is noted; receipts are numbered by whoever writes them.
    charge_id = reference.upper() if payment.provider == bank.NAME else f"{payment_id}:{reference}"
    await _settle_receipt(work, payment, amount, charge_id, actor=actor, reference=reference, signer=signer)
    charge = await work.session.scalar(
        select(ChargeRow).where(ChargeRow.provider == payment.provider, ChargeRow.external_id == charge_id)
    )
    assert charge is not None  # it is there now, or was before
    if charge.payment_id != payment_id or Money(charge.amount_minor, charge.currency) != amount:
        raise ReferenceUsed(reference=reference)
    return await get_payment(work, payment_id, actor=SYSTEM)


async def list_hand_refunds(work: UnitOfWork, *, actor: Actor, operator_id: UUID | None = None) -> list[HandRefund]:
    """What the staff of the actor's operators, or of one of them, are to pay out, the oldest first: of cash and
    transfers, and what a provider refused to give back. What goes out of wallets is for who acts for the platform."""
    query = waiting_refunds(actor, operator_id).order_by(RefundRow.created_at, RefundRow.id).limit(LONGEST_LIST)
    return [_view(*row) for row in (await work.session.execute(query))]


async def get_hand_refund(work: UnitOfWork, operator_id: UUID, refund_id: UUID, *, actor: Actor) -> HandRefund:
    """One of them, paid out or not.

    Raises:
        RefundNotFound: no such refund, or not of this operator, or not for this actor, or its provider makes it.
    """
    mine = _hand_refunds(actor, operator_id).where(RefundRow.id == refund_id).execution_options(populate_existing=True)
    found = (await work.session.execute(mine)).one_or_none()
    if found is None:
        raise RefundNotFound
    return _view(*found)


async def note_paid_out(
    work: UnitOfWork, refund_id: UUID, reference: str, *, actor: Actor, signer: Signer
) -> HandRefund:
    """Note that money which goes back by hand was paid out. Noting it again changes nothing.

    Args:
        reference: the bank's of the transfer, or the number of the receipt that was signed.

    Raises:
        RefundNotFound: no such refund, or not of the actor's operators, or its provider makes it.
        Invalid: no reference.
    """
    reference = _checked_reference(reference)
    mine = _hand_refunds(actor).where(RefundRow.id == refund_id).execution_options(populate_existing=True)
    found = (await work.session.execute(mine)).one_or_none()
    if found is None:
        raise RefundNotFound
    refund, provider, _ = found
    if refund.status != "completed":
        await _settle_payout(work, refund, provider, actor=actor, reference=reference, signer=signer)
    return _view(*(await work.session.execute(mine)).one())


async def _settle_payout(
    work: UnitOfWork, refund: RefundRow, provider: str, *, actor: Actor, reference: str, signer: Signer
) -> None:
    event = ProviderEvent(
        external_id=f"{refund.id}:paid-out",
        kind="refunded",
        payment_id=refund.payment_id,
        refund_id=refund.id,
        refund_external_id=reference,
        amount_minor=refund.amount_minor,
        currency=refund.currency,
    )
    if provider not in BY_HAND:
        await _send_by_hand(work, refund)
    await _settle(work, provider, event, actor=actor, reference=reference, signer=signer)


async def _send_by_hand(work: UnitOfWork, refund: RefundRow) -> None:
    """What a provider refused leaves the till instead of the provider, unless it has gone another way meanwhile."""
    if refund.booking_id is not None:
        await get_booking(work, refund.booking_id, actor=SYSTEM, lock=True, as_it_stands=True)
    moved = await work.session.scalar(
        update(RefundRow)
        .where(RefundRow.id == refund.id, RefundRow.status == "failed")
        .values(destination=HAND)
        .returning(RefundRow.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise RefundNotFound


async def _settle_receipt(
    work: UnitOfWork,
    payment: PaymentRow,
    amount: Money,
    charge_id: str,
    *,
    actor: Actor,
    reference: str,
    signer: Signer,
) -> None:
    payment.actor = actor.owner
    event = ProviderEvent(
        external_id=f"{payment.id}:{charge_id}",
        kind="paid",
        payment_id=payment.id,
        charge_id=charge_id,
        amount_minor=amount.minor,
        currency=amount.currency,
    )
    await _settle(work, payment.provider, event, actor=actor, reference=reference, signer=signer)


async def _settle(
    work: UnitOfWork, provider: str, event: ProviderEvent, *, actor: Actor, reference: str, signer: Signer
) -> None:
    note = _Note(actor=actor.owner, reference=reference, at=work.now)
    inbox_id = await write_down(work, provider, event, msgspec.json.encode(note))
    if inbox_id is not None:
        await handle(work, inbox_id, signer=signer)


async def _get_to_note(work: UnitOfWork, payment_id: UUID, actor: Actor) -> PaymentRow:
    """A payment for a booking of an operator whose account the actor looks into. Not locked: the note comes before the
    booking.
    """
    payment = await work.session.get(PaymentRow, payment_id)
    if payment is None or payment.booking_id is None:
        raise PaymentNotFound
    try:
        booking = await get_booking(work, payment.booking_id, actor=actor, as_it_stands=True)
    except BookingNotFound:
        raise PaymentNotFound from None
    if not acts_for_seller(actor, booking, Permission.PAYMENTS_RECEIVE):
        raise PaymentNotFound
    return payment


def waiting_refunds(actor: Actor, operator_id: UUID | None = None) -> Select[RefundRow, str, str]:
    """Those that are to be paid out by hand now, for what lists or counts them."""
    # in so many words, not as parameters: a plan for any states could not use the index of these
    waiting = RefundRow.status.in_(bindparam(None, ["pending", "failed"], expanding=True, literal_execute=True))
    return _hand_refunds(actor, operator_id).where(waiting)


def _hand_refunds(actor: Actor, operator_id: UUID | None = None) -> Select[RefundRow, str, str]:
    """Refunds that are, were or can be paid by hand, of bookings of the actor's operators, or with something of this
    one: with how the money came in, and the booking's reference.

    What the payer's bank wants back is not: it may give the same money.
    """
    sold = sold_for(actor, Permission.PAYMENTS_REFUND, operator_id).subquery()
    is_for_hands = (
        (PaymentRow.provider.in_(BY_HAND) & (RefundRow.destination == "origin"))
        | (RefundRow.status == "failed")
        | (RefundRow.destination == HAND)
    )
    of_wallets = RefundRow.booking_id.is_(None) if actor.is_everywhere and operator_id is None else false()
    return (
        select(RefundRow, PaymentRow.provider, func.coalesce(sold.c.reference, ""))
        .join(PaymentRow, PaymentRow.id == RefundRow.payment_id)
        .join(ChargeRow, ChargeRow.id == RefundRow.charge_id)
        .outerjoin(sold, sold.c.id == RefundRow.booking_id)
        .where(is_for_hands, sold.c.id.is_not(None) | of_wallets)
        .where((func.coalesce(ChargeRow.dispute, "") != "open") | (RefundRow.status == "completed"))
    )


def _view(refund: RefundRow, provider: str, reference: str) -> HandRefund:
    return HandRefund(
        id=refund.id,
        payment_id=refund.payment_id,
        booking_id=refund.booking_id,
        reference=reference,
        amount=Money(refund.amount_minor, refund.currency),
        provider=provider,
        reason=refund.reason,
        is_refused=refund.status == "failed",
        is_paid=refund.status == "completed",
        promised_at=refund.created_at,
    )


def _checked_reference(reference: str) -> str:
    """With its blanks in order.

    Raises:
        Invalid: none, or too long for any.
    """
    reference = " ".join(reference.split())
    if not 0 < len(reference) <= LONGEST_REFERENCE:
        raise Invalid([FieldError("reference", "required", N_("Name the bank's reference or the receipt's number."))])
    return reference
