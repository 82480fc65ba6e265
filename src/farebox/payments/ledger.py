"""The ledger: every movement of money twice, debit positive and credit negative, never changed.

Accounts:

- `clearing:<provider>`: money that a provider holds for us (debit);
- `sales:<operator id>`: what was sold for an operator (credit);
- `refunds-due`: money that is not ours to keep and has not gone back yet (credit).
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import func, select

from farebox.bookings import Booking
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments.models import LedgerEntryRow

MovementKind: TypeAlias = Literal["charge", "refund"]

REFUNDS_DUE: Final = "refunds-due"


def clearing(provider: str) -> str:
    return f"clearing:{provider}"


def sales_of(booking: Booking) -> dict[str, Money]:
    """The booking's total by the account of each operator that sells a part of it."""
    operators = {item.id: item.operator_id for item in booking.items}
    shares: dict[str, Money] = {}
    for line in booking.lines:
        account = f"sales:{operators[line.item_id]}"
        shares[account] = shares.get(account, Money.zero(booking.total.currency)) + line.amount
    return shares


def write(
    work: UnitOfWork,
    kind: MovementKind,
    *,
    debit: Mapping[str, Money],
    credit: Mapping[str, Money],
    booking_id: UUID,
    payment_id: UUID,
) -> None:
    """Write one movement. At commit the database refuses one whose debits are not its credits.

    Args:
        debit, credit: account -> amount, not negative.
    """
    transaction_id = new_id()
    sides = [(account, money.minor, money.currency) for account, money in debit.items()]
    sides += [(account, -money.minor, money.currency) for account, money in credit.items()]
    work.session.add_all(
        LedgerEntryRow(
            transaction_id=transaction_id,
            at=work.now,
            kind=kind,
            account=account,
            amount_minor=minor,
            currency=currency,
            booking_id=booking_id,
            payment_id=payment_id,
        )
        for account, minor, currency in sides
        if minor
    )


async def balances(work: UnitOfWork, *, booking_id: UUID | None = None) -> dict[tuple[str, str], int]:
    """(account, currency) -> balance in minor units, debit positive; of one booking, or of everything."""
    query = select(LedgerEntryRow.account, LedgerEntryRow.currency, func.sum(LedgerEntryRow.amount_minor)).group_by(
        LedgerEntryRow.account, LedgerEntryRow.currency
    )
    if booking_id is not None:
        query = query.where(LedgerEntryRow.booking_id == booking_id)
    return {(account, currency): int(minor) for account, currency, minor in await work.session.execute(query)}
