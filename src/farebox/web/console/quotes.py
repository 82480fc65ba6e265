"""The box that tells what a ride would cost, and why."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, get
from litestar.response import Template

from farebox.accounts import Actor, Permission
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.pricing import BASIS_POINTS, Fares, NotForSale, Occasion, PassengerType, load_fares
from farebox.timetable import Departure, NotBoardable, list_lines, list_patterns
from farebox.web.console.fare_forms import seat_options
from farebox.web.console.office import office_of
from farebox.web.console.trying import MOST_PEOPLE, Example, chosen_line, find_stretch, line_options, price_example
from farebox.web.console.typed import Typed
from farebox.web.pages import AnyRequest, page
from farebox.web.views.console import Office
from farebox.web.views.fares import TriedQuote, TryView
from farebox.web.views.trips import Option

PASSENGERS: Final[tuple[PassengerType, ...]] = ("adult", "child", "senior")
FIELDS: Final = ("line", "from", "to", "seat", "day", "bought", "load", "back", *PASSENGERS)


class TryController(Controller):
    path = "/console/{operator_id:uuid}/fares/try"
    opt = {"access": "staff", "permission": Permission.FARES_CHANGE}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def show(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "fares", actor=actor)
        fares = await load_fares(work, operator_id)
        lines = await list_lines(work, operator_id)
        line_id = chosen_line(lines, request.query_params.get("line", ""))
        ways = await list_patterns(work, operator_id, line_id) if line_id else []
        form = _filled(request.query_params, str(line_id or ""), ways, _today(office, work.now))
        typed = Typed(form, fares.currency)
        quote, refusal = _quote(typed, fares, ways)
        view = TryView(
            office=office,
            lines=line_options(lines, form["line"]),
            places=_places(ways),
            seats=seat_options(form["seat"]),
            typed=form,
            quote=quote,
            refusal=refusal,
            errors=typed.errors,
        )
        return page(request, "console/try.html", view, is_private=True)


def _filled(asked: Mapping[str, str], line: str, ways: Sequence[Departure], today: date) -> dict[str, str]:
    """What was asked, and for what was not, what is likely: all of the first way, tomorrow, one adult."""
    form = {name: asked.get(name, "")[:60] for name in FIELDS} | {"line": line}
    places = {option.value for option in _places(ways)}
    if not {form["from"], form["to"]} <= places:
        form |= _ends(ways)
    form["bought"] = form["bought"] or today.isoformat()
    form["day"] = form["day"] or date.fromordinal(today.toordinal() + 7).isoformat()
    if not any(form[kind] for kind in PASSENGERS):
        form["adult"] = "1"
    return form | {name: form[name] or "0" for name in ("load", *PASSENGERS)}


def _ends(ways: Sequence[Departure]) -> dict[str, str]:
    for way in ways:
        try:
            stretch = way.segment(None, None)
        except NotBoardable:
            continue
        return {"from": str(stretch.board.place_id), "to": str(stretch.alight.place_id)}
    return {"from": "", "to": ""}


def _places(ways: Sequence[Departure]) -> tuple[Option, ...]:
    """The places of a line, in the order of its first way."""
    names: dict[str, str] = {}
    for way in ways:
        for call in way.calls:
            names.setdefault(str(call.place_id), call.place_name)
    return tuple(Option(place_id, name) for place_id, name in names.items())


def _quote(typed: Typed, fares: Fares, ways: Sequence[Departure]) -> tuple[TriedQuote | None, str]:
    """The quote, or why there is none."""
    if not ways:
        return None, _("This line has no departures on sale, so there is nothing to price.")
    found = find_stretch(ways, UUID(typed.text("from")), UUID(typed.text("to"))) if typed.text("from") else None
    if found is None:
        return None, _("This line carries nobody from the one to the other. Choose other places, or swap them.")
    day, bought, load = typed.day("day"), typed.day("bought"), typed.percent("load") or 0
    if not 0 <= load <= BASIS_POINTS:
        typed.refuse("load", _("A vehicle is at most 100% full."))
    if day and bought and bought > day:
        typed.refuse("bought", _("It must be bought before it leaves."))
    counts = {kind: typed.whole(kind) or 0 for kind in PASSENGERS}
    if not 1 <= sum(counts.values()) <= MOST_PEOPLE:
        typed.refuse("adult", _("Between 1 and {most} people.").format(most=MOST_PEOPLE))
    if typed.errors or day is None or bought is None:
        return None, ""
    way, stretch = found
    people = tuple(kind for kind, count in counts.items() for _person in range(count))
    seat_type = typed.text("seat") if typed.text("seat") in way.seat_plan.seat_types else ""
    occasion = Occasion(day, (day - bought).days, load, typed.text("back") == "yes")
    try:
        return price_example(fares, Example(way, stretch, occasion, people, seat_type)), ""
    except NotForSale as refused:
        return None, refused.text()


def _today(office: Office, now: datetime) -> date:
    return now.astimezone(ZoneInfo(office.operator.timezone)).date()
