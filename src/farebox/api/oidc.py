"""Signing in with other OpenID providers: a browser is sent there, and comes back with a session."""

from typing import Annotated, Any

from litestar import Controller, get
from litestar import Request as HTTPRequest
from litestar.di import Provide
from litestar.params import Parameter
from litestar.response import Redirect
from litestar.status_codes import HTTP_302_FOUND
from msgspec import Meta

from farebox.accounts import Actor, ProviderUnreachable, UnknownProvider
from farebox.api.problems import problems
from farebox.api.wire import Wire
from farebox.edge.dependencies import provide_actor_alone
from farebox.edge.elsewhere import GOOGLE, begin_path, go_elsewhere
from farebox.wiring import Services

AnyRequest = HTTPRequest[Any, Any, Any]
ProviderName = Annotated[str, Parameter(max_length=40, description="Its name, as listed.")]
Next = Annotated[str, Parameter(max_length=2000, description="A path of the shop's own pages.")]


class ProviderView(Wire):
    """Send a browser to `url`."""

    name: Annotated[str, Meta(examples=["google"])]
    label: Annotated[str, Meta(examples=["Google"])]
    url: Annotated[str, Meta(examples=["https://tickets.example/auth/google"])]


class ProvidersView(Wire):
    items: list[ProviderView]


class OidcController(Controller):
    """Google, and other OpenID providers that this shop names. All of it ends at the shop's own pages."""

    path = "/auth"
    tags = ("People",)
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    dependencies = {"actor": Provide(provide_actor_alone)}  # noqa: RUF012

    @get("/providers", summary="List the providers to sign in with", operation_id="listProviders", sync_to_thread=False)
    def providers(self, services: Services) -> ProvidersView:
        base = services.settings.base_url.rstrip("/")
        return ProvidersView(
            items=[
                ProviderView(name=each.name, label=each.label, url=base + begin_path(each.name))
                for each in services.oidc.providers.values()
            ]
        )

    @get(
        "/google",
        summary="Sign in with Google",
        operation_id="signInWithGoogle",
        status_code=HTTP_302_FOUND,
        opt={"rate": "sign-in"},
        responses=problems(UnknownProvider, ProviderUnreachable),
    )
    async def google(self, request: AnyRequest, actor: Actor, services: Services, next: Next = "") -> Redirect:  # noqa: A002
        """Sends a browser to Google. It comes back to the shop's own pages with a session, and goes on to `next`."""
        return await go_elsewhere(request, services, actor, GOOGLE, intent="sign-in", next_path=next)

    @get(
        "/google/callback",
        summary="Come back from Google",
        operation_id="comeBackFromGoogle",
        status_code=HTTP_302_FOUND,
        responses=problems(UnknownProvider),
        sync_to_thread=False,
    )
    def google_callback(self, request: AnyRequest, services: Services) -> Redirect:
        """Takes `code` and `state` to the page that does it."""
        return _to_page(request, services, GOOGLE)

    @get(
        "/oidc/{provider:str}",
        summary="Sign in with another provider",
        operation_id="signInWithProvider",
        status_code=HTTP_302_FOUND,
        opt={"rate": "sign-in"},
        responses=problems(UnknownProvider, ProviderUnreachable),
    )
    async def other(
        self,
        request: AnyRequest,
        provider: ProviderName,
        actor: Actor,
        services: Services,
        next: Next = "",  # noqa: A002
    ) -> Redirect:
        """As with Google."""
        return await go_elsewhere(request, services, actor, provider, intent="sign-in", next_path=next)

    @get(
        "/oidc/{provider:str}/callback",
        summary="Come back from another provider",
        operation_id="comeBackFromProvider",
        status_code=HTTP_302_FOUND,
        responses=problems(UnknownProvider),
        sync_to_thread=False,
    )
    def other_callback(self, request: AnyRequest, provider: ProviderName, services: Services) -> Redirect:
        """As with Google."""
        return _to_page(request, services, provider)


def _to_page(request: AnyRequest, services: Services, name: str) -> Redirect:
    services.oidc.provider(name)
    query = request.scope["query_string"].decode("latin-1")  # as it came, in its order
    return Redirect(f"{begin_path(name)}/callback{'?' + query if query else ''}", status_code=HTTP_302_FOUND)
