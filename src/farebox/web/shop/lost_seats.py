"""What became of seats that an open page still shows as its visitor's: which are gone, why, and what to do about it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self, TypeAlias
from uuid import UUID

from farebox.accounts import Actor
from farebox.bookings import Booking, BookingNotFound, get_booking
from farebox.coaches import SeatLock, SeatMap, SeatView, find_nearest
from farebox.core.db import UnitOfWork
from farebox.core.i18n import ngettext
from farebox.inventory import Hold, find_hold
from farebox.web.shop.booked import BOOKED_BY
from farebox.web.shop.session import viewer_of
from farebox.web.views.seats import SeatOffer, SeatStatus

Cause: TypeAlias = Literal["over", "taken", "blocked", "given-back", "booked"]


@dataclass(frozen=True, slots=True)
class Known:
    """What an open page believes that its visitor is holding.

    Attributes:
        lock_id: the hold that it has seen last.
    """

    numbers: tuple[str, ...] = ()
    lock_id: UUID | None = None

    def without(self, numbers: Collection[str]) -> Self:
        return replace(self, numbers=tuple(number for number in self.numbers if number not in numbers))


@dataclass(frozen=True, slots=True)
class Loss:
    """What to tell about seats that are gone.

    Attributes:
        seats: with what each is now.
        is_own_doing: they were given back or booked by the visitor, elsewhere; nothing is wrong.
        booking_url: where they went, when they were booked.
    """

    notice: str = ""
    seats: Mapping[str, SeatStatus] = field(default_factory=dict)
    offers: tuple[SeatOffer, ...] = ()
    is_own_doing: bool = False
    booking_url: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a choice.

    Attributes:
        lock: the seats held now, if any.
        notice: what to tell the traveller.
        lost: seats that others were faster for, and what they are now.
        kept: seats that people have now and are to keep; `refused`: seats that were too many, still ticked.
    """

    lock: SeatLock | None
    notice: str = ""
    lost: Mapping[str, SeatStatus] = field(default_factory=dict)
    offers: tuple[SeatOffer, ...] = ()
    kept: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


async def explain_loss(work: UnitOfWork, seats: SeatMap, known: Known, *, actor: Actor) -> Loss:
    """Compare what a page believes to hold with what is held, and find out why a seat is missing."""
    gone = [seat for seat in seats.seats if seat.number in known.numbers and seat.status != "mine"]
    if not gone:
        return Loss()
    hold = await find_hold(work, known.lock_id) if known.lock_id else None
    booking = await _booking_of(work, hold, actor)
    was_released = hold is not None and hold.state == "released" and hold.owner == viewer_of(actor)
    by_cause: dict[Cause, list[SeatView]] = {}
    for seat in gone:
        by_cause.setdefault(_cause(seat, booking, was_released=was_released), []).append(seat)
    return Loss(
        notice=" ".join(_sentence(cause, [seat.number for seat in lost]) for cause, lost in by_cause.items()),
        seats={seat.number: seat.status for seat in gone},
        offers=_offers(by_cause, seats),
        is_own_doing=by_cause.keys() <= {"given-back", "booked"},
        booking_url=f"/bookings/{booking.id}" if booking and "booked" in by_cause else "",
    )


def offer_instead(numbers: Sequence[str]) -> tuple[SeatOffer, ...]:
    """The button that takes other seats in the place of lost ones."""
    if not numbers:
        return ()
    label = ngettext("Take seat {seats} instead", "Take seats {seats} instead", len(numbers))
    return (SeatOffer(tuple(numbers), label.format(seats=", ".join(numbers))),)


async def _booking_of(work: UnitOfWork, hold: Hold | None, actor: Actor) -> Booking | None:
    """The visitor's own booking that has adopted the hold, unless it is over too."""
    if hold is None or not hold.owner.startswith(BOOKED_BY):
        return None
    try:
        booking = await get_booking(work, UUID(hold.owner.removeprefix(BOOKED_BY)), actor=actor)
    except BookingNotFound:
        return None
    return booking if booking.is_open or booking.status in {"confirmed", "completed"} else None


def _cause(seat: SeatView, booking: Booking | None, *, was_released: bool) -> Cause:
    if booking:
        return "booked"
    if seat.status == "blocked":
        return "blocked"
    if was_released:
        return "given-back"
    return "over" if seat.status == "available" else "taken"


def _sentence(cause: Cause, numbers: Sequence[str]) -> str:
    count = len(numbers)
    match cause:
        case "over":
            text = ngettext(
                "The time for seat {seats} is over. It is free again.",
                "The time for seats {seats} is over. They are free again.",
                count,
            )
        case "taken":
            text = ngettext(
                "The time for seat {seats} was over, and somebody else has it now.",
                "The time for seats {seats} was over, and somebody else has them now.",
                count,
            )
        case "blocked":
            text = ngettext(
                "The operator has taken seat {seats} off sale.", "The operator has taken seats {seats} off sale.", count
            )
        case "given-back":
            text = ngettext(
                "Seat {seats} was given back in another window.",
                "Seats {seats} were given back in another window.",
                count,
            )
        case "booked":
            text = ngettext(
                "You went on with seat {seats} in another window.",
                "You went on with seats {seats} in another window.",
                count,
            )
    return text.format(seats=", ".join(numbers))


def _offers(by_cause: Mapping[Cause, Sequence[SeatView]], seats: SeatMap) -> tuple[SeatOffer, ...]:
    """The same seats again where they are free, and for others the nearest free one of each."""
    again = [seat.number for seat in by_cause.get("over", ())]
    taken = {*again}
    instead = []
    for lost in (*by_cause.get("taken", ()), *by_cause.get("blocked", ())):
        nearest = find_nearest(seats.seats, lost, but=taken)
        if nearest:
            taken.add(nearest.number)
            instead.append(nearest.number)
    label = ngettext("Hold seat {seats} again", "Hold seats {seats} again", len(again))
    offers = (SeatOffer(tuple(again), label.format(seats=", ".join(again))),) if again else ()
    return (*offers, *offer_instead(instead))
