"""Fares: what each way costs and what says so, and those that are set by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor, Permission
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import format_money
from farebox.core.i18n import gettext as _
from farebox.pricing import FareCell, Fares, Ride, end_fare, get_fare_book, load_fares, set_fare
from farebox.timetable import Departure, LineName, NotBoardable, list_lines, list_patterns, list_served_places
from farebox.web.account.showing import page_number, pages_of
from farebox.web.console.fare_forms import FIELDS, amounts_of, fare_undo, read_cell, seat_options
from farebox.web.console.history import history_of
from farebox.web.console.office import Form, office_of
from farebox.web.console.trying import SOURCES, find_stretch, line_options
from farebox.web.console.typed import Typed
from farebox.web.labels import seat_type_label
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.shop.finding import fold
from farebox.web.views.console import AskView, Office
from farebox.web.views.fares import FareRow, FaresView, FareView
from farebox.web.views.trips import Option

PAGE: Final = 50
UNREADABLE: Final = 422


class FaresController(Controller):
    path = "/console/{operator_id:uuid}/fares"
    opt = {"access": "staff", "permission": Permission.FARES_CHANGE}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def fares(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "fares", actor=actor)
        return page(request, "console/fares.html", await _view(request, work, office, actor), is_private=True)

    @get("/set")
    async def ask(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        """Of a way that is named, or of one to be chosen."""
        office = await office_of(work, operator_id, "fares", actor=actor)
        book = await get_fare_book(work, operator_id, actor=actor)
        typed = {name: request.query_params.get(name, "") for name in ("from", "to", "seat", "line")}
        cell = next((each for each in book.cells if _key(each) == (typed["from"], typed["to"], typed["seat"])), None)
        if cell is not None:
            typed |= amounts_of(cell)
        view = await _form(work, office, book.terms.currency, typed)
        view = replace(view, now=await _now(work, operator_id, typed))
        return page(request, "console/fare.html", view, is_private=True)

    @post("/set")
    async def set(
        self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, data: Form
    ) -> Template | Redirect:
        office = await office_of(work, operator_id, "fares", actor=actor)
        book = await get_fare_book(work, operator_id, actor=actor)
        typed = Typed(data, book.terms.currency)
        cell = read_cell(typed)
        if cell is not None:
            try:
                await set_fare(work, operator_id, cell, actor=actor)
            except Invalid as invalid:
                typed.take(invalid.errors, FIELDS)
        if cell is None or typed.errors:
            view = await _form(work, office, typed.currency, data, typed.errors)
            return page(request, "console/fare.html", view, status=UNREADABLE, is_private=True)
        before = next((each for each in book.cells if _key(each) == _key(cell)), None)
        was = amounts_of(before) if before else {}
        return see_other(_back(office, typed.text("line"), {"done": "set", **_named(cell), **was}))

    @get("/end")
    async def ask_to_end(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "fares", actor=actor)
        asked = {name: request.query_params.get(name, "") for name in ("from", "to", "seat", "line")}
        names = await list_served_places(work, operator_id)
        way = _("{origin} to {destination}").format(
            origin=_place(names, asked["from"]), destination=_place(names, asked["to"])
        )
        view = AskView(
            office,
            _("End the fare {way}?").format(way=way),
            _("From the next price on the timetable's fare counts again, or the one by distance. Bookings that exist"
              " keep their prices. You can put it back right afterwards."),
            f"{office.path}/fares/end?{urlencode(asked)}",
            _("End this fare"),
        )  # fmt: skip
        return page(request, "console/ask.html", view, is_private=True)

    @post("/end")
    async def end(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Redirect:
        office = await office_of(work, operator_id, "fares", actor=actor)
        asked = request.query_params
        ended = await end_fare(
            work, operator_id, _id(asked.get("from")), _id(asked.get("to")), asked.get("seat", ""), actor=actor
        )
        told = {"done": "ended", **_named(ended), **amounts_of(ended)}
        return see_other(_back(office, asked.get("line", ""), told))


async def _view(request: AnyRequest, work: UnitOfWork, office: Office, actor: Actor) -> FaresView:
    asked, operator_id = request.query_params, office.operator.id
    fares = await load_fares(work, operator_id)
    lines = await list_lines(work, operator_id)
    line = asked.get("line", "")
    line_id = next((each.id for each in lines if str(each.id) == line), None)
    names = await list_served_places(work, operator_id)
    if line_id is None:
        rows, line = _rows_by_hand(office, fares, names), ""
    else:
        rows = _rows_of_line(office, fares, await list_patterns(work, operator_id, line_id), line)
    source, search = asked.get("source", ""), asked.get("q", "").strip()[:60]
    found = [row for row in rows if source in {"", row.source or "none"} and _is_named(row, search)]
    number = page_number(request)
    query = urlencode({name: value for name, value in (("line", line), ("source", source), ("q", search)) if value})
    lacks: Literal["", "by-hand", "found", "departures"] = ""
    if not found:
        lacks = "found" if rows else "departures" if line else "by-hand"
    return FaresView(
        office=office,
        currency=fares.currency,
        rows=tuple(found[(number - 1) * PAGE : number * PAGE]),
        pages=pages_of(f"{office.path}/fares", f"{query}&" if query else "", number, PAGE, len(found)),
        lines=_line_options(lines, line),
        line=line,
        sources=_source_options(source),
        source=source,
        search=search,
        lacks=lacks,
        done=_done(asked.get("done", "")),
        undo=fare_undo(office, asked),
        history=await history_of(work, office, ("fare", "distance", "surcharge", "feed"), actor=actor, places=names),
    )


def _rows_by_hand(office: Office, fares: Fares, names: Mapping[UUID, str]) -> list[FareRow]:
    discounted = fares.terms.discounted
    rows = [
        FareRow(
            origin=names.get(cell.from_place, _("A place without coaches")),
            destination=names.get(cell.to_place, _("A place without coaches")),
            seat=seat_type_label(cell.seat_type) if cell.seat_type else _("Any seat"),
            adult=cell.adult,
            child=cell.child if cell.child is not None else discounted(cell.adult, "child"),
            senior=cell.senior if cell.senior is not None else discounted(cell.adult, "senior"),
            source="hand",
            set_url=f"{office.path}/fares/set?{urlencode(_named(cell))}",
            end_url=f"{office.path}/fares/end?{urlencode(_named(cell))}",
            try_url="",
        )
        for cell in fares.cells
    ]
    return sorted(rows, key=lambda row: (row.origin, row.destination, row.seat))


def _rows_of_line(office: Office, fares: Fares, ways: Sequence[Departure], line: str) -> list[FareRow]:
    """Every pair of places between which somebody may ride, once for each type of seat."""
    rows: dict[tuple[UUID, UUID, str], FareRow] = {}
    cells = {_key(cell) for cell in fares.cells}
    for way in ways:
        places = list(dict.fromkeys(call.place_id for call in way.calls))
        for origin in places:
            for destination in places:
                try:
                    stretch = way.segment(origin, destination)
                except NotBoardable:
                    continue
                ride = Ride.of(way, stretch.board, stretch.alight)
                for seat_type in way.seat_plan.seat_types:
                    if (origin, destination, seat_type) in rows or origin == destination:
                        continue
                    ends = (stretch.board.place_name, stretch.alight.place_name)
                    rows[origin, destination, seat_type] = _row(office, fares, ride, ends, seat_type, cells, line)
    return list(rows.values())


def _row(
    office: Office,
    fares: Fares,
    ride: Ride,
    ends: tuple[str, str],
    seat_type: str,
    cells: set[tuple[str, str, str]],
    line: str,
) -> FareRow:
    adult, child, senior = (fares.named(ride, seat_type, kind) for kind in ("adult", "child", "senior"))
    way = {"from": str(ride.from_place), "to": str(ride.to_place)}
    of_cell = seat_type if (way["from"], way["to"], seat_type) in cells else ""
    is_by_hand = adult is not None and adult[1] == "hand"
    named = {**way, "seat": of_cell if is_by_hand else seat_type, "line": line}
    return FareRow(
        origin=ends[0],
        destination=ends[1],
        seat=seat_type_label(seat_type),
        adult=adult[0] if adult else None,
        child=child[0] if child else None,
        senior=senior[0] if senior else None,
        source=adult[1] if adult else None,
        set_url=f"{office.path}/fares/set?{urlencode(named)}",
        end_url=f"{office.path}/fares/end?{urlencode(named)}" if is_by_hand else "",
        try_url=f"{office.path}/fares/try?{urlencode({**way, 'line': line, 'seat': seat_type})}",
    )


async def _form(
    work: UnitOfWork, office: Office, currency: str, typed: Mapping[str, str], errors: Mapping[str, str] | None = None
) -> FareView:
    names = await list_served_places(work, office.operator.id)
    places = {str(place_id): name for place_id, name in names.items()}
    is_fixed = typed.get("from", "") in places and typed.get("to", "") in places and not errors
    return FareView(
        office=office,
        currency=currency,
        places=(Option("", _("Choose a place")), *(Option(place_id, name) for place_id, name in places.items())),
        seats=seat_options(typed.get("seat", "")),
        typed=typed,
        is_fixed=is_fixed,
        origin=places.get(typed.get("from", ""), ""),
        destination=places.get(typed.get("to", ""), ""),
        errors=errors or {},
    )


async def _now(work: UnitOfWork, operator_id: UUID, typed: Mapping[str, str]) -> str:
    """What the way that is named costs an adult now, and what says so; empty where no line is known."""
    found = find_stretch(
        await list_patterns(work, operator_id, _id(typed["line"])), _id(typed["from"]), _id(typed["to"])
    )
    if found is None:
        return ""
    pattern, stretch = found
    ride = Ride.of(pattern, stretch.board, stretch.alight)
    named = (await load_fares(work, operator_id)).named(ride, typed["seat"] or pattern.seat_plan.seat_types[0])
    if named is None:
        return _("Now this way is not sold.")
    why = _(SOURCES[named[1]][1]).format(km=round(ride.kilometres))
    return _("Now an adult pays {amount}. {why}").format(amount=format_money(named[0]), why=why)


def _key(cell: FareCell) -> tuple[str, str, str]:
    return str(cell.from_place), str(cell.to_place), cell.seat_type


def _named(cell: FareCell) -> dict[str, str]:
    """Which fare it is, for an address."""
    return dict(zip(("from", "to", "seat"), _key(cell), strict=True))


def _back(office: Office, line: str, told: Mapping[str, str]) -> str:
    return f"{office.path}/fares?{urlencode({**({'line': line} if line else {}), **told})}"


def _is_named(row: FareRow, search: str) -> bool:
    return fold(search) in fold(f"{row.origin} {row.destination} {row.seat}")


def _line_options(lines: Sequence[LineName], chosen: str) -> tuple[Option, ...]:
    by_hand = Option("", _("All fares set by hand"), not chosen)
    return (by_hand, *line_options(lines, chosen))


def _source_options(chosen: str) -> tuple[Option, ...]:
    named = [("", _("Anything")), *((code, _(name)) for code, (name, _hint) in SOURCES.items())]
    return tuple(Option(code, name, code == chosen) for code, name in (*named, ("none", _("Not sold"))))


def _place(names: Mapping[UUID, str], text: str) -> str:
    return next((name for place_id, name in names.items() if str(place_id) == text), "?")


def _id(text: str | None) -> UUID:
    """Of nothing where it is none."""
    try:
        return UUID(text or "")
    except ValueError:
        return UUID(int=0)


def _done(what: str) -> str:
    return {
        "set": _("The fare was set. It counts from the next price on."),
        "ended": _("The fare was ended. It counts no more from the next price on."),
        "distance": _("The prices were saved. They count from the next price on."),
    }.get(what, "")
