"""The ledger: every movement of money twice, debit positive and credit negative, never changed.

Accounts:

- `clearing:<provider>` (debit): money that a provider, the till or the bank holds for us;
- `receivable` (debit): what bookings owe, their totals less what was applied to them; each entry names its booking;
- `sales:<operator id>` (credit): an operator's share of what was sold for it;
- `commission:<operator id>` (credit): the platform's share of that, `commission_bp` of the operator's lines;
- `open-returns:<operator id>` (credit): what was paid for rides back that are not chosen yet: owed to the travellers
  until they ride, and shared only then;
- `refunds-due` (credit): money that is promised back and has not gone yet;
- `wallet:<wallet id>` (credit): a person's money with us;
- `disputes` (debit): money that a payer's bank has taken back while it looks into it;
- `losses` (debit): money that it took for good.

Movements (`kind`), each named by the function that writes it:

| kind | debit | credit |
|---|---|---|
| `sale`, `reprice` | receivable | sales, commission and open returns of each operator |
| `charge` | clearing, or a wallet | receivable, or refunds-due where it does not count |
| `refund-promised` | receivable | refunds-due |
| `refund` | refunds-due | clearing, or a wallet |
| `top-up` | clearing | wallet |
| `payout` | wallet | refunds-due |
| `dispute` | disputes, then losses; a wallet | clearing, then disputes; losses |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import func, select

from farebox.accounts import list_operators
from farebox.bookings import Booking
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.core.rows import new_row
from farebox.payments.models import LedgerEntryRow

MovementKind: TypeAlias = Literal[
    "sale", "reprice", "charge", "refund-promised", "refund", "top-up", "payout", "dispute"
]
DisputeStep: TypeAlias = Literal["open", "won", "lost"]

RECEIVABLE: Final = "receivable"
REFUNDS_DUE: Final = "refunds-due"
DISPUTES: Final = "disputes"
LOSSES: Final = "losses"

WHOLE_BP: Final = 10_000


def clearing(provider: str) -> str:
    return f"clearing:{provider}"


def wallet(wallet_id: UUID) -> str:
    return f"wallet:{wallet_id}"


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What one account comes to in one currency, in minor units. All wallets are one line, `wallets`.

    Attributes:
        balance: debits less credits, so negative where money is owed.
    """

    account: str
    currency: str
    debits: int
    credits: int

    @property
    def balance(self) -> int:
        return self.debits - self.credits


@dataclass(frozen=True, slots=True)
class Share:
    """What an operator's lines of a booking come to, and how that is split: the parts add up to the lines.

    Attributes:
        open_returns: of rides back that are not chosen yet, of which nobody has a share before they are.
    """

    sales: Money
    commission: Money
    open_returns: Money
    commission_bp: int


def sellers_of(booking: Booking) -> dict[UUID, UUID]:
    """The operator of each item that a booking has or had: whose its price lines are."""
    former = {seat.item_id: seat.operator_id for seat in booking.former}
    return former | {item.id: item.operator_id for item in booking.items}


def split(booking: Booking, rates: Mapping[UUID, int]) -> dict[UUID, Share]:
    """A booking's total by operator, each with what the platform keeps of it, rounded once, half up.

    Args:
        rates: commission in basis points by operator.
    """
    sellers = sellers_of(booking)
    zero = Money.zero(booking.total.currency)
    totals = dict.fromkeys((sellers[line.item_id] for line in booking.lines), zero)
    waiting = dict(totals)
    for line in booking.lines:
        sums = waiting if line.open_return_id else totals
        sums[sellers[line.item_id]] += line.amount
    shares = {}
    for operator_id, total in totals.items():
        commission = total.times(Fraction(rates[operator_id], WHOLE_BP))
        shares[operator_id] = Share(total - commission, commission, waiting[operator_id], rates[operator_id])
    return shares


async def note_sale(work: UnitOfWork, booking: Booking) -> None:
    """A booking was confirmed: it owes its total, and each operator has its share at the rate of today."""
    await _note_shares(work, "sale", None, booking)


