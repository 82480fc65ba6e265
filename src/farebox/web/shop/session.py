"""The visitor's session: opened at the first choice of a seat, kept in a cookie that scripts cannot read."""

from contextlib import suppress
from uuid import UUID

from litestar.datastructures import Cookie

from farebox.accounts import Actor, open_guest_session
from farebox.core.db import UnitOfWork
from farebox.core.errors import SignInRequired
from farebox.core.settings import Settings
from farebox.edge.access import BOOKING_COOKIE, SESSION_COOKIE
from farebox.edge.rate_limits import count_also
from farebox.web.pages import AnyRequest
from farebox.wiring import Services


async def guest_of(
    request: AnyRequest, work: UnitOfWork, actor: Actor, settings: Settings
) -> tuple[Actor, list[Cookie]]:
    """The visitor as one that can hold seats, and the cookies to set where a session was opened for it.

    A new session counts as a write, as it does in the API: choosing seats may be done often, but who came each time as
    somebody new could hold every seat there is.

    Raises:
        TooManyRequests: too many new visitors from this address.
    """
    if actor.kind != "anonymous" and actor.booking_id is None:
        return actor, []
    await count_also(request, "write")
    session, token = await open_guest_session(work, ttl_seconds=settings.guest_session_seconds)
    return Actor("guest", session.id), [_cookie(SESSION_COOKIE, token, "/", settings)]


async def holder_of(
    request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services
) -> tuple[Actor, list[Cookie]]:
    """The visitor as one that can hold seats, also on the page of a booking that a mailed code has opened.

    There the code is the credential; the visitor's own session, if there is one, has come along beside it.

    Raises:
        TooManyRequests: too many new visitors from this address.
    """
    own = request.cookies.get(SESSION_COOKIE)
    if actor.booking_id is not None and own:
        with suppress(SignInRequired):
            return await services.sessions.authenticate(own), []
    return await guest_of(request, work, actor, services.settings)


def viewer_of(actor: Actor) -> str:
    """The name under which the visitor holds seats, or empty for one that holds none yet."""
    return "" if actor.kind == "anonymous" or actor.booking_id is not None else actor.owner


def booking_cookie(booking_id: UUID, token: str, settings: Settings) -> Cookie:
    """Carries the credential for one booking to that booking's pages only, beside the visitor's own session."""
    return _cookie(BOOKING_COOKIE, token, f"/bookings/{booking_id}", settings)


def _cookie(name: str, token: str, path: str, settings: Settings) -> Cookie:
    return Cookie(
        key=name,
        value=token,
        path=path,
        httponly=True,
        secure=settings.base_url.startswith("https:"),
        samesite="lax",
    )
