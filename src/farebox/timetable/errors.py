"""What can be wrong with a departure, a place, or a feed."""

from typing import Any

from farebox.core.errors import DomainError, NotFound
from farebox.core.i18n import N_


class DepartureNotFound(NotFound):
    code = "departure-not-found"
    message = N_("This departure does not exist, or it is no longer in the timetable.")


class PlaceNotFound(NotFound):
    code = "place-not-found"
    message = N_("We do not know this place.")


class NotBoardable(DomainError):
    """The departure does not carry anybody from the one place to the other."""

    code = "not-boardable"
    message = N_("This departure does not carry passengers between these two stops.")


class GtfsError(DomainError):
    """A feed that cannot be imported. Nothing of it was.

    Args:
        reason: what is wrong and what to do about it (English: for whoever runs the import).
        file, line, column: where, as far as it is known.
    """

    code = "bad-feed"
    message = N_("The timetable could not be imported. {where}{reason}")

    def __init__(self, reason: str, *, file: str = "", line: int | None = None, column: str = "") -> None:
        parts = [file, f"line {line}" if line else "", f"column {column}" if column else ""]
        where = ", ".join(part for part in parts if part)
        fields: dict[str, Any] = {"reason": reason, "where": f"{where}: " if where else ""}
        super().__init__(**fields)
        self.reason, self.file, self.line, self.column = reason, file, line, column
