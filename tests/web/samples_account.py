"""Pages of somebody who has signed in, about money, with made-up content."""

from collections.abc import Callable

from tests.web.made_up import Sample, at, dong
from tests.web.samples_bookings import METHODS, REFERENCE

from farebox.core.money import Money
from farebox.web.views.account import Pages, WalletRow, WalletView
from farebox.web.views.checkout import Problem
from farebox.web.views.trips import Option

CURRENCIES = (Option("EUR", "Euro (EUR)"), Option("VND", "Vietnamese dong (VND)"))


def wallet() -> Sample:
    view = WalletView(
        balances=(dong(366_000), Money(1250, "EUR")),
        currency="VND",
        rows=(
            WalletRow(at(18, 20, -1), "Paid back", REFERENCE, "/gallery/booking", dong(216_000), dong(366_000)),
            WalletRow(at(9, 3, -1), "Paid", REFERENCE, "/gallery/booking", dong(-350_000), dong(150_000)),
            WalletRow(at(8, 0, -3), "Put in", "", "", dong(500_000), dong(500_000)),
        ),
        pages=Pages(1, 3, 3),
        methods=METHODS,
        currencies=CURRENCIES,
    )
    return "account/wallet.html", view, {}


def wallet_empty() -> Sample:
    view = WalletView(
        balances=(),
        currency="EUR",
        rows=(),
        pages=Pages(0, 0, 0),
        methods=METHODS,
        currencies=CURRENCIES,
        amount="twelve",
        problems=(Problem("amount", "This is not an amount of money."),),
    )
    return "account/wallet.html", view, {}


PAGES: dict[str, Callable[[], Sample]] = {"wallet": wallet, "wallet-empty": wallet_empty}
