"""What others see of a payment."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from farebox.core.money import Money
from farebox.payments.models import PaymentRow
from farebox.payments.states import PaymentStatus


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One attempt to pay.

    Attributes:
        booking_id: what it is for; `None` for money into a wallet.
        checkout_url: the provider's page; `client_secret`: for the provider's own form instead.
        return_url: where the traveller goes afterwards.
        failure: the provider's word for why it came to nothing; or `wrong-amount`, `superseded` (another way of paying
            was chosen), `booking-over`.
    """

    id: UUID
    booking_id: UUID | None
    provider: str
    method: str
    status: PaymentStatus
    amount: Money
    checkout_url: str | None
    client_secret: str | None
    return_url: str | None
    failure: str | None
    created_at: datetime
    completed_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether its outcome is not known yet."""
        return self.status in {PaymentStatus.PENDING, PaymentStatus.PROCESSING}


def payment_view(row: PaymentRow, refunds: Collection[str] = ()) -> PaymentView:
    """Args: refunds: the states of its refunds; one that came back is owed again, so the payment is not paid back."""
    return PaymentView(
        id=row.id,
        booking_id=row.booking_id,
        provider=row.provider,
        method=row.method,
        status=_status_with(PaymentStatus(row.status), refunds),
        amount=Money(row.amount_minor, row.currency),
        checkout_url=row.checkout_url,
        client_secret=row.client_secret,
        return_url=row.return_url,
        failure=row.failure,
        created_at=row.created_at,
        completed_at=row.completed_at,
    )


def _status_with(status: PaymentStatus, refunds: Collection[str]) -> PaymentStatus:
    if status not in {PaymentStatus.REFUNDED, PaymentStatus.PARTIALLY_REFUNDED} or "failed" not in refunds:
        return status
    return PaymentStatus.PARTIALLY_REFUNDED if "completed" in refunds else PaymentStatus.COMPLETED
