"""Giving money back at the operator's will, and what became of refunds."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from msgspec import Meta

from farebox import payments
from farebox.accounts import Actor, Permission
from farebox.api.booking_wire import LONGEST_NOTE
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.money_wire import PAYMENT_ID, REFUND_ID, RefundView
from farebox.api.problems import problems
from farebox.api.wire import PRIVATE, MoneyInput, MoneyView, Request, Wire
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.payments import NoWallet, PaymentNotFound, RefundNotFound, RefundTooLarge

STAFF = {"access": "staff", "permission": Permission.PAYMENTS_REFUND, "step_up": True}

RefundTo = Literal["origin", "wallet"]
To = Annotated[RefundTo, Meta(description="`origin`: the way the money came. `wallet`: of the traveller, if any.")]


class NewRefund(Request):
    payment_id: Annotated[UUID, Meta(examples=[PAYMENT_ID])]
    amount: MoneyInput
    reason: Annotated[str, Meta(min_length=1, max_length=LONGEST_NOTE, description="Kept in the booking's audit.")]
    to: To = "origin"


class RefundWay(Request):
    to: To = "origin"


class Refunds(Wire):
    items: list[RefundView]


class MadeRefunds(Refunds):
    """What came of it: a refund for each charge that it goes out of. Of one alone, all is told at the top, too."""

    refund_id: Annotated[UUID | msgspec.UnsetType, Meta(examples=[REFUND_ID])] = msgspec.UNSET
    payment_id: Annotated[UUID | msgspec.UnsetType, Meta(examples=[PAYMENT_ID])] = msgspec.UNSET
    status: Literal["pending", "completed", "failed", "replaced"] | msgspec.UnsetType = msgspec.UNSET
    to: Literal["origin", "wallet", "hand"] | msgspec.UnsetType = msgspec.UNSET
    amount: MoneyView | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def of(cls, made: Sequence[payments.RefundView]) -> Self:
        items = [RefundView.of(each) for each in made]
        if len(items) != 1:
            return cls(items=items)
        [one] = items
        return cls(
            items=items,
            refund_id=one.refund_id,
            payment_id=one.payment_id,
            status=one.status,
            to=one.to,
            amount=one.amount,
        )


class RefundsController(Controller):
    """Money on its way back."""

    path = "/payments"
    tags = ("Payments",)
    response_headers = PRIVATE

    @get(
        "/{payment_id:uuid}/refunds",
        summary="List a payment's refunds",
        operation_id="listRefunds",
        opt={"access": "booking"},
        responses=problems(PaymentNotFound),
    )
    async def show(self, payment_id: UUID, work: UnitOfWork, actor: Actor) -> Refunds:
        found = await payments.list_refunds(work, payment_id, actor=actor)
        return Refunds(items=[RefundView.of(each) for each in found])

    @post(
        "/refund",
        summary="Give a part of a payment back, or all of it",
        operation_id="refundPayment",
        opt=STAFF,
        responses=problems(PaymentNotFound, RefundTooLarge, NoWallet, Invalid, *IDEMPOTENT),
    )
    async def create(self, data: NewRefund, work: UnitOfWork, actor: Actor) -> MadeRefunds:
        """It comes off the booking's price, and the traveller still travels. To end a booking, cancel it.

        Where several operators sold the booking, each gives back of what it sold.
        """
        try:
            amount = data.amount.money()
        except ValueError:
            message = N_("Give an amount above zero, in the currency that was paid.")
            raise Invalid([FieldError("amount", "invalid-amount", message)]) from None
        made = await payments.refund_payment(work, data.payment_id, amount, to=data.to, note=data.reason, actor=actor)
        return MadeRefunds.of(made)

    @post(
        "/refunds/{refund_id:uuid}/again",
        summary="Make a refund again that failed",
        operation_id="refundAgain",
        opt=STAFF,
        responses=problems(RefundNotFound, NoWallet, *IDEMPOTENT),
    )
    async def again(self, refund_id: UUID, data: RefundWay, work: UnitOfWork, actor: Actor) -> RefundView:
        """The money is still owed: send it the same way once more, or into the traveller's wallet."""
        return RefundView.of(await payments.refund_again(work, refund_id, to=data.to, actor=actor))
