"""From the review to the money: a wallet first where that is wanted, then the page of whoever takes the rest."""

from collections.abc import Mapping
from dataclasses import dataclass

from litestar.response import Redirect

from farebox.accounts import Actor
from farebox.bookings import Booking, get_booking, refuse_part
from farebox.core.db import UnitOfWork
from farebox.core.i18n import format_money
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.payments import (
    WALLET,
    WalletTooSmall,
    confirm_paid,
    due_for,
    find_wallet,
    pay_from_wallet,
    start_payment,
)
from farebox.web.pages import see_other
from farebox.web.shop.checkouts import page_of
from farebox.web.shop.methods import chosen_method, method_options, methods_of
from farebox.web.views.checkout import WalletPart
from farebox.web.views.trips import Option
from farebox.wiring import Services


@dataclass(frozen=True, slots=True)
class Ways:
    """How what is due of a booking can be paid: all of it by one method, or a part of it out of the wallet first."""

    due: Money
    methods: tuple[Option, ...]
    wallet: WalletPart | None = None


async def ways_to_pay(
    work: UnitOfWork, booking: Booking, actor: Actor, services: Services, typed: Mapping[str, str]
) -> Ways:
    """What a traveller is offered, with what was chosen before."""
    due = await due_for(work, booking)
    chosen = typed.get("method", "")
    methods = method_options(methods_of(booking, services.providers, work.now), chosen)
    balance = await _balance(work, due.currency, actor)
    if not balance or not due:
        return Ways(due, methods)
    if balance.minor < due.minor:
        return Ways(due, methods, WalletPart(balance, due - balance, typed.get("use_wallet") == "1"))
    detail = _("It holds {balance}. Paid at once.").format(balance=format_money(balance))
    own = Option(WALLET, _("My wallet here"), chosen == WALLET, icon="wallet", detail=detail)
    if own.is_chosen:
        methods = tuple(Option(each.value, each.label, icon=each.icon, detail=each.detail) for each in methods)
    return Ways(due, (*methods, own))


async def pay_booking(
    work: UnitOfWork, booking: Booking, actor: Actor, services: Services, typed: Mapping[str, str]
) -> Redirect:
    """Pay as chosen, and go where that leads.

    Raises:
        ProviderUnavailable, UnknownMethod, BookingExpired: see `start_payment`.
        ConcernsOthers: see `refuse_part`.
    """
    await refuse_part(work, booking.id, actor=actor)
    back = f"/bookings/{booking.id}/return"
    if not await due_for(work, booking):
        await confirm_paid(work, booking.id, actor=actor, signer=services.secrets)
        return see_other(f"/bookings/{booking.id}?booked=1")
    if typed.get("method") == WALLET or typed.get("use_wallet") == "1":
        try:
            await pay_from_wallet(work, booking.id, actor=actor, signer=services.secrets, settings=services.settings)
        except WalletTooSmall:
            return see_other(f"/bookings/{booking.id}/review")
        booking = await get_booking(work, booking.id, actor=actor)
        if not booking.is_open:  # it covered all of it
            return see_other(back)
    method = chosen_method(typed.get("method", ""), methods_of(booking, services.providers, work.now))
    await work.commit()  # the payment has units of work of its own; this one must not sit on a connection meanwhile
    payment = await start_payment(
        services.database,
        booking.id,
        method=method,
        return_url=back,
        actor=actor,
        providers=services.providers,
        settings=services.settings,
    )
    return see_other(page_of(payment, services.settings) or back)


async def _balance(work: UnitOfWork, currency: str, actor: Actor) -> Money | None:
    """What is in the traveller's wallet of a currency; nothing for whoever has none."""
    if actor.kind != "user" or actor.booking_id is not None:
        return None
    wallet = await find_wallet(work, currency, actor=actor)
    return wallet.spendable if wallet else None
