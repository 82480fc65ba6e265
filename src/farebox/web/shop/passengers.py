"""The passengers' step: seats are held, people are named, and a booking is made of both."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.accounts import Actor, get_operator, get_person
from farebox.bookings import (
    BookingRequest,
    MixedCurrencies,
    create_booking,
    get_booking,
)
from farebox.coaches import SalesClosed, SeatsUnavailable, TooManyHolds, lock_seats, release_lock
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import current_language
from farebox.core.i18n import gettext as _
from farebox.inventory import HoldExpired, HoldNotFound
from farebox.search import get_trip
from farebox.timetable import DepartureNotFound, NotBoardable
from farebox.web.pages import AnyRequest, here_of, own_path, page, see_other
from farebox.web.shop.cards import card_of_detail, search_url, seats_url
from farebox.web.shop.chosen import clock_of_all, draw_itinerary, map_url, price_of_all, stretch_of, way_of
from farebox.web.shop.clocks import expired_url
from farebox.web.shop.finding import parse_id
from farebox.web.shop.itinerary import Itinerary, Part, extend_all, read_itinerary
from farebox.web.shop.people import (
    blank_people,
    details_of,
    id_types,
    passenger_types,
    read_contact,
    read_people,
    with_errors,
)
from farebox.web.shop.picking import ids_in, joined
from farebox.web.shop.seating import RideSeats, Seating, with_picks
from farebox.web.shop.selection import clock_of_lock
from farebox.web.shop.stretches import checkout_url
from farebox.web.shop.trips import FromId, ToId, Travellers
from farebox.web.shop.typed import contact_of, find_earlier, forget, keep, seated, told_of, typed_of_form
from farebox.web.views.checkout import ContactFields, ExpiredView, PassengerFields, PassengersView, Problem
from farebox.wiring import Services

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class PassengersController(Controller):
    """Between the seat map and the review. The holds' ids are in the address, whose they are in the session."""

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
        itinerary = await _read(request, work, actor, services, hold_id)
        elsewhere = await _elsewhere(work, itinerary, actor)
        if elsewhere:
            return elsewhere
        seating = _seating(itinerary)
        earlier = await find_earlier(work, parse_id(people), actor=actor, secrets=services.secrets)
        persons, contact = blank_people(seating), ContactFields()
        if earlier:  # seats were changed: nobody types the same twice
            persons, contact = seated(earlier, seating), contact_of(earlier)
        elif actor.kind == "user" and actor.id is not None:
            person = await get_person(work, actor.id, secrets=services.secrets)
            contact = ContactFields(person.email, person.phone)
        told = told_of(earlier) if earlier else ""
        return await _page(request, work, itinerary, actor, services, persons, contact, told=told)

    @post("/passengers", opt={"rate": "booking"})
    async def name_passengers(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, hold_id: UUID, data: Form
    ) -> Template | Redirect:
        """Make the booking; or change something about the seats, and keep what was typed."""
        itinerary = await _read(request, work, actor, services, hold_id)
        elsewhere = await _elsewhere(work, itinerary, actor, is_form=True)
        if elsewhere:
            return elsewhere
        if data.get("map"):
            return see_other(await _map_url(work, itinerary, actor, services, data))
        if not any(data.get(name) for name in ("extend", "take", "remove", "look")):
            return await _book(request, work, itinerary, actor, services, data)
        refusal = await _change(work, itinerary, actor, services, data)
        changed = await _follow(work, itinerary, actor, services, without=data.get("remove", ""))
        if not changed.parts:
            return see_other(_search_again(itinerary))
        seating = _seating(changed)
        problems = (Problem("rides", refusal),) if refusal else ()
        return await _page(
            request, work, changed, actor, services, read_people(data, seating), read_contact(data), problems
        )

    @post("/extend")
    async def extend(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, hold_id: UUID
    ) -> Template | Redirect:
        """More time. Scripts take the new clocks out of the page."""
        itinerary = await _read(request, work, actor, services, hold_id)
        elsewhere = await _elsewhere(work, itinerary, actor)
        if elsewhere:
            return elsewhere
        await extend_all(work, itinerary, actor=actor, settings=services.settings)
        itinerary = await _follow(work, itinerary, actor, services)
        return await _page(
            request, work, itinerary, actor, services, blank_people(_seating(itinerary)), ContactFields()
        )

    @post("/rides")
    async def change_rides(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, hold_id: UUID, data: Form
    ) -> Redirect:
        """More time, or a ride left out, while others are still looked for. Back to the page where it was pressed."""
        itinerary = await _read(request, work, actor, services, hold_id)
        await _change(work, itinerary, actor, services, data)
        here = own_path(data.get("here", ""))
        removed = parse_id(data.get("remove", ""))
        if removed is None:
            return see_other(here)
        left = itinerary.without(removed)
        return see_other(_with_rides(here, left) if left else _search_again(itinerary))


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


