"""HTML for people: pages that work without JavaScript and are made live by htmx and small ES modules."""

from litestar.types import ControllerRouterHandler

from farebox.core.settings import Settings
from farebox.web.errors import page_error_handlers
from farebox.web.shop.booking import BookingController
from farebox.web.shop.home import HomeController
from farebox.web.shop.lookup import LookupController
from farebox.web.shop.mailbox import MailboxController
from farebox.web.shop.passengers import ExpiredController, PassengersController
from farebox.web.shop.payment import ReturnController, SandboxController
from farebox.web.shop.results import ResultsController
from farebox.web.shop.review import ReviewController
from farebox.web.shop.seats import SeatsController
from farebox.web.shop.trips import TripsController
from farebox.web.static_files import favicon, static_file
from farebox.web.templating import template_config

PAGES: list[ControllerRouterHandler] = [
    HomeController,
    ResultsController,
    TripsController,
    SeatsController,
    PassengersController,
    ExpiredController,
    ReviewController,
    SandboxController,
    ReturnController,
    BookingController,
    LookupController,
    static_file,
    favicon,
]


def page_handlers(settings: Settings) -> list[ControllerRouterHandler]:
    """Everything that answers with pages; the demo's mailbox only where it can do no harm."""
    return PAGES if settings.is_production else [*PAGES, MailboxController]


__all__ = ["page_error_handlers", "page_handlers", "template_config"]
