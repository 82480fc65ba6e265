"""Made-up trips, prices and times, for the samples of the pages."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from farebox.core.money import Money
from farebox.web.views.checkout import Price
from farebox.web.views.seats import HoldClock, PriceRow
from farebox.web.views.trips import StopTime, TripCard

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NANNING = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 11, 25)

Sample = tuple[str, object, dict[str, Any]]


def dong(amount: int) -> Money:
    return Money(amount, "VND")


def at(hour: int, minute: int, days: int = 0, zone: ZoneInfo = HANOI) -> datetime:
    return datetime(2026, 11, 25, hour, minute, tzinfo=zone) + timedelta(days=days)


def stop(
    hour: int, minute: int, name: str, place: str, days: int = 0, zone: ZoneInfo = HANOI, platform: str = ""
) -> StopTime:
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
FULL = card(
    id="0193-5", board=stop(14, 0, "Nước Ngầm", "Hà Nội"), alight=stop(20, 40, "Bắc Vinh", "Vinh"), seats_available=0
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=HANOI)


def clock(seconds: int = 872, left: int = 2) -> HoldClock:
    return HoldClock(NOW + timedelta(seconds=seconds), NOW, "/gallery/clock" if left else "", "/gallery/expired")


PRICE = Price(
    (
        PriceRow("Seat 5C", dong(360_000)),
        PriceRow("Seat 5D, child", dong(270_000)),
        PriceRow("Service fee", dong(10_000)),
    ),
    dong(640_000),
    dong(47_407),
)
