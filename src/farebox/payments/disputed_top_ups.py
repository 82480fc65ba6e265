"""Money that was put into a wallet, and that a payer's bank wants back.

While the bank looks into it, so much of the wallet is held back from being spent, as far as it reaches and whatever
comes in meanwhile. If the bank keeps it, it is taken out, as far as it is there; what is not is a loss, and nothing
that comes in afterwards makes up for it. If the bank returns it, it is free again. A wallet is never below nothing.

A wallet's row is locked last, and the UPDATEs carry the guards; so who spends at the same time is before or after.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update

from farebox.accounts import SYSTEM
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.payments import ledger
from farebox.payments.events import WalletDebited
from farebox.payments.models import ChargeRow, DisputeRow, WalletRow
from farebox.payments.refunds import enter_refund

CHARGEBACK: Final = "chargeback"
"""Why money went back that a payer's bank took."""


async def hold_back(work: UnitOfWork, wallet_id: UUID, charge: ChargeRow, dispute: DisputeRow) -> None:
    """A dispute was opened: hold back what it wants of a charge, but for what has gone back or is held for another.

    Args:
        charge: locked by the caller.
    """
    others = select(func.coalesce(func.sum(DisputeRow.held_minor), 0)).where(
        DisputeRow.charge_id == charge.id, DisputeRow.id != dispute.id, DisputeRow.step == "open"
    )
    held_already = int(await work.session.scalar(others) or 0)
    rest = charge.amount_minor - charge.refunded_minor - held_already
    dispute.held_minor = max(0, min(dispute.amount_minor, rest))
    await work.session.flush()
    await _change_hold(work, wallet_id, dispute.held_minor)


async def let_go(work: UnitOfWork, wallet_id: UUID, dispute: DisputeRow) -> None:
    """The bank has returned the money: what was held back for that is free again."""
    await _change_hold(work, wallet_id, -dispute.held_minor)


async def owner_of_wallet(work: UnitOfWork, wallet_id: UUID) -> UUID:
    """Whose wallet that is."""
    found = await work.session.execute(select(WalletRow.person_id).where(WalletRow.id == wallet_id))
    return found.scalar_one()


async def take_back(work: UnitOfWork, wallet_id: UUID, charge: ChargeRow, dispute: DisputeRow, by_bank: Money) -> Money:
    """The bank keeps the money: take what was held back for that out of the wallet, as far as it is there; how much.

    Args:
        charge: locked by the caller.
        by_bank: what the bank has given its payer, and that was not to go back to them anyway.
    """
    locked = select(WalletRow.balance_minor).where(WalletRow.id == wallet_id).with_for_update()
    balance = (await work.session.execute(locked)).scalar_one()
    rest = charge.amount_minor - charge.refunded_minor
    taken = Money(min(balance, dispute.held_minor, by_bank.minor, rest), by_bank.currency)
    await work.session.execute(
        update(WalletRow)
        .where(WalletRow.id == wallet_id)
        .values(
            balance_minor=WalletRow.balance_minor - taken.minor,
            held_minor=WalletRow.held_minor - dispute.held_minor,
            updated_at=work.now,
        )
        .execution_options(synchronize_session=False)
    )
    if not taken:
        return taken
    charge.refunded_minor += taken.minor
    refund = enter_refund(work, charge, taken, booking_id=None, reason=CHARGEBACK, to="origin", actor=SYSTEM)
    refund.status, refund.completed_at = "completed", work.now
    ledger.note_taken_back(work, wallet_id, taken, payment_id=charge.payment_id)
    work.publish(
        WalletDebited(wallet_id=wallet_id, amount=str(taken.amount), currency=taken.currency, reason="dispute")
    )
    return taken


async def _change_hold(work: UnitOfWork, wallet_id: UUID, minor: int) -> None:
    await work.session.execute(
        update(WalletRow)
        .where(WalletRow.id == wallet_id)
        .values(held_minor=WalletRow.held_minor + minor, updated_at=work.now)
        .execution_options(synchronize_session=False)
    )
