"""Made-up content for each page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from farebox.core.money import Money
from farebox.timetable.seat_plans import LIMOUSINE_9, SLEEPER_34, STANDARD_45, SeatPlan
from farebox.web.shop.seat_drawing import draw_decks, draw_tiers
from farebox.web.views.seats import ChosenSeat, HoldClock, SeatMapView, Selection
from farebox.web.views.trips import (
    Connection,
    DayTile,
    HomeView,
    Option,
    PlaceChoice,
    ResultsView,
    SearchForm,
    StopTime,
    Suggestion,
    TripCard,
)

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NANNING = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 11, 25)

Sample = tuple[str, object, dict[str, Any]]


def dong(amount: int) -> Money:
    return Money(amount, "VND")


def at(hour: int, minute: int, days: int = 0, zone: ZoneInfo = HANOI) -> datetime:
    return datetime(2026, 11, 25, hour, minute, tzinfo=zone) + timedelta(days=days)


def stop(hour: int, minute: int, name: str, place: str, days: int = 0, zone: ZoneInfo = HANOI, platform: str = "") -> StopTime:
    return StopTime(at(hour, minute, days, zone), name, place, zone.key, days, platform)


def card(**changes: Any) -> TripCard:
    facts: dict[str, Any] = {
        "id": "0193-1",
        "from_id": "a",
        "to_id": "b",
        "line": "Hà Nội - Huế",
        "operator": "Trường Sơn Lines",
        "board": stop(6, 30, "Giáp Bát", "Hà Nội", platform="12"),
        "alight": stop(13, 10, "Bắc Vinh", "Vinh"),
        "minutes": 400,
        "vehicle": "Coach, 45 seats",
        "amenities": ("wifi", "toilet", "air-conditioning", "luggage"),
        "seats_available": 18,
        "price": dong(260_000),
        "seat_types": ("standard",),
        "brand": "#c0392b",
    }
    return TripCard(**{**facts, **changes})


LIMOUSINE = card(
    id="0193-2",
    board=stop(8, 0, "Mỹ Đình", "Hà Nội"),
    alight=stop(19, 45, "Phía Nam", "Huế"),
    minutes=705,
    vehicle="Limousine, 9 seats",
    amenities=("wifi", "usb", "water"),
    seats_available=3,
    price=dong(520_000),
    seat_types=("limousine",),
)
SLEEPER = card(
    id="0193-3",
    operator="Hải Vân Sleeper",
    brand="#1b6ca8",
    board=stop(20, 15, "Giáp Bát", "Hà Nội"),
    alight=stop(7, 50, "Phía Nam", "Huế", days=1),
    minutes=695,
    vehicle="Sleeper, 34 berths",
    amenities=("blanket", "wifi", "usb", "toilet"),
    seats_available=22,
    price=dong(410_000),
    seat_types=("sleeper",),
)
ABROAD = card(
    id="0193-4",
    operator="Hải Vân Sleeper",
    brand="#1b6ca8",
    board=stop(7, 30, "Gia Lâm", "Hà Nội"),
    alight=stop(16, 0, "Langdong", "Nanning", zone=NANNING),
    minutes=450,
    seats_available=9,
    price=dong(780_000),
)
FULL = card(id="0193-5", board=stop(14, 0, "Nước Ngầm", "Hà Nội"), alight=stop(20, 40, "Bắc Vinh", "Vinh"), seats_available=0)

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


def results_none() -> Sample:
    ways = (
        Suggestion("Fri 27 Nov", "3 trips from 450,000 ₫", "/gallery/results"),
        Suggestion("To Đông Hà", "66 km from Huế", "/gallery/results"),
    )
    return "shop/results.html", _results(state="none", trips=(), total=0, suggestions=ways, more_url=""), {}


def results_filtered() -> Sample:
    return "shop/results.html", _results(state="filtered", trips=(), total=0, more_url=""), {}


NOW = datetime(2026, 11, 24, 9, 0, tzinfo=HANOI)


def clock(seconds: int = 872, left: int = 2) -> HoldClock:
    return HoldClock(NOW + timedelta(seconds=seconds), NOW, "/gallery/clock" if left else "", left, "/gallery/expired")


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


def _seat_map(plan: SeatPlan, trip: TripCard, selection: Selection, mine: set[str], taken: set[str], **more: Any) -> Sample:
    states = {number: "mine" for number in mine} | {number: "occupied" for number in taken}
    seats = [
        _Priced(
            **{name: getattr(seat, name) for name in ("number", "type", "deck", "row", "column", "features", "accessible")},
            status=states.get(seat.number, "locked" if seat.row == 4 and seat.column > 3 else "available"),
            price=_price(seat.features, seat.type),
        )
        for seat in plan.seats
    ]
    view = SeatMapView(
        trip=trip,
        trip_url="/gallery/trip",
        action="/gallery/seats",
        status_url="",
        decks=draw_decks(plan.decks, seats),
        tiers=draw_tiers(seats),
        selection=selection,
        travellers=2,
        max_seats=5,
        back_url="/gallery/results",
        has_accessible=True,
        **more,
    )
    return "seats/map.html", view, {}


def _price(features: tuple[str, ...], kind: str) -> Money:
    base = {"standard": 360_000, "limousine": 520_000, "sleeper": 410_000}[kind]
    return dong(base + (60_000 if "extra-legroom" in features or "lower" in features else 0))


def seats() -> Sample:
    chosen = Selection(
        (ChosenSeat("5C", "aisle", dong(360_000)), ChosenSeat("5D", "window", dong(360_000))),
        dong(720_000),
        clock(),
        next_url="/gallery/passengers",
    )
    return _seat_map(STANDARD_45, card(), chosen, {"5C", "5D"}, {"1A", "1B", "3C", "3D", "5A", "7B", "9A", "9B", "11C"})


def seats_lost() -> Sample:
    chosen = Selection(
        (ChosenSeat("5C", "aisle", dong(360_000)),),
        dong(360_000),
        clock(95, left=0),
        notice="Seat 5D was taken a moment ago.",
        lost=("5D",),
        offer="6D",
        next_url="/gallery/passengers",
    )
    return _seat_map(STANDARD_45, card(), chosen, {"5C"}, {"5D", "1A"})


def seats_sleeper() -> Sample:
    return _seat_map(SLEEPER_34, SLEEPER, Selection((), None), set(), {"L2A", "U4B", "U4C"})


def seats_limousine() -> Sample:
    return _seat_map(LIMOUSINE_9, LIMOUSINE, Selection((ChosenSeat("2A", "window", dong(520_000)),), dong(520_000), clock(), next_url="x"), {"2A"}, {"1B", "3C"})


PAGES: dict[str, Callable[[], Sample]] = {
    "home": home,
    "home-unclear": home_unclear,
    "results": results,
    "results-none": results_none,
    "results-filtered": results_filtered,
    "seats": seats,
    "seats-lost": seats_lost,
    "seats-sleeper": seats_sleeper,
    "seats-limousine": seats_limousine,
}
