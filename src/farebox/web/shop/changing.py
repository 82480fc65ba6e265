"""Another day, trip or seat: who changes, to what, what it comes to, and then it is done or paid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor
from farebox.bookings import (
    Booking,
    BookingItem,
    ChangeQuote,
    ChangeWish,
    NotChangeable,
    Passenger,
    PriceChanged,
    SeatWish,
    get_booking,
    quote_change,
    rate_when_given_up,
)
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import format_money, format_time
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.inventory import get_hold
from farebox.payments import change_booking
from farebox.timetable import NotBoardable, get_departure
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.shop.cards import card_of_item
from farebox.web.shop.conditions import moment
from farebox.web.shop.finding import parse_day, parse_id
from farebox.web.shop.picking import ids_in, joined, picked_in, rides_to_pick
from farebox.web.shop.quoted import SEATS_GONE, Form, elsewhere_of, holder_for, on_seats, show_quote, terms_of, view_of
from farebox.web.shop.rides_for import day_of_trips, seats_for, trips_on
from farebox.web.shop.waiting import pay_for_change
from farebox.web.views.after import ChangeStart, ChangeView, PartOfTheWay, SeatSwap
from farebox.web.views.checkout import Problem
from farebox.web.views.trips import Option
from farebox.wiring import Services


class ChangeController(Controller):
    path = "/bookings/{booking_id:uuid}/change"
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def start(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID
    ) -> Template | Redirect:
        """Who changes, and which trips there are."""
        booking = await get_booking(work, booking_id, actor=actor)
        elsewhere = await elsewhere_of(work, booking, actor)
        if elsewhere:
            return see_other(elsewhere)
        view = await _start(work, booking, services, picked_in(request), request.query_params)
        return page(request, "after/change.html", view, is_private=True, status=422 if view.problems else 200)

    @get("/quote")
    async def quote(
        self,
        request: AnyRequest,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        booking_id: UUID,
        passengers: str = "",
    ) -> Template | Redirect:
        """What it comes to to have the seats of a hold instead, or one's own on a part of the way."""
        booking = await get_booking(work, booking_id, actor=actor)
        elsewhere = await elsewhere_of(work, booking, actor)
        new = _New.read(request.query_params)
        if elsewhere or new is None:
            return see_other(elsewhere or f"/bookings/{booking_id}/change")
        return await _quoted(request, work, booking, actor, services, new, ids_in(passengers))

    @post("/quote", opt={"rate": "booking"})
    async def change(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID, data: Form
    ) -> Template | Redirect:
        """Do it; where it costs something, go and pay."""
        booking = await get_booking(work, booking_id, actor=actor)
        elsewhere = await elsewhere_of(work, booking, actor)
        new, who = _New.read(data), ids_in(data.get("passengers", ""))
        if elsewhere or new is None:
            return see_other(elsewhere or f"/bookings/{booking_id}/change")
        try:
            done = await change_booking(
                work,
                booking_id,
                await _wish(request, services, actor, new, who),
                actor=actor,
                verticals=services.verticals,
                terms=terms_of(data, booking, services.settings),
                signer=services.secrets,
            )
        except PriceChanged as error:
            return await _quoted(request, work, booking, actor, services, new, who, changed=error.text())
        except SEATS_GONE:
            return see_other(f"/bookings/{booking_id}/change?said=seats-gone")
        if done.waiting is None:
            return see_other(f"/bookings/{booking_id}?said=changed")
        return await pay_for_change(work, done.waiting, actor, services, data.get("method", ""))


@dataclass(frozen=True, slots=True)
class _New:
    """What people are to have: the seats of a hold, or their own on a part of the way."""

    lock: UUID | None
    from_id: UUID | None
    to_id: UUID | None

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "_New | None":
        """What an address or a form says; `None` where that is nothing."""
        lock, from_id, to_id = (parse_id(given.get(name, "")) for name in ("lock", "from", "to"))
        return cls(lock, from_id, to_id) if lock or from_id or to_id else None

    @property
    def carried(self) -> tuple[tuple[str, str], ...]:
        ids = (("lock", self.lock), ("from", self.from_id), ("to", self.to_id))
        return tuple((name, str(each)) for name, each in ids if each)


async def _start(
    work: UnitOfWork, booking: Booking, services: Services, picked: Sequence[UUID], query: Mapping[str, str]
) -> ChangeStart:
    def closed(item: BookingItem) -> str:
        until = item.policy.change_until
        return "" if until and work.now <= until and work.now < item.starts_at else _("too late to change")

    able = [person for item in booking.items if not closed(item) for person in item.passengers]
    chosen = [person for person in able if person.id in picked]
    if len(able) == 1:  # nothing to choose
        chosen = able
    rides = {person.item_id for person in chosen}
    problem = ""
    if not able:
        problem = NotChangeable().text()
    elif len(rides) > 1:
        problem = _("Change one trip at a time.")
    elif "show" in query and not chosen:
        problem = _("Choose at least one seat.")
    elif query.get("said") == "seats-gone":
        problem = _("The time of those seats was over. Choose again.")
    at = f"/bookings/{booking.id}"
    view = ChangeStart(
        reference=booking.reference,
        action=f"{at}/change",
        back_url=at,
        rides=rides_to_pick(booking, [person.id for person in chosen], closed, services.secrets),
        problems=(Problem("passengers", problem),) if problem else (),
    )
    if len(rides) != 1:
        return view
    item = next(item for item in booking.items if item.id in rides)
    return replace(
        await _with_trips(work, view, booking, item, chosen, query, services), fee=_fee(booking, item, work.now)
    )


