"""The first page of an operator's console, with made-up content, for the gallery."""

from typing import Any

from tests.web.made_up import DAY, at, dong
from tests.web.samples_prices import Sample, office

from farebox.web.views.today import DepartureRow, Departures, FoundRow, FoundView, Listed, Sales, Sums, Task, TodayView

REFERENCE = "BUS20261124K7QM2XA"


def departure(hour: int, sold: int, **changes: Any) -> DepartureRow:
    facts: dict[str, Any] = {
        "departs_at": at(hour, 30),
        "arrives_at": at(hour + 6, 10),
        "origin": "Hà Nội – Bến xe Giáp Bát",
        "destination": "Thành phố Hồ Chí Minh – Bến xe Miền Đông mới",
        "line": "TS1: Hà Nội – Thành phố Hồ Chí Minh",
        "vehicle": "Sleeper, 34 berths",
        "seats": 34,
        "sold": sold,
        "held": 0,
        "is_cancelled": False,
    }
    return DepartureRow(**facts | changes)


OFF = departure(14, 12, is_cancelled=True)


def today(**changes: Any) -> TodayView:
    week = (Sums(dong(128_400_000), dong(-4_300_000), dong(124_100_000)), Sums(dong(95_000), dong(0), dong(95_000)))
    facts: dict[str, Any] = {
        "office": office("today"),
        "day": DAY,
        "first_day": DAY,
        "departures": Departures(
            Listed((departure(9, 34), departure(12, 20, held=3), OFF, *[departure(16, 0)] * 12), 215),
            Listed((departure(6, 5),), 1),
            Listed((OFF,), 1),
            running=215,
            seats=7310,
            sold=1459,
        ),
        "sales": (
            Sales("today", 12, (Sums(dong(5_400_000), dong(0), dong(5_400_000)),)),
            Sales("week", 1204, week),
        ),
        "tasks": (
            Task("Refunds to be paid out by hand", 2, "#"),
            Task("Disputes", 1, "#"),
            Task("Transfers", 500, "#"),
        ),
        "can_search": True,
    }
    return TodayView(**facts | changes)


def today_quiet() -> TodayView:
    nothing = Departures(Listed((), 0), Listed((), 0), Listed((), 0), running=0, seats=0, sold=0)
    return today(departures=nothing, sales=(Sales("today", 0, ()), Sales("week", 0, ())), tasks=())


def today_of_driver() -> TodayView:
    left = Departures(Listed((), 0), Listed((departure(6, 5),), 1), Listed((), 0), running=1, seats=34, sold=5)
    return today(office=office("today", ("today",)), departures=left, sales=(), tasks=None, can_search=False)


def found() -> FoundView:
    rows = (
        FoundRow("#", REFERENCE, "Hà Nội to Huế", at(8, 30), "Confirmed", "good", dong(465_000)),
        FoundRow("#", REFERENCE, "Huế to Hà Nội, and more", at(8, 30, -9), "Cancelled", "bad", dong(1_465_000)),
    )
    return FoundView(office("today"), "anh@example.com", rows, has_more=True)


def found_nothing() -> FoundView:
    return FoundView(office("today"), "BUS1", (), "No booking has such a reference.")


PAGES: dict[str, Sample] = {
    "today": lambda: ("console/today.html", today(), {}),
    "today-quiet": lambda: ("console/today.html", today_quiet(), {}),
    "today-of-driver": lambda: ("console/today.html", today_of_driver(), {}),
    "found": lambda: ("console/found.html", found(), {}),
    "found-nothing": lambda: ("console/found.html", found_nothing(), {}),
}
