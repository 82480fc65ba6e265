"""The browser of somebody who signs in: what is noted about it, the cookies it gets, and where it goes on."""

from litestar.datastructures import Cookie
from litestar.response import Redirect

from farebox.accounts import Actor, Client, SecondFactorNeeded, SignedIn
from farebox.bookings import adopt_guest
from farebox.core.settings import Settings
from farebox.edge.access import SESSION_COOKIE
from farebox.edge.visitors import whereabouts
from farebox.web.me import cookies_of
from farebox.web.pages import AnyRequest, own_path, see_other, with_next
from farebox.wiring import Services

CHALLENGE_COOKIE = "farebox_challenge"
"""Carries the first step of a sign-in to the second one, to those pages only."""

SECOND_STEP = "/sign-in/code"
AFTERWARDS = "/account"


def browser_of(request: AnyRequest, settings: Settings) -> Client:
    """From where somebody signs in. The session that the browser had ends."""
    device, place = whereabouts(request.scope, settings)
    return Client("browser", device, place, replaces=request.cookies.get(SESSION_COOKIE, ""))


async def enter(
    request: AnyRequest, services: Services, actor: Actor, outcome: SignedIn | SecondFactorNeeded, next_path: str
) -> Redirect:
    """After a first or last proof was right: on to the second step, or to where somebody was going.

    What they held and booked in this browser before becomes theirs.

    Args:
        actor: who they were before.
        next_path: where they were going; only a path of our own is followed.
    """
    settings = services.settings
    if isinstance(outcome, SecondFactorNeeded):
        going = own_path(next_path, "")
        challenge = _cookie(CHALLENGE_COOKIE, outcome.challenge_token, SECOND_STEP, None, settings)
        return see_other(with_next(SECOND_STEP, going), [challenge])
    if actor.kind == "guest" and actor.booking_id is None and actor.id is not None:
        async with services.database.begin() as work:
            await adopt_guest(work, actor.id, outcome.person.id)
    session = _cookie(SESSION_COOKIE, outcome.session.token, "/", settings.session_max_seconds, settings)
    cookies = [session, *cookies_of(outcome.person, settings), gone(CHALLENGE_COOKIE, SECOND_STEP)]
    return see_other(own_path(next_path, AFTERWARDS), cookies)


def gone(name: str, path: str = "/") -> Cookie:
    """What makes the browser forget a cookie."""
    return Cookie(key=name, value="", path=path, max_age=0, httponly=True, samesite="lax")


def _cookie(name: str, value: str, path: str, max_age: int | None, settings: Settings) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        path=path,
        max_age=max_age,
        httponly=True,
        secure=settings.base_url.startswith("https:"),
        samesite="lax",
    )