def _fee(booking: Booking, item: BookingItem, at: datetime) -> str:
    fee = Money(item.policy.change_fee_minor, booking.total.currency)
    costs = _("A change is free of charge; only what the new seats cost more is paid.")
    if fee:
        costs = _("A change costs {fee} for each person.").format(fee=format_money(fee))
    percent = rate_when_given_up(item.policy, at) / 100
    back = _("If the new seats cost less, {percent}% of the difference is paid back, as for a cancellation now.")
    return f"{costs} {back.format(percent=f'{percent:g}')}"


async def _with_trips(
    work: UnitOfWork,
    view: ChangeStart,
    booking: Booking,
    item: BookingItem,
    chosen: Sequence[Passenger],
    query: Mapping[str, str],
    services: Services,
) -> ChangeStart:
    """The trips of a day, of the same operator, with the way to the seats of each."""
    zone = ZoneInfo(item.description.origin.timezone)
    today = work.now.astimezone(zone).date()
    last = today + timedelta(days=services.settings.sales_horizon_days)
    wanted = parse_day(query.get("date", "")) or item.starts_at.astimezone(zone).date()
    day = min(max(wanted, today), last)
    who = [person.id for person in chosen]

    def on(other: date) -> str:
        return f"{view.action}?{urlencode({'show': '1', 'passengers': joined(who), 'date': other.isoformat()})}"

    trips = [trip for trip in await trips_on(work, item, day, len(who)) if trip.id != str(item.resource_id)]
    found = [(trip, seats_for(trip, who, change=booking.id)) for trip in trips]
    return replace(
        view,
        chosen=joined(who),
        day=day_of_trips(day, (today, last), on, found),
        same_url=seats_for(card_of_item(item), who, [person.seat_number for person in chosen], change=booking.id),
        part=await _part_of_the_way(work, item),
    )


async def _part_of_the_way(work: UnitOfWork, item: BookingItem) -> PartOfTheWay | None:
    """Where one may board later or get off earlier on the same seat; `None` where there is no stop between."""
    departure = await get_departure(work, item.resource_id)
    calls = departure.calls[item.first_slot : item.end_slot + 1]
    boards = tuple(
        Option(str(call.stop_id), f"{call.stop_name}, {format_time(call.departure, ZoneInfo(call.timezone))}")
        for call in calls[:-1]
        if call.boarding
    )
    alights = tuple(
        Option(str(call.stop_id), f"{call.stop_name}, {format_time(call.arrival, ZoneInfo(call.timezone))}")
        for call in reversed(calls[1:])
        if call.alighting
    )
    return PartOfTheWay(boards, alights) if len(boards) > 1 or len(alights) > 1 else None


async def _wish(request: AnyRequest, services: Services, actor: Actor, new: _New, who: Sequence[UUID]) -> ChangeWish:
    """The change as asked for."""
    holder = await holder_for(request, services, actor) if new.lock else actor
    people = tuple(SeatWish(each) for each in who)
    return ChangeWish(new.lock, holder, people, from_id=new.from_id, to_id=new.to_id)


async def _quoted(
    request: AnyRequest,
    work: UnitOfWork,
    booking: Booking,
    actor: Actor,
    services: Services,
    new: _New,
    who: Sequence[UUID],
    *,
    changed: str = "",
) -> Template | Redirect:
    try:
        wish = await _wish(request, services, actor, new, who)
        quote = await quote_change(work, booking.id, wish, actor=actor, verticals=services.verticals)
        held_until = (await get_hold(work, new.lock)).expires_at if new.lock else None
    except SEATS_GONE:
        return see_other(f"/bookings/{booking.id}/change?said=seats-gone")
    except (Invalid, NotBoardable) as error:
        problem = Problem("passengers", error.errors[0].text() if isinstance(error, Invalid) else error.text())
        again = replace(await _start(work, booking, services, who, {}), problems=(problem,))
        return page(request, "after/change.html", again, is_private=True, status=422)
    return show_quote(request, _quote_view(booking, quote, actor, services, new, held_until, changed), services)


def _quote_view(
    booking: Booking,
    quote: ChangeQuote,
    actor: Actor,
    services: Services,
    asked: _New,
    expires_at: datetime | None,
    changed: str,
) -> ChangeView:
    assert quote.seats is not None  # it was asked for with a hold
    item = next(item for item in booking.items if item.id == quote.seats.item_id)
    people = {person.id: person for person in item.passengers}
    view = view_of(
        booking,
        quote,
        actor,
        services,
        title=_("Another day, trip or seat"),
        action="change/quote",
        hidden=(*asked.carried, ("passengers", joined([move.passenger_id for move in quote.seats.moves]))),
        swaps=tuple(
            SeatSwap(people[move.passenger_id].full_name, people[move.passenger_id].seat_number, move.seat_number)
            for move in quote.seats.moves
        ),
        changed=changed,
    )
    return replace(
        on_seats(view, quote.seats.description, expires_at),
        old=card_of_item(item),
        returns_until=_returns_until(booking, quote.seats.open_returns_until),
    )


def _returns_until(booking: Booking, until: datetime | None) -> str:
    """When the open returns of who changes end then, in words; empty where nobody has one."""
    return moment(until, booking.open_returns[0].timezone) if until else ""
