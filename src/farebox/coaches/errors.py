"""Why seats on a departure cannot be had, seat by seat."""

from collections.abc import Sequence

from farebox.core.errors import DomainError, NotFound
from farebox.core.i18n import N_


class SeatsUnavailable(DomainError):
    """Somebody else has some of the seats on this stretch; none was taken.

    Attributes:
        seats: the seats that were lost, in the order asked for.
        alternatives: for each of them the nearest free seat of the same type, where there is one.
    """

    code = "seats-unavailable"
    message = N_("Somebody else has just taken: {seats}. Choose other seats.")

    def __init__(self, seats: Sequence[str], alternatives: dict[str, str] | None = None) -> None:
        super().__init__(seats=list(seats), alternatives=dict(alternatives or {}))


class TooManySeats(DomainError):
    code = "too-many-seats"
    message = N_("You can take at most {limit} seats in one booking.")


class NoSeats(DomainError):
    code = "no-seats"
    message = N_("Choose at least one seat.")


class DuplicateSeats(DomainError):
    code = "duplicate-seats"
    message = N_("You named a seat more than once: {seats}.")


class UnknownSeat(DomainError):
    code = "unknown-seat"
    message = N_("This vehicle has no seat {seats}.")


class SalesClosed(DomainError):
    code = "sales-closed"
    message = N_("Tickets for this departure are no longer on sale here.")


