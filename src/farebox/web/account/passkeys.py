"""Adding a passkey, and signing in with one. `js/passkeys.js` asks the browser for it, then sends a plain form."""

from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK

from farebox import accounts
from farebox.accounts import Actor, PasskeyRefused, PasskeysUnavailable
from farebox.core.db import UnitOfWork
from farebox.edge.dependencies import provide_actor_alone
from farebox.web.account.entering import browser_of, enter
from farebox.web.account.factors import LONGEST_NAME, codes_page
from farebox.web.account.person import SECURITY, person_of, session_of
from farebox.web.pages import AnyRequest, own_path, page, see_other, with_next
from farebox.web.views.factors import NameView, PasskeyProblem, kind_label
from farebox.wiring import Services

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class PasskeysController(Controller):
    path = f"{SECURITY}/passkeys"
    opt = {"access": "user", "step_up": True}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get("/new", sync_to_thread=False)
    def ask_name(self, request: AnyRequest, actor: Actor, services: Services) -> Template:
        if accounts.find_site(services.settings) is None:
            raise PasskeysUnavailable
        return page(request, "account/passkey_new.html", NameView(), is_private=True)

    @post("/options", status_code=HTTP_200_OK)
    async def options(self, work: UnitOfWork, actor: Actor, services: Services) -> dict[str, Any]:
        person = await accounts.get_person(work, person_of(actor), secrets=services.secrets)
        return await accounts.begin_passkey(
            work,
            person.id,
            email=person.email,
            full_name=f"{person.first_name} {person.last_name}".strip(),
            settings=services.settings,
        )

    @post("/new", status_code=HTTP_200_OK)
    async def add(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, data: Form
    ) -> Template | Redirect:
        name = data.get("name", "").strip()[:LONGEST_NAME]
        try:
            codes = await accounts.add_passkey(
                work,
                person_of(actor),
                accounts.read_credential(data.get("credential", "")),
                name or kind_label("passkey"),
                settings=services.settings,
                secrets=services.secrets,
            )
        except PasskeyRefused as error:
            view = NameView(name, {"passkey": error.text()})
            return page(request, "account/passkey_new.html", view, status=422, is_private=True)
        await accounts.note_proof(work, session_of(actor), "passkey")
        return codes_page(request, codes)


class PasskeySignInController(Controller):
    """What the button on the sign-in pages sends; the device offers whichever passkey it has for this shop."""

    path = "/sign-in/passkey"
    opt = {"access": "public", "rate": "sign-in"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False
    dependencies = {"actor": Provide(provide_actor_alone)}  # noqa: RUF012

    @get(sync_to_thread=False)
    def start_again(self) -> Redirect:
        """The step without what came before it."""
        return see_other("/sign-in")

    @post("/options", status_code=HTTP_200_OK)
    async def options(self, services: Services) -> dict[str, Any]:
        async with services.database.begin() as work:
            return await accounts.begin_passkey_sign_in(work, settings=services.settings)

    @post()
    async def sign_in(self, request: AnyRequest, actor: Actor, services: Services, data: Form) -> Template | Redirect:
        next_path = data.get("next", "")
        try:
            signed_in = await accounts.sign_in_with_passkey(
                services.database,
                accounts.read_credential(data.get("credential", "")),
                client=browser_of(request, services.settings),
                settings=services.settings,
                secrets=services.secrets,
            )
        except PasskeyRefused as error:
            view = PasskeyProblem(error.text(), with_next("/sign-in", own_path(next_path, "")))
            return page(request, "account/passkey_problem.html", view, status=422, is_private=True)
        return await enter(request, services, actor, signed_in, next_path)
