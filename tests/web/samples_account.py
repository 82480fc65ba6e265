"""Pages of somebody who has signed in, about bookings and money, with made-up content."""

from collections.abc import Callable
from typing import Any

from tests.web.made_up import NOW, SLEEPER, Sample, at, card, dong
from tests.web.samples_bookings import BACK, METHODS, REFERENCE

from farebox.core.money import Money
from farebox.web.views.account import BookingLine, BookingsView, Pages, PayoutRow, PayoutView, WalletRow, WalletView
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
            WalletRow(at(8, 0, -3), "Put in", "", "", dong(500_000), dong(500_000), "/gallery/wallet"),
        ),
        pages=Pages(1, 3, 3),
        methods=METHODS,
        currencies=CURRENCIES,
        held=(dong(150_000),),
        payout_url="/gallery/payout",
        has_taken_out=True,
        zone_told="Days and times are those of Indochina Time, GMT+7.",
    )
    return "account/wallet.html", view, {}


def _payout(amount: str, *rows: PayoutRow, error: str = "", most: int = 366_000) -> Sample:
    gone = dong(sum(row.amount.minor for row in rows))
    view = PayoutView(dong(366_000), dong(most), "VND", amount, rows, gone, most < 366_000, error)
    return "account/payout.html", view, {}


def payout() -> Sample:
    return _payout("150000")


def payout_wrong() -> Sample:
    return _payout("-5", error="Enter an amount above zero.", most=150_000)


def payout_quoted() -> Sample:
    rows = PayoutRow(at(8, 0, -1), "Bank card", dong(100_000)), PayoutRow(at(8, 0, -3), "Bank card", dong(50_000))
    return _payout("150000", *rows)


def payout_none() -> Sample:
    return _payout("0", most=0)


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


def _line(state: Any, **changes: Any) -> BookingLine:
    facts: dict[str, Any] = {
        "url": "/gallery/booking",
        "reference": REFERENCE,
        "state": state,
        "trips": (card(),),
        "seats": ("5C", "5D"),
        "travellers": 2,
        "total": dong(640_000),
    }
    return BookingLine(**{**facts, **changes})


def _bookings(**changes: Any) -> BookingsView:
    at = "/gallery/booking"
    facts: dict[str, Any] = {
        "lines": (
            _line("pending", pay_url=at, cancel_url=at, expires_at=NOW),
            _line("confirmed", trips=(card(), BACK), pdf_url=at, change_url=at, cancel_url=at, until="in 3 days"),
            _line("completed", trips=(SLEEPER,), pdf_url=at, again_url=at),
            _line("refunded", again_url=at, is_given_up=True),
        ),
        "filters": (
            Option("", "All", True, "/gallery/bookings"),
            Option("upcoming", "Upcoming", url="/gallery/bookings"),
            Option("cancelled", "Cancelled", url="/gallery/bookings"),
        ),
        "chosen": "",
        "pages": Pages(11, 14, 1000, "/gallery/bookings", "/gallery/bookings"),
        "forms": (
            Option("cards", "Cards", True, "/gallery/bookings", "overview"),
            Option("table", "Table", False, "/gallery/bookings-table", "list"),
        ),
        "orders": (Option("-created", "Booked last", True), Option("departure", "Departure, earliest first")),
        "bookings": 1000,
        "trips": 1204,
        "spent": (dong(412_600_000), Money(18_450, "EUR")),
    }
    return BookingsView(**{**facts, **changes})


def bookings() -> Sample:
    return "account/bookings.html", _bookings(), {}


def bookings_table() -> Sample:
    forms = (
        Option("cards", "Cards", False, "/gallery/bookings", "overview"),
        Option("table", "Table", True, "/gallery/bookings-table", "list"),
    )
    return "account/bookings.html", _bookings(form="table", forms=forms, search="Vinh", is_narrowed=True), {}


def bookings_none() -> Sample:
    return "account/bookings.html", _bookings(lines=(), pages=Pages(0, 0, 0), search="Oslo", is_narrowed=True), {}


PAGES: dict[str, Callable[[], Sample]] = {
    "wallet": wallet,
    "wallet-empty": wallet_empty,
    "wallet-payout": payout,
    "wallet-payout-wrong": payout_wrong,
    "wallet-payout-quoted": payout_quoted,
    "wallet-payout-none": payout_none,
    "bookings": bookings,
    "bookings-table": bookings_table,
    "bookings-none": bookings_none,
}
