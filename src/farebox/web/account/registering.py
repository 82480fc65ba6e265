"""Making an account, and proving that the address is one's own."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox import accounts
from farebox.accounts import Actor, LinkExpired
from farebox.bookings import claim_bookings
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import gettext as _
from farebox.web.account.elsewhere import provider_links
from farebox.web.pages import AnyRequest, going_to, page, see_other, with_next
from farebox.web.views.signing import DoneView, LinkView, MailSentView, RegisterView
from farebox.wiring import Services

LONGEST = 1000
FIELDS = {
    "email": "email",
    "password": "password",
    "firstName": "first_name",
    "lastName": "last_name",
    "phone": "phone",
}
"""Name of a field in the domain -> in the form."""

NO_REFERRER = {"Referrer-Policy": "no-referrer"}
"""For pages whose address has a secret."""

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class RegisterController(Controller):
    """Answers alike whether an address has an account or not: what is true arrives by mail only."""

    path = "/register"
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get(sync_to_thread=False)
    def ask(self, request: AnyRequest, actor: Actor, services: Services) -> Template | Redirect:
        next_path = going_to(request.query_params)
        if actor.kind == "user":
            return see_other(next_path or "/account")
        return page(request, "account/register.html", _view(services, next_path, {}, {}), is_private=True)

    @post(opt={"rate": "sign-in"})
    async def register(self, request: AnyRequest, work: UnitOfWork, services: Services, data: Form) -> Template:
        given = {name: data.get(name, "")[:LONGEST] for name in FIELDS.values()}
        next_path = going_to(data)
        try:
            await accounts.register(
                work,
                **given,
                region=services.settings.phone_region,
                next_path=next_path,
                passwords=services.passwords,
                jobs=services.jobs,
                secrets=services.secrets,
            )
        except Invalid as error:
            errors = {FIELDS[each.field]: each.text() for each in error.errors}
            view = _view(services, next_path, given | {"password": ""}, errors)
            return page(request, "account/register.html", view, status=422, is_private=True)
        return verification_sent(request, given["email"].strip(), next_path)


class VerifyController(Controller):
    path = "/verify-email"
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get(sync_to_thread=False)
    def ask(self, request: AnyRequest) -> Template:
        """Confirms nothing yet: programs that look into mails follow links too, and push no buttons."""
        view = LinkView(
            title=_("Confirm your e-mail address"),
            text=_("One click, and your account is ready."),
            url="/verify-email",
            token=request.query_params.get("token", "")[:LONGEST],
            button=_("Confirm the address"),
            next_path=going_to(request.query_params),
        )
        return page(request, "account/link.html", view, is_private=True, headers=NO_REFERRER)

    @post(opt={"rate": "sign-in"})
    async def verify(self, request: AnyRequest, work: UnitOfWork, services: Services, data: Form) -> Template:
        next_path = going_to(data)
        sign_in_url = with_next("/sign-in", next_path)
        try:
            person_id = await accounts.verify_email(work, data.get("token", "")[:LONGEST], secrets=services.secrets)
            await claim_bookings(work, person_id, secrets=services.secrets)
        except LinkExpired as error:
            return link_expired(request, error, sign_in_url, _("Sign in"))
        text = _("Sign in now, and you come to where you were going.") if next_path else _("You can sign in now.")
        view = DoneView(_("Your e-mail address is confirmed"), text, sign_in_url, _("Sign in"))
        return page(request, "account/done.html", view, is_private=True)

    @post("/again", opt={"rate": "sign-in"})
    async def send_again(self, request: AnyRequest, work: UnitOfWork, services: Services, data: Form) -> Template:
        email, next_path = data.get("email", "")[:LONGEST].strip(), going_to(data)
        await accounts.resend_verification(
            work, email, next_path=next_path, jobs=services.jobs, secrets=services.secrets
        )
        return verification_sent(request, email, next_path)


def _view(services: Services, next_path: str, values: dict[str, str], errors: dict[str, str]) -> RegisterView:
    providers = provider_links(services.oidc, intent="sign-in", next_path=next_path)
    return RegisterView(next_path, with_next("/sign-in", next_path), values, errors, providers)


def verification_sent(request: AnyRequest, email: str, next_path: str = "") -> Template:
    view = MailSentView(
        _("Look into your mailbox"),
        _("A mail is on its way to {email}. Follow the link in it within 24 hours to confirm the address.").format(
            email=email
        ),
        email,
        "/verify-email/again",
        next_path,
        with_next("/sign-in", next_path),
    )
    return page(request, "account/mail_sent.html", view, is_private=True)


def link_expired(request: AnyRequest, error: LinkExpired, way_url: str, way_label: str) -> Template:
    """A mailed link that is of no use any more, and the way on."""
    view = DoneView(_("This link does not work any more"), error.text(), way_url, way_label)
    return page(request, "account/done.html", view, status=410, is_private=True)
