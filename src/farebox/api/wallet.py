"""A person's money with us: what there is, what came and went with receipts, putting more in, and taking it out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import Parameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta

from farebox import payments
from farebox.accounts import Actor
from farebox.api.documents import NAMED, PDF, pdf_answer
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.payments import PaymentView
from farebox.api.problems import problems
from farebox.api.wire import PRIVATE, Listing, MoneyInput, MoneyView, Request, Wire, listing
from farebox.bookings import RefundChanged
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.money import Money
from farebox.payments import (
    NoWallet,
    PaymentNotFound,
    PayoutTooLarge,
    ProviderUnavailable,
    UnknownMethod,
    WalletTooSmall,
)
from farebox.wiring import Services

CURRENCY = "^[A-Z]{3}$"


class BalancesView(Wire):
    """What there is, by currency; empty where there never was any.

    `held`: of that, what cannot be spent while a bank wants back what was put in; empty where nothing is.
    """

    balances: list[MoneyView]
    held: list[MoneyView]

    @classmethod
    def of(cls, wallets: Sequence[payments.WalletView]) -> Self:
        return cls(
            balances=[MoneyView.of(wallet.balance) for wallet in wallets],
            held=[MoneyView.of(wallet.held) for wallet in wallets if wallet.held],
        )


class TransactionView(Wire):
    """One line of the statement. `amount` is negative where money went out; `balance` is what was there afterwards."""

    at: datetime
    kind: Literal["top-up", "payment", "refund", "payout", "dispute"]
    amount: MoneyView
    balance: MoneyView
    booking_id: UUID | None
    reference: Annotated[str | None, Meta(description="Of the booking that was paid, or paid back.")]
    payment_id: Annotated[UUID | None, Meta(description="Of a top-up: what its receipt is of.")]

    @classmethod
    def of(cls, entry: payments.WalletTransaction) -> Self:
        return cls(
            at=entry.at,
            kind=entry.kind,
            amount=MoneyView.of(entry.amount),
            balance=MoneyView.of(entry.balance),
            booking_id=entry.booking_id,
            reference=entry.reference,
            payment_id=entry.payment_id if entry.kind == "top-up" else None,
        )


class TopUp(Request):
    amount: MoneyInput
    method: Annotated[str, Meta(examples=["sandbox"], max_length=50)]
    return_url: Annotated[
        str | None, Meta(description="Where the person goes afterwards: a path of this site, or an http(s) address.")
    ] = None


class Payout(Request):
    amount: MoneyInput
    expected_balance: Annotated[
        MoneyInput | None, Meta(description="What you showed as the balance. Compared, never used.")
    ] = None


class PayoutPartView(Wire):
    """What would go back of one time that money was put in, and how it came then."""

    amount: MoneyView
    method: str
    put_in_at: datetime


class PayoutQuoteView(Wire):
    """What could be taken out, and where an amount would go, the latest that was put in first.

    `most` is less than `balance` where something came from bookings, or is held back. `parts` add up to `amount`.
    """

    balance: MoneyView
    most: MoneyView
    amount: MoneyView
    parts: list[PayoutPartView]


class WalletController(Controller):
    """The wallet of whoever has signed in. Bookings are paid from it by `POST /payments/intent`, method `wallet`."""

    path = "/wallet"
    tags = ("Wallet",)
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @get(summary="Read one's balances", operation_id="getWallet", responses=problems(NoWallet))
    async def show(self, work: UnitOfWork, actor: Actor) -> BalancesView:
        return BalancesView.of(await payments.list_wallets(work, actor=actor))

    @get(
        "/transactions",
        summary="Read one's statement",
        operation_id="listWalletTransactions",
        responses=problems(NoWallet),
    )
    async def transactions(
        self,
        work: UnitOfWork,
        actor: Actor,
        currency: Annotated[
            str | None, Parameter(pattern=CURRENCY, description="ISO 4217; of all one's wallets without it.")
        ] = None,
        limit: Annotated[int, Parameter(ge=1, le=100)] = 20,
        offset: Annotated[int, Parameter(ge=0, le=1_000_000)] = 0,
    ) -> Listing[TransactionView]:
        """The latest first."""
        found, total = await payments.list_transactions(work, currency, actor=actor, limit=limit, offset=offset)
        return listing(found, TransactionView.of, total=total, limit=limit, offset=offset)

    @post(
        "/top-up",
        summary="Put money in",
        operation_id="topUpWallet",
        status_code=HTTP_201_CREATED,
        responses=problems(NoWallet, UnknownMethod, ProviderUnavailable, Invalid, *IDEMPOTENT),
    )
    async def top_up(self, data: TopUp, work: UnitOfWork, actor: Actor, services: Services) -> PaymentView:
        """Begins a payment. The money is in the wallet once the provider has said that it came."""
        amount = _amount(data.amount)
        await work.commit()  # the payment has units of work of its own
        started = await payments.start_top_up(
            services.database,
            amount,
            method=data.method,
            return_url=data.return_url or "",
            actor=actor,
            providers=services.providers,
            settings=services.settings,
        )
        return PaymentView.of(started)

    @post(
        "/payout",
        summary="Take money out",
        operation_id="payOutWallet",
        status_code=HTTP_200_OK,
        opt={"step_up": True, "rate": "write"},
        responses=problems(NoWallet, WalletTooSmall, PayoutTooLarge, RefundChanged, Invalid, *IDEMPOTENT),
    )
    async def pay_out(self, data: Payout, work: UnitOfWork, actor: Actor) -> BalancesView:
        """What was put in goes back the way it came, or is paid out by hand. Answers what is left of the currency."""
        amount = _amount(data.amount)
        expected = _amount(data.expected_balance, "expectedBalance") if data.expected_balance else None
        return BalancesView.of([await payments.pay_out(work, amount, actor=actor, expected_balance=expected)])

    @get(
        "/payout-quote",
        summary="Ask what taking money out would come to",
        operation_id="quotePayout",
        responses=problems(NoWallet, WalletTooSmall, PayoutTooLarge, Invalid),
    )
    async def quote(
        self,
        work: UnitOfWork,
        actor: Actor,
        currency: Annotated[str, Parameter(pattern=CURRENCY, description="ISO 4217.")],
        amount: Annotated[str, Parameter(max_length=24, description="Decimal text; all that can be, without it.")] = "",
    ) -> PayoutQuoteView:
        """Promises nothing: others may spend from the wallet meanwhile, which `expectedBalance` of the payout tells."""
        typed = _amount(MoneyInput(amount=amount or "0", currency=currency))
        most = await payments.most_to_pay_out(work, currency, actor=actor)
        wanted = typed if amount else most
        parts = await payments.quote_payout(work, wanted, actor=actor) if amount or most else []
        wallet = await payments.find_wallet(work, currency, actor=actor)
        return PayoutQuoteView(
            balance=MoneyView.of(wallet.balance if wallet else Money(0, currency)),
            most=MoneyView.of(most),
            amount=MoneyView.of(wanted),
            parts=[
                PayoutPartView(amount=MoneyView.of(part.amount), method=part.method, put_in_at=part.put_in_at)
                for part in parts
            ],
        )

    @get(
        "/receipts/{payment_id:uuid}/pdf",
        summary="Get the receipt of a top-up as a PDF",
        operation_id="getTopUpReceiptPdf",
        responses={200: PDF, **problems(NoWallet, PaymentNotFound)},
        response_headers=NAMED,
    )
    async def receipt(self, payment_id: UUID, actor: Actor, services: Services) -> Response[bytes]:
        """In the reader's language, of what has come by now. `paymentId` is told with the top-up in one's statement."""
        top_up, content = await payments.render_top_up_receipt(
            services.database, payment_id, actor=actor, secrets=services.secrets, settings=services.settings
        )
        return pdf_answer(content, top_up.number)


def _amount(given: MoneyInput, field: str = "amount") -> Money:
    try:
        return given.money()
    except ValueError:
        message = N_("This is no amount of a currency that we know.")
        raise Invalid([FieldError(field, "invalid-amount", message)]) from None