async def _read(request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, hold_id: UUID) -> Itinerary:
    """The rides that an address names.

    Raises:
        HoldNotFound: none of them is this traveller's.
    """
    ids = (hold_id, *ids_in(request.query_params.get("with", "")))
    itinerary = await read_itinerary(work, ids, actor=actor, verticals=services.verticals)
    if not itinerary.parts:
        raise HoldNotFound
    return itinerary


async def _elsewhere(work: UnitOfWork, itinerary: Itinerary, actor: Actor, *, is_form: bool = False) -> Redirect | None:
    """Where to go when there is nothing to book any more: the browser's back button leads here.

    Args:
        is_form: something was typed, which a single ride whose time is over would lose on a page of its own.
    """
    if itinerary.booking_id:
        booking = await get_booking(work, itinerary.booking_id, actor=actor)
        step = "/passengers" if booking.status == "pending" else ""
        return see_other(f"/bookings/{booking.id}{step}")
    if len(itinerary.parts) == 1 and not itinerary.held and not is_form:
        return see_other(_expired(itinerary.parts[0]))
    return None


async def _change(
    work: UnitOfWork, itinerary: Itinerary, actor: Actor, services: Services, data: Mapping[str, str]
) -> str:
    """What a button asks for about the seats; why it could not be done, if so."""
    if data.get("extend"):
        await extend_all(work, itinerary, actor=actor, settings=services.settings)
    removed = next((part for part in itinerary.held if str(part.hold_id) == data.get("remove")), None)
    if removed:
        await release_lock(work, removed.hold_id, actor=actor)
    hold_id, _colon, numbers = data.get("take", "").partition(":")
    lost = next((part for part in itinerary.parts if str(part.hold_id) == hold_id and not part.lock), None)
    if not lost:
        return ""
    stretch = stretch_of(lost, ())
    try:
        await lock_seats(
            work,
            stretch.trip_id,
            stretch.from_id,
            stretch.to_id,
            numbers.split(","),
            actor=actor,
            settings=services.settings,
            office=services.office,
        )
    except (SeatsUnavailable, SalesClosed, TooManyHolds, Invalid) as error:
        return error.text()
    return ""


async def _follow(
    work: UnitOfWork, itinerary: Itinerary, actor: Actor, services: Services, *, without: str = ""
) -> Itinerary:
    """The same rides as they are now."""
    ids = [part.hold_id for part in itinerary.parts if str(part.hold_id) != without]
    return await read_itinerary(work, ids, actor=actor, verticals=services.verticals)


