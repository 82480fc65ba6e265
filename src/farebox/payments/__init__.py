"""Payments: providers, the webhook inbox, settlement, refunds, the ledger."""

from farebox.payments.adapters.bank import NAME as BANK
from farebox.payments.adapters.bank import TransferSlip
from farebox.payments.adapters.cash import NAME as CASH
from farebox.payments.after_sale import Cancelled, cancel_booking
from farebox.payments.attention import (
    OpenDispute,
    StuckPayment,
    Waiting,
    count_waiting,
    list_open_disputes,
    list_stuck_payments,
)
from farebox.payments.booking_sums import BookingSums, PaymentWithRefunds, sum_up_bookings, sums_of_new
from farebox.payments.checking import check_payments
from farebox.payments.configured import build_providers, provider_mistakes
from farebox.payments.counter import (
    BY_HAND,
    HandRefund,
    get_hand_refund,
    list_hand_refunds,
    note_paid_out,
    note_received,
    take_cash,
)
from farebox.payments.due import due_for, list_came
from farebox.payments.errors import (
    BadSignature,
    InvoiceDetailsFixed,
    InvoiceNotFound,
    NotByHand,
    NothingToPay,
    NotPayable,
    NoWallet,
    OrderRefused,
    PaymentNotFound,
    PaymentRequired,
    PayoutTooLarge,
    ProviderUnavailable,
    ReferenceUsed,
    RefundNotFound,
    RefundRefused,
    RefundTooLarge,
    UnknownMethod,
    UnknownProvider,
    UnreadableWebhook,
    WalletTooSmall,
)
from farebox.payments.events import (
    PaymentCompleted,
    PaymentDisputed,
    PaymentFailed,
    PaymentPartiallyPaid,
    PaymentRefunded,
    PaymentRefundFailed,
    RefundRequested,
)
from farebox.payments.exchanges import Changed, ChangeTerms, change_booking, redeem_open_returns, rename_passenger
from farebox.payments.inbox import confirm_paid, handle_waiting, receive_webhook
from farebox.payments.invoice_details import (
    LONGEST_ADDRESS,
    InvoiceTo,
    change_invoice_to,
    check_invoice_to,
    find_invoice_to,
    list_invoice_to,
    wipe_invoice_details,
    wipe_old_invoice_details,
)
from farebox.payments.invoice_jobs import INVOICE_REACTIONS, register_invoice_jobs
from farebox.payments.invoice_printing import render_invoice
from farebox.payments.invoices import (
    InvoiceView,
    issue_for_businesses,
    issue_invoices,
    list_invoices,
    wipe_buyers,
    wipe_old_buyers,
)
from farebox.payments.jobs import REACTIONS, make_forgotten_refunds, register_jobs
from farebox.payments.keeping import list_unsettled, wipe_old_bodies
from farebox.payments.ledger import AccountBalance, balances, list_accounts
from farebox.payments.open_returns import end_unused_returns
from farebox.payments.payouts import PayoutPart, most_to_pay_out, pay_out, quote_payout
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
from farebox.payments.queries import ToPay, get_payment, list_methods, list_payments, methods_for
from farebox.payments.receipts import render_top_up_receipt
from farebox.payments.reconciling import check_payment, look_after
from farebox.payments.refunds import Destination, give_back
from farebox.payments.repaying import make_refund
from farebox.payments.sandbox import Sandbox, SandboxOutcome, play_sandbox
from farebox.payments.staff_refunds import RefundView, list_refunds, most_to_refund, refund_again, refund_payment
from farebox.payments.starting import start_payment
from farebox.payments.states import Disposition, PaymentStatus
from farebox.payments.takings import Takings, sum_up_takings
from farebox.payments.till import (
    BookingMoney,
    CashOfDay,
    ExpectedTransfer,
    LedgerLine,
    get_booking_money,
    list_expected_transfers,
    sum_up_cash,
)
from farebox.payments.top_ups import start_top_up, top_up_number
from farebox.payments.transfers import Transfer, get_transfer
from farebox.payments.verifying import RULES, Verdict, verdicts, verify_ledger
from farebox.payments.views import PaymentView
from farebox.payments.wallet import PROVIDER as WALLET
from farebox.payments.wallet import (
    WalletTransaction,
    WalletView,
    find_wallet,
    has_money,
    list_transactions,
    list_wallets,
)
from farebox.payments.wallet_paying import pay_from_wallet

