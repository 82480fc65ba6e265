"""Proving again who one is, before what matters; then on to where one was going."""

from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK

from farebox import accounts
from farebox.accounts import (
    Actor,
    InvalidCredentials,
    PasskeyRefused,
    ProofNotAccepted,
    Signed,
    TooManyAttempts,
    WrongCode,
)
from farebox.core.errors import DomainError
from farebox.core.i18n import gettext as _
from farebox.edge.dependencies import provide_actor_alone
from farebox.web.account.elsewhere import provider_links
from farebox.web.account.person import SECURITY, person_of, session_of
from farebox.web.pages import AnyRequest, own_path, page, see_other
from farebox.web.views.factors import ConfirmView
from farebox.wiring import Services

LONGEST = 200

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class ConfirmController(Controller):
    path = "/account/confirm"
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False
    dependencies = {"actor": Provide(provide_actor_alone)}  # noqa: RUF012

    @get()
    async def ask(self, request: AnyRequest, actor: Actor, services: Services) -> Template:
        view = await _view(services, actor, request.query_params.get("next", ""), {})
        return page(request, "account/confirm.html", view, is_private=True)

    @post("/options", opt={"rate": "sign-in"}, status_code=HTTP_200_OK)
    async def options(self, actor: Actor, services: Services) -> dict[str, Any]:
        async with services.database.begin() as work:
            return await accounts.begin_passkey_confirmation(work, person_of(actor), settings=services.settings)

    @post(opt={"rate": "sign-in"})
    async def confirm(self, request: AnyRequest, actor: Actor, services: Services, data: Form) -> Template | Redirect:
        who = Signed(person_of(actor), session_of(actor))
        database, secrets = services.database, services.secrets
        field = "code" if data.get("code") else "passkey" if data.get("credential") else "password"
        try:
            if field == "code":
                await accounts.confirm_with_code(database, who, data["code"][:LONGEST], secrets=secrets)
            elif field == "passkey":
                credential = accounts.read_credential(data["credential"])
                await accounts.confirm_with_passkey(database, who, credential, settings=services.settings)
            else:
                password = data.get("password", "")[:LONGEST]
                await accounts.confirm_with_password(
                    database, who, password, passwords=services.passwords, secrets=secrets
                )
        except (InvalidCredentials, PasskeyRefused, ProofNotAccepted, TooManyAttempts, WrongCode) as error:
            view = await _view(services, actor, data.get("next", ""), {field: _said(error)})
            return page(request, "account/confirm.html", view, status=422, is_private=True)
        return see_other(own_path(data.get("next", ""), SECURITY))


async def _view(services: Services, actor: Actor, next_path: str, errors: dict[str, str]) -> ConfirmView:
    async with services.database.begin() as work:
        proofs = await accounts.list_proofs(work, person_of(actor), providers=services.oidc.providers)
    if accounts.find_site(services.settings) is None:
        proofs -= {"passkey"}
    path = own_path(next_path, SECURITY)
    named = {proof.removeprefix("oidc:") for proof in proofs if proof.startswith("oidc:")}
    links = provider_links(services.oidc, intent="confirm", next_path=path, of=named)
    return ConfirmView(proofs, path, links, errors)


def _said(error: DomainError) -> str:
    return _("This is not your password.") if isinstance(error, InvalidCredentials) else error.text()
