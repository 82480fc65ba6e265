"""Setting up, renaming and removing second factors; recovery codes."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template
from markupsafe import Markup

from farebox import accounts
from farebox.accounts import Actor, FactorNeeded, OidcClient, TotpSetup
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.core.settings import Settings
from farebox.ticketing import qr_svg
from farebox.web.account.elsewhere import provider_links
from farebox.web.account.person import SECURITY, person_of, session_of
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.factors import (
    CodesView,
    FactorRow,
    FactorsPart,
    FactorView,
    IdentityRow,
    NameView,
    RemoveView,
    SetupView,
    kind_label,
)
from farebox.wiring import Services

LONGEST_NAME = 60

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


async def factors_part(
    work: UnitOfWork, actor: Actor, *, oidc: OidcClient, settings: Settings, secrets: Secrets
) -> FactorsPart:
    """What `account/factors.html` needs of somebody, as `view.factors`."""
    person_id = person_of(actor)
    identities = await accounts.list_identities(work, person_id, secrets=secrets)
    labels = {name: provider.label for name, provider in oidc.providers.items()}
    return FactorsPart(
        factors=[FactorRow.of(factor) for factor in await accounts.list_factors(work, person_id)],
        codes_left=await accounts.count_recovery_codes(work, person_id),
        is_required=await accounts.must_have_second_factor(work, person_id),
        has_passkeys=accounts.find_site(settings) is not None,
        identities=[IdentityRow.of(identity, labels) for identity in identities],
        providers=provider_links(oidc, intent="link", next_path=SECURITY),
    )


class FactorsController(Controller):
    """What changes how somebody signs in asks for a proof of the last minutes, before the form is shown."""

    path = SECURITY
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get("/authenticator", opt={"step_up": True}, sync_to_thread=False)
    def ask_name(self, request: AnyRequest, actor: Actor) -> Template:
        return page(request, "account/authenticator_new.html", NameView(), is_private=True)

    @post("/authenticator", opt={"step_up": True})
    async def begin(self, work: UnitOfWork, actor: Actor, services: Services, data: Form) -> Redirect:
        person = await accounts.get_person(work, person_of(actor), secrets=services.secrets)
        name = data.get("name", "").strip()[:LONGEST_NAME] or kind_label("totp")
        setup = await accounts.begin_totp(work, person.id, name, account=person.email, secrets=services.secrets)
        return see_other(f"{SECURITY}/authenticator/{setup.factor_id}")

    @get("/authenticator/{factor_id:uuid}", opt={"step_up": True})
    async def show_setup(
        self, request: AnyRequest, factor_id: UUID, work: UnitOfWork, actor: Actor, services: Services
    ) -> Template:
        setup = await _setup_of(work, actor, factor_id, services.secrets)
        return page(request, "account/authenticator.html", _setup_view(setup), is_private=True)

    @post("/authenticator/{factor_id:uuid}", opt={"rate": "sign-in"})
    async def confirm(
        self, request: AnyRequest, factor_id: UUID, work: UnitOfWork, actor: Actor, services: Services, data: Form
    ) -> Template | Redirect:
        setup = await _setup_of(work, actor, factor_id, services.secrets)
        codes = await accounts.confirm_totp(
            work, person_of(actor), factor_id, data.get("code", "")[:100], secrets=services.secrets
        )
        if codes is None:
            wrong = {"code": _("This code is not right. Enter the six digits that the app shows now.")}
            return page(request, "account/authenticator.html", _setup_view(setup, wrong), status=422, is_private=True)
        await accounts.note_proof(work, session_of(actor), "totp")
        return codes_page(request, codes)

    @get("/recovery-codes", opt={"step_up": True})
    async def ask_codes(self, request: AnyRequest, work: UnitOfWork, actor: Actor) -> Template | Redirect:
        """They replace an app that was lost: who has none needs none."""
        if not await accounts.needs_second_factor(work, person_of(actor)):
            return see_other(SECURITY)
        view = RemoveView(
            _("Make new recovery codes"),
            _("You get ten new codes. Those that you have stop working."),
            f"{SECURITY}/recovery-codes",
            _("Make new codes"),
        )
        return page(request, "account/ask.html", view, is_private=True)

    @post("/recovery-codes", opt={"step_up": True})
    async def renew_codes(self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services) -> Template:
        codes = await accounts.renew_recovery_codes(work, person_of(actor), secrets=services.secrets)
        return page(request, "account/recovery_codes.html", CodesView(codes, is_first=False), is_private=True)

    @get("/factors/{factor_id:uuid}")
    async def show(self, request: AnyRequest, factor_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        factor = await accounts.get_factor(work, person_of(actor), factor_id)
        return page(request, "account/factor.html", FactorView(FactorRow.of(factor)), is_private=True)

    @post("/factors/{factor_id:uuid}")
    async def rename(
        self, request: AnyRequest, factor_id: UUID, work: UnitOfWork, actor: Actor, data: Form
    ) -> Template | Redirect:
        name = data.get("name", "").strip()[:LONGEST_NAME]
        if not name:
            factor = await accounts.get_factor(work, person_of(actor), factor_id)
            view = FactorView(FactorRow.of(factor), {"name": _("Enter a name by which you know it again.")})
            return page(request, "account/factor.html", view, status=422, is_private=True)
        await accounts.rename_factor(work, person_of(actor), factor_id, name)
        return see_other(SECURITY)

    @get("/factors/{factor_id:uuid}/remove", opt={"step_up": True})
    async def ask_removal(self, request: AnyRequest, factor_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        view = await _removal(work, actor, factor_id)
        return page(request, "account/ask.html", view, is_private=True)

    @post("/factors/{factor_id:uuid}/remove", opt={"step_up": True})
    async def remove(self, request: AnyRequest, factor_id: UUID, work: UnitOfWork, actor: Actor) -> Template | Redirect:
        view = await _removal(work, actor, factor_id)
        try:
            await accounts.remove_factor(work, person_of(actor), factor_id)
        except FactorNeeded as error:
            refused = RemoveView(view.title, view.text, view.url, view.button, error.text())
            return page(request, "account/ask.html", refused, status=409, is_private=True)
        return see_other(SECURITY)


def codes_page(request: AnyRequest, codes: list[str]) -> Template | Redirect:
    """The first recovery codes; back to the list for who has some already."""
    if not codes:
        return see_other(SECURITY)
    return page(request, "account/recovery_codes.html", CodesView(codes, is_first=True), is_private=True)


async def _setup_of(work: UnitOfWork, actor: Actor, factor_id: UUID, secrets: Secrets) -> TotpSetup:
    person = await accounts.get_person(work, person_of(actor), secrets=secrets)
    return await accounts.get_totp_setup(work, person.id, factor_id, account=person.email, secrets=secrets)


def _setup_view(setup: TotpSetup, errors: Mapping[str, str] | None = None) -> SetupView:
    secret = " ".join(setup.secret[start : start + 4] for start in range(0, len(setup.secret), 4))
    qr = Markup(qr_svg(setup.uri))  # noqa: S704  (drawn by us from squares)
    return SetupView(f"{SECURITY}/authenticator/{setup.factor_id}", qr, secret, errors or {})


async def _removal(work: UnitOfWork, actor: Actor, factor_id: UUID) -> RemoveView:
    factor = await accounts.get_factor(work, person_of(actor), factor_id)
    is_last = len(await accounts.list_factors(work, person_of(actor))) == 1
    meaning = (
        _("It is your last one: from then on your password alone signs you in, and your recovery codes are gone.")
        if is_last
        else _("It is not asked for any more. Your other second factors stay.")
    )
    return RemoveView(
        _("Remove “{name}”?").format(name=factor.name),
        meaning,
        f"{SECURITY}/factors/{factor_id}/remove",
        _("Remove it"),
    )
