"""The home page, and the pages that only tell something."""

from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.core.db import UnitOfWork
from farebox.core.i18n import LANGUAGES
from farebox.core.settings import Settings
from farebox.edge.dependencies import identify
from farebox.edge.middleware import LANGUAGE_COOKIE
from farebox.search import popular_connections
from farebox.web.pages import AnyRequest, here_of, own_path, page, see_other
from farebox.web.shop.chosen import draw_itinerary
from farebox.web.shop.finding import blank_form
from farebox.web.shop.itinerary import read_itinerary
from farebox.web.shop.picking import ids_in
from farebox.web.shop.stretches import read_carried
from farebox.web.views.booking import HelpView
from farebox.web.views.itinerary import ItineraryView
from farebox.web.views.trips import Connection, HomeView, SearchForm
from farebox.wiring import Services

CONNECTIONS = 5
A_YEAR_SECONDS = 365 * 86_400

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class HomeController(Controller):
    """Where everybody begins."""

    @get("/", opt={"access": "public"}, include_in_schema=False)
    async def home(self, request: AnyRequest, work: UnitOfWork, services: Services) -> Template:
        form = blank_form(work, dict(here_of(request).query), services.settings)
        return await draw_home(request, work, form, await chosen_before(request, work, services))

    @get("/help", opt={"access": "public"}, include_in_schema=False, sync_to_thread=False)
    def help_page(self, request: AnyRequest, settings: Settings) -> Template:
        return page(request, "shop/help.html", HelpView(max(1, settings.hold_ttl_seconds // 60)))

    @get("/terms", opt={"access": "public"}, include_in_schema=False, sync_to_thread=False)
    def terms(self, request: AnyRequest) -> Template:
        return page(request, "shop/terms.html")

    @post(
        "/language",
        opt={"access": "public", "exclude_from_csrf": True},
        include_in_schema=False,
        sync_to_thread=False,
    )
    def choose_language(self, settings: Settings, data: Form) -> Response[None] | Redirect:
        """Keep the language in a cookie and go back to where one was.

        No token is asked for: pages about errors have none, and a foreign site would change nothing but the language.
        """
        chosen = data.get("language", "")
        answer = see_other(own_path(data.get("back", "")))
        if chosen in LANGUAGES:
            answer.set_cookie(
                Cookie(
                    key=LANGUAGE_COOKIE,
                    value=chosen,
                    max_age=A_YEAR_SECONDS,
                    samesite="lax",
                    httponly=True,
                    secure=settings.base_url.startswith("https:"),
                )
            )
        return answer


async def chosen_before(request: AnyRequest, work: UnitOfWork, services: Services) -> ItineraryView | None:
    """The rides that the address carries along. Who is asking is looked up only where it has some."""
    here = here_of(request)
    query = dict(here.query)
    if not query.get("with"):
        return None
    actor = await identify(request, services)
    itinerary = await read_itinerary(work, ids_in(query["with"]), actor=actor, verticals=services.verticals)
    if not itinerary.parts:
        return None
    carried = read_carried(query)
    return await draw_itinerary(
        work,
        itinerary,
        actor=actor,
        settings=services.settings,
        here=here.full,
        people=carried["people"],
        back=carried["back"],
    )


async def draw_home(
    request: AnyRequest, work: UnitOfWork, form: SearchForm, chosen: ItineraryView | None = None
) -> Template:
    """The home page with the form as it is; 422 where something in it needs attention."""
    query = {"date": form.day.isoformat(), "travellers": str(form.travellers)}
    here = here_of(request)
    connections = tuple(
        Connection(
            each.from_name,
            each.to_name,
            here.with_query(
                {
                    "from": each.from_name,
                    "from_id": str(each.from_id),
                    "to": each.to_name,
                    "to_id": str(each.to_id),
                    **query,
                },
                path="/search",
            ),
            each.duration_minutes,
            each.price,
        )
        for each in ([] if chosen else await popular_connections(work, limit=CONNECTIONS))
    )
    view = HomeView(form, connections, chosen)
    status = 422 if form.errors else 200
    return page(request, "shop/home.html", view, status=status, is_private=chosen is not None)
