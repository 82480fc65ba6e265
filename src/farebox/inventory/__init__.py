"""The kernel: units over slots; the primary key of a claim sells nothing twice. Knows no buses, money or people."""

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
]
