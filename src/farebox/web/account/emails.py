"""Another address: asked for by who has signed in, confirmed from both mailboxes."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Template

from farebox import accounts
from farebox.accounts import Actor, EmailTaken, LinkExpired, TooManyAttempts, WrongPassword
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import gettext as _
from farebox.web.account.person import person_of
from farebox.web.account.registering import NO_REFERRER, link_expired
from farebox.web.pages import AnyRequest, page
from farebox.web.views.signing import DoneView, EmailView, LinkView
from farebox.wiring import Services

LONGEST = 1000

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class EmailController(Controller):
    path = "/account/email"
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def ask(self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services) -> Template:
        person = await accounts.get_person(work, person_of(actor), secrets=services.secrets)
        view = EmailView(person.email, person.has_password)
        return page(request, "account/email.html", view, is_private=True)

    @post(opt={"rate": "sign-in"})
    async def change(self, request: AnyRequest, actor: Actor, services: Services, data: Form) -> Template:
        new_email, errors = data.get("email", "")[:LONGEST].strip(), {}
        async with services.database.begin() as work:
            person = await accounts.get_person(work, person_of(actor), secrets=services.secrets)
        try:
            await accounts.check_password(
                services.database,
                person.id,
                data.get("current", "")[:LONGEST],
                passwords=services.passwords,
                secrets=services.secrets,
            )
            async with services.database.begin() as work:
                await accounts.request_email_change(
                    work, person, new_email, jobs=services.jobs, secrets=services.secrets
                )
        except Invalid as error:
            errors = {"email": error.errors[0].text()}
        except (WrongPassword, TooManyAttempts) as error:
            errors = {"current": error.text()}
        if errors:
            view = EmailView(person.email, person.has_password, new_email, errors)
            return page(request, "account/email.html", view, status=422, is_private=True)
        view = EmailView(person.email, person.has_password, sent_to=new_email)
        return page(request, "account/email.html", view, is_private=True)


class EmailLinkController(Controller):
    """The links in the two mails; whoever has one need not be signed in where they read mail."""

    path = "/change-email"
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def ask(self, request: AnyRequest, work: UnitOfWork, services: Services) -> Template:
        token = request.query_params.get("token", "")[:LONGEST]
        change = await accounts.find_email_change(work, token, secrets=services.secrets)
        if change is None:
            return _over(request)
        text = (
            _("Your account will have the address {new} instead of {old}, once both have confirmed it.")
            if not change.is_for_new
            else _("An account that has another address now will have {new}, once both addresses have confirmed it.")
        )
        view = LinkView(
            title=_("Change the e-mail address?"),
            text=text.format(new=change.new_email, old=change.old_email),
            url="/change-email",
            token=token,
            button=_("Confirm the change"),
        )
        return page(request, "account/link.html", view, is_private=True, headers=NO_REFERRER)

    @post(opt={"rate": "sign-in"})
    async def confirm(self, request: AnyRequest, work: UnitOfWork, services: Services, data: Form) -> Template:
        try:
            state = await accounts.confirm_email_change(
                work, data.get("token", "")[:LONGEST], jobs=services.jobs, secrets=services.secrets
            )
        except LinkExpired:
            return _over(request)
        except EmailTaken as error:
            view = DoneView(_("This did not work"), error.text(), "/", _("Home page"))
            return page(request, "account/done.html", view, status=409, is_private=True)
        if state == "half":
            view = DoneView(
                _("One of two is done"),
                _("Now follow the link in the mail to the other address. Until then, nothing has changed."),
            )
        else:
            text = _("From now on you sign in with the new address.")
            view = DoneView(_("Your e-mail address was changed"), text, "/account", _("Your account"))
        return page(request, "account/done.html", view, is_private=True)


def _over(request: AnyRequest) -> Template:
    return link_expired(request, LinkExpired(), "/account/email", _("Change the e-mail address"))
