"""A lost password, and another one."""

from typing import Annotated
from urllib.parse import urlencode
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
from farebox.web.pages import AnyRequest, going_to, page, see_other, with_next
from farebox.web.views.signing import ForgotView, MailSentView, NewPasswordView, PasswordView
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
        view = _asking(going_to(request.query_params), request.query_params.get("email", "")[:LONGEST])
        return page(request, "account/forgot.html", view, is_private=True)

    @post(opt={"rate": "sign-in"})
    async def send(self, request: AnyRequest, work: UnitOfWork, services: Services, data: Form) -> Template:
        email, next_path = data.get("email", "")[:LONGEST].strip(), going_to(data)
        if not email:
            view = _asking(next_path, errors={"email": _("Enter your e-mail address.")})
            return page(request, "account/forgot.html", view, status=422, is_private=True)
        await accounts.request_password_reset(
            work, email, next_path=next_path, jobs=services.jobs, secrets=services.secrets
        )
        sent = MailSentView(
            _("Look into your mailbox"),
            _("If {email} has an account, a mail with a link is on its way. It works once, for an hour.").format(
                email=email
            ),
            email,
            "/forgot-password",
            next_path,
            with_next("/sign-in", next_path),
        )
        return page(request, "account/mail_sent.html", sent, is_private=True)


class ResetPasswordController(Controller):
    path = "/reset-password"
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def ask(self, request: AnyRequest, work: UnitOfWork) -> Template:
        token, next_path = request.query_params.get("token", "")[:LONGEST], going_to(request.query_params)
        if not await accounts.is_reset_possible(work, token):
            return _over(request, next_path)
        view = NewPasswordView(token, next_path)
        return page(request, "account/reset.html", view, is_private=True, headers=NO_REFERRER)

    @post(opt={"rate": "sign-in"})
    async def reset(self, request: AnyRequest, services: Services, data: Form) -> Template | Redirect:
        token, next_path = data.get("token", "")[:LONGEST], going_to(data)
        try:
            await accounts.reset_password(
                services.database,
                token,
                data.get("password", "")[:LONGEST],
                passwords=services.passwords,
                secrets=services.secrets,
            )
        except LinkExpired:
            return _over(request, next_path)
        except Invalid as error:
            view = NewPasswordView(token, next_path, {"password": error.errors[0].text()})
            return page(request, "account/reset.html", view, status=422, is_private=True, headers=NO_REFERRER)
        onward = {"next": next_path} if next_path else {}
        return see_other(f"/sign-in?{urlencode({'reset': '1'} | onward)}")


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


def _asking(next_path: str, email: str = "", errors: dict[str, str] | None = None) -> ForgotView:
    return ForgotView(next_path, with_next("/sign-in", next_path), email, errors or {})


def _over(request: AnyRequest, next_path: str) -> Template:
    return link_expired(request, LinkExpired(), with_next("/forgot-password", next_path), _("Ask for a new link"))


async def _view(
    services: Services, actor: Actor, errors: dict[str, str] | None = None, *, was_changed: bool = False
) -> PasswordView:
    async with services.database.begin() as work:
        person = await accounts.get_person(work, _person_of(actor), secrets=services.secrets)
    return PasswordView(person.email, person.has_password, errors or {}, was_changed)


def _person_of(actor: Actor) -> UUID:
    assert actor.id is not None, "the rule of the route"
    return actor.id
