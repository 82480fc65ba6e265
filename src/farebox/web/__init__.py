"""HTML for people: pages that work without JavaScript and are made live by htmx and small ES modules."""

from litestar.types import ControllerRouterHandler

from farebox.core.settings import Settings
from farebox.web.account.bookings import MyBookingsController
from farebox.web.account.confirming import ConfirmController
from farebox.web.account.elsewhere import ElsewhereController, IdentitiesController, LinkController
from farebox.web.account.emails import EmailController, EmailLinkController
from farebox.web.account.factors import FactorsController
from farebox.web.account.overview import OverviewController
from farebox.web.account.passkeys import PasskeysController, PasskeySignInController
from farebox.web.account.passwords import ForgotPasswordController, PasswordController, ResetPasswordController
from farebox.web.account.payouts import PayoutController
from farebox.web.account.preferences import PreferencesController
from farebox.web.account.privacy import PrivacyController, UnsubscribeController, goodbye
from farebox.web.account.profile import ProfileController
from farebox.web.account.registering import RegisterController, VerifyController
from farebox.web.account.security import SecurityController
from farebox.web.account.settings import SettingsController
from farebox.web.account.signing_in import SignInController, sign_out
from farebox.web.account.tickets import MyTicketsController
from farebox.web.account.wallet import WalletController
from farebox.web.console import CONSOLE
from farebox.web.errors import page_error_handlers
from farebox.web.shop.booking import BookingController
from farebox.web.shop.cancelling import CancelController
from farebox.web.shop.changing import ChangeController
from farebox.web.shop.home import HomeController
from farebox.web.shop.invoice_details import InvoiceDetailsController
from farebox.web.shop.keeping import KeepController
from farebox.web.shop.lookup import LookupController
from farebox.web.shop.mailbox import MailboxController
from farebox.web.shop.passengers import ExpiredController, PassengersController
from farebox.web.shop.payment import ReturnController, SandboxController
from farebox.web.shop.rebooking import RebookController
from farebox.web.shop.renaming import RenameController
from farebox.web.shop.results import ResultsController
from farebox.web.shop.review import ReviewController
from farebox.web.shop.seats import SeatsController
from farebox.web.shop.transfer import TransferController
from farebox.web.shop.trips import TripsController
from farebox.web.shop.waiting import WaitingController
from farebox.web.shop.way_back import WayBackController
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
    TransferController,
    ReturnController,
    BookingController,
    CancelController,
    ChangeController,
    WaitingController,
    WayBackController,
    InvoiceDetailsController,
    RenameController,
    RebookController,
    KeepController,
    LookupController,
    SignInController,
    sign_out,
    RegisterController,
    VerifyController,
    ForgotPasswordController,
    ResetPasswordController,
    PasswordController,
    EmailController,
    EmailLinkController,
    ConfirmController,
    FactorsController,
    PasskeysController,
    PasskeySignInController,
    ElsewhereController,
    LinkController,
    IdentitiesController,
    PrivacyController,
    UnsubscribeController,
    goodbye,
    OverviewController,
    MyBookingsController,
    MyTicketsController,
    PayoutController,
    WalletController,
    ProfileController,
    PreferencesController,
    SettingsController,
    SecurityController,
    *CONSOLE,
    static_file,
    favicon,
]


def page_handlers(settings: Settings) -> list[ControllerRouterHandler]:
    """Everything that answers with pages; the demo's mailbox only where it can do no harm."""
    return PAGES if settings.is_production else [*PAGES, MailboxController]


__all__ = ["page_error_handlers", "page_handlers", "template_config"]
