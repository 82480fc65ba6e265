"""An itinerary as the pages show it: each ride with its seats, its price and its clock, and what was lost of it."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from farebox.accounts import Actor
from farebox.coaches import SeatLock, get_seat_map
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.pricing import Quote, describe_line
from farebox.timetable import DepartureNotFound, NotBoardable
from farebox.web.shop.finding import parse_id
from farebox.web.shop.itinerary import Itinerary, Part
from farebox.web.shop.lost_seats import Known, Loss, explain_loss
from farebox.web.shop.stretches import Stretch, checkout_url
from farebox.web.views.checkout import Price
from farebox.web.views.itinerary import ChosenRide, ItineraryView
from farebox.web.views.seats import HoldClock, PriceRow


async def draw_itinerary(
    work: UnitOfWork,
    itinerary: Itinerary,
    *,
    actor: Actor,
    settings: Settings,
    here: str = "",
    people: str = "",
    back: str = "",
) -> ItineraryView:
    """All of it.

    Args:
        here: the page that it is shown on, to come back to.
        people, back: see `Stretch`.
    """
    ids = [part.hold_id for part in itinerary.parts]
    losses = {part.hold_id: await _loss_of(work, part, actor, settings) for part in itinerary.parts if not part.lock}
    rides = []
    for place, part in enumerate(itinerary.parts):
        before = itinerary.parts[place - 1] if place else None
        ride = _ride(work, itinerary, part, losses.get(part.hold_id), back=back, people=people)
        rides.append(replace(ride, warning=_warning(before, part)))
    return ItineraryView(
        rides=tuple(rides),
        total=itinerary.total,
        saved=itinerary.saved,
        clock=clock_of_all(work, itinerary, people),
        action=checkout_url(ids, people, step="rides"),
        go_url=checkout_url(ids, people),
        here=here,
    )


def clock_of_all(work: UnitOfWork, itinerary: Itinerary, people: str = "") -> HoldClock | None:
    """The clock of the seats whose time is over first. When it is, the page of the people says what is lost."""
    if not itinerary.locks:
        return None
    first = min(itinerary.locks, key=lambda lock: lock.expires_at or work.now)
    ids = [lock.id for lock in itinerary.locks]
    extend_url = checkout_url(ids, people, step="extend") if first.extensions_left else ""
    return HoldClock(first.expires_at or work.now, work.now, extend_url, checkout_url(ids, people))


def price_of_all(itinerary: Itinerary) -> Price | None:
    """What all of it costs, ride by ride."""
    if itinerary.total is None:
        return None
    tax = sum(quote.tax.minor for quote in itinerary.quotes)
    return Price(
        rows=tuple(
            row
            for part, quote in zip(itinerary.held, itinerary.quotes, strict=True)
            for row in _rows(quote, way_of(part) if len(itinerary.held) > 1 else "")
        ),
        total=itinerary.total,
        tax=Money(tax, itinerary.total.currency) if tax else None,
    )


def way_of(part: Part) -> str:
    """Where a ride goes: Hà Nội – Vinh."""
    ends = part.trip.board, part.trip.alight
    return " – ".join(end.place or end.stop for end in ends)


def stretch_of(part: Part, others: Sequence[UUID], *, back: str = "", people: str = "") -> Stretch:
    """A ride of an itinerary, to choose other seats of it."""
    return Stretch(
        part.trip_id,
        parse_id(part.trip.from_id),
        parse_id(part.trip.to_id),
        max(1, len(part.places)),
        others=tuple(others),
        back=back,
        people=people,
    )


def map_url(itinerary: Itinerary, part: Part, *, back: str = "", people: str = "") -> str:
    """Where other seats of a ride are chosen; of seats that were lost it says what became of them."""
    known = {} if part.lock else {"known": ",".join(part.seats), "lock": str(part.hold_id)}
    return stretch_of(part, itinerary.without(part.hold_id), back=back, people=people).url("seats", **known)


def _rows(quote: Quote, group: str) -> list[PriceRow]:
    return [PriceRow(describe_line(line), line.amount, group=group) for line in quote.lines if line.amount]


def _ride(
    work: UnitOfWork, itinerary: Itinerary, part: Part, loss: Loss | None, *, back: str, people: str
) -> ChosenRide:
    quote = itinerary.quote_of(part)
    own = quote.total if quote else part.lock.total if part.lock else None
    return ChosenRide(
        hold_id=str(part.hold_id),
        trip=part.trip,
        seats=part.seats,
        total=own,
        clock=_own_clock(work, part.lock),
        edit_url="" if part.is_closed or part.booking_id else map_url(itinerary, part, back=back, people=people),
        notice=loss.notice if loss else "",
        offers=loss.offers if loss else (),
        booking_url=loss.booking_url if loss else "",
    )


def _own_clock(work: UnitOfWork, lock: SeatLock | None) -> HoldClock | None:
    return HoldClock(lock.expires_at, work.now, "", "") if lock and lock.expires_at else None


async def _loss_of(work: UnitOfWork, part: Part, actor: Actor, settings: Settings) -> Loss:
    """What became of seats that are held no more."""
    gone = Loss(_("This trip cannot be booked any more."))
    if part.is_closed:
        return gone
    try:
        seats = await get_seat_map(
            work,
            part.trip_id,
            parse_id(part.trip.from_id),
            parse_id(part.trip.to_id),
            viewer=actor,
            settings=settings,
        )
    except (DepartureNotFound, NotBoardable):
        return gone
    loss = await explain_loss(work, seats, Known(part.seats, part.hold_id), actor=actor)
    return loss if loss.notice else gone


def _warning(before: Part | None, part: Part) -> str:
    if before and part.trip.board.time < before.trip.alight.time:
        return _("It leaves before you arrive from the trip before it.")
    return ""
