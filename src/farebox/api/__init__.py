"""JSON for programs: `/api/v1`."""

from litestar import Router
from litestar.exceptions import HTTPException
from litestar.types import ControllerRouterHandler, ExceptionHandlersMap

from farebox.api.auth import AuthController
from farebox.api.bookings import BookingsController, list_bookings_of_user
from farebox.api.cancellations import CancellationsController
from farebox.api.changes import ChangesController
from farebox.api.devices import DevicesController, PairingController
from farebox.api.direct import direct_middleware
from farebox.api.factors import ConfirmController, FactorsController, PasskeySignInController
from farebox.api.fares import FaresController
from farebox.api.guests import GuestSessionsController
from farebox.api.idempotency import idempotency_middleware
from farebox.api.invoices import InvoicesController
from farebox.api.keys import KeysController
from farebox.api.live import stream_seats, watch_seats
from farebox.api.lookup import LookupController
from farebox.api.oidc import OidcController
from farebox.api.open_returns import OpenReturnsController, show_open_return
from farebox.api.payments import PaymentsController, WebhooksController
from farebox.api.privacy import PrivacyController, erase_person, personal_audit
from farebox.api.problems import answer_domain_error, answer_http_error, answer_unexpected_error
from farebox.api.promotions import PromotionsController
from farebox.api.reading import LARGEST_BODY
from farebox.api.refunds import RefundsController
from farebox.api.seat_maps import SeatMapsController
from farebox.api.seats import SeatLocksController
from farebox.api.staff import InvitationsController, StaffController
from farebox.api.tickets import TicketsController
from farebox.api.till import TillController
from farebox.api.trips import PlacesController, TripsController
from farebox.api.users import UsersController, avatar
from farebox.api.wallet import WalletController
from farebox.core.errors import DomainError
from farebox.wiring import Services

HANDLERS: list[ControllerRouterHandler] = [
    PlacesController,
    TripsController,
    SeatMapsController,
    watch_seats,
    stream_seats,
    GuestSessionsController,
    SeatLocksController,
    BookingsController,
    list_bookings_of_user,
    ChangesController,
    OpenReturnsController,
    show_open_return,
    CancellationsController,
    LookupController,
    TicketsController,
    PaymentsController,
    RefundsController,
    TillController,
    WebhooksController,
    WalletController,
    InvoicesController,
    AuthController,
    FactorsController,
    PasskeySignInController,
    ConfirmController,
    OidcController,
    StaffController,
    InvitationsController,
    KeysController,
    DevicesController,
    PairingController,
    FaresController,
    PromotionsController,
    PrivacyController,
    personal_audit,
    erase_person,
    UsersController,
    avatar,
]


def api_router(services: Services) -> Router:
    """The contract's router."""
    handlers: ExceptionHandlersMap = {
        DomainError: answer_domain_error,
        HTTPException: answer_http_error,
        Exception: answer_unexpected_error,
    }
    return Router(
        "/api/v1",
        route_handlers=HANDLERS,
        exception_handlers=handlers,
        middleware=[idempotency_middleware(services), direct_middleware(services)],
        request_max_body_size=LARGEST_BODY,
    )
