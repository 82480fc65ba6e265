"""The same trip once more, in one click: seats like the old ones are held, and the same people stand on the review.

Who has reached the booking with a mailed code gets the seats as well, held by their own session, and the names that
its page shows; documents and phones are typed again.
"""

from uuid import UUID

from litestar import Controller, post
from litestar.response import Redirect

from farebox.accounts import Actor
from farebox.bookings import BookingRequest, Contact, NothingFound, create_booking, get_booking, rebook
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import current_language
from farebox.inventory import HoldTerms, UnitsTaken
from farebox.web.pages import AnyRequest, see_other
from farebox.web.shop.cards import card_of_item, search_url
from farebox.web.shop.session import holder_of
from farebox.web.shop.stretches import checkout_url
from farebox.web.shop.typed import keep, names_for
from farebox.wiring import Services


class RebookController(Controller):
    path = "/bookings/{booking_id:uuid}/again"
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @post(opt={"rate": "booking"})
    async def again(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID
    ) -> Redirect:
        """To the review of the new booking; where nothing fits, to a search for the same way."""
        settings = services.settings
        old = await get_booking(work, booking_id, actor=actor)
        first = card_of_item(old.items[0])
        elsewhere = search_url(first.board, first.alight, len(old.items[0].units))
        holder, cookies = await holder_of(request, work, actor, services)
        try:
            found = await rebook(
                work,
                booking_id,
                actor=actor,
                holder=holder,
                verticals=services.verticals,
                terms=HoldTerms.of(settings),
                secrets=services.secrets,
            )
        except (NothingFound, UnitsTaken):
            return see_other(elsewhere, cookies)
        holds = tuple(each.hold.id for each in found if each.hold)
        people = tuple(person for each in found for person in each.people)
        if not people:  # a code shows the booking, but nobody's documents: those are typed anew
            kept = await keep(work, names_for(old, found, services.secrets), holder=holder, secrets=services.secrets)
            return see_other(checkout_url(holds, kept), cookies)
        contact = Contact(old.contact.email.open(services.secrets), old.contact.phone.open(services.secrets))
        try:
            new = await create_booking(
                work,
                BookingRequest(holds, people, contact),
                actor=actor,
                verticals=services.verticals,
                settings=settings,
                secrets=services.secrets,
                language=current_language(),
            )
        except Invalid:  # such as people whose documents were wiped: they are named anew
            return see_other(checkout_url(holds))
        return see_other(f"/bookings/{new.id}/review")
