"""Taking money out of one's wallet again: how much could be, where it would go, and then it goes."""

from collections.abc import Mapping
from typing import Annotated, Final

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.accounts import Actor, list_currencies
from farebox.bookings import RefundChanged
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.core.money import Money, total
from farebox.payments import (
    PayoutPart,
    PayoutTooLarge,
    WalletTooSmall,
    find_wallet,
    most_to_pay_out,
    pay_out,
    quote_payout,
)
from farebox.web.account.showing import account_page, me
from farebox.web.account.zones import ReadersZone, zone_of_reader
from farebox.web.money_typed import amount_typed, plain_amount
from farebox.web.pages import AnyRequest, see_other
from farebox.web.shop.methods import method_label
from farebox.web.views.account import PayoutRow, PayoutView
from farebox.wiring import Services

PATH: Final = "/account/wallet/payout"
CHANGED: Final = N_("Your wallet has changed since you saw this page. Look at where the money goes now.")
LONGEST: Final = 40
UNREADABLE: Final = 422

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class PayoutController(Controller):
    """For the person alone, and after a fresh proof: who finds a session open takes nothing out."""

    path = PATH
    opt = {"access": "user", "step_up": True}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def quote(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services
    ) -> Template | Redirect:
        """How much could be taken out; with an amount, where it would go."""
        return await _page(request, work, actor, services, request.query_params)

    @post(opt={"rate": "write"})
    async def take(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, data: Form
    ) -> Template | Redirect:
        currency = data.get("currency", "")
        if currency not in list_currencies():
            return see_other("/account/wallet")
        shown = data.get("balance", "")
        balance = Money(int(shown), currency) if shown.isascii() and shown.isdigit() and len(shown) < LONGEST else None
        try:
            await pay_out(work, _amount(data, currency), actor=actor, expected_balance=balance)
        except RefundChanged:
            return await _page(request, work, actor, services, data, changed=_(CHANGED))
        except (Invalid, PayoutTooLarge, WalletTooSmall):  # it is less than it was: the page says what is left
            return await _page(request, work, actor, services, data)
        return see_other(f"/account/wallet?currency={currency}&said=taken-out")


async def _page(
    request: AnyRequest,
    work: UnitOfWork,
    actor: Actor,
    services: Services,
    typed: Mapping[str, str],
    *,
    changed: str = "",
) -> Template | Redirect:
    currency = typed.get("currency", "")
    wallet = await find_wallet(work, currency, actor=actor)
    if wallet is None:
        return see_other("/account/wallet")
    person = await me(work, actor, services)
    error = changed
    parts: list[PayoutPart] = []
    if "amount" in typed:
        try:
            parts = await quote_payout(work, _amount(typed, currency), actor=actor)
        except Invalid as refused:
            error = refused.errors[0].text()
        except (PayoutTooLarge, WalletTooSmall) as refused:
            error = refused.text()
    most = await most_to_pay_out(work, currency, actor=actor)
    zone = zone_of_reader(request, person, services.settings)
    view = PayoutView(
        balance=wallet.balance,
        most=most,
        is_more_for_trips=most < wallet.spendable,
        currency=currency,
        amount=typed.get("amount", plain_amount(most))[:LONGEST],
        rows=tuple(_row(part, zone, services) for part in parts),
        zone_told=zone.told(work.now) if parts else "",
        sum=total([part.amount for part in parts], currency),
        error=error,
    )
    status = UNREADABLE if error else 200
    return account_page(request, "account/payout.html", view, person=person, services=services, status=status)


def _amount(typed: Mapping[str, str], currency: str) -> Money:
    amount = amount_typed(typed.get("amount", "")[:LONGEST], currency, "amount")
    if amount is None or amount.minor <= 0:
        raise Invalid([FieldError("amount", "too-small", N_("Enter an amount above zero."))])
    return amount


def _row(part: PayoutPart, zone: ReadersZone, services: Services) -> PayoutRow:
    put_in_at = part.put_in_at.astimezone(zone.zone)
    return PayoutRow(put_in_at, method_label(part.method, part.amount.currency, services.providers), part.amount)
