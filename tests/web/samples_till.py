"""The back office's till, with made-up content, for the gallery."""

from typing import Any

from tests.web.made_up import DAY, at, dong
from tests.web.samples_prices import ID, Sample, office

from farebox.web.views.console import Choice
from farebox.web.views.till import (
    AgainView,
    BackRow,
    BookingMoneyView,
    CashRow,
    ChangeDue,
    GiveBackView,
    LedgerRow,
    LookRow,
    PaperRow,
    PaymentRow,
    PayoutView,
    ReceivedView,
    RefundRow,
    TillView,
    TransferRow,
    WaitingRow,
)

WRONG = {"amount": "Enter an amount.", "to": "Choose one.", "note": "Say why."}
CHANGED = "The price has changed since you saw it."
REFERENCE = "BUS20261124K7QM2XA"


def till(**changes: Any) -> TillView:
    facts: dict[str, Any] = {
        "office": office("till"),
        "waiting": (WaitingRow("#", REFERENCE, "Hà Nội to Huế", dong(465_000)),),
        "transfers": (TransferRow("#", REFERENCE, dong(465_000), at(8, 30), at(8, 30, 1)),),
        "refunds": (
            RefundRow(ID, "#", REFERENCE, dong(120_000), "Bank transfer", "It was paid twice", False, at(9, 0, -2)),
            RefundRow(ID, "#", REFERENCE, dong(95_000), "VietQR (PayOS)", "", True, at(9, 0, -3)),
        ),
        "disputes": (LookRow("#", REFERENCE, dong(465_000), "Card (Stripe)", at(9, 0, -4)),),
        "stuck": (LookRow("#", REFERENCE, dong(95_000), "PayPal", at(9, 0), "Its provider has not told the end"),),
        "cash": (
            CashRow("You", 12, dong(4_300_000), 1, dong(95_000), dong(4_205_000)),
            CashRow("Lan Phạm", 0, dong(0), 1, dong(50_000), dong(-50_000)),
        ),
        "totals": (dong(4_155_000),),
        "day": DAY,
        "today": DAY,
    }
    return TillView(**facts | changes)


def till_of_agent() -> TillView:
    empty: dict[str, Any] = {
        "waiting": (),
        "transfers": (),
        "refunds": None,
        "disputes": (),
        "stuck": (),
        "cash": (),
        "totals": (),
    }
    own = office("till", ("till",))
    return till(office=own, reference="BUS1", error="No booking has such a reference.", **empty)


def booking_money(**changes: Any) -> BookingMoneyView:
    facts: dict[str, Any] = {
        "office": office("till"),
        "booking_id": ID,
        "reference": REFERENCE,
        "trip": "Hà Nội to Huế",
        "state": "Confirmed",
        "tone": "good",
        "total": dong(465_000),
        "due": dong(0),
        "expires_at": None,
        "payments": (
            PaymentRow(at(8, 0), "Bank transfer", dong(465_000), "Paid", "good", "#", "#"),
            PaymentRow(at(8, 5), "Card (Stripe)", dong(465_000), "Another way was chosen", ""),
        ),
        "refunds": (
            BackRow(
                at(9, 0), "It was paid twice, back the way it was paid", dong(465_000), "To be paid out", "warn", "#"
            ),
            BackRow(at(9, 30), "", dong(5_000), "Refused by the provider", "bad", "#", "#"),
        ),
        "papers": (PaperRow("Invoice INV-2026-000042", "#", dong(465_000), at(8, 1)),),
        "lines": (
            LedgerRow(at(8, 0), "Sold", "Owed by the booking", dong(465_000), None, True),
            LedgerRow(at(8, 0), "Sold", "Sales of the operator", None, dong(418_500), False),
            LedgerRow(at(8, 0), "Sold", "Commission of the platform (10%)", None, dong(46_500), False),
        ),
        "takes_cash": False,
    }
    return BookingMoneyView(**facts | changes)


def booking_to_pay() -> BookingMoneyView:
    return booking_money(
        state="Waits for its money",
        tone="warn",
        due=dong(465_000),
        expires_at=at(10, 0),
        payments=(),
        refunds=(),
        papers=(),
        lines=None,
        takes_cash=True,
        error="This booking does not wait for a payment.",
    )


def booking_with_change() -> BookingMoneyView:
    told = "The change is made at once: the old tickets stop working, and new ones are mailed."
    what = "Hà Nội – Huế, Tuesday 24 November, 08:00, seats 5A"
    return booking_money(change=ChangeDue(ID, dong(65_000), at(9, 15), what, told), takes_cash=True)


def give_back(**changes: Any) -> GiveBackView:
    facts: dict[str, Any] = {
        "office": office("till"),
        "booking_url": "#",
        "action": "#",
        "booking_reference": REFERENCE,
        "came_by": "Card (Stripe)",
        "paid": dong(465_000),
        "most": dong(465_000),
        "price": dong(465_000),
        "ways": (
            Choice("origin", "The way it was paid", "Its provider is asked for it at once"),
            Choice("wallet", "Into the traveller's wallet", "At once, as money for further trips"),
        ),
        "typed": {"amount": "65000", "to": "wallet", "note": "The heating was out of order"},
    }
    return GiveBackView(**facts | changes)


def received() -> ReceivedView:
    return ReceivedView(
        office("till"),
        "#",
        "#",
        "Note a transfer that has come",
        "The bank's reference",
        "As the statement has it.",
        "VND",
        REFERENCE,
        dong(465_000),
        {"amount": "465000"},
        {"reference": "Name the bank's reference."},
    )


def payout() -> PayoutView:
    return PayoutView(office("till"), "#", "#", REFERENCE, dong(465_000), "It was paid twice", {})


def again() -> AgainView:
    ways = (
        Choice("origin", "The way it was paid", "The provider is asked once more"),
        Choice("wallet", "Into the wallet"),
    )
    return AgainView(office("till"), "#", "#", REFERENCE, dong(465_000), ways)


PAGES: dict[str, Sample] = {
    "till": lambda: ("console/till.html", till(), {}),
    "till-of-agent": lambda: ("console/till.html", till_of_agent(), {}),
    "booking-money": lambda: ("console/booking_money.html", booking_money(), {}),
    "booking-to-pay": lambda: ("console/booking_money.html", booking_to_pay(), {}),
    "received": lambda: ("console/received.html", received(), {}),
    "payout": lambda: ("console/payout.html", payout(), {}),
    "booking-with-change": lambda: ("console/booking_money.html", booking_with_change(), {}),
    "give-back": lambda: (
        "console/give_back.html",
        give_back(errors=WRONG),
        {},
    ),
    "give-back-told": lambda: (
        "console/give_back.html",
        give_back(amount=dong(65_000), changed=CHANGED),
        {},
    ),
    "give-back-nothing": lambda: ("console/give_back.html", give_back(most=dong(0)), {}),
    "refund-again": lambda: ("console/refund_again.html", again(), {}),
}
