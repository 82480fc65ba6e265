"""Payments: providers, the webhook inbox, settlement, refunds, the ledger."""

from farebox.payments.errors import (
    BadSignature,
    NothingToPay,
    NotPayable,
    PaymentNotFound,
    PaymentRequired,
    ProviderUnavailable,
    UnknownMethod,
    UnreadableWebhook,
)
from farebox.payments.events import PaymentCompleted, PaymentFailed, PaymentRefunded, RefundRequested
from farebox.payments.providers import (
    PaymentMethod,
    PaymentOrder,
    PaymentProvider,
    ProviderEvent,
    Providers,
    RefundOrder,
    Started,
)

__all__ = [
    "BadSignature",
    "NotPayable",
    "NothingToPay",
    "PaymentCompleted",
    "PaymentFailed",
    "PaymentMethod",
    "PaymentNotFound",
    "PaymentOrder",
    "PaymentProvider",
    "PaymentRefunded",
    "PaymentRequired",
    "ProviderEvent",
    "ProviderUnavailable",
    "Providers",
    "RefundOrder",
    "RefundRequested",
    "Started",
    "UnknownMethod",
    "UnreadableWebhook",
]
