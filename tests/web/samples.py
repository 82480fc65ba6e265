"""Made-up content for each page."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from tests.web import (
    samples_account,
    samples_after,
    samples_bookings,
    samples_console,
    samples_factors,
    samples_privacy,
    samples_several,
    samples_signing,
)
from tests.web.made_up import ABROAD, DAY, FULL, HANOI, LIMOUSINE, PRICE, SLEEPER, Sample, at, card, clock, dong

from farebox.core.money import Money
from farebox.timetable.seat_plans import LIMOUSINE_9, SLEEPER_34, STANDARD_45, SeatPlan
from farebox.web.shop.seat_drawing import Marks, draw_decks, draw_tiers
from farebox.web.views.booking import (
    CodeView,
    ErrorView,
    FindView,
    HelpView,
    MailRow,
    MailView,
)
from farebox.web.views.checkout import (
    ContactFields,
    ExpiredView,
    PassengerFields,
    PassengersView,
    Problem,
    SandboxView,
)
from farebox.web.views.seats import ChosenSeat, PriceRow, SeatMapView, SeatOffer, Selection
from farebox.web.views.trips import (
    CallRow,
    Connection,
    DayTile,
    FareRow,
    HomeView,
    Option,
    PlaceChoice,
    ResultsView,
    SearchForm,
    Suggestion,
    TripCard,
    TripView,
)

FORM = SearchForm(
    day=DAY,
    first_day=date(2026, 11, 20),
    last_day=date(2026, 12, 20),
    from_text="Hà Nội",
    from_id="a",
    to_text="Huế",
    to_id="b",
    travellers=2,
)
PRICES = [380, 360, 260, 360, None, 480, 420]


def days() -> tuple[DayTile, ...]:
    return tuple(
        DayTile(
            DAY + timedelta(days=n - 2),
            "/gallery/results",
            dong(price * 1000) if price else None,
            14 if price else 0,
            is_current=n == 2,
            is_cheapest=n == 2,
        )
        for n, price in enumerate(PRICES)
    )


def home() -> Sample:
    connections = (
        Connection("Hà Nội", "Huế", "/gallery/results", 695, dong(410_000)),
        Connection("Hà Nội", "Sa Pa", "/gallery/results", 330, dong(290_000)),
        Connection("TP. Hồ Chí Minh", "Đà Lạt", "/gallery/results", 450, dong(320_000)),
        Connection("Đà Nẵng", "Nha Trang", "/gallery/results", 640, dong(350_000)),
        Connection("Hà Nội", "Nanning", "/gallery/results", 450, dong(780_000)),
    )
    form = SearchForm(day=DAY, first_day=date(2026, 11, 20), last_day=date(2026, 12, 20))
    return "shop/home.html", HomeView(form, connections), {}


def home_unclear() -> Sample:
    form = SearchForm(
        day=DAY,
        first_day=DAY,
        last_day=date(2026, 12, 20),
        from_text="Vin",
        to_text="Hue",
        errors={"from": "Choose the place that you mean."},
        choices={"from": (PlaceChoice("1", "Vinh", "Nghệ An"), PlaceChoice("2", "Vĩnh Long", "Vĩnh Long"))},
    )
    return "shop/home.html", HomeView(form, ()), {}


def _results(**changes: Any) -> ResultsView:
    url = "/gallery/results"
    facts: dict[str, Any] = {
        "form": FORM,
        "from_name": "Hà Nội",
        "to_name": "Huế",
        "state": "trips",
        "trips": (card(), LIMOUSINE, FULL, SLEEPER, ABROAD),
        "total": 14,
        "days": days(),
        "sorts": (
            Option("departure", "Earliest", True, url),
            Option("price", "Cheapest", url=url),
            Option("duration", "Fastest", url=url),
            Option("arrival", "First there", url=url),
        ),
        "leaves": (
            Option("", "Any time", True),
            Option("morning", "Morning"),
            Option("afternoon", "Afternoon"),
            Option("evening", "Evening"),
            Option("night", "Night"),
        ),
        "seat_types": (
            Option("", "Any seat", True),
            Option("standard", "Standard seat"),
            Option("limousine", "Limousine armchair"),
            Option("sleeper", "Sleeper berth"),
        ),
        "amenities": (
            Option("wifi", "Wi-Fi", icon="wifi"),
            Option("toilet", "Toilet", True, icon="toilet"),
            Option("wheelchair", "Wheelchair space", icon="wheelchair"),
        ),
        "max_price": "",
        "currency": "VND",
        "filters_used": 1,
        "clear_url": url,
        "hidden": (("from", "Hà Nội"), ("to", "Huế")),
        "more_url": url,
    }
    return ResultsView(**{**facts, **changes})


def results() -> Sample:
    return "shop/results.html", _results(), {}


def results_there() -> Sample:
    form = replace(FORM, way="round", return_day=DAY + timedelta(days=2))
    return "shop/results.html", _results(form=form, way="there", carried="&back=2026-11-27"), {}


def results_back() -> Sample:
    """The way there is chosen and held."""
    form = replace(FORM, carried=(("with", "0193-0"), ("back", "2026-11-27")))
    chosen = samples_several.so_far()
    return "shop/results.html", _results(form=form, way="back", carried="&with=0193-0", chosen=chosen), {}


def results_none() -> Sample:
    ways = (
        Suggestion("Fri 27 Nov", "3 trips from 450,000 ₫", "/gallery/results"),
        Suggestion("To Đông Hà", "66 km from Huế", "/gallery/results"),
    )
    return "shop/results.html", _results(state="none", trips=(), total=0, suggestions=ways, more_url=""), {}


def results_filtered() -> Sample:
    return "shop/results.html", _results(state="filtered", trips=(), total=0, more_url=""), {}


@dataclass(frozen=True)
class _Priced:
    number: str
    type: str
    deck: int
    row: int
    column: int
    features: tuple[str, ...]
    accessible: bool
    status: Any
    price: Money | None


def _seat_map(
    plan: SeatPlan,
    trip: TripCard,
    selection: Selection,
    mine: set[str],
    taken: set[str],
    marks: Marks | None = None,
    **more: Any,
) -> Sample:
    states = dict.fromkeys(mine, "mine") | dict.fromkeys(taken, "occupied")
    seats = [
        _Priced(
            **{
                name: getattr(seat, name)
                for name in ("number", "type", "deck", "row", "column", "features", "accessible")
            },
            status=states.get(seat.number, "locked" if seat.row == 4 and seat.column > 3 else "available"),
            price=_price(seat.features, seat.type),
        )
        for seat in plan.seats
    ]
    view = SeatMapView(
        trip=trip,
        action="/gallery/seats",
        status_url="",
        live_url="",
        decks=draw_decks(plan.decks, seats, marks),
        tiers=draw_tiers(seats),
        selection=replace(selection, mine=(*mine, *(seat.number for seat in selection.seats if seat.is_kept))),
        **{"travellers": 2, "limit": 5, "back_url": "/gallery/results", "has_accessible": True, **more},
    )
    return "seats/map.html", view, {}


def _price(features: tuple[str, ...], kind: str) -> Money:
    base = {"standard": 360_000, "limousine": 520_000, "sleeper": 410_000}[kind]
    return dong(base + (60_000 if "extra-legroom" in features or "lower" in features else 0))


def seats() -> Sample:
    chosen = Selection(
        (ChosenSeat("5C", "aisle", dong(360_000)), ChosenSeat("5D", "window", dong(360_000))),
        dong(730_000),
        (PriceRow("Service fee", dong(10_000)),),
        clock(),
    )
    return _seat_map(STANDARD_45, card(), chosen, {"5C", "5D"}, {"1A", "1B", "3C", "3D", "5A", "7B", "9A", "9B", "11C"})


def seats_change() -> Sample:
    """Three people look for other seats: one is found, one keeps the seat they have, the third has still to choose."""
    chosen = Selection(
        (ChosenSeat("5C", "aisle", dong(360_000)), ChosenSeat("9A", "window", None, is_kept=True)),
        None,
        clock=clock(),
        notice="Choose one more seat: 2 of 3 chosen.",
    )
    return _seat_map(
        STANDARD_45,
        card(),
        chosen,
        {"5C"},
        {"1A", "1B", "9A", "9B", "9C", "11C"},
        Marks({"9A", "9B", "9C"}, {"9A"}),
        travellers=3,
        limit=3,
        next_step="price",
        is_exact=True,
        has_own=True,
        can_keep=True,
    )


def seats_back() -> Sample:
    """The way back of a round trip: the way there beside it, and seats like those offered."""
    chosen = Selection(
        (),
        dong(720_000),
        (),
        clock(500),
        notice="Seats like yours on the other trip are free.",
        is_warning=False,
        offers=(SeatOffer(("5C", "5D"), "Take seats 5C, 5D"),),
        others=(samples_several.LOST, samples_several.THEN),
        saved=dong(72_000),
    )
    return _seat_map(STANDARD_45, samples_several.BACK, chosen, set(), {"1A", "1B"}, way="back")


def seats_lost() -> Sample:
    chosen = Selection(
        (ChosenSeat("5C", "aisle", dong(360_000)),),
        dong(360_000),
        (),
        clock(95, left=0),
        notice="Seat 5D was taken a moment ago.",
        lost={"5D": "occupied"},
        offers=(SeatOffer(("6D",), "Take seat 6D instead"),),
    )
    return _seat_map(STANDARD_45, card(), chosen, {"5C"}, {"5D", "1A"})


def seats_sleeper() -> Sample:
    return _seat_map(SLEEPER_34, SLEEPER, Selection((), None), set(), {"L2A", "U4B", "U4C"})


def seats_limousine() -> Sample:
    return _seat_map(
        LIMOUSINE_9,
        LIMOUSINE,
        Selection(
            (ChosenSeat("2A", "window", dong(520_000)),),
            dong(520_000),
            (),
            clock(),
        ),
        {"2A"},
        {"1B", "3C"},
    )


def _call(hour: int, minute: int, name: str, place: str, role: Any, **more: Any) -> CallRow:
    zone = more.pop("zone", HANOI)
    return CallRow(at(hour, minute, zone=zone), name, place, zone.key, role, **more)


def trip() -> Sample:
    calls = (
        _call(5, 45, "Mỹ Đình", "Hà Nội", "before"),
        _call(6, 30, "Giáp Bát", "Hà Nội", "board", platform="12"),
        _call(7, 25, "Phủ Lý", "Phủ Lý", "between"),
        _call(8, 20, "Ninh Bình", "Ninh Bình", "between"),
        _call(9, 45, "Thanh Hóa", "Thanh Hóa", "between"),
        _call(13, 10, "Bắc Vinh", "Vinh", "alight"),
        _call(14, 0, "Hà Tĩnh", "Hà Tĩnh", "after"),
    )
    fares = (
        FareRow("Adult", (dong(260_000), dong(320_000))),
        FareRow("Child", (dong(195_000), None)),
        FareRow("Senior", (dong(221_000), dong(272_000))),
    )
    policy = ("Sales end 5 minutes before departure.", "Prices include 8% tax.", "Free of charge until you have paid.")
    view = TripView(
        card(), DAY, calls, ("Standard seat", "Extra legroom"), fares, policy, "/gallery/seats", "/gallery/results"
    )
    return "shop/trip.html", view, {}


TYPES = (Option("adult", "Adult"), Option("child", "Child"), Option("senior", "Senior"))
DOCUMENTS = (Option("citizen_id", "Citizen ID card"), Option("passport", "Passport"))


def passengers() -> Sample:
    people = (
        PassengerFields(0, "5C", "aisle", full_name="Nguyễn Thị Ánh", id_number="001186004321"),
        PassengerFields(1, "5D", "window", passenger_type="child"),
    )
    view = PassengersView(
        (card(),),
        PRICE,
        clock(),
        "/gallery/passengers",
        ContactFields("anh@example.com", "0912 345 678"),
        people,
        TYPES,
        DOCUMENTS,
        map_of="hold-1",
    )
    return "checkout/passengers.html", view, {}


def passengers_wrong() -> Sample:
    people = (
        PassengerFields(
            0, "5C", "aisle", errors={"full_name": "Enter the full name as it is written on the document."}
        ),
        PassengerFields(
            1,
            "5D",
            "window",
            full_name="Lê Minh",
            id_number="12",
            errors={"id_number": "A document number has 6 to 20 letters and digits."},
        ),
    )
    contact = ContactFields("anh@", "0912", {"email": "Enter an e-mail address such as name@example.com."})
    problems = (
        Problem("contact-email", "Enter an e-mail address such as name@example.com."),
        Problem("passenger-0-name", "Seat 5C: Enter the full name as it is written on the document."),
        Problem("passenger-1-number", "Seat 5D: A document number has 6 to 20 letters and digits."),
    )
    view = PassengersView(
        (card(),),
        PRICE,
        clock(90, 0),
        "/gallery/passengers",
        contact,
        people,
        TYPES,
        DOCUMENTS,
        problems,
        map_of="hold-1",
    )
    return "checkout/passengers.html", view, {}


def sandbox() -> Sample:
    return (
        "checkout/sandbox.html",
        SandboxView("BUS20261125K7QM2X", dong(640_000), "/gallery/sandbox", "/gallery/review"),
        {},
    )


def expired() -> Sample:
    return "checkout/expired.html", ExpiredView("/gallery/seats", "/gallery/home", card()), {}


def find() -> Sample:
    return (
        "booking/find.html",
        FindView("BUS2026", "", {"contact": "Enter the e-mail address or phone number of the booking."}),
        {},
    )


def code() -> Sample:
    return "booking/code.html", CodeView("BUS20261125K7QM2X", "anh@example.com", 10), {}


def error() -> Sample:
    view = ErrorView(
        404, "There is no such page", "The address may be misspelt, or the trip is over.", "/", "Home page"
    )
    return "errors/error.html", view, {}


MAIL = MailRow("1", "Your tickets for Hà Nội to Vinh", "anh@example.com", at(6, 31), "kept", "/gallery/mail")


def mailbox() -> Sample:
    return "dev/mailbox.html", (MAIL, MAIL), {}


def mail() -> Sample:
    return "dev/mail.html", MailView(MAIL, "Hello\nYou are booked.", "/gallery/help", (("tickets.pdf", "/x"),)), {}


def terms() -> Sample:
    return "shop/terms.html", None, {}


def help_page() -> Sample:
    return "shop/help.html", HelpView(15), {}


PAGES: dict[str, Callable[[], Sample]] = {
    "home": home,
    "home-unclear": home_unclear,
    "results": results,
    "results-there": results_there,
    "results-back": results_back,
    "results-none": results_none,
    "results-filtered": results_filtered,
    "seats": seats,
    "seats-lost": seats_lost,
    "seats-back": seats_back,
    "seats-change": seats_change,
    "seats-sleeper": seats_sleeper,
    "seats-limousine": seats_limousine,
    "trip": trip,
    "passengers": passengers,
    "passengers-wrong": passengers_wrong,
    "sandbox": sandbox,
    "expired": expired,
    "find": find,
    "code": code,
    "error": error,
    "mailbox": mailbox,
    "mail": mail,
    "terms": terms,
    "help": help_page,
    **samples_account.PAGES,
    **samples_after.PAGES,
    **samples_bookings.PAGES,
    **samples_console.PAGES,
    **samples_factors.PAGES,
    **samples_privacy.PAGES,
    **samples_several.PAGES,
    **samples_signing.PAGES,
}
