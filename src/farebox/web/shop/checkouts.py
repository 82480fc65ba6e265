"""Where the payment pages of providers are.

Browsers hold a form's answer to the page's content policy along all its redirects, so a page whose form begins a
payment names where that may lead: to the pages of the providers that take money here, and nowhere else.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from farebox.core.settings import Settings
from farebox.payments import PaymentView
from farebox.web.pages import own_address

CHECKOUTS: Final = {
    "stripe": ("https://checkout.stripe.com",),
    "payos": ("https://pay.payos.vn",),
    "paypal": ("https://www.paypal.com", "https://www.sandbox.paypal.com"),
    "razorpay": ("https://rzp.io", "https://razorpay.com", "https://*.razorpay.com"),
}
"""Name of a provider -> origins, as a content policy names them. Who is not here has its pages with us, or none."""


def checkout_origins(providers: Iterable[str]) -> tuple[str, ...]:
    """The origins of those providers' payment pages."""
    return tuple(origin for name in providers for origin in CHECKOUTS.get(name, ()))


def page_of(payment: PaymentView, settings: Settings) -> str:
    """Where a payment goes on, or empty; for a transfer, our page of it under the address of its booking."""
    if payment.booking_id and urlsplit(payment.checkout_url or "").path == f"/pay/bank/{payment.id}":
        return f"/bookings/{payment.booking_id}/transfer/{payment.id}"
    return own_address(payment.checkout_url or "", settings)
