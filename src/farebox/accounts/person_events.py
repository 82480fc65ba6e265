"""Facts about people with an account. Ids only: no names and no addresses."""

from typing import ClassVar
from uuid import UUID

from farebox.core.events import Event


class UserRegistered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "user.registered"
    user_id: UUID


class UserLoggedIn(Event, frozen=True, kw_only=True):
    """`is_new_device`: none of the person's sessions is from such a device, and it is not their first sign-in."""

    type: ClassVar[str] = "user.logged_in"
    user_id: UUID
    session_id: UUID
    is_new_device: bool = False


class PasswordChanged(Event, frozen=True, kw_only=True):
    """`occasion` tells one change from the next."""

    type: ClassVar[str] = "user.password_changed"
    user_id: UUID
    occasion: UUID


class RefreshTokenReused(Event, frozen=True, kw_only=True):
    """A refresh token came a second time, so its session was ended."""

    type: ClassVar[str] = "user.refresh_token_reused"
    user_id: UUID
    session_id: UUID
