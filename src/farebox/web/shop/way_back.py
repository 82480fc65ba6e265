"""Choosing the ride back of an open return: whose, on which day, on which seats, at what difference in price."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final
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
    NotChangeable,
    OpenReturn,
    OpenReturnNotFound,
    PriceChanged,
    RedeemWish,
    ReturnWish,
    get_booking,
    quote_redemption,
)
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import gettext as _
from farebox.inventory import Hold, get_hold
from farebox.payments import redeem_open_returns
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.shop.cards import card_of_item
from farebox.web.shop.finding import parse_day, parse_id
from farebox.web.shop.open_return import told_of, way_of
from farebox.web.shop.picking import ids_in, joined, picked_in, returns_to_pick
from farebox.web.shop.quoted import SEATS_GONE, Form, elsewhere_of, holder_for, on_seats, show_quote, terms_of, view_of
from farebox.web.shop.rides_for import day_of_trips, seats_for, trips_on
from farebox.web.shop.waiting import pay_for_change
from farebox.web.views.after import ChangeView, SeatSwap, WayBackView
from farebox.web.views.checkout import Problem
from farebox.wiring import Services

UNREADABLE: Final = 422


class WayBackController(Controller):
    path = "/bookings/{booking_id:uuid}/way-back"
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def start(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID
    ) -> Template | Redirect:
        """Who rides back, and which trips there are."""
        booking = await get_booking(work, booking_id, actor=actor)
        elsewhere = await _elsewhere(work, booking, actor)
        if elsewhere:
            return see_other(elsewhere)
        problem = _("The time of those seats was over. Choose again.") if request.query_params.get("said") else ""
        return await _start(request, work, booking, services, picked_in(request), problem)

    @get("/quote")
    async def quote(
        self,
        request: AnyRequest,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        booking_id: UUID,
        lock: str = "",
        passengers: str = "",
    ) -> Template | Redirect:
        """What the seats of a hold come to beyond the open returns."""
        booking = await get_booking(work, booking_id, actor=actor)
        elsewhere = await _elsewhere(work, booking, actor)
        lock_id = parse_id(lock)
        if elsewhere or lock_id is None:
            return see_other(elsewhere or f"/bookings/{booking_id}/way-back")
        return await _quoted(request, work, booking, actor, services, lock_id, ids_in(passengers))

    @post("/quote", opt={"rate": "booking"})
    async def redeem(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID, data: Form
    ) -> Template | Redirect:
        """Take the ride; where it costs more, go and pay."""
        booking = await get_booking(work, booking_id, actor=actor)
        elsewhere = await _elsewhere(work, booking, actor)
        lock, which = parse_id(data.get("lock", "")), ids_in(data.get("passengers", ""))
        if elsewhere or lock is None:
            return see_other(elsewhere or f"/bookings/{booking_id}/way-back")
        try:
            done = await redeem_open_returns(
                work,
                booking_id,
                await _wish(request, services, actor, lock, which),
                actor=actor,
                verticals=services.verticals,
                terms=terms_of(data, booking, services.settings),
                signer=services.secrets,
            )
        except PriceChanged as error:
            return await _quoted(request, work, booking, actor, services, lock, which, changed=error.text())
        except SEATS_GONE:
            return see_other(f"/bookings/{booking_id}/way-back?said=seats-gone")
        if done.waiting is None:
            return see_other(f"/bookings/{booking_id}?said=returned")
        return await pay_for_change(work, done.waiting, actor, services, data.get("method", ""))


async def _elsewhere(work: UnitOfWork, booking: Booking, actor: Actor) -> str:
    """Where to go instead: there is no ride back to choose (any more), or a change waits for its payment."""
    found = await elsewhere_of(work, booking, actor)
    is_good = any(work.now <= each.valid_until for each in booking.open_returns)
    return found or ("" if is_good else f"/bookings/{booking.id}")


async def _wish(request: AnyRequest, services: Services, actor: Actor, lock: UUID, which: Sequence[UUID]) -> RedeemWish:
    holder = await holder_for(request, services, actor)
    return RedeemWish(lock, holder, tuple(ReturnWish(each) for each in which))


async def _start(
    request: AnyRequest,
    work: UnitOfWork,
    booking: Booking,
    services: Services,
    picked: Sequence[UUID],
    problem: str = "",
) -> Template:
    returns = booking.open_returns
    chosen = [each for each in returns if each.id in picked] or list(returns)
    first = chosen[0]
    at = f"/bookings/{booking.id}"
    ids = [each.id for each in chosen]
    today, last = _days(work, booking, first, services)
    arrival = card_of_item(_way_there(booking, first)).alight.time
    day = min(max(parse_day(request.query_params.get("date", "")) or today, today), last)

    def on(other: date) -> str:
        return f"{at}/way-back?{urlencode({'passengers': joined(ids), 'date': other.isoformat()})}"

    trips = [trip for trip in await trips_on(work, first, day, len(ids)) if trip.board.time >= arrival]
    found = [(trip, seats_for(trip, ids, redeem=booking.id)) for trip in trips]
    view = WayBackView(
        reference=booking.reference,
        action=f"{at}/way-back",
        back_url=at,
        way=way_of(first),
        told=told_of(chosen),
        returns=returns_to_pick(booking, ids, services.secrets),
        day=day_of_trips(day, (today, last), on, found),
        problems=(Problem("passengers", problem),) if problem else (),
    )
    return page(request, "after/way_back.html", view, is_private=True, status=UNREADABLE if problem else 200)


def _days(work: UnitOfWork, booking: Booking, found: OpenReturn, services: Services) -> tuple[date, date]:
    """Between which days a trip can be chosen: from the end of the way there on, as long as it is good and on sale."""
    zone = ZoneInfo(found.timezone)
    today = work.now.astimezone(zone).date()
    there = _way_there(booking, found)
    last = min(found.valid_until.astimezone(zone).date(), today + timedelta(days=services.settings.sales_horizon_days))
    return min(max(today, there.completes_at.astimezone(zone).date()), last), last


def _way_there(booking: Booking, found: OpenReturn) -> BookingItem:
    return next(item for item in booking.items if any(each.id == found.passenger_id for each in item.passengers))


async def _quoted(
    request: AnyRequest,
    work: UnitOfWork,
    booking: Booking,
    actor: Actor,
    services: Services,
    lock: UUID,
    which: Sequence[UUID],
    *,
    changed: str = "",
) -> Template | Redirect:
    try:
        wish = await _wish(request, services, actor, lock, which)
        quote = await quote_redemption(work, booking.id, wish, actor=actor, verticals=services.verticals)
        hold = await get_hold(work, lock)
    except SEATS_GONE:
        return see_other(f"/bookings/{booking.id}/way-back?said=seats-gone")
    except (OpenReturnNotFound, NotChangeable):
        return see_other(f"/bookings/{booking.id}")
    except Invalid as error:
        return await _start(request, work, booking, services, which, error.errors[0].text())
    return show_quote(request, _quote_view(booking, quote, actor, services, hold, changed), services)


def _quote_view(
    booking: Booking, quote: ChangeQuote, actor: Actor, services: Services, hold: Hold, changed: str
) -> ChangeView:
    assert quote.redemption is not None  # it was asked for with open returns
    back = quote.redemption
    names = {person.id: person.full_name for person in booking.passengers}
    view = view_of(
        booking,
        quote,
        actor,
        services,
        title=_("Your ride back"),
        action="way-back/quote",
        hidden=(("lock", str(hold.id)), ("passengers", joined(back.open_return_ids))),
        swaps=tuple(SeatSwap(names[move.passenger_id], "", move.seat_number) for move in back.moves),
        changed=changed,
    )
    return replace(on_seats(view, back.description, hold.expires_at), is_way_back=True)
