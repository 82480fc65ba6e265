"""The console: pages for those who act for an operator."""

from litestar.types import ControllerRouterHandler

from farebox.web.console.booking_money import BookingMoneyController
from farebox.web.console.codes import CodesController
from farebox.web.console.devices import DevicesController
from farebox.web.console.distance import DistanceController
from farebox.web.console.fares import FaresController
from farebox.web.console.giving_back import GiveBackController
from farebox.web.console.home import ConsoleController
from farebox.web.console.joining import JoinController
from farebox.web.console.keys import KeysController
from farebox.web.console.pairing import PairController
from farebox.web.console.payouts import PayoutsController
from farebox.web.console.quotes import TryController
from farebox.web.console.rules import RulesController
from farebox.web.console.staff import StaffController
from farebox.web.console.terms import TermsController
from farebox.web.console.till import TillController
from farebox.web.console.today import TodayController

CONSOLE: list[ControllerRouterHandler] = [
    ConsoleController,
    TodayController,
    FaresController,
    TryController,
    DistanceController,
    RulesController,
    CodesController,
    TermsController,
    TillController,
    BookingMoneyController,
    GiveBackController,
    PayoutsController,
    StaffController,
    KeysController,
    DevicesController,
    JoinController,
    PairController,
]

__all__ = ["CONSOLE"]
