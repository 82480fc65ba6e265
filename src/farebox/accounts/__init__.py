"""People and the companies that sell: operators, guest sessions, and who is asking."""

from farebox.accounts.actor import ANONYMOUS, SYSTEM, Actor
from farebox.accounts.errors import OperatorNotFound
from farebox.accounts.operators import (
    OperatorView,
    find_operator_by_code,
    get_operator,
    list_operators,
    upsert_operator,
)
from farebox.accounts.sessions import (
    GuestSession,
    authenticate,
    delete_expired_sessions,
    open_booking_session,
    open_guest_session,
)

__all__ = [
    "ANONYMOUS",
    "SYSTEM",
    "Actor",
    "GuestSession",
    "OperatorNotFound",
    "OperatorView",
    "authenticate",
    "delete_expired_sessions",
    "find_operator_by_code",
    "get_operator",
    "list_operators",
    "open_booking_session",
    "open_guest_session",
    "upsert_operator",
]