__all__ = [
    "BANK",
    "BY_HAND",
    "CASH",
    "INVOICE_REACTIONS",
    "LONGEST_ADDRESS",
    "REACTIONS",
    "RULES",
    "WALLET",
    "AccountBalance",
    "BadSignature",
    "BookingMoney",
    "BookingSums",
    "Cancelled",
    "CashOfDay",
    "ChangeTerms",
    "Changed",
    "Destination",
    "Disposition",
    "ExpectedTransfer",
    "HandRefund",
    "InvoiceDetailsFixed",
    "InvoiceNotFound",
    "InvoiceTo",
    "InvoiceView",
    "LedgerLine",
    "NoWallet",
    "NotByHand",
    "NotPayable",
    "NothingToPay",
    "OpenDispute",
    "OrderRefused",
    "PaymentCompleted",
    "PaymentDisputed",
    "PaymentFailed",
    "PaymentMethod",
    "PaymentNotFound",
    "PaymentOrder",
    "PaymentPartiallyPaid",
    "PaymentProvider",
    "PaymentRefundFailed",
    "PaymentRefunded",
    "PaymentRequired",
    "PaymentStatus",
    "PaymentView",
    "PaymentWithRefunds",
    "PayoutPart",
    "PayoutTooLarge",
    "ProviderEvent",
    "ProviderUnavailable",
    "Providers",
    "ReferenceUsed",
    "RefundAnswer",
    "RefundNotFound",
    "RefundOrder",
    "RefundRefused",
    "RefundRequested",
    "RefundTooLarge",
    "RefundView",
    "RunningPayment",
    "Sandbox",
    "SandboxOutcome",
    "Started",
    "StuckPayment",
    "Takings",
    "ToPay",
    "Transfer",
    "TransferSlip",
    "UnknownMethod",
    "UnknownProvider",
    "UnreadableWebhook",
    "Verdict",
    "Waiting",
    "WalletTooSmall",
    "WalletTransaction",
    "WalletView",
    "balances",
    "build_providers",
    "cancel_booking",
    "change_booking",
    "change_invoice_to",
    "check_invoice_to",
    "check_payment",
    "check_payments",
    "confirm_paid",
    "count_waiting",
    "due_for",
    "end_unused_returns",
    "find_invoice_to",
    "find_wallet",
    "get_booking_money",
    "get_hand_refund",
    "get_payment",
    "get_transfer",
    "give_back",
    "handle_waiting",
    "has_money",
    "issue_for_businesses",
    "issue_invoices",
    "list_accounts",
    "list_came",
    "list_expected_transfers",
    "list_hand_refunds",
    "list_invoice_to",
    "list_invoices",
    "list_methods",
    "list_open_disputes",
    "list_payments",
    "list_refunds",
    "list_stuck_payments",
    "list_transactions",
    "list_unsettled",
    "list_wallets",
    "look_after",
    "make_forgotten_refunds",
    "make_refund",
    "methods_for",
    "most_to_pay_out",
    "most_to_refund",
    "note_paid_out",
    "note_received",
    "pay_from_wallet",
    "pay_out",
    "play_sandbox",
    "provider_mistakes",
    "quote_payout",
    "receive_webhook",
    "redeem_open_returns",
    "refund_again",
    "refund_payment",
    "register_invoice_jobs",
    "register_jobs",
    "rename_passenger",
    "render_invoice",
    "render_top_up_receipt",
    "start_payment",
    "start_top_up",
    "sum_up_bookings",
    "sum_up_cash",
    "sum_up_takings",
    "sums_of_new",
    "take_cash",
    "top_up_number",
    "verdicts",
    "verify_ledger",
    "wipe_buyers",
    "wipe_invoice_details",
    "wipe_old_bodies",
    "wipe_old_buyers",
    "wipe_old_invoice_details",
]
