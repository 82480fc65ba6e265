"""Payments, refunds and the ledger in the words of those who work with them."""

from typing import Final

from farebox.bookings import Booking, BookingStatus
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.payments import LedgerLine
from farebox.web.shop.moneys import REASONS
from farebox.web.views.till import Tone

PROVIDERS: Final = {
    "bank": N_("Bank transfer"),
    "cash": N_("Cash"),
    "payos": N_("VietQR (PayOS)"),
    "paypal": "PayPal",
    "razorpay": "Razorpay",
    "sandbox": N_("Test payment"),
    "stripe": N_("Card (Stripe)"),
    "wallet": N_("Wallet"),
}
"""Code of a provider -> what it is called."""

STAFF_REASONS: Final = {
    "allowance": N_("Given by the operator"),
    "provider": N_("Given back with the provider itself"),
}

BOOKING_STATES: Final[dict[BookingStatus, tuple[str, Tone]]] = {
    BookingStatus.PENDING: (N_("Waits for its money"), "warn"),
    BookingStatus.PAYMENT_PROCESSING: (N_("Waits for its money"), "warn"),
    BookingStatus.CONFIRMED: (N_("Confirmed"), "good"),
    BookingStatus.COMPLETED: (N_("Past"), ""),
    BookingStatus.CANCELLED: (N_("Cancelled"), "bad"),
    BookingStatus.REFUNDED: (N_("Paid back"), "bad"),
}

MOVEMENTS: Final = {
    "sale": N_("Sold"),
    "reprice": N_("Another price"),
    "charge": N_("Money came"),
    "refund-promised": N_("Promised back"),
    "refund": N_("Paid back"),
    "top-up": N_("Into a wallet"),
    "payout": N_("Out of a wallet"),
    "dispute": N_("Disputed"),
}
"""Kind of a movement of the ledger -> its name."""

ACCOUNTS: Final = {
    "receivable": N_("Owed by the booking"),
    "refunds-due": N_("Refunds to be made"),
    "disputes": N_("Disputed money"),
    "losses": N_("Losses"),
    "sales": N_("Sales of the operator"),
    "commission": N_("Commission of the platform"),
    "wallet": N_("Wallet of the traveller"),
}


def trip_in_words(booking: Booking) -> str:
    """From where to where, of the first ride."""
    first = booking.items[0].description
    ends = [end.place or end.name for end in (first.origin, first.destination) if end]
    way = _("{origin} to {destination}").format(origin=ends[0], destination=ends[1]) if len(ends) > 1 else first.title
    return way if len(booking.items) == 1 else _("{way}, and more").format(way=way)


def came_by(provider: str) -> str:
    return _(PROVIDERS.get(provider, provider))


def reason_of(reason: str) -> str:
    """Why money goes back; empty for a word that we do not know."""
    return _((REASONS | STAFF_REASONS).get(reason, ""))


def account_of(line: LedgerLine) -> str:
    kind, _colon, of = line.account.partition(":")
    if kind == "clearing":
        return _("Held: {provider}").format(provider=came_by(of))
    name = _(ACCOUNTS.get(kind, kind))
    return f"{name} ({line.commission_bp / 100:g}%)" if kind == "commission" and line.commission_bp else name
