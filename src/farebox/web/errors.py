"""Refusals and mishaps as readable pages, with a way on."""

from collections.abc import Callable

from litestar.exceptions import HTTPException
from litestar.response import Redirect, Template
from litestar.types import ExceptionHandlersMap
from structlog.contextvars import get_contextvars

from farebox.accounts import SecondProofRequired, StepUpRequired
from farebox.core.db import is_outage
from farebox.core.errors import DomainError, NotAllowed, SignInRequired, Unavailable
from farebox.core.i18n import gettext as _
from farebox.edge.access import SESSION_COOKIE
from farebox.web.pages import AnyRequest, here_of, own_path, page, see_other, with_next
from farebox.web.views.booking import ErrorView

NOT_FOUND, FORBIDDEN, GONE, TOO_MANY, UNEXPECTED = 404, 403, 410, 429, 500


def page_error_handlers(status_of: Callable[[DomainError], int]) -> ExceptionHandlersMap:
    """Handlers that answer errors with pages.

    Args:
        status_of: the application's one table from a domain error to its HTTP status.
    """

    def on_domain_error(request: AnyRequest, error: DomainError) -> Template | Redirect:
        if isinstance(error, SecondProofRequired):
            return see_other("/account/security")
        if _wants_sign_in(request, error):
            return see_other(with_next("/sign-in", here_of(request).full))
        if isinstance(error, StepUpRequired):
            return see_other(with_next("/account/confirm", _asked_page(request)))
        status = FORBIDDEN if status_of(error) == 401 else status_of(error)  # noqa: PLR2004
        wait = error.fields.get("retry_after")
        headers = {"Retry-After": str(wait)} if wait else None
        return page(request, "errors/error.html", _view(request, status, error.text()), status=status, headers=headers)

    def on_http_error(request: AnyRequest, error: HTTPException) -> Template:
        return page(request, "errors/error.html", _view(request, error.status_code), status=error.status_code)

    def on_mishap(request: AnyRequest, error: Exception) -> Template | Redirect:
        if is_outage(error):
            return on_domain_error(request, Unavailable())
        return page(request, "errors/error.html", _view(request, UNEXPECTED), status=UNEXPECTED)

    return {DomainError: on_domain_error, HTTPException: on_http_error, Exception: on_mishap}


def _wants_sign_in(request: AnyRequest, error: DomainError) -> bool:
    """Whether signing in is the way on: a page for people with an account, seen by nobody or by a visitor."""
    if request.method != "GET" or request.scope["route_handler"].opt.get("access") not in {"user", "staff"}:
        return False
    is_visitor = not request.cookies.get(SESSION_COOKIE, "").startswith("fbs_")
    return isinstance(error, SignInRequired) or (is_visitor and isinstance(error, NotAllowed))


def _asked_page(request: AnyRequest) -> str:
    """The page to come back to: the one asked for; of a form, the page on which it was."""
    if request.method == "GET":
        return here_of(request).full
    origin = f"{request.url.scheme}://{request.url.netloc}"
    return own_path(request.headers.get("referer", "").removeprefix(origin), request.url.path)


def _view(request: AnyRequest, status: int, text: str = "") -> ErrorView:
    home = ("/", _("Home page"))
    find = ("/find", _("Find my booking"))
    again = (request.url.path if request.method == "GET" else "/", _("Try again"))
    titles = {
        NOT_FOUND: (_("We could not find that"), _("The address may be misspelt, or what was here is over."), home),
        FORBIDDEN: (
            _("This page is not open to you"),
            _("Your visit may have ended, or the booking was made on another device. Find it with its reference."),
            find,
        ),
        GONE: (_("This is over"), _("The time for it has passed. Start again, it takes a minute."), home),
        TOO_MANY: (_("That was too often"), _("Wait a little and try again."), again),
    }
    title, general, (way_url, way_label) = titles.get(status, (_("This did not work"), _("Please try again."), again))
    if status >= UNEXPECTED:
        title = _("Something went wrong on our side")
        general = _("It is noted, and nothing was booked or paid by this step. Please try again.")
    request_id = str(get_contextvars().get("request_id", ""))
    # What is not allowed is told in our words: the domain's speak of credentials.
    said = general if status == FORBIDDEN or not text else text
    return ErrorView(status, title, said, way_url, way_label, request_id if status >= UNEXPECTED else "")
