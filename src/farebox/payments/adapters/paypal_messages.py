"""What PayPal says about orders, captures, refunds and disputes, in our words.

Of what we send, PayPal sends `custom_id` back in all that follows: the payment's id on an order and its captures, the
refund's on a refund, there with a prefix, since a refund that is made on PayPal's own pages carries the payment's.
"""

from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from farebox.core.money import Money
from farebox.payments.errors import UnreadableWebhook
from farebox.payments.providers import EventKind, ProviderEvent

WHOLE_ONLY: Final = frozenset({"HUF", "JPY", "TWD"})
"""Currencies that PayPal takes without decimals only, whatever ISO 4217 says (developer.paypal.com, currency codes)."""

REFUND_PREFIX: Final = "refund-"

MONEY_TAKEN: Final = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})
"""States of a capture whose money has come, whatever became of it then."""

MONEY_REFUSED: Final = frozenset({"DECLINED", "FAILED"})

REFUND_ENDED: Final = frozenset({"COMPLETED", "FAILED", "CANCELLED"})
"""States of a refund that are told; another one is on its way."""

LOST: Final = frozenset({"RESOLVED_BUYER_FAVOUR", "ACCEPTED"})
WON: Final = frozenset({"RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED"})
"""Outcomes of a dispute. With a payout PayPal has paid the buyer out of its own pocket."""


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """`value` is a decimal text."""

    currency_code: str
    value: str

    @classmethod
    def of(cls, money: Money) -> "Amount":
        """Raises: ValueError: PayPal knows no such part of this currency."""
        value: Decimal = money.amount
        if money.currency in WHOLE_ONLY:
            if value != value.to_integral_value():
                raise ValueError(f"PayPal takes whole {money.currency} only")
            value = value.to_integral_value()
        return cls(currency_code=money.currency, value=str(value))

    @property
    def money(self) -> Money:
        """Raises: ValueError: no amount of that currency."""
        return Money.parse(self.value, self.currency_code)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    href: str
    rel: str


