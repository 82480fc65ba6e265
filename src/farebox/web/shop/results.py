"""The search's results."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from litestar import Controller, get
from litestar.response import Redirect, Template

from farebox.accounts import list_operators
from farebox.core.db import UnitOfWork
from farebox.core.i18n import format_money, ngettext
from farebox.core.i18n import gettext as _
from farebox.search import BadQuery, DayPrice, TripPage, TripQuery, nearby_destinations, neighbouring_days, search_trips
from farebox.timetable import get_sites
from farebox.web.days import day_in_words
from farebox.web.pages import AnyRequest, Here, here_of, page, see_other
from farebox.web.shop.cards import card_of_offer
from farebox.web.shop.filters import (
    FILTERS,
    Filters,
    amenity_options,
    leave_options,
    read_filters,
    seat_options,
    sort_options,
)
from farebox.web.shop.finding import Asked, read_search, whole_number
from farebox.web.shop.home import chosen_before, draw_home
from farebox.web.views.itinerary import ItineraryView
from farebox.web.views.trips import DayTile, ResultsView, SearchForm, Suggestion
from farebox.wiring import Services

DAYS_AROUND = 3
DAYS_FURTHER = 7
"""How far around the day to look where it has nothing."""

FIRST_SHOWN = 40
SHOWN_MORE = 80
MOST_SHOWN = 200
MAX_SUGGESTIONS = 3
CARRIED = ("from", "from_id", "to", "to_id", "date", "travellers", "sort", "way", "return", "with", "back", "people")


class ResultsController(Controller):
    """Trips between two places on a day."""

    @get("/search", opt={"access": "public"}, include_in_schema=False)
    async def results(self, request: AnyRequest, work: UnitOfWork, services: Services) -> Template | Redirect:
        here = here_of(request)
        query = dict(here.query)
        if query.get("swap"):
            return see_other(here.with_query(_swapped(query), path="/" if _is_incomplete(query) else None))
        chosen = await chosen_before(request, work, services)
        asked = await read_search(work, query, services.settings)
        if isinstance(asked, SearchForm):
            return await draw_home(request, work, asked, chosen)
        here = _settled(here, asked.form)
        filters = read_filters(here.query)
        arrival = _arrival(chosen) if _way(asked.form) == "back" else None
        if arrival and asked.form.day < arrival.date():
            return see_other(here.with_query({"date": arrival.date().isoformat()}))
        try:
            found = await search_trips(work, _trip_query(asked, filters, arrival, shown=_shown(query)))
            days = await _strip(work, asked, arrival)
        except BadQuery as error:
            form = replace(asked.form, errors={each.field: each.text() for each in error.errors})
            return await draw_home(request, work, form, chosen)
        view = replace(await _view(work, asked, filters, found, days, here), chosen=chosen)
        return page(request, "shop/results.html", view, is_private=chosen is not None)


def _settled(here: Here, form: SearchForm) -> Here:
    """The address with the places as they were understood, for all links on the page."""
    ends = {"from": form.from_text, "from_id": form.from_id, "to": form.to_text, "to_id": form.to_id}
    return Here(here.path, (*ends.items(), *(pair for pair in here.query if pair[0] not in ends)), here.mailbox)


def _arrival(chosen: ItineraryView | None) -> datetime | None:
    """When the last of the trips that were chosen before has ended: no way back begins earlier."""
    return max((ride.trip.alight.time for ride in chosen.rides), default=None) if chosen else None


async def _strip(work: UnitOfWork, asked: Asked, arrival: datetime | None) -> list[DayPrice]:
    """A week with the day in its middle, but no day that is over where one leaves, or before the way there ends."""
    (origin,) = await get_sites(work, [asked.from_id])
    today = work.now.astimezone(ZoneInfo(origin.timezone)).date()
    first = max(today, arrival.date()) if arrival else today
    before = min(DAYS_AROUND, max(0, (asked.form.day - first).days))
    return await neighbouring_days(
        work,
        asked.from_id,
        asked.to_id,
        asked.form.day,
        before=before,
        after=2 * DAYS_AROUND - before,
        passengers=asked.form.travellers,
    )


def _trip_query(asked: Asked, filters: Filters, arrival: datetime | None, *, shown: int) -> TripQuery:
    depart_after = filters.depart_after
    if arrival and arrival.date() == asked.form.day:
        depart_after = max(depart_after or time.min, arrival.time())
    return TripQuery(
        from_id=asked.from_id,
        to_id=asked.to_id,
        date=asked.form.day,
        passengers=asked.form.travellers,
        sort=filters.sort,
        max_price=filters.max_price,
        depart_after=depart_after,
        depart_before=filters.depart_before,
        amenities=filters.amenities,
        seat_type=filters.seat or None,
        include_full=True,
        limit=shown,
    )


async def _view(
    work: UnitOfWork, asked: Asked, filters: Filters, found: TripPage, days: Sequence[DayPrice], here: Here
) -> ResultsView:
    operators = await list_operators(work, list({offer.operator.id for offer in found.items}))
    colors = {operator_id: operator.brand_color for operator_id, operator in operators.items()}
    tiles = _tiles(days, asked.form, here)
    state: Literal["trips", "none", "filtered"] = "trips" if found.items else "filtered" if filters.used else "none"
    prices = [offer.price for offer in found.items if offer.price] + [tile.price for tile in tiles if tile.price]
    return ResultsView(
        form=asked.form,
        from_name=asked.form.from_text,
        to_name=asked.form.to_text,
        state=state,
        trips=tuple(card_of_offer(offer, colors) for offer in found.items),
        total=found.total,
        days=tiles,
        sorts=sort_options(filters, here),
        leaves=leave_options(filters),
        seat_types=seat_options(filters, found),
        amenities=amenity_options(filters, found),
        max_price=filters.max_price_text,
        currency=prices[0].currency if prices else "",
        filters_used=filters.used,
        clear_url=here.with_query(dict.fromkeys([*FILTERS, "show"])),
        hidden=tuple((name, value) for name, value in here.query if name in CARRIED),
        suggestions=await _suggestions(work, asked, found, here) if state == "none" else (),
        way=_way(asked.form),
        carried=_carried(asked.form),
        more_url=here.with_query({"show": str(MOST_SHOWN if found.limit >= SHOWN_MORE else SHOWN_MORE)})
        if found.total > len(found.items) and found.limit < MOST_SHOWN
        else "",
    )


def _way(form: SearchForm) -> Literal["", "there", "back", "more"]:
    carried = dict(form.carried)
    if form.way == "round":
        return "there"
    return "back" if carried.get("back") else "more" if carried.get("with") else ""


def _carried(form: SearchForm) -> str:
    """What the addresses of trips have at their end: what the choice is for."""
    back = {"back": form.return_day.isoformat()} if form.way == "round" and form.return_day else {}
    query = urlencode(dict(form.carried) | back)
    return f"&{query}" if query else ""


def _tiles(days: Sequence[DayPrice], form: SearchForm, here: Here) -> tuple[DayTile, ...]:
    """The lowest price is marked where prices differ."""
    amounts = [day.price.minor for day in days if day.price]
    lowest = min(amounts) if len(set(amounts)) > 1 else None
    return tuple(
        DayTile(
            day.date,
            _on(here, form, day.date),
            day.price,
            day.trips,
            is_current=day.date == form.day,
            is_cheapest=day.price is not None and day.price.minor == lowest,
        )
        for day in days
    )


async def _suggestions(work: UnitOfWork, asked: Asked, found: TripPage, here: Here) -> tuple[Suggestion, ...]:
    """Days near the one asked for that have trips, the nearest first; else the next day with any; else other places."""
    around = await neighbouring_days(
        work,
        asked.from_id,
        asked.to_id,
        asked.form.day,
        before=DAYS_FURTHER,
        after=DAYS_FURTHER,
        passengers=asked.form.travellers,
    )
    near = sorted((day for day in around if day.trips), key=lambda day: abs(day.date - asked.form.day))
    ways = [
        Suggestion(_day_name(day.date), _day_offer(day), _on(here, asked.form, day.date))
        for day in near[:MAX_SUGGESTIONS]
    ]
    if not ways and found.on_sale:
        day = max(found.on_sale.first_day, min(asked.form.day + timedelta(days=1), found.on_sale.last_day))
        ways.append(Suggestion(_day_name(day), _("The nearest day on which coaches run"), _on(here, asked.form, day)))
    if not ways:
        ways = [
            Suggestion(
                _("To {place}").format(place=near.name),
                _("{distance} km from {place}").format(distance=round(near.distance_km), place=asked.form.to_text),
                here.with_query({"to": near.name, "to_id": str(near.id), "show": None}),
            )
            for near in await nearby_destinations(work, asked.from_id, asked.to_id, limit=MAX_SUGGESTIONS)
        ]
    return tuple(ways)


def _day_name(day: date) -> str:
    return day_in_words(day)


def _day_offer(day: DayPrice) -> str:
    trips = ngettext("{count} trip", "{count} trips", day.trips).format(count=day.trips)
    if day.price is None:
        return trips
    return _("{trips} from {price}").format(trips=trips, price=format_money(day.price))


def _on(here: Here, form: SearchForm, day: date) -> str:
    """The same search on another day. A way back goes along, where it would be before the way there."""
    changes: dict[str, str | None] = {"date": day.isoformat(), "show": None}
    if form.way == "round" and form.return_day and form.return_day < day:
        changes["return"] = day.isoformat()
    if dict(form.carried).get("back"):
        changes["back"] = day.isoformat()
    return here.with_query(changes)


def _shown(query: dict[str, str]) -> int:
    return min(max(whole_number(query.get("show", ""), FIRST_SHOWN), FIRST_SHOWN), MOST_SHOWN)


def _is_incomplete(query: dict[str, str]) -> bool:
    return not (query.get("from") and query.get("to"))


def _swapped(query: dict[str, str]) -> dict[str, str | None]:
    return {
        "from": query.get("to"),
        "from_id": query.get("to_id"),
        "to": query.get("from"),
        "to_id": query.get("from_id"),
        "swap": None,
    }
