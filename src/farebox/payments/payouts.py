"""Money that goes out of a wallet again: the way that it was put in.

It leaves the wallet at once and is promised back, as a refund of what was put in. Jobs ask the provider for it; what a
provider refuses, and what came by hand, the platform's staff pay out by hand.
"""

from dataclasses import replace
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from farebox.accounts import Actor
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.money import Money
from farebox.payments import ledger
from farebox.payments.due import sum_kept
from farebox.payments.errors import PayoutTooLarge, WalletTooSmall
from farebox.payments.models import ChargeRow, PaymentRow
from farebox.payments.refunds import request_refund
from farebox.payments.states import Disposition
from farebox.payments.wallet import WalletView, find_wallet, take

PAYOUT: Final = "payout"
"""Why money goes back that somebody takes out of their wallet."""


async def pay_out(work: UnitOfWork, amount: Money, *, actor: Actor) -> WalletView:
    """Take money out of the actor's wallet and promise it back, the latest that was put in first. What is left there.

    Only what was put in goes out: what came back from bookings had been paid in a way that may not be theirs any more,
    and was put there since somebody chose the wallet for it.

    Raises:
        NoWallet: the actor is not a person with an account.
        WalletTooSmall: there is less in it that is not held back. Nothing was promised.
        PayoutTooLarge: more than was put in and has not gone out.
        Invalid: the amount is not above zero.
    """
    if amount.minor <= 0:
        raise Invalid([FieldError("amount", "too-small", N_("The amount must be more than zero."))])
    wallet = await find_wallet(work, amount.currency, actor=actor)
    if wallet is None or wallet.spendable < amount:
        raise WalletTooSmall
    charges = await _list_put_in(work, wallet.id, amount.currency)
    if sum_kept(charges) < amount.minor:
        raise PayoutTooLarge(left=Money(sum_kept(charges), amount.currency))
    wanted = amount.minor
    for charge in charges:
        part = Money(min(wanted, charge.amount_minor - charge.refunded_minor), amount.currency)
        if not part:
            break
        await request_refund(work, charge, part, booking_id=None, reason=PAYOUT, actor=actor)
        ledger.note_payout(work, wallet.id, part, payment_id=charge.payment_id)
        wanted -= part.minor
    await take(work, wallet.id, amount, reason=PAYOUT)  # last, as whoever puts money in locks the wallet last
    return replace(wallet, balance=wallet.balance - amount)


async def _list_put_in(work: UnitOfWork, wallet_id: UUID, currency: str) -> list[ChargeRow]:
    """What was put into a wallet and has not gone out wholly, locked, the latest first; nothing that a bank wants."""
    rows = await work.session.scalars(
        select(ChargeRow)
        .join(PaymentRow, PaymentRow.id == ChargeRow.payment_id)
        .where(
            PaymentRow.wallet_id == wallet_id,
            PaymentRow.purpose == "top-up",
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
