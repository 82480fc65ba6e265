"""The tickets of what somebody is going to do, ready for the door."""

from litestar import Controller, get
from litestar.response import Template
from markupsafe import Markup

from farebox.accounts import Actor
from farebox.bookings import list_bookings_ahead
from farebox.core.db import UnitOfWork
from farebox.ticketing import qr_svg, ticket_cards_of
from farebox.web.account.showing import account_page, as_traveller, line_of, me, page_number, pages_of
from farebox.web.pages import AnyRequest
from farebox.web.views.account import TicketGroup, TicketsView
from farebox.web.views.booking import TicketView
from farebox.wiring import Services

PATH = "/account/tickets"
PAGE = 5


class MyTicketsController(Controller):
    @get(PATH, opt={"access": "user"}, include_in_schema=False)
    async def tickets(self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services) -> Template:
        """Those of the next bookings, the first first."""
        person = await me(work, actor, services)
        number = page_number(request)
        bookings, total = await list_bookings_ahead(
            work, actor=as_traveller(actor), limit=PAGE, offset=(number - 1) * PAGE
        )
        cards = await ticket_cards_of(work, bookings, secrets=services.secrets)
        groups = tuple(
            TicketGroup(
                line=line_of(booking, work.now),
                # Our own drawing of our own token: no text of anybody's is in it.
                tickets=tuple(TicketView(card, Markup(qr_svg(card.token))) for card in cards[booking.id]),  # noqa: S704
                pdf_url=f"/bookings/{booking.id}/tickets.pdf",
                calendar_url=f"/bookings/{booking.id}/trip.ics",
            )
            for booking in bookings
        )
        view = TicketsView(groups, pages_of(PATH, "", number, PAGE, total))
        return account_page(request, "account/tickets.html", view, person=person, services=services)
