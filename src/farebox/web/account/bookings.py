"""All that somebody has booked: filtered, searched, in the order wanted, as cards or as a table."""

from datetime import date
from typing import Final, cast
from urllib.parse import urlencode

from litestar import Controller, get
from litestar.datastructures import Cookie
from litestar.response import Template

from farebox.accounts import Actor
from farebox.bookings import BookingOrder, ListedStatus, list_bookings, summarise_bookings
from farebox.core.db import UnitOfWork
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.core.settings import Settings
from farebox.web.account.showing import account_page, as_traveller, line_of, me, page_number, pages_of
from farebox.web.pages import AnyRequest
from farebox.web.shop.finding import parse_day
from farebox.web.views.account import BookingsView
from farebox.web.views.trips import Option
from farebox.wiring import Services

PATH: Final = "/account/bookings"
PAGE: Final = 10
LONGEST_SEARCH: Final = 60
VIEW_COOKIE: Final = "farebox_bookings"
"""Remembers in which form somebody likes the list."""

A_YEAR_SECONDS: Final = 365 * 86_400

FILTERS: Final = {
    "": N_("All"),
    "upcoming": N_("Upcoming"),
    "pending": N_("To be paid"),
    "completed": N_("Past"),
    "cancelled": N_("Cancelled"),
}

ORDERS: Final = {
    "-created": N_("Booked last"),
    "created": N_("Booked first"),
    "departure": N_("Departure, earliest first"),
    "-departure": N_("Departure, latest first"),
    "status": N_("State"),
    "reference": N_("Reference"),
}

FORMS: Final = {"cards": (N_("Cards"), "overview"), "table": (N_("Table"), "list")}


class MyBookingsController(Controller):
    @get(PATH, opt={"access": "user"}, include_in_schema=False)
    async def bookings(self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services) -> Template:
        """What an address says wrongly is passed over."""
        person = await me(work, actor, services)
        own = as_traveller(actor)
        asked = request.query_params
        status = next((each for each in FILTERS if each and each == asked.get("status")), None)
        order = asked.get("sort", "")
        order = order if order in ORDERS else next(iter(ORDERS))
        search = asked.get("search", "")[:LONGEST_SEARCH].strip()
        first, last = parse_day(asked.get("from", "")), parse_day(asked.get("to", ""))
        number = page_number(request)
        found, total = await list_bookings(
            work,
            actor=own,
            status=cast("ListedStatus | None", status),
            search=search,
            first_day=first,
            last_day=last,
            sort=cast("BookingOrder", order),
            limit=PAGE,
            offset=(number - 1) * PAGE,
        )
        summary = await summarise_bookings(work, actor=own)
        form, cookies = _form(request, services.settings)
        query = _query(status=status or "", search=search, first=first, last=last, order=order)
        lines = tuple(line_of(booking, work.now) for booking in found)
        view = BookingsView(
            lines=lines,
            filters=tuple(
                Option(code, _(label), code == (status or ""), _url({**query, "status": code}))
                for code, label in FILTERS.items()
            ),
            chosen=status or "",
            pages=pages_of(PATH, f"{urlencode(query)}&" if query else "", number, PAGE, total),
            form=form,
            forms=tuple(
                Option(code, _(label), code == form, _url({**query, "view": code}), icon=drawing)
                for code, (label, drawing) in FORMS.items()
            ),
            orders=tuple(Option(code, _(label), code == order) for code, label in ORDERS.items()),
            search=search,
            first_day=first.isoformat() if first else "",
            last_day=last.isoformat() if last else "",
            is_narrowed=bool(search or first or last),
            bookings=summary.bookings,
            trips=summary.trips,
            spent=summary.spent,
        )
        return account_page(request, "account/bookings.html", view, person=person, services=services, cookies=cookies)


def _query(*, status: str, search: str, first: date | None, last: date | None, order: str) -> dict[str, str]:
    """What the addresses of the page carry: nothing that says no more than is usual."""
    named = {
        "status": status,
        "search": search,
        "from": first.isoformat() if first else "",
        "to": last.isoformat() if last else "",
        "sort": "" if order == next(iter(ORDERS)) else order,
    }
    return {name: value for name, value in named.items() if value}


def _url(query: dict[str, str]) -> str:
    kept = urlencode({name: value for name, value in query.items() if value})
    return f"{PATH}?{kept}" if kept else PATH


def _form(request: AnyRequest, settings: Settings) -> tuple[str, list[Cookie]]:
    """Cards or a table: as asked for just now, which is remembered, or as before."""
    wanted, before = request.query_params.get("view", ""), request.cookies.get(VIEW_COOKIE, "")
    if wanted not in FORMS:
        return (before if before in FORMS else next(iter(FORMS))), []
    cookie = Cookie(
        key=VIEW_COOKIE,
        value=wanted,
        path="/account",
        max_age=A_YEAR_SECONDS,
        httponly=True,
        secure=settings.base_url.startswith("https:"),
        samesite="lax",
    )
    return wanted, [cookie]
