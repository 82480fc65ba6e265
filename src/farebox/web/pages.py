"""Answering with a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qsl, urlencode

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.response import Redirect, Template

from farebox.core.settings import Settings
from farebox.edge.access import IS_STAFF
from farebox.edge.middleware import page_policy
from farebox.web.me import Me, find_me

HTML = "text/html"
NONCE_BYTES = 16
LONGEST_NEXT = 500
AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Here:
    """The address of the page being shown, for links that change one thing of it; and `me`, who reads it.

    `is_staff`: who also acts for an operator or the platform, on pages that know who asks.
    """

    path: str
    query: tuple[tuple[str, str], ...]
    mailbox: bool
    me: Me | None = None
    is_staff: bool = False

    @property
    def full(self) -> str:
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def with_query(self, changes: Mapping[str, str | None], path: str | None = None) -> str:
        """This address with some of its query changed; `None` takes a name out."""
        kept = [(name, value) for name, value in self.query if name not in changes]
        new = [(name, value) for name, value in changes.items() if value is not None]
        query = urlencode([*kept, *new])
        return f"{path or self.path}?{query}" if query else path or self.path


def here_of(request: AnyRequest) -> Here:
    state = request.app.state
    query = parse_qsl(request.url.query, keep_blank_values=False)
    mailbox = bool(state.get("shows_mailbox", False))
    is_staff = IS_STAFF in request.scope["state"]
    return Here(request.url.path, tuple(query), mailbox, find_me(request.cookies), is_staff)


def page(
    request: AnyRequest,
    name: str,
    view: object = None,
    *,
    status: int = 200,
    is_private: bool = False,
    cookies: Sequence[Cookie] = (),
    headers: Mapping[str, str] | None = None,
    form_origins: Sequence[str] = (),
) -> Template:
    """A page drawn from `templates/<name>`. Only scripts that carry this answer's `nonce` run on it.

    Args:
        is_private: it shows somebody's booking or seats; no cache keeps it, not even the browser's.
        form_origins: where its forms may lead besides this site: to the payment pages of providers.
    """
    nonce = token_urlsafe(NONCE_BYTES)
    return Template(
        template_name=name,
        context={"view": view, "here": here_of(request), "nonce": nonce},
        status_code=status,
        media_type=HTML,
        cookies=list(cookies),
        headers={
            "Cache-Control": "no-store" if is_private else "no-cache",
            "Content-Security-Policy": page_policy(nonce, form_origins),
            **(headers or {}),
        },
    )


def own_path(url: str, otherwise: str = "/") -> str:
    """`url` if it is a path of this site, so that nobody is sent elsewhere by a forged form."""
    is_own = url.startswith("/") and not url.startswith(("//", "/\\")) and not any(c in url for c in "\r\n\t")
    return url if is_own else otherwise


def going_to(given: Mapping[str, str]) -> str:
    """Where somebody was going, by a query or a form, if that is a path of ours and fits into a mailed link."""
    url = given.get("next", "")
    return own_path(url, "") if len(url) <= LONGEST_NEXT else ""


def with_next(path: str, next_path: str) -> str:
    """A page's address that remembers where its reader was going."""
    return f"{path}?{urlencode({'next': next_path})}" if next_path else path


def own_address(url: str, settings: Settings) -> str:
    """A page of ours by its path: a traveller may know this site by another name than its settings do."""
    return url.removeprefix(settings.base_url.rstrip("/"))


def see_other(url: str, cookies: Sequence[Cookie] = ()) -> Redirect:
    """After a form was taken: look there. Going back does not send it again."""
    return Redirect(url, status_code=303, cookies=list(cookies))


def file_answer(content: bytes, media_type: str, filename: str) -> Response[bytes]:
    """A file of somebody's own, to be kept by nobody between them and us."""
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="{filename}"',
    }
    return Response(content, media_type=media_type, headers=headers)


def is_part(request: AnyRequest) -> bool:
    """Whether a script asks, which takes a part of the answer."""
    return request.headers.get("hx-request") == "true"
