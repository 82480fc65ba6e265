"""The passengers' step: seats are held, people are named, and a booking is made of both."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.accounts import Actor, get_operator, get_person
from farebox.bookings import Booking, BookingNotFound, BookingRequest, create_booking, get_booking
from farebox.coaches import SalesClosed, SeatLock, extend_lock, get_lock
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import current_language
from farebox.core.settings import Settings
from farebox.inventory import ExtensionLimit, HoldExpired, get_hold
from farebox.pricing import describe_line
from farebox.search import get_trip
from farebox.timetable import DepartureNotFound, NotBoardable
from farebox.web.labels import seat_place
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.shop.booked import BOOKED_BY
from farebox.web.shop.cards import card_of_detail, card_of_ride, search_url, seats_url
from farebox.web.shop.clocks import expired_url
from farebox.web.shop.finding import parse_id
from farebox.web.shop.people import (
    blank_people,
    contact_of_booking,
    details_of,
    id_types,
    passenger_types,
    people_of_booking,
    read_contact,
    read_people,
    with_errors,
)
from farebox.web.shop.seats import clock_of_lock
from farebox.web.shop.trips import FromId, ToId, Travellers
from farebox.web.views.checkout import ContactFields, ExpiredView, PassengersView, Price
from farebox.web.views.seats import PriceRow
from farebox.wiring import Services

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class PassengersController(Controller):
    """Between the seat map and the review. The hold's id is in the address, whose it is in the session."""

    path = "/checkout/{hold_id:uuid}"
    opt = {"access": "guest"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get("/passengers")
    async def passengers(
        self,
        request: AnyRequest,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        hold_id: UUID,
        people: str = "",
    ) -> Template | Redirect:
        lock = await _lock_or_elsewhere(work, hold_id, actor)
        if isinstance(lock, Redirect):
            return lock
        view = await _view(work, lock)
        earlier = await _earlier(work, parse_id(people), actor)
        if earlier:  # seats were changed: nobody types the same twice
            view = replace(
                view,
                passengers=tuple(people_of_booking(earlier, _seats(lock), services.secrets)),
                contact=contact_of_booking(earlier, services.secrets),
            )
        elif actor.kind == "user" and actor.id is not None:
            person = await get_person(work, actor.id, secrets=services.secrets)
            view = replace(view, contact=ContactFields(person.email, person.phone))
        return page(request, "checkout/passengers.html", view, is_private=True)

    @post("/passengers", opt={"rate": "booking"})
    async def name_passengers(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, hold_id: UUID, data: Form
    ) -> Template | Redirect:
        lock = await _lock_or_elsewhere(work, hold_id, actor)
        if isinstance(lock, Redirect):
            return lock
        people, contact = read_people(data, _seats(lock)), read_contact(data)
        if data.get("extend"):
            lock = await _extended(work, lock, actor, services.settings)
            view = replace(await _view(work, lock), passengers=tuple(people), contact=contact)
            return page(request, "checkout/passengers.html", view, is_private=True)
        details, reach = details_of(people, contact)
        try:
            booking = await create_booking(
                work,
                BookingRequest((hold_id,), details, reach),
                actor=actor,
                verticals=services.verticals,
                settings=services.settings,
                secrets=services.secrets,
                language=current_language(),
            )
        except Invalid as error:
            people, contact, problems = with_errors(people, contact, error.errors)
            view = replace(await _view(work, lock), passengers=tuple(people), contact=contact, problems=problems)
            return page(request, "checkout/passengers.html", view, is_private=True, status=422)
        except (HoldExpired, SalesClosed):
            return see_other(_expired(lock))
        return see_other(f"/bookings/{booking.id}/review")

    @post("/extend")
    async def extend(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, hold_id: UUID
    ) -> Template | Redirect:
        """More time. Scripts take the new clock out of the page."""
        lock = await _lock_or_elsewhere(work, hold_id, actor)
        if isinstance(lock, Redirect):
            return lock
        lock = await _extended(work, lock, actor, services.settings)
        return page(request, "checkout/passengers.html", await _view(work, lock), is_private=True)


class ExpiredController(Controller):
    """The end of the clock, before anything was booked."""

    @get("/expired", opt={"access": "public"}, include_in_schema=False)
    async def expired(
        self,
        request: AnyRequest,
        work: UnitOfWork,
        trip: UUID,
        from_id: FromId = None,
        to_id: ToId = None,
        travellers: Travellers = 1,
    ) -> Template:
        try:
            detail = await get_trip(work, trip, from_id, to_id)
        except (DepartureNotFound, NotBoardable):
            return page(request, "checkout/expired.html", ExpiredView("", "/"), status=410)
        card = card_of_detail(detail, await get_operator(work, detail.offer.operator.id))
        again = seats_url(card, travellers) if detail.is_on_sale and card.seats_available else ""
        view = ExpiredView(again, search_url(card.board, card.alight, travellers), card)
        return page(request, "checkout/expired.html", view, status=410)


async def _lock_or_elsewhere(work: UnitOfWork, hold_id: UUID, actor: Actor) -> SeatLock | Redirect:
    """The seats held, or where to go when they are not to be booked any more: the browser's back button leads here.

    Raises:
        HoldNotFound, BookingNotFound: somebody else's.
    """
    hold = await get_hold(work, hold_id)
    if hold.owner.startswith(BOOKED_BY):
        booking = await get_booking(work, UUID(hold.owner.removeprefix(BOOKED_BY)), actor=actor)
        step = "/passengers" if booking.status == "pending" else ""
        return see_other(f"/bookings/{booking.id}{step}")
    lock = await get_lock(work, hold_id, actor=actor)
    return lock if lock.state == "held" else see_other(_expired(lock))


async def _earlier(work: UnitOfWork, booking_id: UUID | None, actor: Actor) -> Booking | None:
    """The booking whose people are carried over, if it is this traveller's."""
    if booking_id is None:
        return None
    try:
        return await get_booking(work, booking_id, actor=actor)
    except BookingNotFound:
        return None


async def _extended(work: UnitOfWork, lock: SeatLock, actor: Actor, settings: Settings) -> SeatLock:
    """The hold with more time, or as it is where there is no more to be had: its clock then says so."""
    try:
        return await extend_lock(work, lock.id, actor=actor, settings=settings)
    except (ExtensionLimit, HoldExpired):
        return lock


async def _view(work: UnitOfWork, lock: SeatLock) -> PassengersView:
    operator = await get_operator(work, lock.departure.operator_id)
    seats = _seats(lock)
    trip = card_of_ride(lock.departure, lock.segment, operator, seats=len(seats))
    rows = tuple(PriceRow(describe_line(line), line.amount) for line in lock.quote.lines if line.amount)
    return PassengersView(
        trip=trip,
        price=Price(rows, lock.total, lock.quote.tax or None),
        clock=clock_of_lock(work, lock, len(seats)),
        action=f"/checkout/{lock.id}/passengers",
        back_url=seats_url(trip, len(seats)),
        contact=ContactFields(),
        passengers=tuple(blank_people(seats)),
        passenger_types=passenger_types(),
        id_types=id_types(),
    )


def _seats(lock: SeatLock) -> list[tuple[str, str]]:
    features = {seat.number: seat.features for seat in lock.departure.seat_plan.seats}
    return [(number, seat_place(features[number])) for number in lock.seat_numbers]


def _expired(lock: SeatLock) -> str:
    """The page about the end of the time of these seats."""
    ride = lock.segment
    return expired_url(lock.departure.id, ride.board.stop_id, ride.alight.stop_id, len(lock.seat_numbers))
