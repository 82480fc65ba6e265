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


class UnknownUnits(DomainError):
    """A unit or a slot that the run does not have, or a run that does not exist: a mistake of the caller."""

    code = "unknown-units"
    message = N_("There is no such place.")


class NotOnSale(DomainError):
    code = "not-on-sale"
    message = N_("These places are not on sale at this time.")


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
