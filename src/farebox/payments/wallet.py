"""A person's money with us: a balance for each currency, and in the ledger all that came and went.

The balance changes together with the ledger's entry for it, in the statements below and nowhere else. A wallet's row is
locked after a booking, its holds and its seats, and nothing is locked after it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from farebox.accounts import Actor
from farebox.bookings import list_references
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import ledger
from farebox.payments.errors import NoWallet, WalletTooSmall
from farebox.payments.events import WalletCredited, WalletDebited, WalletToppedUp
from farebox.payments.models import LedgerEntryRow, PaymentRow, RefundRow, WalletRow
from farebox.payments.states import Disposition

PROVIDER: Final = "wallet"
"""Payments out of a wallet have this for their provider and their method."""

TransactionKind: TypeAlias = Literal["top-up", "payment", "refund", "payout", "dispute"]

KINDS: Final[dict[str, TransactionKind]] = {
    "top-up": "top-up",
    "charge": "payment",
    "refund": "refund",
    "payout": "payout",
    "dispute": "dispute",
}
"""The ledger's word for a movement -> what it is to the person."""


@dataclass(frozen=True, slots=True)
class WalletView:
    """Attributes: held: of the balance, what is not to be spent while a bank wants it back."""

    id: UUID
    balance: Money
    held: Money

    @property
    def spendable(self) -> Money:
        return self.balance - self.held


@dataclass(frozen=True, slots=True)
class WalletTransaction:
    """One line of a wallet's statement.

    Attributes:
        amount: what came in; negative where it went out.
        balance: what was there afterwards.
        reference: of the booking that was paid or paid back, where it is the person's own.
        payment_id: through which it came or went.
    """

    id: int
    at: datetime
    kind: TransactionKind
    amount: Money
    balance: Money
    booking_id: UUID | None
    reference: str | None
    payment_id: UUID | None


def person_of(actor: Actor) -> UUID:
    """Whose wallets these are.

    Raises:
        NoWallet: only people with an account have one, and who has come by a booking's code reaches that alone.
    """
    if actor.kind != "user" or actor.id is None or actor.booking_id is not None:
        raise NoWallet
    return actor.id


async def list_wallets(work: UnitOfWork, *, actor: Actor) -> list[WalletView]:
    """A person's wallets, by currency; none where there never was money.

    Raises:
        NoWallet: see `person_of`.
    """
    rows = await work.session.scalars(
        select(WalletRow)
        .where(WalletRow.person_id == person_of(actor))
        .order_by(WalletRow.currency)
        .execution_options(populate_existing=True)
    )
    return [
        WalletView(
            row.id,
            Money(row.balance_minor, row.currency),
            Money(min(row.held_minor, row.balance_minor), row.currency),
        )
        for row in rows
    ]


async def find_wallet(work: UnitOfWork, currency: str, *, actor: Actor) -> WalletView | None:
    """Raises: NoWallet: see `person_of`."""
    return next((each for each in await list_wallets(work, actor=actor) if each.balance.currency == currency), None)


async def list_transactions(
    work: UnitOfWork, currency: str | None = None, *, actor: Actor, limit: int = 20, offset: int = 0
) -> tuple[list[WalletTransaction], int]:
    """A page of the statement, the latest first, and how many lines it has in all.

    Args:
        currency: of one wallet; `None`: of all that the person has.

    Raises:
        NoWallet: see `person_of`.
    """
    wallets = await list_wallets(work, actor=actor)
    accounts = [ledger.wallet(each.id) for each in wallets if currency in {None, each.balance.currency}]
    theirs = LedgerEntryRow.account.in_(accounts)
    count = await work.session.scalar(select(func.count()).select_from(LedgerEntryRow).where(theirs))
    balance = func.sum(-LedgerEntryRow.amount_minor).over(
        partition_by=LedgerEntryRow.account, order_by=LedgerEntryRow.id
    )
    page = await work.session.execute(
        select(LedgerEntryRow, balance).where(theirs).order_by(LedgerEntryRow.id.desc()).limit(limit).offset(offset)
    )
    references = await list_references(work, actor.owner)
    return [
        WalletTransaction(
            id=entry.id,
            at=entry.at,
            kind=KINDS[entry.kind],
            amount=Money(-entry.amount_minor, entry.currency),
            balance=Money(int(after), entry.currency),
            booking_id=entry.booking_id,
            reference=references.get(entry.booking_id) if entry.booking_id else None,
            payment_id=entry.payment_id,
        )
        for entry, after in page
    ], count or 0


