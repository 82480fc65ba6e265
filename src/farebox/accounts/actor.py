"""Who is asking."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from farebox.core.errors import NotAllowed, SignInRequired


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking, as read from the credential and never from a request's body.

    Attributes:
        id: the session, person or process; `None` for anonymous visitors and the system.
        booking_id: set when the credential reaches this one booking and nothing else.
    """

    kind: Literal["anonymous", "guest", "system", "staff"]
    id: UUID | None = None
    booking_id: UUID | None = None

    @property
    def owner(self) -> str:
        """The name under which this actor holds seats, such as `guest:<session id>`.

        Raises:
            SignInRequired: anonymous visitors own nothing.
            NotAllowed: a credential for one booking takes no seats.
        """
        if self.kind == "anonymous":
            raise SignInRequired
        if self.booking_id is not None:
            raise NotAllowed
        return f"{self.kind}:{self.id}" if self.id else self.kind


ANONYMOUS = Actor("anonymous")
SYSTEM = Actor("system")
