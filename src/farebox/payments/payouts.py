"""Money that goes out of a wallet again: the way that it was put in.

It leaves the wallet at once and is promised back, as a refund of what was put in. Jobs ask the provider for it; what a
provider refuses, and what came by hand, the platform's staff pay out by hand.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from farebox.accounts import Actor
from farebox.bookings import RefundChanged
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


@dataclass(frozen=True, slots=True)
class PayoutPart:
    """What goes back of one time that money was put in, and how it came then."""

    amount: Money
    method: str
    put_in_at: datetime


async def most_to_pay_out(work: UnitOfWork, currency: str, *, actor: Actor) -> Money:
    """How much somebody could take out of their wallet of a currency now.

    Raises:
        NoWallet: the actor is not a person with an account.
    """
    wallet = await find_wallet(work, currency, actor=actor)
    if wallet is None:
        return Money(0, currency)
    put_in = sum_kept(charge for charge, _ in await _list_put_in(work, wallet.id, currency))
    return Money(min(put_in, wallet.spendable.minor), currency)


async def quote_payout(work: UnitOfWork, amount: Money, *, actor: Actor) -> list[PayoutPart]:
    """Where an amount would go if it were taken out now. Raises: as `pay_out`."""
    _, parts = await _split(work, amount, actor=actor)
    return [PayoutPart(part, method, charge.received_at) for charge, method, part in parts]


async def pay_out(
    work: UnitOfWork, amount: Money, *, actor: Actor, expected_balance: Money | None = None
) -> WalletView:
    """Take money out of the actor's wallet and promise it back, the latest that was put in first. What is left there.

    Only what was put in goes out: what came back from bookings had been paid in a way that may not be theirs any more,
    and was put there since somebody chose the wallet for it.

    Args:
        expected_balance: what the person was told is in the wallet; compared, never used.

    Raises:
        RefundChanged: `expected_balance` is not what is in it. Nothing was promised.
        NoWallet: the actor is not a person with an account.
        WalletTooSmall: there is less in it that is not held back. Nothing was promised.
        PayoutTooLarge: more than was put in and has not gone out.
        Invalid: the amount is not above zero.
    """
    wallet, parts = await _split(work, amount, actor=actor, lock=True)
    if expected_balance is not None:
        wallet = await find_wallet(work, amount.currency, actor=actor) or wallet  # others may have just taken something
        if wallet.balance != expected_balance:
            raise RefundChanged(refund=min(amount, wallet.spendable))
    await take(work, wallet.id, amount, reason=PAYOUT)  # may refuse, so it comes before all that is written
    for charge, _, part in parts:
        await request_refund(work, charge, part, booking_id=None, reason=PAYOUT, actor=actor)
        ledger.note_payout(work, wallet.id, part, payment_id=charge.payment_id)
    return replace(wallet, balance=wallet.balance - amount)


async def _split(
    work: UnitOfWork, amount: Money, *, actor: Actor, lock: bool = False
) -> tuple[WalletView, list[tuple[ChargeRow, str, Money]]]:
    """The wallet, and of which charges an amount goes back, with the method of each."""
    if amount.minor <= 0:
        raise Invalid([FieldError("amount", "too-small", N_("The amount must be more than zero."))])
    wallet = await find_wallet(work, amount.currency, actor=actor)
    if wallet is None or wallet.spendable < amount:
        raise WalletTooSmall
    put_in = await _list_put_in(work, wallet.id, amount.currency, lock=lock)
    left = sum_kept(charge for charge, _ in put_in)
    if left < amount.minor:
        raise PayoutTooLarge(left=Money(left, amount.currency))
    parts = []
    wanted = amount.minor
    for charge, method in put_in:
        part = min(wanted, charge.amount_minor - charge.refunded_minor)
        if not part:
            break
        parts.append((charge, method, Money(part, amount.currency)))
        wanted -= part
    return wallet, parts


async def _list_put_in(
    work: UnitOfWork, wallet_id: UUID, currency: str, *, lock: bool = False
) -> list[tuple[ChargeRow, str]]:
    """What was put into a wallet and has not gone out wholly, and how, the latest first; nothing that a bank wants."""
    found = (
        select(ChargeRow, PaymentRow.method)
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
        .execution_options(populate_existing=True)
    )
    rows = await work.session.execute(found.with_for_update(of=ChargeRow) if lock else found)
    return [(charge, method) for charge, method in rows]
