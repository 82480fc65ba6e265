"""Facts about second factors and linked accounts. `occasion` tells one from the next of its kind."""

from typing import ClassVar
from uuid import UUID

from farebox.core.events import Event


class FactorAdded(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "user.factor_added"

    user_id: UUID
    occasion: UUID
    kind: str


class FactorRemoved(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "user.factor_removed"

    user_id: UUID
    occasion: UUID
    kind: str


class RecoveryCodesRenewed(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "user.recovery_codes_renewed"

    user_id: UUID
    occasion: UUID


class IdentityLinked(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "user.identity_linked"

    user_id: UUID
    occasion: UUID
    provider: str


class IdentityUnlinked(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "user.identity_unlinked"

    user_id: UUID
    occasion: UUID
    provider: str
