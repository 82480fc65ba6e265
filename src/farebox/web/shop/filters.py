"""The filters and the order of the results: read from the address, offered as choices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from babel.numbers import NumberFormatError, parse_decimal

from farebox.core.i18n import N_, locale
from farebox.core.i18n import gettext as _
from farebox.search import SORTS, Sort, TripPage
from farebox.web.labels import amenity_icon, amenity_label, seat_type_label
from farebox.web.pages import Here
from farebox.web.views.trips import Option

PARTS_OF_DAY: Mapping[str, tuple[str, time, time | None]] = {
    "morning": (N_("Morning, from 5:00"), time(5), time(12)),
    "afternoon": (N_("Afternoon, from 12:00"), time(12), time(18)),
    "evening": (N_("Evening, from 18:00"), time(18), None),
    "night": (N_("Night, before 5:00"), time(0), time(5)),
}

SORT_LABELS: Mapping[Sort, str] = {
    "departure": N_("Earliest"),
    "price": N_("Cheapest"),
    "duration": N_("Fastest"),
    "arrival": N_("First there"),
}

FILTERS = ("leaves", "seat", "amenity", "max_price")
MAX_AMENITIES = 20


@dataclass(frozen=True, slots=True)
class Filters:
    """What the results are narrowed to; an empty text is no filter.

    Attributes:
        max_price_text: as typed, so that it is not lost.
    """

    sort: Sort
    leaves: str
    seat: str
    amenities: tuple[str, ...]
    max_price: Decimal | None
    max_price_text: str

    @property
    def used(self) -> int:
        return sum(map(bool, (self.leaves, self.seat, self.max_price is not None))) + len(self.amenities)

    @property
    def depart_after(self) -> time | None:
        return PARTS_OF_DAY[self.leaves][1] if self.leaves else None

    @property
    def depart_before(self) -> time | None:
        return PARTS_OF_DAY[self.leaves][2] if self.leaves else None


def read_filters(query: Sequence[tuple[str, str]]) -> Filters:
    """Filters of an address; what makes no sense is no filter."""
    last = dict(query)
    sort = next((known for known in SORTS if known == last.get("sort")), SORTS[0])
    leaves = last.get("leaves", "")
    typed = last.get("max_price", "").strip()[:20]
    amenities = dict.fromkeys(value[:40] for name, value in query if name == "amenity" and value)
    return Filters(
        sort=sort,
        leaves=leaves if leaves in PARTS_OF_DAY else "",
        seat=last.get("seat", "")[:40],
        amenities=tuple(amenities)[:MAX_AMENITIES],
        max_price=_amount(typed),
        max_price_text=typed,
    )


def sort_options(filters: Filters, here: Here) -> tuple[Option, ...]:
    return tuple(
        Option(sort, _(label), sort == filters.sort, here.with_query({"sort": sort, "show": None}))
        for sort, label in SORT_LABELS.items()
    )


def leave_options(filters: Filters) -> tuple[Option, ...]:
    parts = [Option(code, _(label), code == filters.leaves) for code, (label, *_bounds) in PARTS_OF_DAY.items()]
    return (Option("", _("Any time"), not filters.leaves), *parts)


def seat_options(filters: Filters, page: TripPage) -> tuple[Option, ...]:
    """The kinds of seat of this day; none to choose from where there is only one."""
    kinds = tuple(dict.fromkeys((*page.seat_types, *filter(None, [filters.seat]))))
    if len(kinds) < 2:  # noqa: PLR2004
        return ()
    return (
        Option("", _("Any seat"), not filters.seat),
        *(Option(kind, seat_type_label(kind), kind == filters.seat) for kind in kinds),
    )


def amenity_options(filters: Filters, page: TripPage) -> tuple[Option, ...]:
    codes = dict.fromkeys((*page.amenities, *filters.amenities))
    return tuple(
        Option(code, amenity_label(code), code in filters.amenities, icon=amenity_icon(code)) for code in codes
    )


def _amount(typed: str) -> Decimal | None:
    if not typed:
        return None
    try:
        amount = parse_decimal(typed, locale=locale())
    except NumberFormatError:
        return None
    return amount if amount.is_finite() and amount >= 0 else None
