"""The kernel: units over slots; the primary key of a claim sells nothing twice. Knows no buses, money or people."""

from farebox.inventory.adopting import give_holds, release_all
from farebox.inventory.allocation import Allocation, allocate
from farebox.inventory.blocks import block, unblock
from farebox.inventory.commands import (
    adopt,
    confirm,
    extend,
    lock_holds,
    rearm,
    release,
    release_units,
    sweep,
    transfer,
)
from farebox.inventory.counting import RUNNING_HOLDS, count_gone
from farebox.inventory.desk import Desk
from farebox.inventory.errors import (
    ExtensionLimit,
    HoldConflict,
    HoldExpired,
    HoldLost,
    HoldNotFound,
    NotEnoughUnits,
    NotOnSale,
    Overloaded,
    StockGone,
    StockInUse,
    UnitsTaken,
    UnknownUnits,
)
from farebox.inventory.exchanges import swap
from farebox.inventory.forgetting import forget_holds, forget_inventories, list_inventories_in_use
from farebox.inventory.queries import availability, claims_on, find_hold, find_live_hold, get_hold, status
from farebox.inventory.runs import close_inventories, open_inventories
from farebox.inventory.stock import set_stock, stock_left
from farebox.inventory.taking import reclaim, take
from farebox.inventory.views import (
    Amount,
    Claim,
    Hold,
    HoldState,
    HoldTerms,
    InventorySpec,
    TakeRequest,
    UnitState,
    UnitStatus,
    Want,
    topics_of,
)
from farebox.inventory.watching import RunState, Share, read_runs

__all__ = [
    "RUNNING_HOLDS",
    "Allocation",
    "Amount",
    "Claim",
    "Desk",
    "ExtensionLimit",
    "Hold",
    "HoldConflict",
    "HoldExpired",
    "HoldLost",
    "HoldNotFound",
    "HoldState",
    "HoldTerms",
    "InventorySpec",
    "NotEnoughUnits",
    "NotOnSale",
    "Overloaded",
    "RunState",
    "Share",
    "StockGone",
    "StockInUse",
    "TakeRequest",
    "UnitState",
    "UnitStatus",
    "UnitsTaken",
    "UnknownUnits",
    "Want",
    "adopt",
    "allocate",
    "availability",
    "block",
    "claims_on",
    "close_inventories",
    "confirm",
    "count_gone",
    "extend",
    "find_hold",
    "find_live_hold",
    "forget_holds",
    "forget_inventories",
    "get_hold",
    "give_holds",
    "list_inventories_in_use",
    "lock_holds",
    "open_inventories",
    "read_runs",
    "rearm",
    "reclaim",
    "release",
    "release_all",
    "release_units",
    "set_stock",
    "status",
    "stock_left",
    "swap",
    "sweep",
    "take",
    "topics_of",
    "transfer",
    "unblock",
]
