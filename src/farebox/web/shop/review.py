"""Review and pay: what was chosen, what it costs, the terms, and the way to the payment page."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter
from litestar.response import Redirect, Template

from farebox.accounts import Actor
from farebox.bookings import (
    Booking,
    BookingExpired,
    NotModifiable,
    extend_booking,
    find_open_return,
    get_booking,
    update_passengers,
)
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import format_money
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.inventory import ExtensionLimit, HoldTerms
from farebox.payments import cancel_booking
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.shop.booked import cards_of, is_guest, price_of, rides_of
from farebox.web.shop.checkouts import checkout_origins
from farebox.web.shop.choosing_again import choose_again
from farebox.web.shop.clocks import clock_of_booking
from farebox.web.shop.invoice_details import INVOICE_NOTED
from farebox.web.shop.itinerary import MOST, read_itinerary, saved_of
from farebox.web.shop.methods import received
from farebox.web.shop.open_return import choice_of
from farebox.web.shop.paying import pay_booking, ways_to_pay
from farebox.web.shop.people import (
    details_of,
    id_types,
    passenger_types,
    read_contact,
    read_people,
    with_errors,
)
from farebox.web.shop.seating import seating_of_booking, with_picks
from farebox.web.shop.stretches import checkout_url
from farebox.web.shop.ticked import find_ticked, forget_ticked, keep_ticked
from farebox.web.shop.typed import contact_of, names_of, seated, told_of, typed_of_booking
from farebox.web.views.checkout import PassengersView, Problem, PromotionFields, ReviewView
from farebox.wiring import Services

LONGEST_CODE = 40

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class ReviewController(Controller):
    """A pending booking on its way to payment."""

    path = "/bookings/{booking_id:uuid}"
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get("/review")
    async def review(
        self,
        request: AnyRequest,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        booking_id: UUID,
        said: Annotated[str, Parameter(max_length=40)] = "",
    ) -> Template | Redirect:
        booking = await get_booking(work, booking_id, actor=actor)
        if booking.status != "pending":
            return see_other(await _choosing(work, booking, actor, services) or f"/bookings/{booking_id}")
        typed = find_ticked(request, booking_id, services.secrets)
        return await _page(request, work, booking, actor, services, typed, said=said)

    @post("/review", opt={"rate": "booking"})
    async def decide(
        self,
        request: AnyRequest,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        booking_id: UUID,
        data: Form,
    ) -> Template | Redirect:
        """Pay, extend the time, name other people, say whom the invoice is for, or give everything back."""
        booking = await get_booking(work, booking_id, actor=actor)
        if data.get("cancel"):
            await cancel_booking(work, booking_id, actor=actor)
        if data.get("cancel") or booking.status != "pending":
            return see_other(f"/bookings/{booking_id}")
        if data.get("invoice") or data.get("passengers"):
            kept = keep_ticked(booking_id, data, services.settings, services.secrets)
            away = "invoice-details" if data.get("invoice") else "passengers"
            return see_other(f"/bookings/{booking_id}/{away}", [kept])
        if data.get("extend"):
            booking = await _extended(work, booking, actor, services.settings)
            return await _page(request, work, booking, actor, services, data)
        is_typed = bool(data.get("promotion", "").strip())  # and not applied: nobody pays a price that leaves it out
        if is_typed or data.get("apply") or data.get("promotion_off") or data.get("open_return"):
            reprice = _choose_return if data.get("open_return") else _use_code
            return await reprice(request, work, booking, actor, services, data)
        return await _pay(request, work, booking, actor, services, data)

    @get("/passengers")
    async def passengers(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID
    ) -> Template | Redirect:
        booking = await get_booking(work, booking_id, actor=actor)
        if booking.status != "pending":
            return see_other(f"/bookings/{booking_id}")
        view = await _passengers(work, booking, actor, services)
        return page(request, "checkout/passengers.html", view, is_private=True)

    @post("/passengers", opt={"rate": "booking"})
    async def change_passengers(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID, data: Form
    ) -> Template | Redirect:
        booking = await get_booking(work, booking_id, actor=actor)
        seating = seating_of_booking(booking)
        people, contact = read_people(data, seating), read_contact(data)
        if data.get("extend"):
            booking = await _extended(work, booking, actor, services.settings)
            shown = tuple(with_picks(people, seating))
            view = replace(await _passengers(work, booking, actor, services), passengers=shown, contact=contact)
            return page(request, "checkout/passengers.html", view, is_private=True)
        details, reach = details_of(people, contact, seating)
        try:
            await update_passengers(
                work,
                booking_id,
                passengers=details,
                contact=reach,
                actor=actor,
                verticals=services.verticals,
                settings=services.settings,
                secrets=services.secrets,
            )
        except Invalid as error:
            people, contact, problems = with_errors(people, contact, error.errors, seating)
            view = replace(
                await _passengers(work, booking, actor, services),
                passengers=tuple(with_picks(people, seating)),
                contact=contact,
                problems=problems,
            )
            return page(request, "checkout/passengers.html", view, is_private=True, status=422)
        except NotModifiable:
            return see_other(f"/bookings/{booking_id}")
        return see_other(f"/bookings/{booking_id}/review")

    @get("/seats")
    async def change_seats(self, work: UnitOfWork, actor: Actor, booking_id: UUID) -> Redirect:
        """The way back from the review by its address: it changes nothing by itself."""
        booking = await get_booking(work, booking_id, actor=actor)
        return see_other(f"/bookings/{booking_id}/{'review' if booking.status == 'pending' else ''}".rstrip("/"))

    @post("/seats", opt={"rate": "booking"})
    async def reopen(
        self, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID, data: Form
    ) -> Redirect:
        """Choose other seats of a ride, a further ride, or leave one out: the held seats stay held, the people too."""
        return await choose_again(work, booking_id, actor, services, data)

    @post("/extend")
    async def extend(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID
    ) -> Template | Redirect:
        """More time. Scripts take the new clock out of the page."""
        booking = await _extended(work, await get_booking(work, booking_id, actor=actor), actor, services.settings)
        return await _page(request, work, booking, actor, services)


async def _choosing(work: UnitOfWork, booking: Booking, actor: Actor, services: Services) -> str:
    """Where the choice goes on that this booking was given up for: the browser's back button leads here."""
    itinerary = await read_itinerary(
        work, [item.hold_id for item in booking.items], actor=actor, verticals=services.verticals
    )
    return checkout_url([part.hold_id for part in itinerary.held], str(booking.id)) if itinerary.held else ""


