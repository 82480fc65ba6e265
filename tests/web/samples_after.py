"""Made-up bookings on their way to be cancelled, changed or renamed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.web.made_up import PRICE, Sample, at, card, dong
from tests.web.samples_bookings import BACK, METHODS, REFERENCE, RETURN_TOLD, ROWS

from farebox.web.views.after import (
    BackRow,
    CancelQuote,
    CancelView,
    ChangeStart,
    ChangeView,
    DayOfTrips,
    InvoiceDetailsView,
    PartOfTheWay,
    RenameView,
    RideToPick,
    SeatSwap,
    SeatToPick,
    WaitingView,
    WayBackView,
)
from farebox.web.views.checkout import Problem
from farebox.web.views.trips import Option, TripCard

SEATS = (SeatToPick("1", ROWS[0]), SeatToPick("2", ROWS[1], is_chosen=True))
RIDES = (
    RideToPick(card(), SEATS),
    RideToPick(BACK, (SeatToPick("3", ROWS[0], closed="too late to cancel"),)),
)
WAYS = (
    Option(
        "origin",
        "The way it was paid",
        True,
        icon="card",
        detail="A bank takes some days to show it; what was paid in cash, you get at the counter.",
    ),
    Option("wallet", "My wallet here", icon="wallet", detail="At once, to pay for other trips; it does not run out."),
)
QUOTE = CancelQuote(
    rows=(
        BackRow("Seat 5D, Lê Minh", dong(270_000), dong(216_000), "80% until Tuesday 24 November, 06:30."),
        BackRow("Service fee", dong(10_000), dong(0), "Not paid back."),
    ),
    price=dong(280_000),
    back=dong(216_000),
    is_whole=False,
    is_paid=True,
    holds_until="Tuesday 24 November, 06:30",
    ways=WAYS,
    chosen="2",
    expected="216000",
)


def _cancel(**changes: Any) -> CancelView:
    facts: dict[str, Any] = {
        "reference": REFERENCE,
        "action": "/gallery/cancel",
        "back_url": "/gallery/booking",
        "rides": RIDES,
        "quote": QUOTE,
    }
    return CancelView(**{**facts, **changes})


def cancel() -> Sample:
    return "after/cancel.html", _cancel(), {}


def cancel_wrong() -> Sample:
    view = _cancel(quote=None, problems=(Problem("passengers", "Choose at least one seat."),))
    return "after/cancel.html", view, {}


def cancel_all() -> Sample:
    """The only seat, nothing back, and less than a moment ago."""
    rides = (RideToPick(card(), (replace(SEATS[1], is_chosen=True),)),)
    quote = replace(QUOTE, back=dong(0), is_whole=True, ways=(), holds_until="")
    changed = "What we can pay back has changed since you saw it. Please look at the new amount."
    return "after/cancel.html", _cancel(rides=rides, quote=quote, changed=changed), {}


def _day(url: str, *trips: tuple[TripCard, str]) -> DayOfTrips:
    return DayOfTrips("2026-11-27", "Friday 27 November 2026", "2026-11-24", "2026-12-24", url, url, trips)


def _change(**changes: Any) -> ChangeStart:
    facts: dict[str, Any] = {
        "reference": REFERENCE,
        "action": "/gallery/change",
        "back_url": "/gallery/booking",
        "rides": RIDES,
    }
    return ChangeStart(**{**facts, **changes})


def change() -> Sample:
    view = _change(
        fee="A change costs ₫20,000 for each person.",
        chosen="2",
        day=_day(
            "/gallery/change",
            (card(price=dong(260_000)), "/gallery/seats"),
            (card(seats_available=2), "/gallery/seats"),
        ),
        same_url="/gallery/seats",
        part=PartOfTheWay(
            (Option("1", "Giáp Bát, 06:30"), Option("2", "Ninh Bình, 08:40")),
            (Option("4", "Vinh, 13:10"), Option("3", "Thanh Hoá, 10:05")),
        ),
    )
    return "after/change.html", view, {}


def change_start() -> Sample:
    view = _change(problems=(Problem("passengers", "Change one trip at a time."),))
    return "after/change.html", view, {}


def change_none() -> Sample:
    view = _change(chosen="2", day=replace(_day("/gallery/change"), before_url=""), same_url="/gallery/seats")
    return "after/change.html", view, {}


def _quote(**changes: Any) -> ChangeView:
    facts: dict[str, Any] = {
        "reference": REFERENCE,
        "title": "Another day, trip or seat",
        "action": "/gallery/change-quote",
        "back_url": "/gallery/booking",
        "price": PRICE,
        "gone": (("Seat 5D, child", dong(-270_000)),),
        "added": (("Seat 2A, child", dong(390_000)), ("Seat 2A, change fee", dong(20_000))),
        "owed": dong(140_000),
        "back": dong(0),
        "hidden": (("lock", "1"), ("passengers", "2")),
        "old": card(),
        "new": card(board=replace(card().board, time=at(9, 0, 2)), alight=replace(card().alight, time=at(15, 40, 2))),
        "swaps": (SeatSwap("Lê Minh", "5D", "2A"),),
        "methods": METHODS,
        "held_until": at(9, 14, -1),
    }
    return ChangeView(**{**facts, **changes})


def change_quote() -> Sample:
    return "after/quote.html", _quote(), {}


def change_quote_back() -> Sample:
    view = _quote(
        owed=dong(0),
        back=dong(50_000),
        methods=(),
        ways=WAYS,
        changed="The price has changed.",
        returns_until="20 December 2026, 23:59",
    )
    return "after/quote.html", view, {}


def rename_quote() -> Sample:
    view = _quote(
        title="Another name",
        gone=(),
        added=(),
        owed=dong(0),
        old=None,
        new=None,
        swaps=(SeatSwap("Lê Minh becomes Lê Minh Khôi", "", "5D"),),
        methods=(),
        held_until=None,
    )
    return "after/quote.html", view, {}


def change_waiting() -> Sample:
    view = WaitingView(
        reference=REFERENCE,
        action="/gallery/change-waiting",
        back_url="/gallery/booking",
        refresh_url="/gallery/change-waiting",
        owed=dong(140_000),
        until="Tuesday 24 November, 09:28",
        is_begun=True,
        payment_url="/gallery/sandbox",
        methods=METHODS,
    )
    return "after/waiting.html", view, {}


RETURNS = (SeatToPick("4", ROWS[0], is_chosen=True), SeatToPick("5", ROWS[1]))


def cancel_open_return() -> Sample:
    """An open return beside the seats."""
    rows = (BackRow("Open return, Lê Minh", dong(270_000), dong(216_000), "80% of what is not used."),)
    quote = replace(QUOTE, rows=rows, price=dong(270_000), holds_until="", chosen="5")
    return "after/cancel.html", _cancel(returns=RETURNS, quote=quote), {}


def _way_back(**changes: Any) -> WayBackView:
    facts: dict[str, Any] = {
        "reference": REFERENCE,
        "action": "/gallery/way-back",
        "back_url": "/gallery/booking",
        "way": "Vinh – Hà Nội",
        "told": RETURN_TOLD,
        "returns": RETURNS,
        "day": _day("/gallery/way-back", (replace(BACK, price=dong(260_000)), "/gallery/seats")),
    }
    return WayBackView(**{**facts, **changes})


def way_back() -> Sample:
    return "after/way_back.html", _way_back(), {}


def way_back_none() -> Sample:
    problems = (Problem("passengers", "The time of those seats was over. Choose again."),)
    view = _way_back(day=replace(_day("/gallery/way-back"), before_url=""), returns=RETURNS[:1], problems=problems)
    return "after/way_back.html", view, {}


def way_back_quote() -> Sample:
    view = _quote(
        title="Your ride back",
        gone=(("Open return, child", dong(-270_000)),),
        added=(("Seat 2A, child", dong(390_000)),),
        owed=dong(120_000),
        old=None,
        new=BACK,
        swaps=(SeatSwap("Lê Minh", "", "2A"),),
        is_way_back=True,
    )
    return "after/quote.html", view, {}


def way_back_quote_equal() -> Sample:
    view = _quote(owed=dong(0), old=None, new=BACK, methods=(), is_way_back=True, swaps=(SeatSwap("A", "", "2A"),))
    return "after/quote.html", view, {}


def _invoice_details(**changes: Any) -> InvoiceDetailsView:
    facts: dict[str, Any] = {
        "reference": REFERENCE,
        "action": "/gallery/invoice-details",
        "back_url": "/gallery/booking",
        "name": "Công ty TNHH Sông Hương",
        "tax_number": "3300101234",
        "address": "12 Lê Lợi\nHuế",
        "country": "VN",
        "countries": (Option("", "No country"), Option("DE", "Germany"), Option("VN", "Vietnam")),
    }
    return InvoiceDetailsView(**{**facts, **changes})


def invoice_details() -> Sample:
    """Of a booking that is sold, and that had details before."""
    return "after/invoice_details.html", _invoice_details(is_given=True, is_sold=True), {}


def invoice_details_wrong() -> Sample:
    errors = {"name": "Enter a name or a company.", "address": "An address has 4 lines at most."}
    problems = tuple(Problem(anchor, message) for anchor, message in errors.items())
    return "after/invoice_details.html", _invoice_details(name="", errors=errors, problems=problems), {}


def rename() -> Sample:
    view = RenameView(
        reference=REFERENCE,
        action="/gallery/rename",
        back_url="/gallery/booking",
        people=(Option("1", "Nguyễn Thị Ánh, 5C"), Option("2", "Lê Minh, 5D")),
        fee="It is free of charge.",
        chosen="2",
        full_name="Lê Minh Khôi",
        id_number="12",
        id_types=(Option("citizen_id", "Citizen ID card"), Option("passport", "Passport")),
        errors={"id_number": "A document number has 6 to 20 letters and digits."},
        problems=(Problem("id-number", "A document number has 6 to 20 letters and digits."),),
    )
    return "after/rename.html", view, {}


PAGES: dict[str, Callable[[], Sample]] = {
    "cancel": cancel,
    "cancel-wrong": cancel_wrong,
    "cancel-all": cancel_all,
    "change": change,
    "change-start": change_start,
    "change-none": change_none,
    "change-quote": change_quote,
    "change-quote-back": change_quote_back,
    "change-waiting": change_waiting,
    "cancel-open-return": cancel_open_return,
    "way-back": way_back,
    "way-back-none": way_back_none,
    "way-back-quote": way_back_quote,
    "way-back-quote-equal": way_back_quote_equal,
    "invoice-details": invoice_details,
    "invoice-details-wrong": invoice_details_wrong,
    "rename": rename,
    "rename-quote": rename_quote,
}
