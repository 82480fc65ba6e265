"""Facts about who acts for an operator. Ids and roles, no names and no addresses."""

from typing import ClassVar
from uuid import UUID

from farebox.core.events import Event


class StaffInvited(Event, frozen=True, kw_only=True):
    """Somebody is to be mailed an invitation; `occasion` tells the first mail from those sent again."""

    type: ClassVar[str] = "staff.invited"
    invitation_id: UUID
    operator_id: UUID
    role: str
    occasion: str


class StaffJoined(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "staff.joined"
    operator_id: UUID
    user_id: UUID
    role: str


class StaffRoleChanged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "staff.role-changed"
    operator_id: UUID
    user_id: UUID
    role: str


class StaffRemoved(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "staff.removed"
    operator_id: UUID
    user_id: UUID
