"""Signing in with a password and, where there is one, a second factor; signing out."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox import accounts
from farebox.accounts import (
    Actor,
    ChallengeExpired,
    EmailNotVerified,
    InvalidCredentials,
    TooManyAttempts,
    WrongCode,
)
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.edge.access import SESSION_COOKIE
from farebox.web.account.elsewhere import provider_links
from farebox.web.account.entering import CHALLENGE_COOKIE, SECOND_STEP, browser_of, enter, gone
from farebox.web.me import ME_COOKIE
from farebox.web.pages import AnyRequest, own_path, page, see_other, with_next
from farebox.web.views.signing import SecondStepView, SignInView
from farebox.wiring import Services

LONGEST = 1000

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class SignInController(Controller):
    """Refusals are alike whether there is such an account or not."""

    path = "/sign-in"
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def ask(self, request: AnyRequest, actor: Actor, services: Services) -> Template | Redirect:
        next_path = own_path(request.query_params.get("next", ""), "")
        if actor.kind == "user":
            return see_other(next_path or "/account")
        view = _view(services, next_path, was_reset="reset" in request.query_params)
        return page(request, "account/sign_in.html", view, is_private=True)

    @post(opt={"rate": "sign-in"})
    async def sign_in(self, request: AnyRequest, actor: Actor, services: Services, data: Form) -> Template | Redirect:
        email, next_path = data.get("email", "")[:LONGEST].strip(), own_path(data.get("next", ""), "")
        password = data.get("password", "")[:LONGEST]
        missing = {}
        if not email:
            missing["email"] = _("Enter your e-mail address.")
        if not password:
            missing["password"] = _("Enter your password.")
        if missing:
            view = _view(services, next_path, email=email, errors=missing)
            return page(request, "account/sign_in.html", view, status=422, is_private=True)
        try:
            outcome = await accounts.sign_in(
                services.database,
                email,
                password,
                client=browser_of(request, services.settings),
                passwords=services.passwords,
                settings=services.settings,
                secrets=services.secrets,
            )
        except EmailNotVerified:
            view = _view(services, next_path, email=email, unverified=email)
            return page(request, "account/sign_in.html", view, status=403, is_private=True)
        except InvalidCredentials as error:
            view = _view(services, next_path, email=email, error=error.text())
            return page(request, "account/sign_in.html", view, status=422, is_private=True)
        except TooManyAttempts as error:
            view = _view(services, next_path, email=email, error=error.text())
            wait = {"Retry-After": str(error.fields["retry_after"])}
            return page(request, "account/sign_in.html", view, status=429, is_private=True, headers=wait)
        return await enter(request, services, actor, outcome, next_path)

    @get("/code")
    async def ask_code(self, request: AnyRequest, work: UnitOfWork) -> Template | Redirect:
        next_path = own_path(request.query_params.get("next", ""), "")
        factors = await accounts.find_second_factors(work, request.cookies.get(CHALLENGE_COOKIE, ""))
        if factors is None:
            return see_other(with_next("/sign-in", next_path))
        return page(request, "account/sign_in_code.html", SecondStepView(next_path, factors), is_private=True)

    @post("/code", opt={"rate": "sign-in"})
    async def check_code(
        self, request: AnyRequest, actor: Actor, services: Services, data: Form
    ) -> Template | Redirect:
        next_path, challenge = own_path(data.get("next", ""), ""), request.cookies.get(CHALLENGE_COOKIE, "")
        try:
            outcome = await accounts.finish_sign_in(
                services.database,
                challenge,
                data.get("code", "")[:LONGEST],
                client=browser_of(request, services.settings),
                settings=services.settings,
                secrets=services.secrets,
            )
        except ChallengeExpired as error:
            view = _view(services, next_path, error=error.text())
            forget = [gone(CHALLENGE_COOKIE, SECOND_STEP)]
            return page(request, "account/sign_in.html", view, status=410, is_private=True, cookies=forget)
        except (WrongCode, TooManyAttempts) as error:
            async with services.database.begin() as work:
                factors = await accounts.find_second_factors(work, challenge)
            view_again = SecondStepView(next_path, factors or frozenset(), {"code": error.text()})
            return page(request, "account/sign_in_code.html", view_again, status=422, is_private=True)
        return await enter(request, services, actor, outcome, next_path)


@post("/sign-out", opt={"access": "public"}, include_in_schema=False)
async def sign_out(request: AnyRequest, work: UnitOfWork) -> Redirect:
    """Ends the session here; others go on."""
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        await accounts.end_session_of_token(work, token)
    return see_other("/", [gone(SESSION_COOKIE), gone(ME_COOKIE)])


def _view(
    services: Services,
    next_path: str,
    *,
    email: str = "",
    error: str = "",
    errors: dict[str, str] | None = None,
    unverified: str = "",
    was_reset: bool = False,
) -> SignInView:
    return SignInView(
        next_path=next_path,
        email=email,
        error=error,
        errors=errors or {},
        providers=provider_links(services.oidc, intent="sign-in", next_path=next_path),
        has_passkeys=accounts.find_site(services.settings) is not None,
        unverified=unverified,
        was_reset=was_reset,
        register_url=with_next("/register", next_path),
        forgot_url=with_next("/forgot-password", next_path),
    )
