"""`farebox ledger`: whether the books are right, what they say, and at what rates they are kept."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from farebox.cli.database import database
from farebox.cli.screen import facts, out
from farebox.cli.start import Home, bring_up_to_date
from farebox.core.errors import SetupError
from farebox.core.i18n import N_
from farebox.core.logs import configure_logs
from farebox.core.money import Money
from farebox.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from farebox.accounts import OperatorView
    from farebox.core.db import UnitOfWork
    from farebox.payments import AccountBalance

T = TypeVar("T")

app = App(name="ledger", help="The books: whether they are right, and what they say.")


class NoSuchOperator(SetupError):
    code = "no-such-operator"
    message = N_("There is no operator with the code {given}.")


class BadPercentage(SetupError):
    code = "bad-percentage"
    message = N_("{given} is not a percentage from 0 to 100 with at most two decimals.")


@app.command
def verify(*, home: Home = None) -> int:
    """Prove that the books are right: in themselves, and beside bookings, charges, refunds and wallets.

    Exit code 1 if they are not, with what is wrong.
    """
    settings = load_settings(home=home)
    configure_logs(settings)
    with database(settings) as ready:
        bring_up_to_date(ready, is_ours=not settings.database_url)
        from farebox.payments import verify_ledger  # noqa: PLC0415

        found = verify_ledger(ready.server_url)
    table = Table.grid(padding=(0, 2))
    for verdict in found:
        table.add_row(Text("✗", style="red") if verdict.broken else Text("✓", style="green"), Text(verdict.rule))
        for example in verdict.examples:
            table.add_row("", Text("  ".join(f"{name}={value}" for name, value in example.items()), style="bold"))
        if verdict.broken > len(verdict.examples):
            table.add_row("", f"… {verdict.broken} in all")
    out.print(table)
    broken = sum(verdict.broken > 0 for verdict in found)
    out.print(f"\n{broken} of {len(found)} rules are broken." if broken else "\nThe books are right.")
    return 1 if broken else 0


@app.command
def balances(
    *,
    operator: Annotated[str | None, Parameter(help="An operator's code: its sales and the commission on them.")] = None,
    currency: Annotated[str | None, Parameter(help="One currency alone, such as EUR.")] = None,
    home: Home = None,
) -> None:
    """Print what each account comes to. Below zero is what we owe, above zero what others hold for us or owe us."""

    async def read(work: "UnitOfWork") -> "list[AccountBalance]":
        from farebox.payments import list_accounts  # noqa: PLC0415

        operator_id = (await _operator(work, operator)).id if operator else None
        found = await list_accounts(work, operator_id=operator_id, currency=currency.upper() if currency else None)
        return await _with_codes(work, found)

    table = Table("Account", "Currency", box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("Debits", "Credits", "Balance"):
        table.add_column(heading, justify="right")
    for account in _with_database(home, read):
        amounts = (account.debits, account.credits, account.balance)
        table.add_row(account.account, account.currency, *(_shown(minor, account.currency) for minor in amounts))
    out.print(table if table.row_count else "Nothing was booked yet.")


@app.command
def operator(
    code: Annotated[str, Parameter(help="The operator's code, such as its agency's id in the timetable.")],
    *,
    legal_name: Annotated[str | None, Parameter(help="Its name on invoices.")] = None,
    tax_number: Annotated[str | None, Parameter(help="Its tax number on invoices.")] = None,
    commission: Annotated[str | None, Parameter(help="What the platform keeps of its sales, in percent.")] = None,
    home: Home = None,
) -> None:
    """Show, or change, what invoices say of an operator and what the platform keeps of its sales from now on."""
    commission_bp = _basis_points(commission) if commission is not None else None

    async def change(work: "UnitOfWork") -> "OperatorView":
        from farebox.accounts import upsert_operator  # noqa: PLC0415

        known = asdict(await _operator(work, code))
        del known["id"]
        given = {"legal_name": legal_name, "tax_number": tax_number, "commission_bp": commission_bp}
        return await upsert_operator(
            work, **known | {name: value for name, value in given.items() if value is not None}
        )

    now = _with_database(home, change)
    facts(
        now.name,
        [
            ("Legal name", now.legal_name or now.name),
            ("Tax number", now.tax_number or "none"),
            ("Commission", f"{Decimal(now.commission_bp) / 100}%"),
        ],
    )


def _with_database(home: Home, act: "Callable[[UnitOfWork], Coroutine[None, None, T]]") -> T:
    """What `act` gives, in one transaction of the settings' database."""
    settings = load_settings(home=home)
    configure_logs(settings)
    with database(settings) as ready:
        bring_up_to_date(ready, is_ours=not settings.database_url)
        return asyncio.run(_in_transaction(ready, act))


async def _in_transaction(settings: Settings, act: "Callable[[UnitOfWork], Coroutine[None, None, T]]") -> T:
    from farebox.core.db import Database  # noqa: PLC0415

    opened = Database(settings.database_url, direct_url=settings.direct_database_url)
    try:
        async with opened.begin(reach="*") as work:
            return await act(work)
    finally:
        await opened.dispose()


async def _operator(work: "UnitOfWork", code: str) -> "OperatorView":
    from farebox.accounts import find_operator_by_code  # noqa: PLC0415

    found = await find_operator_by_code(work, code)
    if found is None:
        raise NoSuchOperator(given=code)
    return found


async def _with_codes(work: "UnitOfWork", accounts: "Sequence[AccountBalance]") -> "list[AccountBalance]":
    """The same, operators by their codes, which people know them by."""
    from farebox.accounts import list_operators  # noqa: PLC0415

    named = [account.account.partition(":") for account in accounts]
    ids = {UUID(name) for kind, _, name in named if kind in {"sales", "commission"}}
    codes = {str(each.id): each.code for each in (await list_operators(work, ids)).values()}
    return [
        replace(account, account=f"{kind}{colon}{codes.get(name, name)}")
        for account, (kind, colon, name) in zip(accounts, named, strict=True)
    ]


def _basis_points(percent: str) -> int:
    try:
        points = Decimal(percent) * 100
    except InvalidOperation:
        raise BadPercentage(given=percent) from None
    if not points.is_finite() or points != int(points) or not 0 <= points <= 10_000:  # noqa: PLR2004  (all of it)
        raise BadPercentage(given=percent)
    return int(points)


def _shown(minor: int, currency: str) -> str:
    return f"{Money(minor, currency).amount:,}"
