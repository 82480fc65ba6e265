"""Payments: ways of paying, beginning one, its state; the providers' webhooks, and the sandbox's door."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from litestar import Controller, get, post
from litestar import Request as HTTPRequest
from litestar.params import QueryParameter
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from farebox import payments
from farebox.accounts import Actor
from farebox.api.booking_wire import BOOKING_ID
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.money_wire import PAYMENT_ID, PaymentStatus
from farebox.api.problems import problems
from farebox.api.wire import PRIVATE, MoneyView, Request, Wire
from farebox.bookings import BookingExpired, BookingNotFound, ChangeNotFound, ConcernsOthers, refuse_part
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import gettext
from farebox.payments import (
    BadSignature,
    NothingToPay,
    NotPayable,
    NoWallet,
    PaymentNotFound,
    PaymentRequired,
    ProviderUnavailable,
    SandboxOutcome,
    UnknownMethod,
    UnknownProvider,
    UnreadableWebhook,
    WalletTooSmall,
)
from farebox.wiring import Services


class MethodView(Wire):
    """A way of paying. `name` is in the reader's language."""

    method: Annotated[str, Meta(examples=["sandbox"])]
    name: str


class Methods(Wire):
    """What is to be paid now, and how: of the booking, or of its change `changeId`, which is to be named on paying."""

    items: list[MethodView]
    to_pay: Annotated[MoneyView, Meta(description="Zero where nothing is to pay.")]
    change_id: UUID | None


class NewPayment(Request):
    booking_id: Annotated[UUID, Meta(examples=[BOOKING_ID])]
    method: Annotated[str, Meta(examples=["sandbox"], max_length=50)]
    change_id: Annotated[UUID | None, Meta(description="The change of the booking that waits for this money.")] = None
    return_url: Annotated[
        str | None, Meta(description="Where the traveller goes afterwards: a path of this site, or an http(s) address.")
    ] = None


class ConfirmPayment(Request):
    payment_id: Annotated[UUID, Meta(examples=[PAYMENT_ID])]


class SandboxPlay(Request):
    """What the payer and their bank do.

    `late`: the booking's time runs out first. `twice`: the same payment is charged two times. `partial`: half is paid;
    again, the rest. `silent`: paid, and the message about it is lost. `approved`: agreed, and the money waits to be
    asked for. `dispute`, `dispute-won`, `dispute-lost`: the bank wants the last charge back, and how that ends.
    `refund-failed`: the last refund came back.
    """

    outcome: SandboxOutcome


class PaymentView(Wire):
    """One attempt to pay. Send the traveller to `checkoutUrl`, or use `clientSecret` in the provider's own form."""

    payment_id: Annotated[UUID, Meta(examples=[PAYMENT_ID])]
    booking_id: Annotated[UUID | None, Meta(examples=[BOOKING_ID])]
    method: str
    status: PaymentStatus
    amount: MoneyView
    checkout_url: str | None
    client_secret: str | None
    return_url: str | None
    failure: Annotated[
        str | None,
        Meta(description="The provider's word for why not; or `wrong-amount`, `superseded`, `booking-over`."),
    ]
    created_at: datetime
    completed_at: datetime | None

    @classmethod
    def of(cls, payment: payments.PaymentView) -> Self:
        return cls(
            payment_id=payment.id,
            booking_id=payment.booking_id,
            method=payment.method,
            status=payment.status.value,
            amount=MoneyView.of(payment.amount),
            checkout_url=payment.checkout_url,
            client_secret=payment.client_secret,
            return_url=payment.return_url,
            failure=payment.failure,
            created_at=payment.created_at,
            completed_at=payment.completed_at,
        )


class Received(Wire):
    received: bool = True


CREATE_PROBLEMS = problems(
    BookingNotFound,
    ConcernsOthers,
    ChangeNotFound,
    BookingExpired,
    NotPayable,
    NothingToPay,
    UnknownMethod,
    ProviderUnavailable,
    NoWallet,
    WalletTooSmall,
    Invalid,
    *IDEMPOTENT,
)


