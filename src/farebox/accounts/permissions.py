"""Who may do what: the one table of roles and permissions.

A role on the platform (`user`, `premium`, `admin`) says what somebody may do everywhere; a role for an operator
(`agent`, `driver`, `operator_admin`) and the scopes of an API key or a device say what may be done for that operator.
Which operator's things are reached is decided in each query, by `Actor.operators_with`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from farebox.core.i18n import N_


class Permission(StrEnum):
    """What a route may ask for. Its name is also its name on the wire, as the scope of an API key."""

    BOOKINGS_READ = "bookings:read"
    BOOKINGS_SELL = "bookings:sell"
    BOOKINGS_CHANGE = "bookings:change"
    PAYMENTS_RECEIVE = "payments:receive"
    PAYMENTS_REFUND = "payments:refund"
    PASSENGERS_READ = "passengers:read"
    MANIFEST_READ = "manifest:read"
    BOARDING_SCAN = "boarding:scan"
    DEPARTURES_READ = "departures:read"
    DEPARTURES_CHANGE = "departures:change"
    FARES_CHANGE = "fares:change"
    REPORTS_READ = "reports:read"
    REPORTS_EXPORT = "reports:export"
    STAFF_MANAGE = "staff:manage"
    KEYS_MANAGE = "keys:manage"
    DEVICES_MANAGE = "devices:manage"
    AUDIT_READ = "audit:read"
    OPERATOR_CHANGE = "operator:change"
    PEOPLE_READ = "people:read"
    PEOPLE_ERASE = "people:erase"


DRIVER: Final = frozenset({Permission.DEPARTURES_READ, Permission.MANIFEST_READ, Permission.BOARDING_SCAN})

AGENT: Final = DRIVER | {
    Permission.BOOKINGS_READ,
    Permission.BOOKINGS_SELL,
    Permission.BOOKINGS_CHANGE,
    Permission.PASSENGERS_READ,
}

OPERATOR_ADMIN: Final = AGENT | {
    Permission.PAYMENTS_RECEIVE,
    Permission.PAYMENTS_REFUND,
    Permission.DEPARTURES_CHANGE,
    Permission.FARES_CHANGE,
    Permission.REPORTS_READ,
    Permission.REPORTS_EXPORT,
    Permission.STAFF_MANAGE,
    Permission.KEYS_MANAGE,
    Permission.DEVICES_MANAGE,
    Permission.AUDIT_READ,
    Permission.OPERATOR_CHANGE,
}

ROLES: Final[Mapping[str, frozenset[Permission]]] = {
    "agent": AGENT,
    "driver": DRIVER,
    "operator_admin": OPERATOR_ADMIN,
    "admin": frozenset(Permission),
}
"""What each role may do. Travellers (`user`, `premium`) need no permission: they reach what is theirs."""

ROLE_NAMES: Final[Mapping[str, str]] = {
    "agent": N_("Box office"),
    "driver": N_("Driver"),
    "operator_admin": N_("Administrator"),
    "admin": N_("Administrator of the platform"),
}
"""What people call the roles; to be translated."""

PERMISSION_NAMES: Final[Mapping[Permission, str]] = {
    Permission.BOOKINGS_READ: N_("See bookings"),
    Permission.BOOKINGS_SELL: N_("Sell seats"),
    Permission.BOOKINGS_CHANGE: N_("Change and cancel bookings"),
    Permission.PAYMENTS_RECEIVE: N_("Note transfers that have come"),
    Permission.PAYMENTS_REFUND: N_("Give money back"),
    Permission.PASSENGERS_READ: N_("See passengers' data"),
    Permission.MANIFEST_READ: N_("See passenger lists"),
    Permission.BOARDING_SCAN: N_("Check tickets"),
    Permission.DEPARTURES_READ: N_("See departures"),
    Permission.DEPARTURES_CHANGE: N_("Change departures"),
    Permission.FARES_CHANGE: N_("Change fares"),
    Permission.REPORTS_READ: N_("See reports"),
    Permission.REPORTS_EXPORT: N_("Export reports"),
    Permission.STAFF_MANAGE: N_("Manage staff"),
    Permission.KEYS_MANAGE: N_("Manage API keys"),
    Permission.DEVICES_MANAGE: N_("Manage devices"),
    Permission.AUDIT_READ: N_("See who saw personal data"),
    Permission.OPERATOR_CHANGE: N_("Change the operator"),
    Permission.PEOPLE_READ: N_("See people's accounts"),
    Permission.PEOPLE_ERASE: N_("Erase people's accounts"),
}
"""What people call the permissions; to be translated."""

KEY_SCOPES: Final = OPERATOR_ADMIN - {Permission.STAFF_MANAGE, Permission.KEYS_MANAGE, Permission.DEVICES_MANAGE}
"""What an API key can be given: nothing by which it could give itself more."""

DEVICE_SCOPES: Final = DRIVER
"""What every paired device may do, and nothing more."""
