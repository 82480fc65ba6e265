"""The kernel: units over slots; the primary key of a claim sells nothing twice. Knows no buses, money or people."""

from farebox.inventory.commands import (
    confirm,
    extend,
    lock_holds,
    rearm,
    reclaim,
    release,
    release_units,
    sweep,
    take,
    transfer,
)
from farebox.inventory.errors import (
    ExtensionLimit,
    HoldConflict,
    HoldExpired,
    HoldLost,
    HoldNotFound,
    NotOnSale,
    UnitsTaken,
    UnknownUnits,
)
from farebox.inventory.queries import availability, claims_on, find_hold, find_live_hold, get_hold
from farebox.inventory.runs import close_inventories, open_inventories
from farebox.inventory.views import Claim, Hold, HoldState, HoldTerms, InventorySpec, Want

__all__ = [
    "Claim",
    "ExtensionLimit",
    "Hold",
    "HoldConflict",
    "HoldExpired",
    "HoldLost",
    "HoldNotFound",
    "HoldState",
    "HoldTerms",
    "InventorySpec",
    "NotOnSale",
    "UnitsTaken",
    "UnknownUnits",
    "Want",
    "availability",
    "claims_on",
    "close_inventories",
    "confirm",
    "extend",
    "find_hold",
    "find_live_hold",
    "get_hold",
    "lock_holds",
    "open_inventories",
    "rearm",
    "reclaim",
    "release",
    "release_units",
    "sweep",
    "take",
    "transfer",
]