async def _extended(work: UnitOfWork, booking: Booking, actor: Actor, settings: Settings) -> Booking:
    """The booking with more time, or as it is where there is no more to be had: its clock then says so."""
    try:
        return await extend_booking(work, booking.id, actor=actor, terms=HoldTerms.of(settings))
    except (ExtensionLimit, BookingExpired, NotModifiable):
        return booking


async def _pay(
    request: AnyRequest,
    work: UnitOfWork,
    booking: Booking,
    actor: Actor,
    services: Services,
    data: Mapping[str, str],
) -> Template | Redirect:
    """On to the money, once the terms are accepted."""
    if data.get("terms") != "1":
        problem = Problem("terms", _("Accept the conditions to go on."))
        return await _page(request, work, booking, actor, services, data, problem)
    try:
        return await pay_booking(work, booking, actor, services, data)
    except BookingExpired:  # in this very moment: its page says so
        return see_other(f"/bookings/{booking.id}")


async def _use_code(
    request: AnyRequest,
    work: UnitOfWork,
    booking: Booking,
    actor: Actor,
    services: Services,
    data: Mapping[str, str],
) -> Template:
    """The price anew with the code typed, or without any. What else was chosen stays."""
    try:
        booking = await update_passengers(
            work,
            booking.id,
            promo_code="" if data.get("promotion_off") else data.get("promotion", "")[:LONGEST_CODE],
            actor=actor,
            verticals=services.verticals,
            settings=services.settings,
            secrets=services.secrets,
        )
    except Invalid as error:
        problem = Problem("promotion", error.errors[0].text())
        return await _page(request, work, booking, actor, services, data, problem)
    return await _page(request, work, booking, actor, services, {**data, "promotion": ""})


