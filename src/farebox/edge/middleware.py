"""Plain ASGI middleware: the reader's language and the security headers."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from farebox.core.i18n import LANGUAGES, current_language, language, negotiate

LANGUAGE_COOKIE = "farebox_language"

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; frame-src 'self'"
)


def page_policy(nonce: str, form_origins: Sequence[str] = ()) -> str:
    """The policy of a page: no script but those that its own template names, and what these import.

    Args:
        nonce: made anew for each answer.
        form_origins: where the page's forms may lead besides this site.
    """
    policy = CONTENT_SECURITY_POLICY
    if form_origins:
        policy = policy.replace("form-action 'self'", " ".join(["form-action 'self'", *form_origins]))
    return f"{policy}; script-src 'nonce-{nonce}' 'strict-dynamic'"


SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), camera=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

STRICT_TRANSPORT = "max-age=31536000"
"""A year. Not for subdomains: those may be somebody else's."""

API = "/api/"

ESCAPED = re.compile(rb"\\.?")

_negotiate = lru_cache(256)(negotiate)  # few browsers differ in it


def speak_the_readers_language(app: ASGIApp) -> ASGIApp:
    """The language is, in this order: `?lang=`, the switcher's cookie, the Accept-Language header."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        wanted = _wanted(scope)
        if wanted == current_language():
            await app(scope, receive, send)
            return
        with language(wanted):
            await app(scope, receive, send)

    return middleware


def harden_responses(app: ASGIApp, *, is_https: bool = False) -> ASGIApp:
    """Sets the security headers that a handler has not set itself, on every answer, whoever gives it.

    What the API answers is kept by no cache unless the handler says so: most of it is for one credential only.

    Args:
        is_https: travellers reach us by https, and should never again by anything else.
    """
    for_all = _raw(SECURITY_HEADERS | ({"Strict-Transport-Security": STRICT_TRANSPORT} if is_https else {}))
    for_api = for_all | _raw({"Cache-Control": "no-store"})

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        wanted = for_api if scope["path"].startswith(API) else for_all

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(header for name, header in wanted.items() if name not in own),
                ]
            await send(message)

        await app(scope, receive, send_hardened if scope["type"] == ScopeType.HTTP else send)

    return middleware


def _raw(headers: Mapping[str, str]) -> dict[bytes, tuple[bytes, bytes]]:
    """Headers as they are sent, by name: each answer gets them, so they are written only once."""
    return {name.lower().encode(): (name.lower().encode(), value.encode()) for name, value in headers.items()}


def tame_cookies(app: ASGIApp) -> ASGIApp:
    """Puts something plain in the place of what is escaped in cookies: in ours, nothing is.

    Python before 3.11.10 and 3.12.6 takes seconds to read a header full of escaped quotes (CVE-2024-7592), and nobody
    else is answered meanwhile.
    """

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        for name, value in headers:
            if name == b"cookie" and b"\\" in value:
                scope["headers"] = [
                    (name, ESCAPED.sub(b"'", value) if name == b"cookie" else value) for name, value in headers
                ]
                break
        await app(scope, receive, send)

    return middleware


def _wanted(scope: Scope) -> str:
    if b"lang=" in scope["query_string"]:
        for code in parse_qs(scope["query_string"].decode("latin-1")).get("lang", []):
            if code in LANGUAGES:
                return code
    accepted = ""
    for name, value in scope["headers"]:
        if name == b"cookie" and LANGUAGE_COOKIE.encode() in value:
            try:
                morsel = SimpleCookie(value.decode("latin-1")).get(LANGUAGE_COOKIE)
            except CookieError:
                morsel = None
            if morsel is not None and morsel.value in LANGUAGES:
                return morsel.value
        elif name == b"accept-language":
            accepted = value.decode("latin-1")
    return _negotiate(accepted)
