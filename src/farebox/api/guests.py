"""Guest sessions: what a visitor without an account holds seats with."""

from datetime import datetime
from typing import Annotated

from litestar import Controller, post
from msgspec import Meta

from farebox.accounts import open_guest_session
from farebox.api.wire import Wire
from farebox.core.db import UnitOfWork
from farebox.core.settings import Settings


class GuestSessionView(Wire):
    """Send the token as `Authorization: Bearer …`. Each use lets the session last anew."""

    guest_token: Annotated[str, Meta(examples=["fbg_Z0rJ6xgW1c2tq3vTQb8m4nYh5kLp7sDfA9uEiRoXyNw"])]
    expires_at: Annotated[datetime, Meta(examples=["2026-11-20T09:30:00Z"])]


class GuestSessionsController(Controller):
    """Sessions of visitors."""

    path = "/guest-sessions"
    tags = ("Seats",)

    @post(
        "/",
        summary="Begin a guest session",
        operation_id="createGuestSession",
        opt={"access": "public"},
        response_description="The token, which is told this once.",
    )
    async def create(self, work: UnitOfWork, settings: Settings) -> GuestSessionView:
        """A token for holding and booking seats without an account. It sees its own holds and bookings only."""
        session, token = await open_guest_session(work, ttl_seconds=settings.guest_session_seconds)
        return GuestSessionView(guest_token=token, expires_at=session.expires_at)
