"""The seat map: choosing and holding seats, with and without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.datastructures import Cookie, FormMultiDict
from litestar.response import Redirect, Template

from farebox.accounts import Actor, get_operator
from farebox.coaches import (
    SeatLock,
    SeatMap,
    SeatsUnavailable,
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
from farebox.pricing import describe_line
from farebox.web.labels import seat_place
from farebox.web.pages import AnyRequest, is_part, page, see_other
from farebox.web.shop.cards import card_of_ride, search_url
from farebox.web.shop.clocks import expired_url
from farebox.web.shop.finding import parse_id, whole_number
from farebox.web.shop.seat_drawing import draw_decks, draw_tiers
from farebox.web.shop.session import guest_of
from farebox.web.shop.trips import FromId, ToId, Travellers
from farebox.web.views.seats import ChosenSeat, HoldClock, PriceRow, SeatMapView, Selection

TRIES = 3
"""How often to ask for what is left when others take seats at the same time."""

SEAT_NUMBER_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Stretch:
    """A ride on a departure, as the address names it."""

    trip_id: UUID
    from_id: UUID | None
    to_id: UUID | None
    travellers: int
    people: str = ""

    def url(self, step: str) -> str:
        query = {
            "from": self.from_id or "",
            "to": self.to_id or "",
            "travellers": self.travellers,
            "people": self.people,
        }
        return f"/trips/{self.trip_id}/{step}?{urlencode({name: value for name, value in query.items() if value})}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a choice.

    Attributes:
        lock: the seats held now, if any.
        notice: what to tell the traveller.
    """

    lock: SeatLock | None
    notice: str = ""
    lost: tuple[str, ...] = ()
    offer: str = ""


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
        settings: Settings,
        trip_id: UUID,
        from_id: FromId = None,
        to_id: ToId = None,
        travellers: Travellers = 1,
        people: str = "",
    ) -> Template | Redirect:
        stretch = Stretch(trip_id, from_id, to_id, min(travellers, settings.max_seats), str(parse_id(people) or ""))
        seats = await get_seat_map(work, trip_id, from_id, to_id, viewer=actor, settings=settings)
        if not seats.departure.is_on_sale(seats.segment.board, work.now):
            return see_other(stretch.url(""))
        outcome = Outcome(seats.lock)
        return page(request, "seats/map.html", await _view(work, seats, outcome, stretch), is_private=True)

    @post(opt={"access": "public", "rate": "seats"})
    async def choose(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, settings: Settings, trip_id: UUID
    ) -> Template | Redirect | Response[None]:
        """Hold the ticked seats instead of those held before, or give all of them back.

        Ticking is cheap, but beginning to hold seats of a departure counts as a write, or one address could hold all.
        """
        data = await request.form()  # by hand, since seats come several times under one name
        stretch = _stretch(trip_id, data, settings)
        actor, cookies = await guest_of(request, work, actor, settings)
        wanted = _wanted(data)
        if data.get("extend"):
            outcome = await _extend(work, stretch, actor, settings)
        else:
            outcome = await _hold(work, stretch, wanted, actor, settings)
        if outcome.lock and outcome.lock.is_first and not cookies:  # with cookies it was counted as a new session
            count_also(request, "write")
        if outcome.lock and not outcome.notice and data.get("go") and not is_part(request):
            people = f"?people={stretch.people}" if stretch.people else ""
            return see_other(f"/checkout/{outcome.lock.id}/passengers{people}", cookies)
        return await _answer(request, work, stretch, outcome, actor, settings, cookies)


async def _answer(
    request: AnyRequest,
    work: UnitOfWork,
    stretch: Stretch,
    outcome: Outcome,
    actor: Actor,
    settings: Settings,
    cookies: list[Cookie],
) -> Template:
    """The map as it is now: all of it, or for scripts the part about the choice."""
    seats = await get_seat_map(work, stretch.trip_id, stretch.from_id, stretch.to_id, viewer=actor, settings=settings)
    name = "seats/part.html" if is_part(request) else "seats/map.html"
    view = await _view(work, seats, outcome, stretch)
    return page(request, name, view, is_private=True, cookies=cookies, status=409 if outcome.lost else 200)


