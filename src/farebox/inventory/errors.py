"""Errors of the kernel."""

from collections.abc import Sequence

from farebox.core.errors import DomainError, NotFound
from farebox.core.i18n import N_


class UnitsTaken(DomainError):
    """Somebody else has some of the units. Nothing of the request was kept.

    Attributes:
        lost: (inventory id, unit) of each unit that could not be had, sorted.
    """

    code = "units-taken"
    message = N_("Somebody else was faster. These places are taken.")

    def __init__(self, lost: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.lost = list(lost)


class StockGone(DomainError):
    """Less of the stock is left than was asked for. Nothing of the request was kept.

    Attributes:
        short: (inventory id, how much is left there over the whole range) of each run that has too little, sorted.
    """

    code = "stock-gone"
    message = N_("There are not enough of these places left: {left}.")

    def __init__(self, short: Sequence[tuple[int, int]]) -> None:
        super().__init__(left=min(left for _, left in short))
        self.short = list(short)


class StockInUse(DomainError):
    """The stock of a slot cannot be less than what was taken of it.

    Attributes:
        inventory_id, slot: where.
        taken: how much.
    """

    code = "stock-in-use"
    message = N_("More of these places have been taken already: {taken}.")

    def __init__(self, inventory_id: int, slot: int, taken: int) -> None:
        super().__init__(taken=taken)
        self.inventory_id = inventory_id
        self.slot = slot
        self.taken = taken


class NotEnoughUnits(DomainError):
    """Fewer units are free on the whole stretch than were asked for: `free` of those that may be given."""

    code = "not-enough-units"
    message = N_("There are not enough places left on this stretch: {free}.")


class UnknownUnits(DomainError):
    """A unit or a slot that the run does not have, or a run that does not exist: a mistake of the caller."""

    code = "unknown-units"
    message = N_("There is no such place.")


class NotOnSale(DomainError):
    code = "not-on-sale"
    message = N_("These places are not on sale at this time.")


class Overloaded(DomainError):
    """More requests than can be served are waiting, or this process is about to stop. `retry_after` is in seconds."""

    code = "overloaded"
    message = N_("More people are asking than we can serve at this moment. Try again in a few seconds.")

    def __init__(self, *, retry_after: int = 2) -> None:
        super().__init__(retry_after=retry_after)


class HoldNotFound(NotFound):
    """No such hold, or it is somebody else's."""

    code = "lock-not-found"
    message = N_("There is no such hold on seats.")


class HoldExpired(DomainError):
    code = "lock-expired"
    message = N_("The time to keep these seats is over. Choose again.")


class ExtensionLimit(DomainError):
    code = "extension-limit"
    message = N_("These seats cannot be kept any longer.")


class HoldLost(DomainError):
    """Somebody else has taken some of the hold's units since its clock ran out, or it was given up."""

    code = "lock-lost"
    message = N_("The seats were not kept in time.")


class HoldConflict(DomainError):
    """The id was used before, for something else."""

    code = "lock-conflict"
    message = N_("This hold exists already, with other seats.")