async def has_money(work: UnitOfWork, person_id: UUID) -> bool:
    """Whether there is money in any wallet of a person, or on its way out of one."""
    within = exists().where(WalletRow.person_id == person_id, WalletRow.balance_minor > 0)
    leaving = exists().where(
        WalletRow.person_id == person_id,
        PaymentRow.wallet_id == WalletRow.id,
        PaymentRow.booking_id.is_(None),
        RefundRow.payment_id == PaymentRow.id,
        RefundRow.status.in_(["pending", "failed"]),
    )
    return bool(await work.session.scalar(select(within | leaving)))


async def reaches_wallet(work: UnitOfWork, wallet_id: UUID, *, actor: Actor) -> bool:
    """Whether a wallet is this actor's own, or the system asks."""
    if actor.kind == "system":
        return True
    theirs = exists().where(WalletRow.id == wallet_id, WalletRow.person_id == actor.id)
    return actor.kind == "user" and bool(await work.session.scalar(select(theirs)))


async def open_wallet(work: UnitOfWork, person_id: UUID, currency: str) -> UUID:
    """A person's wallet for a currency, made if there is none."""
    made: UUID | None = await work.session.scalar(
        insert(WalletRow)
        .values(
            id=new_id(),
            person_id=person_id,
            currency=currency,
            balance_minor=0,
            created_at=work.now,
            updated_at=work.now,
        )
        .on_conflict_do_nothing(index_elements=["person_id", "currency"])
        .returning(WalletRow.id)
    )
    if made is not None:
        return made
    known = select(WalletRow.id).where(WalletRow.person_id == person_id, WalletRow.currency == currency)
    wallet_id: UUID = (await work.session.execute(known)).scalar_one()
    return wallet_id


async def settle_top_up(work: UnitOfWork, payment: PaymentRow, received: Money, *, charge_id: UUID) -> Disposition:
    """Money that came in for a wallet, whatever the amount: into the wallet, unless it is of another currency.

    Returns:
        `APPLIED`, or `MISMATCHED` for money that is due to go back. The ledger has it either way.
    """
    assert payment.wallet_id is not None  # the table's CHECK says so
    if received.currency != payment.currency:
        source = ledger.clearing(payment.provider)
        ledger.note_charge(work, received, source=source, counts=False, booking_id=None, payment_id=payment.id)
        return Disposition.MISMATCHED
    await _credit(work, payment.wallet_id, received, reason="top-up")
    ledger.note_wallet(work, payment.wallet_id, received, provider=payment.provider, payment_id=payment.id)
    owner = await work.session.get_one(WalletRow, payment.wallet_id)
    work.publish(
        WalletToppedUp(
            wallet_id=payment.wallet_id,
            person_id=owner.person_id,
            payment_id=payment.id,
            charge_id=charge_id,
            amount=str(received.amount),
            currency=received.currency,
        )
    )
    return Disposition.APPLIED


async def refund_into(
    work: UnitOfWork, wallet_id: UUID, amount: Money, *, booking_id: UUID | None, payment_id: UUID
) -> None:
    """Make a refund that goes into a wallet: here and now, since nobody else is asked."""
    await _credit(work, wallet_id, amount, reason="refund")
    ledger.note_refund(work, amount, destination=ledger.wallet(wallet_id), booking_id=booking_id, payment_id=payment_id)


async def take(work: UnitOfWork, wallet_id: UUID, amount: Money, *, reason: TransactionKind = "payment") -> None:
    """Take money out of a wallet, all or nothing: the UPDATE carries the guard, so no race makes it negative, nor
    spends what is held back.

    The ledger's entry is that of the charge which this pays, or the caller's.

    Raises:
        WalletTooSmall: there is less in it that is not held back.
    """
    taken = await work.session.scalar(
        update(WalletRow)
        .where(
            WalletRow.id == wallet_id,
            WalletRow.currency == amount.currency,
            WalletRow.balance_minor - WalletRow.held_minor >= amount.minor,
        )
        .values(balance_minor=WalletRow.balance_minor - amount.minor, updated_at=work.now)
        .returning(WalletRow.id)
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        raise WalletTooSmall
    work.publish(WalletDebited(wallet_id=wallet_id, amount=str(amount.amount), currency=amount.currency, reason=reason))


async def _credit(work: UnitOfWork, wallet_id: UUID, amount: Money, *, reason: TransactionKind) -> None:
    credited = await work.session.scalar(
        update(WalletRow)
        .where(WalletRow.id == wallet_id, WalletRow.currency == amount.currency)
        .values(balance_minor=WalletRow.balance_minor + amount.minor, updated_at=work.now)
        .returning(WalletRow.id)
        .execution_options(synchronize_session=False)
    )
    assert credited is not None, "a wallet is never deleted, and callers name one of the amount's currency"
    work.publish(
        WalletCredited(wallet_id=wallet_id, amount=str(amount.amount), currency=amount.currency, reason=reason)
    )