async def _book(
    request: AnyRequest,
    work: UnitOfWork,
    itinerary: Itinerary,
    actor: Actor,
    services: Services,
    data: Mapping[str, str],
) -> Template | Redirect:
    seating = _seating(itinerary)
    people, contact = read_people(data, seating), read_contact(data)
    if len(itinerary.held) < len(itinerary.parts):
        problem = Problem("rides", _("Not all seats are held any more. Choose new ones, or leave that trip out."))
        return await _page(request, work, itinerary, actor, services, people, contact, (problem,))
    details, reach = details_of(people, contact, seating)
    try:
        booking = await create_booking(
            work,
            BookingRequest(tuple(part.hold_id for part in itinerary.parts), details, reach),
            actor=actor,
            verticals=services.verticals,
            settings=services.settings,
            secrets=services.secrets,
            language=current_language(),
        )
    except Invalid as error:
        people, contact, problems = with_errors(people, contact, error.errors, seating)
        return await _page(request, work, itinerary, actor, services, people, contact, problems)
    except MixedCurrencies as error:
        problem = Problem("rides", error.text())
        return await _page(request, work, itinerary, actor, services, people, contact, (problem,))
    except (HoldExpired, SalesClosed):  # in this very moment
        itinerary = await _follow(work, itinerary, actor, services)
        problem = Problem("rides", _("Not all seats are held any more. Choose new ones, or leave that trip out."))
        return await _page(request, work, itinerary, actor, services, people, contact, (problem,))
    await forget(work, parse_id(request.query_params.get("people", "")), actor=actor)
    return see_other(f"/bookings/{booking.id}/review")


async def _map_url(
    work: UnitOfWork, itinerary: Itinerary, actor: Actor, services: Services, data: Mapping[str, str]
) -> str:
    """The map of the ride that a button names, with what was typed kept for the way back from there."""
    seating = _seating(itinerary)
    typed = typed_of_form(read_people(data, seating), read_contact(data), seating)
    kept = await keep(work, typed, holder=actor, secrets=services.secrets)
    part = next((part for part in itinerary.parts if str(part.hold_id) == data["map"]), itinerary.parts[-1])
    return map_url(itinerary, part, people=kept)


async def _page(
    request: AnyRequest,
    work: UnitOfWork,
    itinerary: Itinerary,
    actor: Actor,
    services: Services,
    people: Sequence[PassengerFields],
    contact: ContactFields,
    problems: tuple[Problem, ...] = (),
    told: str = "",
) -> Template:
    """The form. Its address names the seats as they are now, whatever has been chosen anew."""
    query = dict(here_of(request).query)
    carried = str(parse_id(query.get("people", "")) or "")
    first = itinerary.parts[0]
    ids = [part.hold_id for part in itinerary.parts]
    is_single = len(itinerary.parts) == 1 and first.lock is not None
    view = PassengersView(
        trips=tuple(part.trip for part in itinerary.parts),
        price=price_of_all(itinerary),
        clock=clock_of_lock(work, first.lock, len(first.seats))
        if is_single and first.lock
        else clock_of_all(work, itinerary, carried),
        action=checkout_url(ids, carried),
        map_of=str(ids[-1]),
        contact=contact,
        passengers=tuple(with_picks(people, _seating(itinerary))),
        passenger_types=passenger_types(),
        id_types=id_types(),
        problems=problems,
        told=told,
        chosen=None
        if is_single
        else await draw_itinerary(work, itinerary, actor=actor, settings=services.settings, people=carried),
    )
    return page(request, "checkout/passengers.html", view, is_private=True, status=422 if problems else 200)


def _seating(itinerary: Itinerary) -> Seating:
    return [RideSeats(part.hold_id, part.trip_id, way_of(part), part.places) for part in itinerary.parts]


def _expired(part: Part) -> str:
    """The page about the end of the time of these seats."""
    return expired_url(part.trip.id, part.trip.from_id, part.trip.to_id, len(part.seats))


def _with_rides(url: str, hold_ids: Sequence[UUID]) -> str:
    """A page of ours with other rides carried along."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "with"]
    return f"{parts.path}?{urlencode([*query, ('with', joined(hold_ids))])}"


def _search_again(itinerary: Itinerary) -> str:
    """The search that the last ride was found by: all of them were left out."""
    part = itinerary.parts[-1]
    return search_url(part.trip.board, part.trip.alight, max(1, len(part.seats)))
