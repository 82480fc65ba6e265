"""A lost password, and another one."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox import accounts
from farebox.accounts import Actor, LinkExpired, TooManyAttempts, WrongPassword
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import gettext as _
from farebox.web.account.registering import NO_REFERRER, link_expired
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.signing import MailSentView, NewPasswordView, PasswordView, SignInView
from farebox.wiring import Services

LONGEST = 1000

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class ForgotPasswordController(Controller):
    """Answers alike for every address."""

    path = "/forgot-password"
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get(sync_to_thread=False)
    def ask(self, request: AnyRequest) -> Template:
        view = SignInView(email=request.query_params.get("email", "")[:LONGEST])
        return page(request, "account/forgot.html", view, is_private=True)

    @post(opt={"rate": "sign-in"})
    async def send(self, request: AnyRequest, work: UnitOfWork, services: Services, data: Form) -> Template:
        email = data.get("email", "")[:LONGEST].strip()
        if not email:
            view = SignInView(errors={"email": _("Enter your e-mail address.")})
            return page(request, "account/forgot.html", view, status=422, is_private=True)
        await accounts.request_password_reset(work, email, jobs=services.jobs, secrets=services.secrets)
        sent = MailSentView(
            _("Look into your mailbox"),
            _("If {email} has an account, a mail with a link is on its way. It works once, for an hour.").format(
                email=email
            ),
            email,
            "/forgot-password",
        )
        return page(request, "account/mail_sent.html", sent, is_private=True)


class ResetPasswordController(Controller):
    path = "/reset-password"
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def ask(self, request: AnyRequest, work: UnitOfWork) -> Template:
        token = request.query_params.get("token", "")[:LONGEST]
        if not await accounts.is_reset_possible(work, token):
            return _over(request)
        view = NewPasswordView(token)
        return page(request, "account/reset.html", view, is_private=True, headers=NO_REFERRER)

    @post(opt={"rate": "sign-in"})
    async def reset(self, request: AnyRequest, services: Services, data: Form) -> Template | Redirect:
        token = data.get("token", "")[:LONGEST]
        try:
            await accounts.reset_password(
                services.database,
                token,
                data.get("password", "")[:LONGEST],
                passwords=services.passwords,
                secrets=services.secrets,
            )
        except LinkExpired:
            return _over(request)
        except Invalid as error:
            view = NewPasswordView(token, {"password": error.errors[0].text()})
            return page(request, "account/reset.html", view, status=422, is_private=True, headers=NO_REFERRER)
        return see_other("/sign-in?reset=1")


class PasswordController(Controller):
    path = "/account/password"
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def ask(self, request: AnyRequest, actor: Actor, services: Services) -> Template:
        was_changed = "changed" in request.query_params
        view = await _view(services, actor, was_changed=was_changed)
        return page(request, "account/password.html", view, is_private=True)

    @post(opt={"rate": "sign-in"})
    async def change(self, request: AnyRequest, actor: Actor, services: Services, data: Form) -> Template | Redirect:
        try:
            await accounts.change_password(
                services.database,
                _person_of(actor),
                actor.session_id,
                current=data.get("current", "")[:LONGEST],
                new=data.get("password", "")[:LONGEST],
                passwords=services.passwords,
                secrets=services.secrets,
            )
        except Invalid as error:
            errors = {"password": error.errors[0].text()}
        except (WrongPassword, TooManyAttempts) as error:
            errors = {"current": error.text()}
        else:
            return see_other("/account/password?changed=1")
        view = await _view(services, actor, errors)
        return page(request, "account/password.html", view, status=422, is_private=True)


def _over(request: AnyRequest) -> Template:
    return link_expired(request, LinkExpired(), "/forgot-password", _("Ask for a new link"))


async def _view(
    services: Services, actor: Actor, errors: dict[str, str] | None = None, *, was_changed: bool = False
) -> PasswordView:
    async with services.database.begin() as work:
        person = await accounts.get_person(work, _person_of(actor), secrets=services.secrets)
    return PasswordView(person.email, person.has_password, errors or {}, was_changed)


def _person_of(actor: Actor) -> UUID:
    assert actor.id is not None, "the rule of the route"
    return actor.id
