"""The console: pages for those who act for an operator."""

from litestar.types import ControllerRouterHandler

from farebox.web.console.devices import DevicesController
from farebox.web.console.home import ConsoleController
from farebox.web.console.joining import JoinController
from farebox.web.console.keys import KeysController
from farebox.web.console.pairing import PairController
from farebox.web.console.staff import StaffController

CONSOLE: list[ControllerRouterHandler] = [
    ConsoleController,
    StaffController,
    KeysController,
    DevicesController,
    JoinController,
    PairController,
]

__all__ = ["CONSOLE"]
