"""What was asked for in the search form: read, understood, and given back as it was typed."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.core.settings import Settings
from farebox.search import PlaceSuggestion, suggest_places
from farebox.timetable import PlaceNotFound, get_sites
from farebox.web.views.trips import PlaceChoice, SearchForm

MAX_CHOICES = 6
USUAL_STAY = timedelta(days=2)
"""Between the way there and the way back, until a traveller says so."""

FURTHER = ("with", "back", "people")
"""What a search carries along that is for a further ride of an itinerary."""

LONGEST_NUMBER = 3
EARLIEST_ZONE = timedelta(hours=12)
"""How far behind UTC the day of a traveller may be."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A search that can be made.

    Attributes:
        from_id, to_id: of a place, a station or a stop.
    """

    form: SearchForm
    from_id: UUID
    to_id: UUID


@dataclass(frozen=True, slots=True)
class _Place:
    text: str
    id: UUID | None = None
    error: str = ""
    choices: tuple[PlaceChoice, ...] = ()


def blank_form(work: UnitOfWork, query: Mapping[str, str], settings: Settings) -> SearchForm:
    """The form as far as `query` fills it, with nothing looked up."""
    first = (work.now - EARLIEST_ZONE).date()
    last = first + timedelta(days=settings.sales_horizon_days + 1)
    day = parse_day(query.get("date", "")) or work.now.date() + timedelta(days=1)
    is_round = query.get("way", "round" if query.get("return") else "") == "round" and not query.get("with")
    return SearchForm(
        day=day,
        first_day=first,
        last_day=last,
        from_text=query.get("from", ""),
        from_id=query.get("from_id", ""),
        to_text=query.get("to", ""),
        to_id=query.get("to_id", ""),
        travellers=_travellers(query.get("travellers", ""), settings.max_seats),
        max_travellers=settings.max_seats,
        way="round" if is_round else "one",
        return_day=parse_day(query.get("return", "")) or min(last, min(last, day) + USUAL_STAY),
        carried=tuple((name, query[name]) for name in FURTHER if query.get(name)),
    )


async def read_search(work: UnitOfWork, query: Mapping[str, str], settings: Settings) -> Asked | SearchForm:
    """The search that `query` asks for, or the form with what is wrong or not clear in it."""
    form = blank_form(work, query, settings)
    origin = await _resolve(work, form.from_text, form.from_id, _("Enter where you want to leave from."))
    destination = await _resolve(work, form.to_text, form.to_id, _("Enter where you want to go."))
    errors = {name: place.error for name, place in (("from", origin), ("to", destination)) if place.error}
    if query.get("date") and parse_day(query["date"]) is None:
        errors["date"] = _("Enter the day as year, month and day, such as 2026-11-25.")
    if form.way == "round" and parse_day(query.get("return", "")) is None:
        errors["return"] = _("Enter the day of the way back.")
    elif form.way == "round" and form.return_day and form.return_day < form.day:
        errors["return"] = _("The way back cannot be on a day before the way there.")
    form = replace(
        form,
        from_text=origin.text,
        from_id=str(origin.id or ""),
        to_text=destination.text,
        to_id=str(destination.id or ""),
        errors=errors,
        choices={"from": origin.choices, "to": destination.choices},
    )
    if errors or origin.id is None or destination.id is None:
        return form
    return Asked(form, origin.id, destination.id)


def parse_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _resolve(work: UnitOfWork, text: str, given: str, missing: str) -> _Place:
    """The place meant. An id counts only while the text still says the same: without scripts it lags behind."""
    text = " ".join(text.split())
    place_id = parse_id(given)
    name = await _name_of(work, place_id) if place_id else None
    if name is not None and (not text or fold(name) == fold(text)):
        return _Place(text or name, place_id)
    if not text:
        return _Place(text, error=missing)
    found = await suggest_places(work, text, limit=MAX_CHOICES)
    if place_id is not None and _named(text, found) is None and any(place_id in _ids(place) for place in found):
        return _Place(text, place_id)
    return _choose(text, found)


def _choose(text: str, found: Sequence[PlaceSuggestion]) -> _Place:
    """The one that the text names in full, or the only one; else the traveller chooses."""
    named = _named(text, found)
    if named is not None:
        return named
    if len(found) == 1:
        return _Place(found[0].name, found[0].place_id)
    if not found:
        return _Place(text, error=_("We know no place called {name}. Check the spelling.").format(name=text))
    choices = tuple(PlaceChoice(str(place.place_id), place.name, place.region) for place in found)
    return _Place(text, error=_("More than one place is called so. Choose the one that you mean."), choices=choices)


def _named(text: str, found: Sequence[PlaceSuggestion]) -> _Place | None:
    """The place that is called just so, or the stop: in a town, people ride from one stop of a place to another."""
    same = [place for place in found if fold(place.name) == fold(text)]
    if len(same) == 1:
        return _Place(same[0].name, same[0].place_id)
    stops = [stop for place in found for stop in place.stops if fold(stop.name) == fold(text)]
    return _Place(stops[0].name, stops[0].stop_id) if len(stops) == 1 and not same else None


async def _name_of(work: UnitOfWork, site_id: UUID) -> str | None:
    try:
        (site,) = await get_sites(work, [site_id])
    except PlaceNotFound:
        return None
    return site.name


def _ids(place: PlaceSuggestion) -> set[UUID]:
    return {place.place_id, *(stop.stop_id for stop in place.stops)}


def fold(text: str) -> str:
    """A name without accents and capitals: who types "ha noi" means Hà Nội."""
    bare = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in bare if not unicodedata.combining(c)).casefold().strip()


def whole_number(text: str, otherwise: int) -> int:
    """A small number as an address has it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else otherwise


def _travellers(text: str, most: int) -> int:
    return min(max(whole_number(text, 1), 1), most)
