"""What the small shop sells: four cities, two zones, four departures a day."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from tests.search.asking import Known
from tests.search.feeds import SmallFeed, at, days_from

from farebox.core.db import Database

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
"""08:00 in Hà Nội, 09:00 in Nanning."""


class Clock:
    """The time, as a test sets it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True)
class Shop:
    database: Database
    known: Known
    clock: Clock


OpenShop = Callable[..., Awaitable[Shop]]


def vietnam() -> SmallFeed:
    """Hà Nội (two stations) - Vinh - Huế by day and by night, and Hà Nội - Nanning across the border.

    Nobody gets off at Phủ Lý, and nobody gets on at Đông Hà.
    """
    feed = SmallFeed(timezone="Asia/Ho_Chi_Minh")
    feed.station("hanoi", "Hà Nội", 21.0278, 105.8342, zone="Asia/Ho_Chi_Minh")
    feed.stop("giap-bat", "Bến xe Giáp Bát", 20.9801, 105.8412, station="hanoi")
    feed.stop("my-dinh", "Bến xe Mỹ Đình", 21.0285, 105.7781, station="hanoi")
    feed.stop("phu-ly", "Phủ Lý", 20.5411, 105.9139)
    feed.stop("vinh", "Vinh", 18.6734, 105.6922)
    feed.stop("dong-ha", "Đông Hà", 16.8163, 107.1003)
    feed.stop("hue", "Huế", 16.4637, 107.5909)
    feed.stop("nanning", "Nanning", 22.8170, 108.3665, zone="Asia/Shanghai")
    feed.translations.append(("stops", "hanoi", "en", "Hanoi"))
    feed.translations.append(("stops", "nanning", "vi", "Nam Ninh"))
    days = days_from(TODAY, 10)
    for name, leaves in (("morning", "06:00"), ("noon", "12:30"), ("night", "20:15")):
        start = at(leaves)
        feed.trip(
            name,
            [
                ("my-dinh", start, start),
                ("giap-bat", start + at("00:30"), start + at("00:35")),
                ("phu-ly", start + at("01:30"), start + at("01:32"), "0", "1"),
                ("vinh", start + at("06:00"), start + at("06:20")),
                ("dong-ha", start + at("10:00"), start + at("10:02"), "1", "0"),
                ("hue", start + at("11:40"), start + at("11:40")),
            ],
            days,
        )
    feed.trip("border", [("giap-bat", at("09:00"), at("09:00")), ("nanning", at("15:30"), at("15:30"))], days)
    return feed
