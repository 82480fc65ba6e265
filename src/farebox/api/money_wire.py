"""The money of bookings on the wire: payments with their refunds, and whom the invoices name."""

from datetime import datetime
from typing import Annotated, Literal, Self, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from farebox import payments
from farebox.api.wire import MoneyView, Request, Wire
from farebox.payments import LONGEST_ADDRESS, InvoiceTo

PAYMENT_ID = "018f6b2e-0000-7000-8000-00000000f001"
REFUND_ID = "018f6b2e-0000-7000-8000-00000000f101"

PaymentStatus: TypeAlias = Literal["pending", "processing", "completed", "failed", "refunded", "partially_refunded"]


class RefundView(Wire):
    """Money on its way back. `failed`: it is still owed; `replaced`: by another refund."""

    refund_id: Annotated[UUID, Meta(examples=[REFUND_ID])]
    payment_id: Annotated[UUID, Meta(examples=[PAYMENT_ID])]
    status: Literal["pending", "completed", "failed", "replaced"]
    to: Literal["origin", "wallet", "hand"]
    amount: MoneyView
    reason: str
    created_at: datetime
    completed_at: datetime | None

    @classmethod
    def of(cls, refund: payments.RefundView) -> Self:
        return cls(
            refund_id=refund.id,
            payment_id=refund.payment_id,
            status=msgspec.convert(refund.status, Literal["pending", "completed", "failed", "replaced"]),
            to=msgspec.convert(refund.destination, Literal["origin", "wallet", "hand"]),
            amount=MoneyView.of(refund.amount),
            reason=refund.reason,
            created_at=refund.created_at,
            completed_at=refund.completed_at,
        )


class BookedPayment(Wire):
    """One attempt to pay for a booking or a change of it, and what went back of it or is to."""

    payment_id: Annotated[UUID, Meta(examples=[PAYMENT_ID])]
    method: Annotated[str, Meta(examples=["sandbox"])]
    status: PaymentStatus
    amount: MoneyView
    failure: str | None
    created_at: datetime
    completed_at: datetime | None
    refunds: list[RefundView]

    @classmethod
    def of(cls, found: payments.PaymentWithRefunds) -> Self:
        payment = found.payment
        return cls(
            payment_id=payment.id,
            method=payment.method,
            status=payment.status.value,
            amount=MoneyView.of(payment.amount),
            failure=payment.failure,
            created_at=payment.created_at,
            completed_at=payment.completed_at,
            refunds=[RefundView.of(refund) for refund in found.refunds],
        )


class InvoiceToInput(Request):
    """Whom the invoices are to name. Of what is written already, it is credited, and invoiced anew."""

    name: Annotated[str, Meta(examples=["Công ty TNHH Sông Hương"], max_length=1000, description="Or a company.")]
    tax_number: Annotated[str, Meta(examples=["3300101234"], max_length=1000)] = ""
    address: Annotated[
        str, Meta(examples=["12 Lê Lợi\nHuế"], max_length=2 * LONGEST_ADDRESS, description="Four lines at most.")
    ] = ""
    country: Annotated[str, Meta(examples=["VN"], max_length=10, description="ISO 3166-1 alpha-2.")] = ""

    def details(self) -> InvoiceTo:
        return InvoiceTo(self.name, self.tax_number, self.address, self.country)


class InvoiceToView(Wire):
    """Whom the invoices name. What was not given is empty."""

    name: str
    tax_number: str
    address: str
    country: str

    @classmethod
    def of(cls, given: InvoiceTo) -> Self:
        return cls(name=given.name, tax_number=given.tax_number, address=given.address, country=given.country)
