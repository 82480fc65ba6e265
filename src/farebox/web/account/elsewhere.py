"""Signing in with another provider, and linking an account there to one's own.

Each way back from a provider ends at a page that says what happened. What goes over the network is outside of any
transaction.
"""

from collections.abc import Collection
from typing import Annotated, Any, cast, get_args
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.datastructures import Cookie
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox import accounts
from farebox.accounts import (
    Actor,
    Begun,
    Claims,
    IdentityTaken,
    Intent,
    LinkNeeded,
    LinkOver,
    OidcClient,
    ProofNotAccepted,
    ProviderDenied,
    ProviderEmailUnverified,
    ProviderRefused,
    ProviderSignInExpired,
    ProviderUnreachable,
)
from farebox.core.errors import DomainError
from farebox.core.i18n import current_language
from farebox.core.i18n import gettext as _
from farebox.core.settings import Settings
from farebox.edge.dependencies import provide_actor_alone
from farebox.edge.elsewhere import BROWSER_COOKIE, begin_path, callback_url, go_elsewhere
from farebox.web.account.entering import browser_of, enter, gone
from farebox.web.account.person import SECURITY, person_of, session_of
from farebox.web.pages import AnyRequest, going_to, own_path, page, see_other, with_next
from farebox.web.views.factors import LinkView, ProviderLink, ProviderProblem, RemoveView
from farebox.wiring import Services

LINK = "/account/link"
LINK_COOKIE = "farebox_link"
"""What waits in this browser to be linked, for that page only."""

LINK_SECONDS = 900
ANSWER = ("code", "state", "error", "iss")
LONGEST = 4000

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]

TROUBLES = (ProviderDenied, ProviderEmailUnverified, ProviderRefused, ProviderSignInExpired, ProviderUnreachable)
STATUS = {ProviderDenied: 403, ProviderUnreachable: 503, ProviderSignInExpired: 410}


def provider_links(
    oidc: OidcClient, *, intent: Intent, next_path: str, of: Collection[str] | None = None
) -> list[ProviderLink]:
    """Links to begin with each provider; with those named in `of` only, where it is given.

    They are links and not forms: the content policy lets no form end at another site.
    """
    return [
        ProviderLink(provider.label, _begin_url(name, intent, next_path))
        for name, provider in oidc.providers.items()
        if of is None or name in of
    ]