async def _hold(work: UnitOfWork, stretch: Stretch, wanted: Sequence[str], actor: Actor, settings: Settings) -> Outcome:
    """Hold what is wanted; where others were faster, what is left of it, saying what was lost."""
    lost: list[str] = []
    told: list[str] = []
    offer = ""
    for _attempt in range(TRIES):
        left = [number for number in wanted if number not in lost]
        if not left:
            break
        try:
            lock = await lock_seats(
                work, stretch.trip_id, stretch.from_id, stretch.to_id, left, actor=actor, settings=settings
            )
        except SeatsUnavailable as error:
            lost += [seat.number for seat in error.lost]
            offer = next((seat.nearest for seat in error.lost if seat.nearest), "")
            told.append(error.text())
        except TooManySeats as error:
            return Outcome(await _find_lock(work, stretch, actor, settings), error.text())
        else:
            return Outcome(lock, " ".join(told), tuple(lost), offer if offer not in left else "")
    held = await _find_lock(work, stretch, actor, settings)
    if held:
        await release_lock(work, held.id, actor=actor)
    return Outcome(None, " ".join(told) or _("Choose at least one seat."), tuple(lost), offer)


async def _extend(work: UnitOfWork, stretch: Stretch, actor: Actor, settings: Settings) -> Outcome:
    held = await _find_lock(work, stretch, actor, settings)
    if held is None:
        return Outcome(None)
    try:
        return Outcome(await extend_lock(work, held.id, actor=actor, settings=settings))
    except (ExtensionLimit, HoldExpired) as error:
        return Outcome(held, error.text())


async def _find_lock(work: UnitOfWork, stretch: Stretch, actor: Actor, settings: Settings) -> SeatLock | None:
    seats = await get_seat_map(work, stretch.trip_id, stretch.from_id, stretch.to_id, viewer=actor, settings=settings)
    return seats.lock


async def _view(work: UnitOfWork, seats: SeatMap, outcome: Outcome, stretch: Stretch) -> SeatMapView:
    operator = await get_operator(work, seats.departure.operator_id)
    trip = card_of_ride(seats.departure, seats.segment, operator, seats=seats.seats_left)
    query = {"from": trip.from_id, "to": trip.to_id}
    return SeatMapView(
        trip=trip,
        action=stretch.url("seats"),  # so that the address of the answer names the same stretch
        status_url=f"/api/v1/trips/{stretch.trip_id}/seats?{urlencode(query)}",
        decks=draw_decks(seats.plan.decks, seats.seats),
        tiers=draw_tiers(seats.seats),
        selection=_selection(work, seats, outcome, stretch),
        travellers=stretch.travellers,
        max_seats=seats.limit,
        back_url=search_url(trip.board, trip.alight, stretch.travellers),
        people=stretch.people,
        has_blocked=any(seat.status == "blocked" for seat in seats.seats),
        has_accessible=any(seat.accessible for seat in seats.seats),
    )


def _selection(work: UnitOfWork, seats: SeatMap, outcome: Outcome, stretch: Stretch) -> Selection:
    lock = seats.lock
    if lock is None:
        return Selection((), None, notice=outcome.notice, lost=outcome.lost, offer=outcome.offer)
    places = {seat.number: seat_place(seat.features) for seat in seats.seats}
    return Selection(
        tuple(ChosenSeat(number, places[number], lock.quote.for_seat(number)) for number in lock.seat_numbers),
        lock.total,
        tuple(PriceRow(describe_line(line), line.amount) for line in lock.quote.lines if line.seat_number is None),
        clock_of_lock(work, lock, stretch.travellers),
        notice=outcome.notice,
        lost=outcome.lost,
        offer=outcome.offer,
    )


def clock_of_lock(work: UnitOfWork, lock: SeatLock, travellers: int) -> HoldClock | None:
    """The clock of seats that are held but not booked."""
    if lock.state != "held" or lock.expires_at is None:
        return None
    over = expired_url(lock.departure.id, lock.segment.board.stop_id, lock.segment.alight.stop_id, travellers)
    return HoldClock(lock.expires_at, work.now, f"/checkout/{lock.id}/extend" if lock.extensions_left else "", over)


def _stretch(trip_id: UUID, data: FormMultiDict, settings: Settings) -> Stretch:
    count = whole_number(str(data.get("travellers", "")), 1)
    return Stretch(
        trip_id,
        parse_id(str(data.get("from", ""))),
        parse_id(str(data.get("to", ""))),
        max(1, min(count, settings.max_seats)),
        str(parse_id(str(data.get("people", ""))) or ""),
    )


def _wanted(data: FormMultiDict) -> list[str]:
    """The seats ticked, and the one offered that was taken, each once."""
    numbers = [*data.getall("seats", []), *data.getall("take", [])]
    return list(dict.fromkeys(str(number)[:SEAT_NUMBER_LENGTH] for number in numbers))