async def note_reprice(work: UnitOfWork, before: Booking, after: Booking) -> None:
    """A confirmed booking costs something else now: move the difference of the shares, at the rates of the sale."""
    await _note_shares(work, "reprice", before, after)


async def _note_shares(work: UnitOfWork, kind: MovementKind, before: Booking | None, after: Booking) -> None:
    rates = await _rates(work, after, is_sold=before is not None)
    was = split(before, rates) if before else {}
    now = split(after, rates)
    zero = Money.zero(after.total.currency)
    credit: dict[str, Money] = {}
    rate_of: dict[str, int] = {}
    for operator_id in was.keys() | now.keys():
        nothing = Share(zero, zero, zero, rates[operator_id])
        old, new = was.get(operator_id, nothing), now.get(operator_id, nothing)
        moved = {
            f"sales:{operator_id}": new.sales - old.sales,
            f"commission:{operator_id}": new.commission - old.commission,
            f"open-returns:{operator_id}": new.open_returns - old.open_returns,
        }
        credit |= moved
        rate_of |= dict.fromkeys(moved, new.commission_bp)
    owed = after.total - before.total if before else after.total
    write(work, kind, debit={RECEIVABLE: owed}, credit=credit, booking_id=after.id, rates=rate_of)


async def _rates(work: UnitOfWork, booking: Booking, *, is_sold: bool) -> dict[UUID, int]:
    """Commission in basis points by operator: as the booking's sale was split, else as it is today.

    Without a rate of its own, a sale was written before there were commissions: all of it is the operator's.
    """
    rates: dict[UUID, int] = {}
    if is_sold:
        sold = await work.execute(
            "SELECT DISTINCT ON (1) split_part(account, ':', 2)::uuid, coalesce(commission_bp, 0) FROM ledger_entry"
            " WHERE booking_id = %s AND account ~ '^(sales|commission|open-returns):' ORDER BY 1, id",
            (booking.id,),
        )
        rates = dict(await sold.fetchall())
    operators = await list_operators(work, set(sellers_of(booking).values()) - rates.keys())
    return rates | {operator.id: operator.commission_bp for operator in operators.values()}


def note_charge(
    work: UnitOfWork, received: Money, *, source: str, counts: bool, booking_id: UUID | None, payment_id: UUID
) -> None:
    """Money came in.

    Args:
        source: the account that it came to, or out of: `clearing(…)` of the provider, or `wallet(…)`.
        counts: for its booking, now or once the rest has come; otherwise it is to go back.
    """
    credit = {RECEIVABLE if counts else REFUNDS_DUE: received}
    write(work, "charge", debit={source: received}, credit=credit, booking_id=booking_id, payment_id=payment_id)


def note_promise(work: UnitOfWork, amount: Money, *, booking_id: UUID, payment_id: UUID) -> None:
    """Money that had counted for a booking is to go back."""
    write(
        work,
        "refund-promised",
        debit={RECEIVABLE: amount},
        credit={REFUNDS_DUE: amount},
        booking_id=booking_id,
        payment_id=payment_id,
    )


def note_refund(
    work: UnitOfWork, amount: Money, *, destination: str, booking_id: UUID | None, payment_id: UUID
) -> None:
    """Promised money has gone: out of `clearing(…)` of the provider that gave it back, or into `wallet(…)`."""
    write(
        work,
        "refund",
        debit={REFUNDS_DUE: amount},
        credit={destination: amount},
        booking_id=booking_id,
        payment_id=payment_id,
    )


def note_wallet(work: UnitOfWork, wallet_id: UUID, received: Money, *, provider: str, payment_id: UUID) -> None:
    """Money came in for a wallet."""
    write(
        work,
        "top-up",
        debit={clearing(provider): received},
        credit={wallet(wallet_id): received},
        payment_id=payment_id,
    )


