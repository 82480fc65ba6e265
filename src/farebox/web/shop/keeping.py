"""Keeping a visitor's booking in an account: the address is the booking's, only a password is missing."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox import accounts
from farebox.accounts import Actor
from farebox.bookings import Booking, get_booking
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.web.account.registering import verification_sent
from farebox.web.pages import AnyRequest, page, see_other, with_next
from farebox.web.shop.booked import is_guest
from farebox.web.views.privacy import KeepView
from farebox.wiring import Services

LONGEST = 1000

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class KeepController(Controller):
    path = "/bookings/{booking_id:uuid}/account"
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def ask(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID
    ) -> Template | Redirect:
        view = keep_view(await get_booking(work, booking_id, actor=actor), services.secrets)
        if view is None:
            return see_other(f"/bookings/{booking_id}")
        return page(request, "booking/keep.html", view, is_private=True)

    @post(opt={"rate": "sign-in"})
    async def keep(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID, data: Form
    ) -> Template | Redirect:
        """The booking moves once the link that is mailed to its address was used: nobody else can make it theirs.

        Signing in after that leads back to it.
        """
        at = f"/bookings/{booking_id}"
        view = keep_view(await get_booking(work, booking_id, actor=actor), services.secrets)
        if view is None:
            return see_other(at)
        try:
            await accounts.register(
                work,
                email=view.email,
                password=data.get("password", "")[:LONGEST],
                next_path=at,
                passwords=services.passwords,
                jobs=services.jobs,
                secrets=services.secrets,
            )
        except Invalid as error:
            refused = replace(view, error=error.errors[0].text())
            return page(request, "booking/keep.html", refused, status=422, is_private=True)
        return verification_sent(request, view.email, at)


def keep_view(booking: Booking, secrets: Secrets) -> KeepView | None:
    """What a booking's page offers to its visitor; nothing where the booking is in an account already."""
    email = booking.contact.email.open(secrets)
    if not is_guest(booking) or not email:
        return None
    at = f"/bookings/{booking.id}"
    return KeepView(f"{at}/account", with_next("/sign-in", at), email)
