"""The counter: staff note cash and transfers that have come, and pay out what goes back by hand."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from litestar import Controller, get, post
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from farebox import payments
from farebox.accounts import Actor, Permission
from farebox.api.booking_wire import BOOKING_ID
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.money_wire import PAYMENT_ID, REFUND_ID
from farebox.api.payments import PaymentView
from farebox.api.problems import problems
from farebox.api.wire import PRIVATE, MoneyInput, MoneyView, Request, Wire
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.payments import NotByHand, PaymentNotFound, ReferenceUsed, RefundNotFound
from farebox.wiring import Services

Reference = Annotated[
    str,
    Meta(
        max_length=200,
        examples=["FT26324000001"],
        description="What tells this money from other money: the bank's reference, or a receipt's number.",
    ),
]


class NewReceipt(Request):
    amount: MoneyInput
    reference: Reference


class NewPayout(Request):
    reference: Reference


class HandRefundView(Wire):
    """Money to be paid out by hand. `refused`: its provider was asked, and will not give it back."""

    refund_id: Annotated[UUID, Meta(examples=[REFUND_ID])]
    payment_id: Annotated[UUID, Meta(examples=[PAYMENT_ID])]
    booking_id: Annotated[UUID | None, Meta(examples=[BOOKING_ID], description="None: it goes out of a wallet.")]
    booking_reference: Annotated[str, Meta(examples=["BUS20261120K7QM2X"])]
    amount: MoneyView
    came_by: Annotated[str, Meta(examples=["bank"], description="The provider through which it came in.")]
    reason: str
    status: Literal["waiting", "refused", "paid"]
    promised_at: datetime

    @classmethod
    def of(cls, refund: payments.HandRefund) -> Self:
        return cls(
            refund_id=refund.id,
            payment_id=refund.payment_id,
            booking_id=refund.booking_id,
            booking_reference=refund.reference,
            amount=MoneyView.of(refund.amount),
            came_by=refund.provider,
            reason=refund.reason,
            status="paid" if refund.is_paid else "refused" if refund.is_refused else "waiting",
            promised_at=refund.promised_at,
        )


class HandRefunds(Wire):
    items: list[HandRefundView]


class TillController(Controller):
    """Money that people hand over and pay out."""

    path = "/payments"
    tags = ("Payments",)
    response_headers = PRIVATE

    @post(
        "/{payment_id:uuid}/received",
        summary="Note money that has come",
        operation_id="notePaymentReceived",
        status_code=HTTP_200_OK,
        opt={"access": "staff", "permission": Permission.PAYMENTS_RECEIVE},
        responses=problems(PaymentNotFound, NotByHand, ReferenceUsed, Invalid, *IDEMPOTENT),
    )
    async def received(
        self, payment_id: UUID, data: NewReceipt, work: UnitOfWork, actor: Actor, services: Services
    ) -> PaymentView:
        """A transfer, or more cash where that was paid in cash; what is due in cash begins as a payment.

        It counts once for each reference; too little, too much and too late end as always.
        """
        try:
            amount = data.amount.money()
        except ValueError:
            message = N_("Give an amount that this currency has.")
            raise Invalid([FieldError("amount", "invalid-amount", message)]) from None
        noted = await payments.note_received(
            work, payment_id, amount, data.reference, actor=actor, signer=services.secrets
        )
        return PaymentView.of(noted)

    @get(
        "/refunds/by-hand",
        summary="List refunds to be paid out by hand",
        operation_id="listHandRefunds",
        opt={"access": "staff", "permission": Permission.PAYMENTS_REFUND},
    )
    async def waiting(self, work: UnitOfWork, actor: Actor) -> HandRefunds:
        """Of cash and transfers, and what a provider refused to give back; the oldest first, 500 at most."""
        found = await payments.list_hand_refunds(work, actor=actor)
        return HandRefunds(items=[HandRefundView.of(each) for each in found])

    @post(
        "/refunds/{refund_id:uuid}/paid",
        summary="Note a refund that was paid out",
        operation_id="noteRefundPaid",
        status_code=HTTP_200_OK,
        opt={"access": "staff", "permission": Permission.PAYMENTS_REFUND, "step_up": True},
        responses=problems(RefundNotFound, Invalid, *IDEMPOTENT),
    )
    async def paid(
        self, refund_id: UUID, data: NewPayout, work: UnitOfWork, actor: Actor, services: Services
    ) -> HandRefundView:
        """In cash, or by a transfer. Noting it again changes nothing."""
        noted = await payments.note_paid_out(work, refund_id, data.reference, actor=actor, signer=services.secrets)
        return HandRefundView.of(noted)
