"""What bookings refuse."""

from farebox.core.errors import DomainError, NotFound
from farebox.core.i18n import N_


class BookingNotFound(NotFound):
    """No such booking, or not for this credential: the answer is the same."""

    code = "booking-not-found"
    message = N_("We could not find this booking.")


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
    """Over already, or paid: a paid booking is cancelled under its fare's policy."""

    code = "not-cancellable"
    message = N_("This booking cannot be cancelled here.")


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
