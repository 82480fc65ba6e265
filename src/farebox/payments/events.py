"""Facts about money: ids and amounts (decimal text), no personal data."""

from typing import ClassVar
from uuid import UUID

from farebox.core.events import Event


class PaymentCompleted(Event, frozen=True, kw_only=True):
    """Money has arrived and counts for its booking."""

    type: ClassVar[str] = "payment.completed"
    payment_id: UUID
    booking_id: UUID
    amount: str
    currency: str


class PaymentFailed(Event, frozen=True, kw_only=True):
    """The provider declined; the booking waits for another attempt while its seats are kept."""

    type: ClassVar[str] = "payment.failed"
    payment_id: UUID
    booking_id: UUID
    failure: str


class RefundRequested(Event, frozen=True, kw_only=True):
    """Money is owed back; the job that reacts asks the provider for it. `reason`: why, as `Disposition` names it."""

    type: ClassVar[str] = "payment.refund-requested"
    refund_id: UUID
    payment_id: UUID
    booking_id: UUID
    amount: str
    currency: str
    reason: str


class PaymentRefunded(Event, frozen=True, kw_only=True):
    """The provider has given money back."""

    type: ClassVar[str] = "payment.refunded"
    refund_id: UUID
    payment_id: UUID
    booking_id: UUID
    amount: str
    currency: str
    reason: str


class WalletCredited(Event, frozen=True, kw_only=True):
    """Money has come into a wallet. `reason`: `top-up`, or `refund`."""

    type: ClassVar[str] = "wallet.credited"
    wallet_id: UUID
    amount: str
    currency: str
    reason: str


class WalletDebited(Event, frozen=True, kw_only=True):
    """Money has gone out of a wallet. `reason`: `payment`."""

    type: ClassVar[str] = "wallet.debited"
    wallet_id: UUID
    amount: str
    currency: str
    reason: str


class InvoiceIssued(Event, frozen=True, kw_only=True):
    """An operator's invoice or credit note has its number. `kind`: `invoice`, or `credit-note`."""

    type: ClassVar[str] = "invoice.issued"
    invoice_id: UUID
    booking_id: UUID
    operator_id: UUID
    kind: str
    number: str
    amount: str
    currency: str
