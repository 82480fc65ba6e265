"""Sending a browser to another provider to sign in, and knowing it again when it comes back."""

from typing import Any

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Redirect
from litestar.status_codes import HTTP_302_FOUND

from farebox.accounts import Actor, Intent, begin_handshake
from farebox.core.crypto import new_token
from farebox.core.errors import SignInRequired
from farebox.core.settings import Settings
from farebox.wiring import Services

BROWSER_COOKIE = "farebox_elsewhere"
"""A secret by which the browser is known that began a sign-in elsewhere: an answer is taken there only."""

LASTS_SECONDS = 3600
GOOGLE = "google"
LONGEST_PATH = 2000


def begin_path(name: str) -> str:
    """The page at which a sign-in with a provider begins."""
    return f"/auth/{GOOGLE}" if name == GOOGLE else f"/auth/oidc/{name}"


def callback_url(name: str, settings: Settings) -> str:
    """The address that the provider was told when this shop was registered there."""
    return f"{settings.base_url.rstrip('/')}{begin_path(name)}/callback"


async def go_elsewhere(
    request: Request[Any, Any, Any], services: Services, actor: Actor, name: str, *, intent: Intent, next_path: str
) -> Redirect:
    """Begin to sign in with a provider, link an account there, or prove there again who one is.

    Raises:
        UnknownProvider, ProviderUnreachable.
        SignInRequired: who links or proves has to have signed in.
    """
    services.oidc.provider(name)
    if intent != "sign-in" and actor.kind != "user":
        raise SignInRequired
    settings = services.settings
    browser = request.cookies.get(BROWSER_COOKIE, "")[:100] or new_token("fbe")
    async with services.database.begin() as work:
        handshake = await begin_handshake(
            work,
            name,
            browser=browser,
            intent=intent,
            next_path=next_path[:LONGEST_PATH],
            person_id=actor.id if actor.kind == "user" else None,
            secrets=services.secrets,
        )
    url = await services.oidc.authorization_url(
        name, handshake, redirect_uri=callback_url(name, settings), again=intent == "confirm"
    )
    known = Cookie(
        key=BROWSER_COOKIE,
        value=browser,
        path="/auth",
        max_age=LASTS_SECONDS,
        httponly=True,
        secure=settings.base_url.startswith("https:"),
        samesite="lax",
    )
    return Redirect(url, status_code=HTTP_302_FOUND, cookies=[known], headers={"Cache-Control": "no-store"})
