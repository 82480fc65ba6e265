"""All that somebody has booked."""

from typing import get_args

from litestar import Controller, get
from litestar.response import Template

from farebox.accounts import Actor
from farebox.bookings import ListedStatus, list_bookings
from farebox.core.db import UnitOfWork
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.web.account.showing import account_page, as_traveller, line_of, me, page_number, pages_of
from farebox.web.pages import AnyRequest
from farebox.web.views.account import BookingsView
from farebox.web.views.trips import Option
from farebox.wiring import Services

PATH = "/account/bookings"
PAGE = 10

FILTERS = {
    "": N_("All"),
    "upcoming": N_("Upcoming"),
    "pending": N_("To be paid"),
    "completed": N_("Past"),
    "cancelled": N_("Cancelled"),
}


class MyBookingsController(Controller):
    @get(PATH, opt={"access": "user"}, include_in_schema=False)
    async def bookings(self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services) -> Template:
        """Filtered by state, some at a time; what an address says wrongly is passed over."""
        person = await me(work, actor, services)
        wanted = request.query_params.get("status", "")
        chosen: ListedStatus | None = next((each for each in get_args(ListedStatus) if each == wanted), None)
        number = page_number(request)
        found, total = await list_bookings(
            work, actor=as_traveller(actor), status=chosen, limit=PAGE, offset=(number - 1) * PAGE
        )
        view = BookingsView(
            lines=tuple(line_of(booking, work.now) for booking in found),
            filters=tuple(
                Option(code, _(label), code == (chosen or ""), f"{PATH}?status={code}" if code else PATH)
                for code, label in FILTERS.items()
            ),
            chosen=chosen or "",
            pages=pages_of(PATH, f"status={chosen}&" if chosen else "", number, PAGE, total),
        )
        return account_page(request, "account/bookings.html", view, person=person, services=services)