class PaymentsController(Controller):
    """Paying for a booking."""

    path = "/payments"
    tags = ("Payments",)
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @get(
        "/methods",
        summary="List ways of paying",
        operation_id="listMethods",
        responses=problems(BookingNotFound, ChangeNotFound),
    )
    async def methods(
        self,
        booking_id: Annotated[UUID, QueryParameter(name="bookingId")],
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        change_id: Annotated[UUID | None, QueryParameter(name="changeId", description="Only for this change.")] = None,
    ) -> Methods:
        """None where nothing is to pay. `wallet`: where there is money in yours; for a change, where it is enough."""
        found = await payments.list_methods(
            work, booking_id, change_id=change_id, actor=actor, providers=services.providers
        )
        return Methods(
            items=[MethodView(method=each.code, name=gettext(each.label)) for each in found.methods],
            to_pay=MoneyView.of(found.amount),
            change_id=found.change_id,
        )

    @post(
        "/intent",
        summary="Begin a payment",
        operation_id="createPayment",
        opt={"direct": True},
        responses=CREATE_PROBLEMS,
    )
    async def create(self, data: NewPayment, actor: Actor, services: Services) -> PaymentView:
        """The seats are kept for the payment window. Begun again with the same method, it is the same payment.

        Method `wallet` pays at once, out of the wallet of whoever has signed in, as far as it reaches; the rest is to
        be paid another way. Method `cash` is for the staff of its operator, who have the money: it counts at once. Who
        acts for some of the operators of a booking only begins no other payment of it, which would keep all its seats.
        """
        return await _start(data, actor, services)

    @post(
        "/create",
        summary="Begin a payment (same as /payments/intent)",
        operation_id="createPaymentAlias",
        opt={"direct": True},
        responses=CREATE_PROBLEMS,
    )
    async def create_too(self, data: NewPayment, actor: Actor, services: Services) -> PaymentView:
        return await _start(data, actor, services)

    @get("/{payment_id:uuid}", summary="Get a payment", operation_id="getPayment", responses=problems(PaymentNotFound))
    async def show(self, payment_id: UUID, work: UnitOfWork, actor: Actor) -> PaymentView:
        return PaymentView.of(await payments.get_payment(work, payment_id, actor=actor))

    @post(
        "/confirm",
        summary="Confirm a payment",
        operation_id="confirmPayment",
        status_code=HTTP_200_OK,
        responses=problems(PaymentNotFound, PaymentRequired, BookingExpired, NotPayable, ConcernsOthers, *IDEMPOTENT),
    )
    async def confirm(self, data: ConfirmPayment, work: UnitOfWork, actor: Actor, services: Services) -> PaymentView:
        """On the way back from the provider: confirms the booking if the payment is verified on the server.

        Where its message has not come yet, the provider is asked. As long as nothing is known, the answer is 402 and
        the payment stays open: ask again.
        """
        payment = await payments.get_payment(work, data.payment_id, actor=actor)
        if payment.is_open:
            await work.commit()  # asking takes time, and this request must not sit on a connection meanwhile
            await payments.look_after(
                services.database, payment.id, providers=services.providers, signer=services.secrets
            )
        if payment.booking_id is not None:
            await payments.confirm_paid(work, payment.booking_id, actor=actor, signer=services.secrets)
        return PaymentView.of(await payments.get_payment(work, data.payment_id, actor=actor))

    @post(
        "/sandbox/{payment_id:uuid}",
        summary="Let the sandbox decide",
        operation_id="playSandbox",
        status_code=HTTP_200_OK,
        opt={"access": "public", "direct": True},
        responses=problems(PaymentNotFound, UnknownProvider, NotPayable),
    )
    async def play(self, payment_id: UUID, data: SandboxPlay, services: Services) -> PaymentView:
        """Signs and sends the webhook of the sandbox, as its page does. Not in production."""
        played = await payments.play_sandbox(
            services.database, payment_id, data.outcome, providers=services.providers, signer=services.secrets
        )
        return PaymentView.of(played)


class WebhooksController(Controller):
    """What providers tell us. Signed by them; the same message again changes nothing."""

    path = "/webhooks/payments"
    tags = ("Payments",)
    opt = {"access": "public", "rate": "webhook"}  # noqa: RUF012  (Litestar's own form)

    @post(
        "/{provider:str}",
        summary="Take a provider's message",
        operation_id="receivePaymentWebhook",
        status_code=HTTP_200_OK,
        responses=problems(UnknownProvider, BadSignature, UnreadableWebhook, ProviderUnavailable),
    )
    async def receive(self, provider: str, request: HTTPRequest[Any, Any, Any], services: Services) -> Received:
        """Answers as soon as the message is safe; what it means is done at once, or by a job."""
        await payments.receive_webhook(
            services.database,
            provider,
            {name.lower(): value for name, value in request.headers.items()},
            await request.body(),
            providers=services.providers,
            signer=services.secrets,
        )
        return Received()


async def _start(data: NewPayment, actor: Actor, services: Services) -> PaymentView:
    if data.method != payments.CASH and data.change_id is None:
        async with services.database.begin(reach=actor.reach) as work:
            await refuse_part(work, data.booking_id, actor=actor)
    match data.method:
        case payments.WALLET | payments.CASH:
            pay = payments.pay_from_wallet if data.method == payments.WALLET else payments.take_cash
            async with services.database.begin(reach=actor.reach) as work:
                paid = await pay(
                    work,
                    data.booking_id,
                    change_id=data.change_id,
                    actor=actor,
                    settings=services.settings,
                    signer=services.secrets,
                )
        case _:  # has units of work of its own, between which it asks the provider
            paid = await payments.start_payment(
                services.database,
                data.booking_id,
                change_id=data.change_id,
                method=data.method,
                return_url=data.return_url or "",
                actor=actor,
                providers=services.providers,
                settings=services.settings,
            )
    return PaymentView.of(paid)