async def _choose_return(
    request: AnyRequest,
    work: UnitOfWork,
    booking: Booking,
    actor: Actor,
    services: Services,
    data: Mapping[str, str],
) -> Template:
    """With the open return, or without it."""
    with suppress(Invalid):  # it is not sold any more: the page says so by not offering it
        booking = await update_passengers(
            work,
            booking.id,
            open_return=data["open_return"] == "on",
            actor=actor,
            verticals=services.verticals,
            settings=services.settings,
            secrets=services.secrets,
        )
    return await _page(request, work, booking, actor, services, data)


async def _page(
    request: AnyRequest,
    work: UnitOfWork,
    booking: Booking,
    actor: Actor,
    services: Services,
    typed: Mapping[str, str] | None = None,
    problem: Problem | None = None,
    said: str = "",
) -> Template:
    """The review, with what was chosen on it before."""
    typed = typed or {}
    ways = await ways_to_pay(work, booking, actor, services, typed)
    at = f"/bookings/{booking.id}"
    can_choose = actor.booking_id is None  # a code for the booking holds no seats
    view = ReviewView(
        reference=booking.reference,
        rides=rides_of(booking, services.secrets, work.now),
        saved=saved_of(booking.lines, booking.total.currency),
        can_choose=can_choose,
        can_add=can_choose and len(booking.items) < MOST,
        contact_email=booking.contact.email.open(services.secrets),
        contact_phone=booking.contact.phone.open(services.secrets),
        price=price_of(booking),
        clock=await clock_of_booking(work, booking),
        methods=ways.methods,
        due=ways.due,
        received=received(booking, ways.due),
        wallet=ways.wallet,
        promotion=_promotion(booking, typed, problem),
        open_return=choice_of(await find_open_return(work, booking.id, verticals=services.verticals), booking),
        action=f"{at}/review",
        seats_url=f"{at}/seats",
        said=_(INVOICE_NOTED) if said == "invoice-noted" else "",
        is_guest=is_guest(booking),
        terms_accepted=typed.get("terms") == "1",
        problems=(problem,) if problem else (),
    )
    return page(
        request,
        "checkout/review.html",
        view,
        is_private=True,
        status=422 if problem else 200,
        cookies=forget_ticked(request, booking.id, services.settings),
        form_origins=checkout_origins(services.providers),
    )


def _promotion(booking: Booking, typed: Mapping[str, str], problem: Problem | None) -> PromotionFields:
    """The code's field, or what the code does."""
    lines = [line for line in booking.lines if line.label == "promotion"]
    if lines:
        off = Money(-sum(line.amount.minor for line in lines), booking.total.currency)
        told = _("{code} takes {amount} off.").format(code=lines[0].facts.get("code", ""), amount=format_money(off))
        return PromotionFields(applied=told)
    error = problem.message if problem and problem.anchor == "promotion" else ""
    return PromotionFields(typed.get("promotion", "")[:LONGEST_CODE], error=error)


async def _passengers(work: UnitOfWork, booking: Booking, actor: Actor, services: Services) -> PassengersView:
    """Who came with a mailed code sees no documents here either, and types them again to change anything."""
    seating = seating_of_booking(booking)
    by_code = actor.booking_id is not None
    typed = names_of(booking, services.secrets) if by_code else typed_of_booking(booking, services.secrets)
    return PassengersView(
        trips=cards_of(booking),
        price=price_of(booking),
        clock=await clock_of_booking(work, booking),
        action=f"/bookings/{booking.id}/passengers",
        back_url=f"/bookings/{booking.id}/review",
        contact=contact_of(typed),
        passengers=tuple(with_picks(seated(typed, seating), seating)),
        passenger_types=passenger_types(),
        id_types=id_types(),
        told=told_of(typed),
    )
