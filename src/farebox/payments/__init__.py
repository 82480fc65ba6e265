"""Payments: providers, the webhook inbox, settlement, refunds, the ledger."""

from farebox.payments.configured import build_providers, missing_keys
from farebox.payments.errors import (
    BadSignature,
    NothingToPay,
    NotPayable,
    NoWallet,
    OrderRefused,
    PaymentNotFound,
    PaymentRequired,
    ProviderUnavailable,
    RefundRefused,
    RefundTooLarge,
    UnknownMethod,
    UnknownProvider,
    UnreadableWebhook,
)
from farebox.payments.events import PaymentCompleted, PaymentFailed, PaymentRefunded, RefundRequested
from farebox.payments.inbox import confirm_paid, handle_waiting, receive_webhook
from farebox.payments.jobs import REACTIONS, make_forgotten_refunds, register_jobs
from farebox.payments.keeping import list_unsettled, wipe_old_bodies
from farebox.payments.ledger import balances
from farebox.payments.providers import (
    PaymentMethod,
    PaymentOrder,
    PaymentProvider,
    ProviderEvent,
    Providers,
    RefundAnswer,
    RefundOrder,
    RunningPayment,
    Started,
)
from farebox.payments.queries import get_payment, list_methods, list_payments, methods_for
from farebox.payments.refunds import Destination, give_back, make_refund
from farebox.payments.sandbox import Sandbox, SandboxOutcome, play_sandbox
from farebox.payments.starting import start_payment
from farebox.payments.states import Disposition, PaymentStatus
from farebox.payments.views import PaymentView

__all__ = [
    "REACTIONS",
    "BadSignature",
    "Destination",
    "Disposition",
    "NoWallet",
    "NotPayable",
    "NothingToPay",
    "OrderRefused",
    "PaymentCompleted",
    "PaymentFailed",
    "PaymentMethod",
    "PaymentNotFound",
    "PaymentOrder",
    "PaymentProvider",
    "PaymentRefunded",
    "PaymentRequired",
    "PaymentStatus",
    "PaymentView",
    "ProviderEvent",
    "ProviderUnavailable",
    "Providers",
    "RefundAnswer",
    "RefundOrder",
    "RefundRefused",
    "RefundRequested",
    "RefundTooLarge",
    "RunningPayment",
    "Sandbox",
    "SandboxOutcome",
    "Started",
    "UnknownMethod",
    "UnknownProvider",
    "UnreadableWebhook",
    "balances",
    "build_providers",
    "confirm_paid",
    "get_payment",
    "give_back",
    "handle_waiting",
    "list_methods",
    "list_payments",
    "list_unsettled",
    "make_forgotten_refunds",
    "make_refund",
    "methods_for",
    "missing_keys",
    "play_sandbox",
    "receive_webhook",
    "register_jobs",
    "start_payment",
    "wipe_old_bodies",
]
