"""Somebody's own money here: what is in it, what came and went with receipts, and putting some in."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.accounts import Actor, get_personal_settings, list_currencies_sold
from farebox.bookings import summarise_bookings
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.payments import (
    WalletTransaction,
    list_transactions,
    list_wallets,
    methods_for,
    render_top_up_receipt,
    start_top_up,
)
from farebox.web.account.person import person_of
from farebox.web.account.showing import account_page, as_traveller, me, page_number, pages_of
from farebox.web.account.zones import ReadersZone, zone_of_reader
from farebox.web.money_typed import amount_typed, currency_options
from farebox.web.pages import AnyRequest, file_answer, own_address, see_other
from farebox.web.shop.checkouts import checkout_origins
from farebox.web.shop.methods import chosen_method, method_options
from farebox.web.views.account import WalletRow, WalletView
from farebox.web.views.checkout import Problem
from farebox.wiring import Services

PATH: Final = "/account/wallet"
PAGE: Final = 20
LONGEST: Final = 40
UNREADABLE: Final = 422
FALLBACK: Final = "EUR"
"""Where nothing is sold yet, and nothing is known of somebody."""

KINDS: Final = {
    "top-up": N_("Put in"),
    "payment": N_("Paid"),
    "refund": N_("Paid back"),
    "payout": N_("Taken out"),
    "dispute": N_("Taken back by your bank"),
}

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class WalletController(Controller):
    path = PATH
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def wallet(self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services) -> Template:
        return await _page(request, work, actor, services, request.query_params)

    @get("/receipts/{payment_id:uuid}")
    async def receipt(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, payment_id: UUID
    ) -> Response[bytes]:
        person = await me(work, actor, services)
        await work.commit()  # what prints has a transaction of its own
        top_up, content = await render_top_up_receipt(
            services.database,
            payment_id,
            actor=actor,
            secrets=services.secrets,
            settings=services.settings,
            zone=zone_of_reader(request, person, services.settings).zone,
        )
        return file_answer(content, "application/pdf", f"{top_up.number}.pdf")

    @post(opt={"rate": "booking"})
    async def top_up(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, data: Form
    ) -> Template | Redirect:
        """Go and pay; the money is in the wallet once it has come."""
        currency = data.get("currency", "")
        methods = methods_for(currency, services.providers) if _is_known(currency) else []
        try:
            amount = amount_typed(data.get("amount", "")[:LONGEST], currency, "amount") if methods else None
            if amount is None or amount.minor <= 0:
                raise Invalid([FieldError("amount", "too-small", N_("Enter an amount above zero."))])
        except Invalid as error:
            return await _page(request, work, actor, services, data, Problem("amount", error.errors[0].text()))
        await work.commit()  # the payment has units of work of its own; this one must not sit on a connection meanwhile
        payment = await start_top_up(
            services.database,
            amount,
            method=chosen_method(data.get("method", ""), methods),
            return_url=f"{PATH}?currency={currency}",
            actor=actor,
            providers=services.providers,
            settings=services.settings,
        )
        return see_other(own_address(payment.checkout_url or PATH, services.settings))


async def _page(
    request: AnyRequest,
    work: UnitOfWork,
    actor: Actor,
    services: Services,
    typed: Mapping[str, str],
    problem: Problem | None = None,
) -> Template:
    person = await me(work, actor, services)
    wallets = {wallet.balance.currency: wallet for wallet in await list_wallets(work, actor=actor)}
    wanted = typed.get("currency", "")
    sold = await list_currencies_sold(work)
    currency = wanted if _is_known(wanted) else next(iter(wallets), await _usual_currency(work, actor, sold))
    useful = {*sold, *wallets, currency}
    number = page_number(request)
    entries, total = await list_transactions(work, currency, actor=actor, limit=PAGE, offset=(number - 1) * PAGE)
    zone = zone_of_reader(request, person, services.settings)
    view = WalletView(
        balances=tuple(wallet.balance for wallet in wallets.values()),
        held=tuple(wallet.held for wallet in wallets.values() if wallet.held),
        currency=currency,
        rows=tuple(_row(entry, zone) for entry in entries),
        zone_told=zone.told(work.now),
        pages=pages_of(PATH, f"currency={currency}&", number, PAGE, total),
        methods=method_options(methods_for(currency, services.providers), typed.get("method", "")),
        currencies=tuple(option for option in currency_options() if option.value in useful),
        amount=typed.get("amount", "")[:LONGEST],
        payout_url=f"{PATH}/payout?currency={currency}" if currency in wallets and wallets[currency].spendable else "",
        has_taken_out=typed.get("said") == "taken-out",
        problems=(problem,) if problem else (),
    )
    return account_page(
        request,
        "account/wallet.html",
        view,
        person=person,
        services=services,
        status=UNREADABLE if problem else 200,
        form_origins=checkout_origins(services.providers),
    )


async def _usual_currency(work: UnitOfWork, actor: Actor, sold: Sequence[str]) -> str:
    """The one that somebody has asked for, else the one in which they paid most often, else that of most operators."""
    chosen = (await get_personal_settings(work, person_of(actor))).currency
    spent = (await summarise_bookings(work, actor=as_traveller(actor))).spent
    return chosen or next((amount.currency for amount in spent), next(iter(sold), FALLBACK))


def _row(entry: WalletTransaction, zone: ReadersZone) -> WalletRow:
    return WalletRow(
        at=entry.at.astimezone(zone.zone),
        label=_(KINDS[entry.kind]),
        reference=entry.reference or "",
        url=f"/bookings/{entry.booking_id}" if entry.reference else "",
        amount=entry.amount,
        balance=entry.balance,
        receipt_url=f"{PATH}/receipts/{entry.payment_id}" if entry.kind == "top-up" else "",
    )


def _is_known(currency: str) -> bool:
    return currency in {option.value for option in currency_options()}