class ElsewhereController(Controller):
    """`/auth/google` and its like: there, and back again."""

    path = "/auth"
    opt = {"access": "public", "rate": "sign-in"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False
    dependencies = {"actor": Provide(provide_actor_alone)}  # noqa: RUF012

    @get(["/google", "/oidc/{provider:str}"])
    async def begin(
        self, request: AnyRequest, actor: Actor, services: Services, provider: str = "google"
    ) -> Template | Redirect:
        asked = request.query_params.get("intent", "sign-in")
        intent = cast("Intent", asked) if asked in get_args(Intent) else "sign-in"
        next_path = own_path(request.query_params.get("next", ""), "")
        try:
            return await go_elsewhere(request, services, actor, provider, intent=intent, next_path=next_path)
        except ProviderUnreachable as error:
            return _trouble(request, error, _ways_on(provider, intent, next_path))

    @get(["/google/callback", "/oidc/{provider:str}/callback"])
    async def come_back(
        self, request: AnyRequest, actor: Actor, services: Services, provider: str = "google"
    ) -> Template | Redirect:
        client = services.oidc.provider(provider)
        answer = {name: request.query_params[name][:LONGEST] for name in ANSWER if name in request.query_params}
        browser = request.cookies.get(BROWSER_COOKIE, "")
        ways_on = _ways_on(client.name, "sign-in", "")
        try:
            async with services.database.begin() as work:
                begun = await accounts.end_handshake(
                    work, client.name, answer.get("state", ""), browser=browser, secrets=services.secrets
                )
            ways_on = _ways_on(client.name, begun.intent, begun.next_path)
            claims = await services.oidc.redeem(
                client.name,
                answer,
                begun.handshake,
                redirect_uri=callback_url(client.name, services.settings),
                again=begun.intent == "confirm",
            )
        except TROUBLES as error:
            return _trouble(request, error, ways_on)
        return await _arrive(request, services, actor, begun, claims)


class LinkController(Controller):
    """Saying that an account elsewhere and the one here are the same person's."""

    path = LINK
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False
    dependencies = {"actor": Provide(provide_actor_alone)}  # noqa: RUF012

    @get()
    async def ask(self, request: AnyRequest, actor: Actor, services: Services) -> Template:
        """For who has not signed in, it says that they have to."""
        async with services.database.begin() as work:
            token, next_path = request.cookies.get(LINK_COOKIE, ""), going_to(request.query_params)
            waiting = await accounts.find_waiting_link(work, token, secrets=services.secrets)
            if waiting is None:
                return _trouble(request, LinkOver(), _sign_in_again(next_path))
            own_email = ""
            if actor.kind == "user":
                own_email = (await accounts.get_person(work, person_of(actor), secrets=services.secrets)).email
        view = LinkView(
            _label(services, waiting.provider),
            waiting.email,
            own_email,
            next=next_path,
            sign_in_url=with_next("/sign-in", with_next(LINK, next_path)),
            forgot_url=with_next("/forgot-password", with_next(LINK, next_path)),
        )
        return page(request, "account/link_identity.html", view, is_private=True)

    @post(opt={"access": "user", "step_up": True})
    async def link(self, request: AnyRequest, actor: Actor, services: Services, data: Form) -> Template | Redirect:
        next_path = going_to(data)
        try:
            async with services.database.begin() as work:
                await accounts.link_identity(work, request.cookies.get(LINK_COOKIE, ""), person_of(actor))
        except (LinkOver, IdentityTaken) as error:
            return _trouble(request, error, _sign_in_again(next_path))
        return see_other(next_path or SECURITY, [gone(LINK_COOKIE, LINK)])


class IdentitiesController(Controller):
    """Taking a link away."""

    path = f"{SECURITY}/identities/{{identity_id:str}}/remove"
    opt = {"access": "user", "step_up": True}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False
    dependencies = {"actor": Provide(provide_actor_alone)}  # noqa: RUF012

    @get()
    async def ask(self, request: AnyRequest, identity_id: str, actor: Actor, services: Services) -> Template:
        view = await _unlinking(services, actor, identity_id)
        return page(request, "account/ask.html", view, is_private=True)

    @post()
    async def unlink(
        self, request: AnyRequest, identity_id: str, actor: Actor, services: Services
    ) -> Template | Redirect:
        view = await _unlinking(services, actor, identity_id)
        try:
            async with services.database.begin() as work:
                await accounts.unlink_identity(work, person_of(actor), identity_id)
        except accounts.LastWayIn as error:
            refused = RemoveView(view.title, view.text, view.url, view.button, error.text())
            return page(request, "account/ask.html", refused, status=409, is_private=True)
        return see_other(SECURITY)


async def _arrive(
    request: AnyRequest, services: Services, actor: Actor, begun: Begun, claims: Claims
) -> Template | Redirect:
    """What was wanted of the provider, now that it has said who somebody is."""
    settings, secrets = services.settings, services.secrets
    if begun.intent == "sign-in":
        outcome = await accounts.sign_in_elsewhere(
            services.database,
            claims,
            client=browser_of(request, settings),
            language=current_language(),
            settings=settings,
            secrets=secrets,
        )
        if isinstance(outcome, LinkNeeded):
            return see_other(with_next(LINK, own_path(begun.next_path, "")), [_link_cookie(outcome.token, settings)])
        return await enter(request, services, actor, outcome, begun.next_path)
    if actor.kind != "user" or actor.id != begun.person_id:
        return _trouble(request, ProviderSignInExpired(), _ways_on(claims.provider, "sign-in", begun.next_path))
    async with services.database.begin() as work:
        if begun.intent == "link":
            token = await accounts.hold_for_linking(work, claims, secrets=secrets)
            return see_other(LINK, [_link_cookie(token, settings)])
        try:
            await accounts.confirm_with_identity(work, claims, person_of(actor), session_of(actor), secrets=secrets)
        except ProofNotAccepted as error:
            return _trouble(request, error, _ways_on(claims.provider, begun.intent, begun.next_path))
    return see_other(own_path(begun.next_path, SECURITY))


async def _unlinking(services: Services, actor: Actor, identity_id: str) -> RemoveView:
    async with services.database.begin() as work:
        identity = await accounts.get_identity(work, person_of(actor), identity_id, secrets=services.secrets)
    label = _label(services, identity.provider)
    return RemoveView(
        _("Unlink {label}?").format(label=label),
        _("You cannot sign in with {email} at {label} any more. Your account here stays.").format(
            email=identity.email, label=label
        ),
        f"{SECURITY}/identities/{identity_id}/remove",
        _("Unlink it"),
    )


def _begin_url(provider: str, intent: Intent, next_path: str) -> str:
    """Where a sign-in with a provider begins, for what it is wanted and where it is to lead."""
    query: dict[str, str] = {} if intent == "sign-in" else {"intent": intent}
    if next_path:
        query["next"] = next_path
    return f"{begin_path(provider)}?{urlencode(query)}" if query else begin_path(provider)


def _ways_on(provider: str, intent: Intent, next_path: str) -> tuple[str, str]:
    """The same again, and another way; both lead to where somebody was going.

    Whom the page to sign in knows already it sends there at once, and that asks for what it needs.
    """
    going = own_path(next_path, "")
    return _begin_url(provider, intent, going), with_next("/sign-in", going)


def _sign_in_again(next_path: str) -> tuple[str, str]:
    """The same where it is not known which provider it was."""
    return with_next("/sign-in", next_path), ""


def _trouble(request: AnyRequest, error: DomainError, ways_on: tuple[str, str]) -> Template:
    titles: dict[Any, str] = {
        ProviderDenied: _("You were not signed in"),
        ProviderUnreachable: _("No answer from the provider"),
        ProviderSignInExpired: _("This sign-in is over"),
        ProviderEmailUnverified: _("Your address is not verified there"),
        IdentityTaken: _("This account is linked already"),
        LinkOver: _("There is nothing to link"),
    }
    view = ProviderProblem(titles.get(type(error), _("The sign-in did not work")), error.text(), *ways_on)
    status = STATUS.get(type(error), 422)
    return page(request, "account/provider_problem.html", view, status=status, is_private=True)


def _label(services: Services, name: str) -> str:
    return services.oidc.providers[name].label if name in services.oidc.providers else name


def _link_cookie(token: str, settings: Settings) -> Cookie:
    return Cookie(
        key=LINK_COOKIE,
        value=token,
        path=LINK,
        max_age=LINK_SECONDS,
        httponly=True,
        secure=settings.base_url.startswith("https:"),
        samesite="lax",
    )
