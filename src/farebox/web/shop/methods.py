"""The ways of paying, as travellers choose between them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from farebox.bookings import Booking
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.payments import PaymentMethod, Providers, methods_for
from farebox.web.views.trips import Option

TOLD: Final = {
    "sandbox": ("wallet", N_("Stands in for a bank while the shop is tried out.")),
    "card": ("card", N_("You go on to a protected page. We never see the card's number.")),
    "paypal": ("wallet", N_("You go on to PayPal, agree there, and come back.")),
    "payos": ("qr", N_("Scan a VietQR code with your bank's app.")),
    "razorpay": ("wallet", N_("UPI, card or net banking, on a page of Razorpay.")),
    "wallet": ("wallet", N_("Paid at once, from your own money here.")),
    "bank-transfer": ("bank", N_("You get the account and a reference. The seats are yours once the money is there.")),
    "cash": ("cash", N_("At the counter, before the time is over.")),
}
"""Code of a method -> its drawing, and what happens next."""

NOT_OFFERED: Final = {"cash": N_("Cash"), "wallet": N_("Wallet")}
"""Code of a way that is not among those to choose between -> what it is called."""


def methods_of(booking: Booking, providers: Providers, now: datetime) -> list[PaymentMethod]:
    """How an unpaid booking can be paid by its traveller: slow ways only where there is time for them."""
    begins_in = min(item.starts_at for item in booking.items) - now
    return methods_for(booking.total.currency, providers, begins_in=begins_in)


def method_options(methods: Sequence[PaymentMethod], chosen: str) -> tuple[Option, ...]:
    """All that are offered; the first is chosen where nothing offered was."""
    codes = [method.code for method in methods]
    chosen = chosen if chosen in codes else next(iter(codes), "")
    return tuple(_option(method, is_chosen=method.code == chosen) for method in methods)


def chosen_method(code: str, methods: Sequence[PaymentMethod]) -> str:
    """The method asked for if it is offered, else the first that is; as asked for where none is."""
    offered = [method.code for method in methods]
    return code if code in offered else next(iter(offered), code)


def method_label(code: str, currency: str, providers: Providers) -> str:
    """What a method is called; its code where nobody offers it any more."""
    offered = methods_for(currency, providers, begins_in=timedelta.max)
    labels = {method.code: method.label for method in offered} | NOT_OFFERED
    return _(labels.get(code, code))


def received(booking: Booking, due: Money) -> Money | None:
    """What was paid of an unpaid booking, where that is a part of it."""
    return booking.total - due if due != booking.total else None


def _option(method: PaymentMethod, *, is_chosen: bool) -> Option:
    drawing, told = TOLD.get(method.code, ("wallet", ""))
    return Option(method.code, _(method.label), is_chosen, icon=drawing, detail=_(told))
