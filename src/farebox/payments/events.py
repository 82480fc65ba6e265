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


class PaymentPartiallyPaid(Event, frozen=True, kw_only=True):
    """A part of a booking's price has come, and is kept until the rest comes. `missing`: how much that is."""

    type: ClassVar[str] = "payment.partially-paid"
    payment_id: UUID
    booking_id: UUID
    amount: str
    missing: str
    currency: str


class PaymentApproved(Event, frozen=True, kw_only=True):
    """The payer agreed, and the provider waits to be asked for the money: a job does."""

    type: ClassVar[str] = "payment.approved"
    payment_id: UUID


class PaymentFailed(Event, frozen=True, kw_only=True):
    """The provider declined; a booking waits for another attempt while its seats are kept."""

    type: ClassVar[str] = "payment.failed"
    payment_id: UUID
    booking_id: UUID | None
    failure: str


class RefundRequested(Event, frozen=True, kw_only=True):
    """Money is owed back; the job that reacts makes the refund.

    `reason`: why: as `Disposition` names it, `surplus`, or the word of whoever gave it back. `to`: `origin`, `wallet`.
    `is_again`: the refund takes the place of one that failed, of which the traveller knows.
    """

    type: ClassVar[str] = "payment.refund-requested"
    refund_id: UUID
    payment_id: UUID
    booking_id: UUID | None
    amount: str
    currency: str
    reason: str
    to: str = "origin"
    is_again: bool = False


class PaymentRefunded(Event, frozen=True, kw_only=True):
    """Money has gone back."""

    type: ClassVar[str] = "payment.refunded"
    refund_id: UUID
    payment_id: UUID
    booking_id: UUID | None
    amount: str
    currency: str
    reason: str


class PaymentRefundFailed(Event, frozen=True, kw_only=True):
    """The provider will not give this money back. It is still owed: the operator is to choose another way."""

    type: ClassVar[str] = "payment.refund-failed"
    refund_id: UUID
    payment_id: UUID
    booking_id: UUID | None
    amount: str
    currency: str


class PaymentDisputed(Event, frozen=True, kw_only=True):
    """A payer's bank wants a charge back (`open`), got it (`lost`), or did not (`won`).

    `counts`: the charge counts for its booking; else it was a part that waited for the rest, or due to go back.
    """

    type: ClassVar[str] = "payment.disputed"
    payment_id: UUID
    booking_id: UUID | None
    charge_id: UUID
    dispute_id: UUID
    step: str
    counts: bool
    amount: str
    currency: str


class WalletCredited(Event, frozen=True, kw_only=True):
    """Money has come into a wallet. `reason`: `top-up`, or `refund`."""

    type: ClassVar[str] = "wallet.credited"
    wallet_id: UUID
    amount: str
    currency: str
    reason: str


class WalletToppedUp(Event, frozen=True, kw_only=True):
    """A person has put money into their wallet; `charge_id`: which money that was."""

    type: ClassVar[str] = "wallet.topped-up"
    wallet_id: UUID
    person_id: UUID
    payment_id: UUID
    charge_id: UUID
    amount: str
    currency: str


class WalletDebited(Event, frozen=True, kw_only=True):
    """Money has gone out of a wallet. `reason`: `payment`, `payout`, or `dispute`: a bank took it back for good."""

    type: ClassVar[str] = "wallet.debited"
    wallet_id: UUID
    amount: str
    currency: str
    reason: str


class WalletDisputed(Event, frozen=True, kw_only=True):
    """A bank wants back what a person has put into their wallet (`open`), got it (`lost`), or did not (`won`).

    `amount`: what the bank wants; `held`: what was held back of the wallet for that, whatever was in it; `in_wallet`:
    how much is held back, free again, or taken.
    """

    type: ClassVar[str] = "wallet.disputed"
    wallet_id: UUID
    person_id: UUID
    dispute_id: UUID
    step: str
    amount: str
    held: str
    in_wallet: str
    currency: str


class InvoiceDetailsChanged(Event, frozen=True, kw_only=True):
    """The invoices of a booking that is sold are to name somebody else: the job that reacts writes them anew."""

    type: ClassVar[str] = "invoice.details-changed"
    booking_id: UUID


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
