"""The console's pages about money that people hand over and are paid out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from farebox.core.money import Money
from farebox.web.views.console import Choice, Office

Tone = Literal["", "good", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class TransferRow:
    booking_url: str
    reference: str
    amount: Money
    begun_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A booking of the reader's own that waits for its money."""

    booking_url: str
    reference: str
    trip: str
    total: Money


@dataclass(frozen=True, slots=True)
class RefundRow:
    """Money that the staff are to pay out. `is_refused`: its provider was asked, and will not give it back."""

    id: UUID
    booking_url: str
    reference: str
    amount: Money
    came_by: str
    reason: str
    is_refused: bool
    promised_at: datetime


@dataclass(frozen=True, slots=True)
class LookRow:
    """A payment or a dispute that somebody is to look at; `why` says what for."""

    booking_url: str
    reference: str
    amount: Money
    came_by: str
    since: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class CashRow:
    who: str
    receipts: int
    taken: Money
    payouts: int
    paid_out: Money
    left: Money


@dataclass(frozen=True, slots=True)
class TillView:
    """`refunds` is `None` for who may not give money back. `disputes`, `stuck`: shown where there are any."""

    office: Office
    waiting: tuple[WaitingRow, ...]
    transfers: tuple[TransferRow, ...]
    refunds: tuple[RefundRow, ...] | None
    disputes: tuple[LookRow, ...]
    stuck: tuple[LookRow, ...]
    cash: tuple[CashRow, ...]
    totals: tuple[Money, ...]
    day: date
    today: date
    reference: str = ""
    error: str = ""
    done: str = ""


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment. `note_url`: where the staff note what came of it; empty where its provider tells. `back_url`: where
    some of it is given back."""

    at: datetime
    label: str
    amount: Money
    state: str
    tone: Tone
    note_url: str = ""
    back_url: str = ""


@dataclass(frozen=True, slots=True)
class BackRow:
    """A refund. `pay_url`, `again_url`: where it is noted as paid out, or made again."""

    at: datetime
    label: str
    amount: Money
    state: str
    tone: Tone
    pay_url: str = ""
    again_url: str = ""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    at: datetime
    what: str
    account: str
    debit: Money | None
    credit: Money | None
    is_first: bool


@dataclass(frozen=True, slots=True)
class PaperRow:
    label: str
    url: str
    total: Money
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class ChangeDue:
    """A change that waits for its money. `what`: what it is; `told`: what is done once the money is there."""

    id: UUID
    owed: Money
    expires_at: datetime
    what: str
    told: str


@dataclass(frozen=True, slots=True)
class BookingMoneyView:
    """`lines` is `None` for who may not see the operator's reports.

    Attributes:
        change: what waits for its money, beside the booking, which is paid.
        takes_cash: whether cash can be taken for what is due, of either.
    """

    office: Office
    booking_id: UUID
    reference: str
    trip: str
    state: str
    tone: Tone
    total: Money
    due: Money
    expires_at: datetime | None
    payments: tuple[PaymentRow, ...]
    refunds: tuple[BackRow, ...]
    papers: tuple[PaperRow, ...]
    lines: tuple[LedgerRow, ...] | None
    takes_cash: bool
    change: ChangeDue | None = None
    done: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class ReceivedView:
    """Noting money that has come for a payment."""

    office: Office
    booking_url: str
    action: str
    title: str
    reference_label: str
    reference_hint: str
    currency: str
    booking_reference: str
    due: Money
    typed: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PayoutView:
    """Noting a refund as paid out."""

    office: Office
    booking_url: str
    action: str
    booking_reference: str
    amount: Money
    reason: str
    typed: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgainView:
    """Making a refund again that failed."""

    office: Office
    booking_url: str
    action: str
    booking_reference: str
    amount: Money
    ways: tuple[Choice, ...]
    chosen: str = "origin"
    error: str = ""


@dataclass(frozen=True, slots=True)
class GiveBackView:
    """Giving back some of a payment.

    Attributes:
        most: what can be given back of it now.
        price: of the booking as it is.
        amount: what is to be given back, once it was asked for: then the page says what that does.
    """

    office: Office
    booking_url: str
    action: str
    booking_reference: str
    came_by: str
    paid: Money
    most: Money
    price: Money
    ways: tuple[Choice, ...]
    typed: Mapping[str, str]
    amount: Money | None = None
    changed: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def after(self) -> Money:
        return self.price - self.amount if self.amount else self.price

    @property
    def way(self) -> Choice:
        """How it goes back."""
        return next((way for way in self.ways if way.value == self.typed.get("to")), self.ways[0])
