"""Facts about personal data. Ids only."""

from typing import ClassVar
from uuid import UUID

from farebox.core.events import Event


class UserErased(Event, frozen=True, kw_only=True):
    """Nothing names this person any more."""

    type: ClassVar[str] = "user.erased"
    user_id: UUID
