"""Several rides on their way to one booking."""

from dataclasses import dataclass

from farebox.core.money import Money
from farebox.web.views.seats import HoldClock, SeatOffer
from farebox.web.views.trips import TripCard


@dataclass(frozen=True, slots=True)
class ChosenRide:
    """A ride with the seats that are held on it.

    Attributes:
        total: what its seats cost together with the other rides.
        clock: of its own seats; `None` where they are held no more.
        edit_url: where other seats of it are chosen.
        notice: what has become of seats that are held no more; `offers`: what may be held instead.
        booking_url: the booking that they went into.
        warning: what one should know about it, such as that it leaves before the one before arrives.
    """

    hold_id: str
    trip: TripCard
    seats: tuple[str, ...]
    total: Money | None
    clock: HoldClock | None
    edit_url: str
    notice: str = ""
    offers: tuple[SeatOffer, ...] = ()
    booking_url: str = ""
    warning: str = ""

    @property
    def is_lost(self) -> bool:
        return bool(self.notice)


@dataclass(frozen=True, slots=True)
class ItineraryView:
    """What was chosen so far.

    Attributes:
        total: of all that is held; `None` where it cannot be paid together.
        saved: how much less it is since a way back is with it.
        clock: of the seats whose time is over first.
        action: takes what is pressed: more time, or a ride left out; `here`: the page to come back to.
        go_url: where it goes on with just these rides.
    """

    rides: tuple[ChosenRide, ...]
    total: Money | None
    saved: Money | None
    clock: HoldClock | None
    action: str
    go_url: str
    here: str = ""
