"""What bookings refuse."""

from farebox.core.errors import DomainError, NotFound
from farebox.core.i18n import N_
from farebox.inventory import HoldNotFound


class BookingNotFound(NotFound):
    """No such booking, or not for this credential: the answer is the same."""

    code = "booking-not-found"
    message = N_("We could not find this booking.")


class ConcernsOthers(DomainError):
    """Who acts for one of several operators of a booking does what would touch the others' trips, or the price."""

    code = "concerns-others"
    message = N_(
        "This booking has trips of other operators, too, and this would concern them. The person who booked can do it,"
        " and so can the administrators of the platform."
    )


class AlreadyBooked(HoldNotFound):
    """The hold is a booking's of the same owner already: `booking_id` and `reference` say which one's."""

    code = "already-booked"
    message = N_("These seats are booked already, under {reference}.")


class PriceChanged(DomainError):
    """The total expected by the client is not the total now; `total` is the new one."""

    code = "price-changed"
    message = N_("The price has changed since you saw it. Please look at the new total.")


class BookingExpired(DomainError):
    """The time to pay is over, and the seats are free for others."""

    code = "booking-expired"
    message = N_("The time to pay for this booking is over, and its seats are free again. Please start anew.")


class NotModifiable(DomainError):
    """Passengers can be changed while the booking is pending only."""

    code = "not-modifiable"
    message = N_("This booking cannot be changed any more.")


class NotCancellable(DomainError):
    """Over already, or in the middle of being paid where only a part was to be cancelled; `booking_status` says so."""

    code = "not-cancellable"
    message = N_("This booking cannot be cancelled in the state that it is in.")


class TooLateToCancel(DomainError):
    """It has begun, or its terms do not allow it any more; `passengers` are those for whom it is too late."""

    code = "too-late-to-cancel"
    message = N_("It is too late to cancel this.")


class RefundChanged(DomainError):
    """What is paid back is not what the client was shown; `refund` is what it is now."""

    code = "refund-changed"
    message = N_("What we can pay back has changed since you saw it. Please look at the new amount.")


class ReferenceMistyped(NotFound):
    """No reference looks like this: its check character does not fit the others, or it has another form."""

    code = "reference-mistyped"
    message = N_("There is a typing mistake in this reference. Please compare it with your confirmation.")


class IllegalTransition(DomainError):
    """The booking is not in a state from which this is possible (any more); `booking_status` says where it is."""

    code = "illegal-transition"
    message = N_("This is not possible in the state that the booking is in.")


class SeatsGone(DomainError):
    """Paid too late: somebody else has at least one of the seats now."""

    code = "seats-gone"
    message = N_("The time to pay was over, and the seats were sold to somebody else.")


class LookupFailed(DomainError):
    """A code that opens nothing: wrong, too old, tried too often, or for no booking. Which of them is not told."""

    code = "lookup-failed"
    message = N_("This code does not work. Check the reference and the code, or ask for a new one.")


class MixedCurrencies(DomainError):
    """Items priced in different currencies cannot be paid together."""

    code = "mixed-currencies"
    message = N_("These trips are priced in different currencies. Please book them one by one.")


class NotChangeable(DomainError):
    """Not in a state in which it can be changed, or too late by the terms under which it was bought.

    `booking_status` says where the booking is, `until` when the last moment was, where that is what is in the way.
    """

    code = "not-changeable"
    message = N_("This booking cannot be changed any more.")


class ChangePending(DomainError):
    """A change waits for its payment; it is to be paid or withdrawn before another one."""

    code = "change-pending"
    message = N_("A change of this booking waits for its payment. Pay it or take it back first.")


class ChangeNotFound(NotFound):
    """No change of this booking waits for its payment (any more)."""

    code = "change-not-found"
    message = N_("There is no change that waits for a payment.")


class NothingFound(NotFound):
    """What was booked is not on sale again in the days asked for."""

    code = "nothing-found"
    message = N_("We could not find this trip again with enough free seats in the coming days.")


class OpenReturnNotFound(NotFound):
    """No such open return of this booking, or it was used or given up."""

    code = "open-return-not-found"
    message = N_("We could not find this open return. It may have been used or given up already.")


class PassengerNotFound(NotFound):
    """Nobody of this booking, or somebody who has given the seat up."""

    code = "passenger-not-found"
    message = N_("We could not find this passenger in the booking.")