def note_payout(work: UnitOfWork, wallet_id: UUID, amount: Money, *, payment_id: UUID) -> None:
    """Money that was put into a wallet is to go back."""
    write(work, "payout", debit={wallet(wallet_id): amount}, credit={REFUNDS_DUE: amount}, payment_id=payment_id)


def note_dispute(
    work: UnitOfWork, step: DisputeStep, amount: Money, *, provider: str, booking_id: UUID | None, payment_id: UUID
) -> None:
    """A payer's bank has taken money back for now (`open`), has returned it (`won`), or keeps it (`lost`)."""
    debit, credit = {
        "open": (DISPUTES, clearing(provider)),
        "won": (clearing(provider), DISPUTES),
        "lost": (LOSSES, DISPUTES),
    }[step]
    write(
        work,
        "dispute",
        debit={debit: amount},
        credit={credit: amount},
        booking_id=booking_id,
        payment_id=payment_id,
    )


def note_taken_back(work: UnitOfWork, wallet_id: UUID, amount: Money, *, payment_id: UUID) -> None:
    """Money that was put into a wallet, and that a bank keeps, is taken out of it: no loss after all."""
    debit, credit = {wallet(wallet_id): amount}, {LOSSES: amount}
    write(work, "dispute", debit=debit, credit=credit, payment_id=payment_id)


def write(
    work: UnitOfWork,
    kind: MovementKind,
    *,
    debit: Mapping[str, Money],
    credit: Mapping[str, Money],
    booking_id: UUID | None = None,
    payment_id: UUID | None = None,
    rates: Mapping[str, int] | None = None,
) -> None:
    """Write one movement. At commit the database refuses one whose debits are not its credits.

    Args:
        debit, credit: account -> amount; a negative one stands on the other side, nothing is left out.
        rates: account -> the commission, in basis points, by which its amount was split.
    """
    transaction_id = new_id()
    sides = [(account, money.minor, money.currency) for account, money in debit.items()]
    sides += [(account, -money.minor, money.currency) for account, money in credit.items()]
    work.put_rows(
        [
            new_row(
                LedgerEntryRow,
                transaction_id=transaction_id,
                at=work.now,
                kind=kind,
                account=account,
                amount_minor=minor,
                currency=currency,
                booking_id=booking_id,
                payment_id=payment_id,
                commission_bp=(rates or {}).get(account),
            )
            for account, minor, currency in sides
            if minor
        ]
    )


async def balances(work: UnitOfWork, *, booking_id: UUID | None = None) -> dict[tuple[str, str], int]:
    """(account, currency) -> balance in minor units, debit positive; of one booking, or of everything."""
    query = select(LedgerEntryRow.account, LedgerEntryRow.currency, func.sum(LedgerEntryRow.amount_minor)).group_by(
        LedgerEntryRow.account, LedgerEntryRow.currency
    )
    if booking_id is not None:
        query = query.where(LedgerEntryRow.booking_id == booking_id)
    return {(account, currency): int(minor) for account, currency, minor in await work.session.execute(query)}


async def list_accounts(
    work: UnitOfWork, *, operator_id: UUID | None = None, currency: str | None = None
) -> list[AccountBalance]:
    """All accounts by name and currency: of one operator (its sales, and the commission on them), in one currency."""
    cursor = await work.execute(
        "SELECT CASE WHEN account LIKE 'wallet:%%' THEN 'wallets' ELSE account END, currency,"
        " coalesce(sum(amount_minor) FILTER (WHERE amount_minor > 0), 0),"
        " coalesce(-sum(amount_minor) FILTER (WHERE amount_minor < 0), 0)"
        " FROM ledger_entry"
        " WHERE (%(operator)s::text IS NULL OR account IN ('sales:' || %(operator)s, 'commission:' || %(operator)s,"
        " 'open-returns:' || %(operator)s))"
        " AND (%(currency)s::text IS NULL OR currency = %(currency)s)"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        {"operator": str(operator_id) if operator_id else None, "currency": currency},
    )
    return [
        AccountBalance(account, code, int(debited), int(credited))
        for account, code, debited, credited in await cursor.fetchall()
    ]
