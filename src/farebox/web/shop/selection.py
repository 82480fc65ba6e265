"""The seats chosen on a map: what is held, what it costs with the other rides, how long, and what was lost of it."""

from hashlib import blake2b

from farebox.accounts import Actor
from farebox.coaches import SeatLock, SeatMap
from farebox.core.db import UnitOfWork
from farebox.core.i18n import ngettext
from farebox.core.money import Money
from farebox.pricing import describe_line
from farebox.web.labels import seat_place
from farebox.web.shop.alike import find_alike
from farebox.web.shop.chosen import clock_of_all
from farebox.web.shop.clocks import expired_url
from farebox.web.shop.itinerary import Itinerary
from farebox.web.shop.lost_seats import Known, Outcome, explain_loss
from farebox.web.shop.session import viewer_of
from farebox.web.shop.stretches import Stretch
from farebox.web.views.seats import ChosenSeat, HoldClock, PriceRow, SeatOffer, Selection

DIGEST_BYTES = 8


async def selection_of(
    work: UnitOfWork,
    seats: SeatMap,
    outcome: Outcome,
    stretch: Stretch,
    itinerary: Itinerary,
    *,
    known: Known,
    actor: Actor,
) -> Selection:
    """What is held of a ride.

    Args:
        itinerary: of this ride and the others; empty where it is the only one.
    """
    lock = seats.lock
    loss = await explain_loss(work, seats, known.without({*outcome.lost, *outcome.kept}), actor=actor)
    places = {seat.number: seat_place(seat.features) for seat in seats.seats}
    held = [ChosenSeat(each, places[each], lock.quote.for_seat(each)) for each in lock.seat_numbers] if lock else []
    kept = [ChosenSeat(each, places[each], None, is_kept=True) for each in outcome.kept]
    lines = lock.quote.lines if lock else ()
    notice = " ".join(filter(None, (outcome.notice, loss.notice)))
    alike = () if notice or lock else _offer_alike(seats, itinerary)
    return Selection(
        seats=(*held, *kept),
        total=_total(lock, stretch, itinerary),
        fees=tuple(
            PriceRow(describe_line(line), line.amount)
            for line in lines
            if line.seat_number is None and not stretch.booking_url
        ),
        clock=_clock(work, lock, stretch, itinerary),
        notice=notice or (_about_alike(alike[0]) if alike else ""),
        is_warning=not alike and (bool(outcome.notice) or not loss.is_own_doing),
        lost={**outcome.lost, **loss.seats},
        offers=(*outcome.offers, *loss.offers, *alike),
        booking_url=loss.booking_url,
        saved=itinerary.saved,
        mine=(*seats_held(seats), *outcome.kept),
        lock_id=str(lock.id) if lock else "",
        viewer=_digest(viewer_of(actor)),
    )


def seats_held(seats: SeatMap) -> tuple[str, ...]:
    """What the visitor holds on this very stretch."""
    return tuple(seat.number for seat in seats.seats if seat.status == "mine")


def clock_of_lock(work: UnitOfWork, lock: SeatLock, travellers: int) -> HoldClock | None:
    """The clock of seats that are held but not booked."""
    if lock.state != "held" or lock.expires_at is None:
        return None
    over = expired_url(lock.departure.id, lock.segment.board.stop_id, lock.segment.alight.stop_id, travellers)
    return HoldClock(lock.expires_at, work.now, f"/checkout/{lock.id}/extend" if lock.extensions_left else "", over)


def _total(lock: SeatLock | None, stretch: Stretch, itinerary: Itinerary) -> Money | None:
    """What is to be paid; nothing where seats are for a booking: what they come to against the old ones is quoted next,
    and no fee is asked for again."""
    if stretch.booking_url:
        return None
    return itinerary.total if itinerary.parts else lock.total if lock else None


def _clock(work: UnitOfWork, lock: SeatLock | None, stretch: Stretch, itinerary: Itinerary) -> HoldClock | None:
    if itinerary.locks:
        return clock_of_all(work, itinerary, stretch.people)
    return clock_of_lock(work, lock, stretch.travellers) if lock else None


def _offer_alike(seats: SeatMap, itinerary: Itinerary) -> tuple[SeatOffer, ...]:
    """Free seats like those on the ride before."""
    others = [lock for lock in itinerary.locks if lock.departure.id != seats.departure.id]
    found = find_alike(seats, others[-1]) if others else []
    label = ngettext("Take seat {seats}", "Take seats {seats}", len(found)).format(seats=", ".join(found))
    return (SeatOffer(tuple(found), label),) if found else ()


def _about_alike(offer: SeatOffer) -> str:
    return ngettext(
        "A seat like yours on the other trip is free.",
        "Seats like yours on the other trip are free.",
        len(offer.seats),
    )


def _digest(viewer: str) -> str:
    """Tells visitors apart without naming them."""
    return blake2b(viewer.encode(), digest_size=DIGEST_BYTES).hexdigest() if viewer else ""
