"""The seat map: choosing and holding seats, with and without scripts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.datastructures import Cookie, FormMultiDict
from litestar.response import Redirect, Template

from farebox.accounts import Actor, get_operator
from farebox.coaches import (
    SeatMap,
    SeatsUnavailable,
    TooManyHolds,
    TooManySeats,
    extend_lock,
    get_seat_map,
    lock_seats,
    release_lock,
)
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.core.settings import Settings
from farebox.edge.rate_limits import count_also
from farebox.inventory import ExtensionLimit, HoldExpired
from farebox.web.pages import AnyRequest, is_part, page, see_other
from farebox.web.shop.cards import card_of_ride
from farebox.web.shop.chosen import draw_itinerary
from farebox.web.shop.finding import parse_id, whole_number
from farebox.web.shop.itinerary import Itinerary, extend_all, read_itinerary
from farebox.web.shop.lost_seats import Known, Outcome, offer_instead
from farebox.web.shop.one_for_each import can_keep, check_complete, kept_of, own_seats, too_many
from farebox.web.shop.seat_drawing import Marks, draw_decks, draw_tiers
from farebox.web.shop.selection import seats_held, selection_of
from farebox.web.shop.session import guest_of
from farebox.web.shop.stretches import SEAT_NUMBER_LENGTH, Stretch, read_carried, seats_in
from farebox.web.shop.trips import FromId, ToId, Travellers
from farebox.web.views.itinerary import ChosenRide
from farebox.web.views.seats import SeatMapView, SeatOffer, SeatStatus
from farebox.wiring import Services

TRIES = 3
"""How often to ask for what is left when others take seats at the same time."""


class SeatsController(Controller):
    """Seats of one departure between two of its stops."""

    path = "/trips/{trip_id:uuid}/seats"
    include_in_schema = False

    @get(opt={"access": "public"})
    async def seat_map(
        self,
        request: AnyRequest,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        trip_id: UUID,
        from_id: FromId = None,
        to_id: ToId = None,
        travellers: Travellers = 1,
        known: str = "",
        lock: str = "",
    ) -> Template | Redirect:
        """The map; for scripts the part about the choice, which says what became of the seats of `known`."""
        settings = services.settings
        carried = read_carried(request.query_params)
        stretch = Stretch(trip_id, from_id, to_id, min(travellers, settings.max_seats), **carried)
        seats = await get_seat_map(work, trip_id, from_id, to_id, viewer=actor, settings=settings)
        if not seats.departure.is_on_sale(seats.segment.board, work.now):
            return see_other(stretch.url(""))
        name = "seats/part.html" if is_part(request) else "seats/map.html"
        before = _known(known, lock)
        outcome = Outcome(seats.lock, kept=kept_of(before.numbers, own_seats(seats, stretch), stretch))
        view = await _view(work, seats, outcome, stretch, services, known=before, actor=actor)
        return page(request, name, view, is_private=True)

    @post(opt={"access": "public", "rate": "seats"})
    async def choose(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, trip_id: UUID
    ) -> Template | Redirect | Response[None]:
        """Hold the ticked seats instead of those held before, or give all of them back.

        Ticking is cheap, but beginning to hold seats of a departure counts as a write, or one address could hold all.
        It is counted before, since what is held is held, whatever becomes of this request.
        """
        settings = services.settings
        data = await request.form()  # by hand, since seats come several times under one name
        stretch = _stretch(trip_id, data, settings)
        actor, cookies = await guest_of(request, work, actor, settings)
        ticked = _wanted(data)
        known = _known(str(data.get("known", "")), str(data.get("lock", "")))
        still = Known(tuple(number for number in known.numbers if number in ticked), known.lock_id)
        before = await _seats(work, stretch, actor, settings)
        own = own_seats(before, stretch)
        kept, wanted = kept_of(ticked, own, stretch), [number for number in ticked if number not in own]
        if "known" in data:  # from a script; a form that is sent as a whole wants what is ticked and nothing else
            wanted = merge_choices(wanted, known.numbers, seats_held(before))
        if data.get("extend"):
            outcome = await _extend(work, stretch, actor, services)
        elif stretch.wanted and len(wanted) + len(kept) > stretch.wanted:
            outcome = Outcome(before.lock, too_many(stretch.wanted), refused=tuple(wanted))
        elif _is_held(before, wanted):  # as it is: other windows go on knowing the hold by its id
            outcome = Outcome(before.lock)
        else:
            if wanted and before.lock is None and not cookies:  # with cookies it was counted as a new session
                await count_also(request, "write")
            outcome = await _hold(work, stretch, wanted, actor, services)
            if not wanted and data.get("go") and not stretch.wanted:
                outcome = Outcome(None, _("Choose at least one seat."))
        outcome = replace(outcome, kept=kept)
        if data.get("go"):
            outcome = check_complete(outcome, stretch)
        if outcome.lock and not outcome.notice and data.get("go") and not is_part(request):
            return see_other(stretch.next_url(outcome.lock, outcome.kept), cookies)
        return await _answer(request, work, stretch, outcome, actor, services, cookies, known=still)


async def _answer(
    request: AnyRequest,
    work: UnitOfWork,
    stretch: Stretch,
    outcome: Outcome,
    actor: Actor,
    services: Services,
    cookies: list[Cookie],
    *,
    known: Known,
) -> Template:
    """The map as it is now: all of it, or for scripts the part about the choice."""
    seats = await _seats(work, stretch, actor, services.settings)
    name = "seats/part.html" if is_part(request) else "seats/map.html"
    view = await _view(work, seats, outcome, stretch, services, known=known, actor=actor)
    return page(request, name, view, is_private=True, cookies=cookies, status=409 if outcome.lost else 200)


async def _hold(work: UnitOfWork, stretch: Stretch, wanted: Sequence[str], actor: Actor, services: Services) -> Outcome:
    """Hold what is wanted; where others were faster, what is left of it, saying what was lost."""
    settings = services.settings
    lost: dict[str, SeatStatus] = {}
    nearest: list[str] = []
    told: list[str] = []
    for _attempt in range(TRIES):
        left = [number for number in wanted if number not in lost]
        if not left:
            break
        try:
            lock = await lock_seats(
                work,
                stretch.trip_id,
                stretch.from_id,
                stretch.to_id,
                left,
                actor=actor,
                settings=settings,
                office=services.office,
            )
        except SeatsUnavailable as error:
            lost |= {seat.number: seat.status for seat in error.lost}
            nearest += [seat.nearest for seat in error.lost if seat.nearest]
            told.append(error.text())
        except (TooManySeats, TooManyHolds) as error:
            return Outcome((await _seats(work, stretch, actor, settings)).lock, error.text())
        else:
            return Outcome(lock, " ".join(told), lost, _instead(nearest, lost, left))
    held = (await _seats(work, stretch, actor, settings)).lock
    if held:
        await release_lock(work, held.id, actor=actor)
    return Outcome(None, " ".join(told), lost, _instead(nearest, lost, ()))


async def _extend(work: UnitOfWork, stretch: Stretch, actor: Actor, services: Services) -> Outcome:
    """More time for the seats of this ride, and for those of the others of its itinerary."""
    held = (await _seats(work, stretch, actor, services.settings)).lock
    if held is None:
        return Outcome(None)
    others = await read_itinerary(work, stretch.others, actor=actor, verticals=services.verticals)
    await extend_all(work, others, actor=actor, settings=services.settings)
    try:
        return Outcome(await extend_lock(work, held.id, actor=actor, settings=services.settings))
    except (ExtensionLimit, HoldExpired) as error:
        return Outcome(held, error.text())


def _instead(nearest: Sequence[str], lost: Mapping[str, SeatStatus], held: Sequence[str]) -> tuple[SeatOffer, ...]:
    """What was free near the lost seats when they were lost, without what has gone or was got since."""
    return offer_instead([number for number in dict.fromkeys(nearest) if number not in lost and number not in held])


async def _seats(work: UnitOfWork, stretch: Stretch, actor: Actor, settings: Settings) -> SeatMap:
    return await get_seat_map(work, stretch.trip_id, stretch.from_id, stretch.to_id, viewer=actor, settings=settings)


def _is_held(seats: SeatMap, wanted: Collection[str]) -> bool:
    """Whether all of it, and nothing else, is held on this very stretch already."""
    lock = seats.lock
    return lock is not None and lock.segment == seats.segment and set(lock.seat_numbers) == set(wanted)


def merge_choices(wanted: Sequence[str], known: Collection[str], mine: Sequence[str]) -> list[str]:
    """The choice of one window on top of what the visitor's other windows have chosen since that one was drawn.

    Where nothing is held any more, the time was over, and all of the choice is wanted anew.

    Args:
        wanted: ticked in this window.
        known: held, as far as this window knew.
        mine: held now.
    """
    if not mine:
        return list(wanted)
    dropped = {number for number in known if number not in wanted}
    added = [number for number in wanted if number not in known]
    return list(dict.fromkeys([*(number for number in mine if number not in dropped), *added]))


async def _view(
    work: UnitOfWork,
    seats: SeatMap,
    outcome: Outcome,
    stretch: Stretch,
    services: Services,
    *,
    known: Known,
    actor: Actor,
) -> SeatMapView:
    operator = await get_operator(work, seats.departure.operator_id)
    trip = card_of_ride(seats.departure, seats.segment, operator, seats=seats.seats_left)
    query = {"from": trip.from_id, "to": trip.to_id}
    itinerary = await _itinerary(work, seats, stretch, actor, services)
    own = own_seats(seats, stretch)
    marks = Marks(own, {*outcome.kept, *outcome.refused})
    selection = await selection_of(work, seats, outcome, stretch, itinerary, known=known, actor=actor)
    return SeatMapView(
        trip=trip,
        action=stretch.url("seats"),  # so that the address of the answer names the same stretch
        status_url=f"/api/v1/trips/{stretch.trip_id}/seats?{urlencode(query)}",
        live_url=f"/api/v1/trips/{stretch.trip_id}/live?{urlencode(query)}",
        decks=draw_decks(seats.plan.decks, seats.seats, marks),
        tiers=draw_tiers(seats.seats),
        selection=replace(selection, others=await _others(work, itinerary, stretch, actor, services)),
        travellers=stretch.wanted or stretch.travellers,
        limit=stretch.wanted or operator.max_seats or seats.limit,
        back_url=stretch.booking_url or stretch.search_url(trip.board, trip.alight),
        carried=tuple(stretch.carried.items()),
        next_step="price" if stretch.booking_url else "back" if stretch.is_way_there else "passengers",
        way=_way(stretch),
        has_blocked=any(seat.status == "blocked" for seat in seats.seats),
        has_accessible=any(seat.accessible for seat in seats.seats),
        is_exact=stretch.wanted > 0,
        has_own=bool(own),
        can_keep=can_keep(stretch),
    )


async def _itinerary(work: UnitOfWork, seats: SeatMap, stretch: Stretch, actor: Actor, services: Services) -> Itinerary:
    """The seats of this ride with those of the others; nothing where there are no others."""
    if not stretch.others:
        return Itinerary()
    own = (seats.lock.id,) if seats.lock else ()
    return await read_itinerary(work, (*stretch.others, *own), actor=actor, verticals=services.verticals)


async def _others(
    work: UnitOfWork, itinerary: Itinerary, stretch: Stretch, actor: Actor, services: Services
) -> tuple[ChosenRide, ...]:
    """The other rides, as they are shown beside the choice."""
    if not itinerary.parts:
        return ()
    shown = await draw_itinerary(
        work, itinerary, actor=actor, settings=services.settings, people=stretch.people, back=stretch.back
    )
    return tuple(ride for ride in shown.rides if ride.trip.id != str(stretch.trip_id))


def _way(stretch: Stretch) -> Literal["", "there", "back", "more"]:
    if stretch.is_way_there:
        return "there"
    return "back" if stretch.back else "more" if stretch.others else ""


def _stretch(trip_id: UUID, data: FormMultiDict, settings: Settings) -> Stretch:
    count = whole_number(str(data.get("travellers", "")), 1)
    return Stretch(
        trip_id,
        parse_id(str(data.get("from", ""))),
        parse_id(str(data.get("to", ""))),
        max(1, min(count, settings.max_seats)),
        **read_carried(data),
    )


def _wanted(data: FormMultiDict) -> list[str]:
    """The seats ticked, and those offered that were taken, each once."""
    offered = [number for each in data.getall("take", []) for number in str(each).split(",")]
    numbers = [*data.getall("seats", []), *offered]
    return list(dict.fromkeys(str(number)[:SEAT_NUMBER_LENGTH] for number in numbers))


def _known(numbers: str, lock_id: str) -> Known:
    """What a script says that its page shows: seats separated by commas, and the hold."""
    return Known(seats_in(numbers), parse_id(lock_id))