class _Related(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str = ""


class _Supplement(msgspec.Struct, frozen=True, kw_only=True):
    related_ids: _Related = _Related()


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    status: str
    amount: Amount
    custom_id: str = ""
    supplementary_data: _Supplement = _Supplement()


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    status: str = ""
    amount: Amount | None = None
    custom_id: str = ""
    links: list[Link] = []

    @property
    def capture_id(self) -> str:
        """Of the capture that it gives back, whose address is its link `up`; empty where there is none."""
        return next((link.href.rpartition("/")[2] for link in self.links if link.rel == "up"), "")


class _Taken(msgspec.Struct, frozen=True, kw_only=True):
    captures: list[Capture] = []
    refunds: list[Refund] = []


class _Unit(msgspec.Struct, frozen=True, kw_only=True):
    custom_id: str = ""
    payments: _Taken = _Taken()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    status: str
    purchase_units: list[_Unit] = []
    links: list[Link] = []
    update_time: str = ""

    @property
    def captures(self) -> list[Capture]:
        return [capture for unit in self.purchase_units for capture in unit.payments.captures]

    @property
    def refunds(self) -> list[Refund]:
        return [refund for unit in self.purchase_units for refund in unit.payments.refunds]


class _Disputed(msgspec.Struct, frozen=True, kw_only=True):
    seller_transaction_id: str = ""
    custom: str = ""


class _Outcome(msgspec.Struct, frozen=True, kw_only=True):
    outcome_code: str = ""


class _Dispute(msgspec.Struct, frozen=True, kw_only=True):
    dispute_id: str
    dispute_amount: Amount
    disputed_transactions: list[_Disputed] = []
    dispute_outcome: _Outcome = _Outcome()


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    event_type: str
    resource: msgspec.Raw


CAPTURES: Final[dict[str, EventKind]] = {
    "PAYMENT.CAPTURE.COMPLETED": "paid",
    "PAYMENT.CAPTURE.DECLINED": "failed",
    "PAYMENT.CAPTURE.DENIED": "failed",
}
REFUNDS: Final[dict[str, EventKind]] = {
    "PAYMENT.CAPTURE.REFUNDED": "refunded",
    "PAYMENT.CAPTURE.REVERSED": "dispute-lost",
    "PAYMENT.REFUND.FAILED": "refund-failed",
}
DISPUTES: Final = ("CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.RESOLVED")


def read_message(body: bytes) -> ProviderEvent:
    """A verified message in our words.

    Raises:
        UnreadableWebhook: not in a form that we know.
    """
    try:
        message = msgspec.json.decode(body, type=_Message)
        return _event_of(message)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise UnreadableWebhook from error


def capture_event(kind: EventKind, capture: Capture, external_id: str, *, order_id: str = "") -> ProviderEvent:
    """Raises: ValueError: no amount of its currency."""
    money = capture.amount.money
    return ProviderEvent(
        external_id=external_id,
        kind=kind,
        payment_id=_uuid(capture.custom_id),
        payment_external_id=order_id or capture.supplementary_data.related_ids.order_id or None,
        charge_id=capture.id,
        amount_minor=money.minor,
        currency=money.currency,
        failure=capture.status.lower() if kind == "failed" else "",
    )


def refund_event(kind: EventKind, refund: Refund, external_id: str, *, order_id: str = "") -> ProviderEvent:
    """Of money that went back; a capture that was reversed may be told as such a refund, or as the capture itself.

    Raises: ValueError: no amount of its currency.
    """
    if kind == "refunded" and refund.status in {"PENDING", "FAILED", "CANCELLED"}:
        kind = "other" if refund.status == "PENDING" else "refund-failed"
    money = refund.amount.money if refund.amount else None
    is_ours = refund.custom_id.startswith(REFUND_PREFIX)
    return ProviderEvent(
        external_id=external_id,
        kind=kind,
        payment_id=None if is_ours else _uuid(refund.custom_id),
        payment_external_id=order_id or None,
        charge_id=refund.capture_id or refund.id,
        refund_id=_uuid(refund.custom_id.removeprefix(REFUND_PREFIX)) if is_ours else None,
        refund_external_id=refund.id if refund.capture_id else "",
        amount_minor=money.minor if money else 0,
        currency=money.currency if money else "",
        failure=refund.status.lower() if kind == "refund-failed" else "",
    )


def _event_of(message: _Message) -> ProviderEvent:
    name, resource = message.event_type, message.resource
    if name == "CHECKOUT.ORDER.APPROVED":
        order = msgspec.json.decode(resource, type=Order)
        ours = next((_uuid(unit.custom_id) for unit in order.purchase_units), None)
        return ProviderEvent(external_id=message.id, kind="approved", payment_id=ours, payment_external_id=order.id)
    if name in CAPTURES:
        return capture_event(CAPTURES[name], msgspec.json.decode(resource, type=Capture), message.id)
    if name in REFUNDS:
        return refund_event(REFUNDS[name], msgspec.json.decode(resource, type=Refund), message.id)
    if name in DISPUTES:
        return _dispute_event(msgspec.json.decode(resource, type=_Dispute), message.id)
    return ProviderEvent(external_id=message.id, kind="other")


def _dispute_event(dispute: _Dispute, external_id: str) -> ProviderEvent:
    outcome = dispute.dispute_outcome.outcome_code
    kind: EventKind = "disputed"
    if outcome:
        kind = "dispute-lost" if outcome in LOST else "dispute-won" if outcome in WON else "other"
    money = dispute.dispute_amount.money
    about = dispute.disputed_transactions[0] if dispute.disputed_transactions else _Disputed()
    return ProviderEvent(
        external_id=external_id,
        kind=kind,
        payment_id=_uuid(about.custom),
        charge_id=about.seller_transaction_id,
        dispute_id=dispute.dispute_id,
        amount_minor=money.minor,
        currency=money.currency,
        failure=outcome.lower(),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
