"""The one who has signed in, as the head of every page shows them: by initials, or by their picture.

A cookie of its own says so, set along with the session's, so that pages which ask nothing about the reader need not ask
the database either. It proves nothing: whoever forges it sees other initials in their own browser.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from litestar.datastructures import Cookie

from farebox.accounts import Person, avatar_key
from farebox.core.i18n import LANGUAGES
from farebox.core.settings import Settings
from farebox.edge.access import SESSION_COOKIE
from farebox.edge.middleware import LANGUAGE_COOKIE

ME_COOKIE: Final = "farebox_me"
SIGNED_IN: Final = "fbs_"
"""How the token of somebody who has signed in begins."""

LONGEST: Final = 80
A_YEAR_SECONDS: Final = 365 * 86_400
AVATARS: Final = "/api/v1/avatars"
_MARK: Final = re.compile(r"(?P<initials>\w{0,2})\.(?P<avatar>[0-9a-f]{32})?")


@dataclass(frozen=True, slots=True)
class Me:
    """What is shown of the reader. `initials` may be empty, and then a drawing stands for them."""

    initials: str = ""
    avatar: str = ""

    def picture(self, size: int = 96) -> str:
        """The address of their picture, or nothing."""
        return f"{AVATARS}/{avatar_key(self.avatar, size)}" if self.avatar else ""


def find_me(cookies: Mapping[str, str]) -> Me | None:
    """The reader, if they have signed in in this browser; whether that still holds is not asked here."""
    if not cookies.get(SESSION_COOKIE, "").startswith(SIGNED_IN):
        return None
    found = _MARK.fullmatch(unquote(cookies.get(ME_COOKIE, "")[:LONGEST]))
    return Me(found["initials"], found["avatar"] or "") if found else Me()


def me_of(person: Person) -> Me:
    """A person as they are shown."""
    names = [name for name in (person.first_name, person.last_name) if name] or [person.email]
    return Me("".join(name[0] for name in names if name[0].isalnum()).upper()[:2], person.avatar or "")


def me_cookie(person: Person, settings: Settings) -> Cookie:
    """Shows the person in the head of every page, for as long as the session is there."""
    me = me_of(person)
    return _cookie(ME_COOKIE, quote(f"{me.initials}.{me.avatar}"), settings.session_max_seconds, settings)


def cookies_of(person: Person, settings: Settings) -> list[Cookie]:
    """What a browser gets to know when somebody signs in, or has changed how we speak to them."""
    cookies = [me_cookie(person, settings)]
    if person.language in LANGUAGES:
        cookies.append(_cookie(LANGUAGE_COOKIE, person.language, A_YEAR_SECONDS, settings))
    return cookies


def _cookie(name: str, value: str, max_age: int, settings: Settings) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        max_age=max_age,
        httponly=True,
        secure=settings.base_url.startswith("https:"),
        samesite="lax",
    )
