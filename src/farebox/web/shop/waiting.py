"""A change that waits for its payment: begun, paid in another way, or taken back."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.accounts import Actor
from farebox.bookings import (
    Booking,
    Change,
    ChangeNotFound,
    get_booking,
    get_change,
    get_pending_change,
    withdraw_change,
)
from farebox.core.db import UnitOfWork
from farebox.payments import PaymentView, list_payments, methods_for, start_payment
from farebox.web.pages import AnyRequest, is_part, page, see_other
from farebox.web.shop.checkouts import checkout_origins, page_of
from farebox.web.shop.conditions import moment
from farebox.web.shop.finding import parse_id
from farebox.web.shop.methods import chosen_method, method_options
from farebox.web.shop.story import zone_of
from farebox.web.views.after import WaitingView
from farebox.wiring import Services

SAID = {"applied": "changed", "failed": "change-failed", "withdrawn": "change-withdrawn"}
"""What became of a change -> what the booking's page tells of it."""

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class WaitingController(Controller):
    path = "/bookings/{booking_id:uuid}/change/waiting"
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def wait(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID
    ) -> Template | Redirect | Response[None]:
        """Where one comes back to from paying: goes on once it is known what became of the change."""
        booking = await get_booking(work, booking_id, actor=actor)
        try:
            change = await get_pending_change(work, booking_id, actor=actor)
        except ChangeNotFound:
            said = await _became(work, booking, parse_id(request.query_params.get("change", "")))
            url = f"/bookings/{booking_id}?said={said}" if said else f"/bookings/{booking_id}"
            return Response(None, headers={"HX-Redirect": url}) if is_part(request) else see_other(url)
        payments = await list_payments(work, booking_id, actor=actor)
        view = _view(booking, change, payments, services)
        origins = checkout_origins(services.providers)
        return page(request, "after/waiting.html", view, is_private=True, form_origins=origins)

    @post(opt={"rate": "booking"})
    async def decide(
        self, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID, data: Form
    ) -> Redirect:
        """Pay in this way, or take the change back."""
        try:
            change = await get_pending_change(work, booking_id, actor=actor)
            if data.get("withdraw"):
                await withdraw_change(work, booking_id, actor=actor)
                return see_other(f"/bookings/{booking_id}?said=change-withdrawn")
        except ChangeNotFound:
            return see_other(f"/bookings/{booking_id}/change/waiting")
        return await pay_for_change(work, change, actor, services, data.get("method", ""))


async def pay_for_change(work: UnitOfWork, change: Change, actor: Actor, services: Services, method: str) -> Redirect:
    """Begin the payment of a change, and go to its page."""
    await work.commit()  # the payment has units of work of its own; this one must not sit on a connection meanwhile
    back = f"/bookings/{change.booking_id}/change/waiting?change={change.id}"
    payment = await start_payment(
        services.database,
        change.booking_id,
        method=chosen_method(method, methods_for(change.owed.currency, services.providers)),
        return_url=back,
        change_id=change.id,
        actor=actor,
        providers=services.providers,
        settings=services.settings,
    )
    return see_other(page_of(payment, services.settings) or back)


async def _became(work: UnitOfWork, booking: Booking, change_id: UUID | None) -> str:
    """What became of a change of the booking that waits no longer."""
    if change_id is None:
        return ""
    try:
        change = await get_change(work, change_id)
    except ChangeNotFound:
        return ""
    return SAID.get(change.status, "") if change.booking_id == booking.id else ""


def _view(booking: Booking, change: Change, payments: Sequence[PaymentView], services: Services) -> WaitingView:
    at = f"/bookings/{booking.id}"
    latest = next((payment for payment in payments if payment.created_at >= change.created_at), None)
    is_begun = latest is not None and latest.is_open
    return WaitingView(
        reference=booking.reference,
        action=f"{at}/change/waiting",
        back_url=at,
        refresh_url=f"{at}/change/waiting?change={change.id}",
        owed=change.owed,
        until=moment(change.expires_at, zone_of(booking)),
        is_begun=is_begun,
        payment_url=page_of(latest, services.settings) if latest and is_begun else "",
        methods=method_options(methods_for(change.owed.currency, services.providers), latest.method if latest else ""),
    )
