"""The first page of somebody who has signed in: what comes next, what waits for them, and what there was."""

from litestar import Controller, get
from litestar.response import Template

from farebox.accounts import Actor
from farebox.bookings import list_bookings, list_bookings_ahead, summarise_bookings
from farebox.core.db import UnitOfWork
from farebox.web.account.showing import account_page, as_traveller, line_of, me
from farebox.web.pages import AnyRequest
from farebox.web.views.account import OverviewView
from farebox.wiring import Services

RECENT = 4
PENDING = 3


class OverviewController(Controller):
    @get("/account", opt={"access": "user"}, include_in_schema=False)
    async def overview(self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services) -> Template:
        person = await me(work, actor, services)
        own = as_traveller(actor)
        ahead, count = await list_bookings_ahead(work, actor=own, limit=1)
        pending, _total = await list_bookings(work, actor=own, status="pending", limit=PENDING)
        recent, _total = await list_bookings(work, actor=own, limit=RECENT)
        summary = await summarise_bookings(work, actor=own)
        view = OverviewView(
            name=person.first_name,
            next_up=line_of(ahead[0], work.now) if ahead else None,
            pending=tuple(line_of(booking, work.now) for booking in pending),
            recent=tuple(line_of(booking, work.now) for booking in recent),
            ahead=count,
            trips=summary.trips,
            spent=summary.spent,
        )
        return account_page(request, "account/overview.html", view, person=person, services=services)
