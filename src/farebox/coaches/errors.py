"""What can be wrong with a choice of seats. Texts name the seats."""

from dataclasses import dataclass

from farebox.coaches.views import SeatStatus
from farebox.core.errors import DomainError
from farebox.core.i18n import N_, gettext


@dataclass(frozen=True, slots=True)
class LostSeat:
    """A seat that could not be had.

    Attributes:
        status: what it is on the stretch asked for: `occupied`, `locked` or `blocked`.
        nearest: a free seat near it, where there is one.
    """

    number: str
    status: SeatStatus
    nearest: str | None


class SeatsUnavailable(DomainError):
    """Somebody else has at least one of the seats on a part of the stretch. Nothing was locked.

    Attributes:
        lost: the seats that could not be had, in the order asked for. In `fields`, and on the wire: `seats`, their
            numbers; `statuses` and `alternatives`, by number.
    """

    code = "seats-unavailable"
    message = N_("Some of these seats are not available on your stretch.")

    SENTENCES = {  # noqa: RUF012  (a table of texts)
        "occupied": N_("Seat {seat} is taken on your stretch."),
        "locked": N_("Somebody else has just chosen seat {seat}."),
        "blocked": N_("Seat {seat} is not for sale."),
    }
    OFFER = N_("Seat {seat} near it is free.")

    def __init__(self, lost: list[LostSeat]) -> None:
        super().__init__(
            seats=[seat.number for seat in lost],
            statuses={seat.number: seat.status for seat in lost},
            alternatives={seat.number: seat.nearest for seat in lost if seat.nearest},
        )
        self.lost = lost

    def text(self) -> str:
        return " ".join(sentence for seat in self.lost for sentence in self._sentences(seat)) or super().text()

    def _sentences(self, seat: LostSeat) -> list[str]:
        sentences = [gettext(self.SENTENCES.get(seat.status, self.SENTENCES["locked"])).format(seat=seat.number)]
        if seat.nearest:
            sentences.append(gettext(self.OFFER).format(seat=seat.nearest))
        return sentences


class TooManySeats(DomainError):
    code = "too-many-seats"
    message = N_("You can choose up to {limit} seats at a time.")


class TooManyHolds(DomainError):
    """Whoever could hold seats on every departure at once would keep them from all others."""

    code = "too-many-holds"
    message = N_("You are holding seats on {limit} departures already. Book or give back some of them first.")


class DuplicateSeats(DomainError):
    code = "duplicate-seats"
    message = N_("You named the same seat more than once: {seats}.")


class UnknownSeat(DomainError):
    code = "unknown-seat"
    message = N_("This coach has no such seat: {seats}.")


class SalesClosed(DomainError):
    """Too late to board at this stop, or the departure is cancelled."""

    code = "sales-closed"
    message = N_("Seats on this departure are no longer on sale from this stop.")


class TooManyWatchers(DomainError):
    """No more live maps at present: for this machine, or for this address. `retry_after` is in seconds."""

    code = "too-many-watchers"
    message = N_("Too many people are watching seats at this moment. Ask for the seat map again in a while.")

    def __init__(self, *, retry_after: int = 10) -> None:
        super().__init__(retry_after=retry_after)
