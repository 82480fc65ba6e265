"""Tables of payments.

Money that came in is a *charge*: it is recorded once, then either applied to its booking or given back by a refund.
The ledger is append-only and balances transaction by transaction: triggers made by the migrations insist on it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base

PAYMENT_STATUSES = ("pending", "processing", "completed", "failed", "refunded", "partially_refunded")
REFUND_STATUSES = ("pending", "completed", "failed", "replaced")
DESTINATIONS = ("origin", "wallet", "hand")
DISPOSITIONS = ("applied", "kept", "duplicate", "late", "mismatched", "unwanted")
PURPOSES = ("booking", "change", "top-up")


class PaymentRow(Base):
    """One attempt to pay through one provider.

    `purpose`: for a `booking`, for a `change` of one (`change_id`), or to `top-up` a wallet (`wallet_id`).
    `external_id` is the provider's own id of the attempt; `amount_minor` what it was to bring when it began.
    `next_check_at`: when the provider is asked what became of it, should its message not come; `None`: no more.
    `checked_at`: when it last was. `superseded_at`: another way of paying was chosen, so the checkout is to be closed.
    `actor`: who took the money, where a person did (cash, a bank transfer).
    """

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint(f"status IN {PAYMENT_STATUSES}", name="status"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(f"purpose IN {PURPOSES}", name="purpose"),
        CheckConstraint("(purpose = 'top-up') = (wallet_id IS NOT NULL AND booking_id IS NULL)", name="top_up"),
        CheckConstraint("(purpose = 'change') = (change_id IS NOT NULL)", name="change"),
        Index(None, "booking_id", "created_at"),
        Index(None, "wallet_id"),
        Index("uq_payment_provider_external_id", "provider", "external_id", unique=True),
        Index("ix_payment_next_check_at", "next_check_at", postgresql_where="next_check_at IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(default="booking", server_default="booking")
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"))
    change_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking_change.id"))
    wallet_id: Mapped[UUID | None] = mapped_column(ForeignKey("wallet.id"))
    provider: Mapped[str]
    method: Mapped[str]
    status: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    external_id: Mapped[str | None]
    checkout_url: Mapped[str | None]
    client_secret: Mapped[str | None]
    return_url: Mapped[str | None]
    failure: Mapped[str | None]
    actor: Mapped[str | None]
    checks: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    next_check_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    superseded_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]


class ChargeRow(Base):
    """Money that a provider says it took. The unique key is the rule that no charge counts twice.

    `disposition`: `applied` to what it was paid for; `kept` until the rest of the price has come; or owed back, since
    it came twice (`duplicate`), after the seats had gone (`late`), in another amount or currency (`mismatched`), or for
    a booking that was cancelled (`unwanted`). `dispute`: the payer's bank wants it back (`open`), got it (`lost`), or
    did not (`won`): the first of these that one of its disputes is.
    """

    __tablename__ = "payment_charge"
    __table_args__ = (
        CheckConstraint(f"disposition IN {DISPOSITIONS}", name="disposition"),
        CheckConstraint("amount_minor > 0 AND refunded_minor BETWEEN 0 AND amount_minor", name="amounts"),
        CheckConstraint("dispute IN ('open', 'won', 'lost')", name="dispute"),
        Index("uq_payment_charge_provider_external_id", "provider", "external_id", unique=True),
        Index(None, "payment_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"))
    provider: Mapped[str]
    external_id: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    disposition: Mapped[str]
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    dispute: Mapped[str | None]
    received_at: Mapped[datetime]


class DisputeRow(Base):
    """One time that a payer's bank wants a charge back, wholly or in part; a charge may be disputed several times.

    `external_id`: the provider's id of it; where a message names none, the charge's. `step`: as `ChargeRow.dispute`,
    which sums up those of a charge. `held_minor`: of money that was put into a wallet, how much the wallet holds back
    while it is open.
    """

    __tablename__ = "payment_dispute"
    __table_args__ = (
        CheckConstraint("step IN ('open', 'won', 'lost')", name="step"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("held_minor BETWEEN 0 AND amount_minor", name="held"),
        Index("uq_payment_dispute_provider_external_id", "provider", "external_id", unique=True),
        Index(None, "charge_id"),
        Index("ix_payment_dispute_open", "opened_at", "id", postgresql_where=text("step = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("payment_charge.id"))
    provider: Mapped[str]
    external_id: Mapped[str]
    step: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    held_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class InboxRow(Base):
    """A message from a provider, signature checked, kept as it came, before anything is done about it."""

    __tablename__ = "payment_event"
    __table_args__ = (
        Index("uq_payment_event_provider_external_id", "provider", "external_id", unique=True),
        Index("ix_payment_event_unhandled", "next_attempt_at", postgresql_where="handled_at IS NULL"),
        Index(None, "payment_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider: Mapped[str]
    external_id: Mapped[str]
    payment_id: Mapped[UUID | None]
    event: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[bytes]
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    next_attempt_at: Mapped[datetime]
    last_error: Mapped[str | None]


class SandboxMessageRow(Base):
    """What the sandbox did: its own memory, as a company that takes money has one. Nothing of ours is decided by it."""

    __tablename__ = "sandbox_message"
    __table_args__ = (Index(None, "payment_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID]
    at: Mapped[datetime]
    message: Mapped[dict[str, Any]] = mapped_column(JSONB)


class RefundRow(Base):
    """Money on its way back, made by a job; `external_id` is the provider's id of it.

    `destination`: `origin`, the way it came; `wallet`; or `hand`, where somebody of the operator's paid it out and
    noted that. `external_id` without a `completed_at`: the provider has been asked and will tell the end. `failed`: it
    refused for good; the money is still promised, until another refund takes this one's place (`replaced`).
    """

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint(f"status IN {REFUND_STATUSES}", name="status"),
        CheckConstraint(f"destination IN {DESTINATIONS}", name="destination"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index(None, "charge_id"),
        Index(None, "booking_id"),
        Index("ix_refund_waiting", "created_at", "id", postgresql_where=text("status IN ('pending', 'failed')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"))
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"))
    destination: Mapped[str] = mapped_column(default="origin", server_default="origin")
    actor: Mapped[str | None]
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("payment_charge.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str]
    external_id: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]


class LedgerEntryRow(Base):
    """One side of a movement of money. Debits are positive, credits negative; each transaction adds up to zero.

    `commission_bp`: of an operator's share and the platform's of a sale, the rate at which it was split.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="amount"),
        Index(None, "transaction_id"),
        Index(None, "account", "currency"),
        Index(None, "booking_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    transaction_id: Mapped[UUID]
    at: Mapped[datetime]
    kind: Mapped[str]
    account: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"))
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id"))
    commission_bp: Mapped[int | None]


class WalletRow(Base):
    """A person's money with us, in one currency. The CHECK is the rule that nobody spends what is not there.

    What came and went is in the ledger, under the account `wallet:<id>`; the two agree, or `ledger verify` says so.
    `held_minor`: what banks want back of what was put in, also where less than that is left: so much is not spent.
    """

    __tablename__ = "wallet"
    __table_args__ = (
        CheckConstraint("balance_minor >= 0", name="balance"),
        CheckConstraint("held_minor >= 0", name="held"),
        Index("uq_wallet_person_id_currency", "person_id", "currency", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    currency: Mapped[str]
    balance_minor: Mapped[int] = mapped_column(BigInteger)
    held_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class InvoiceSeriesRow(Base):
    """The numbers of an operator's invoices in one year; locked while one is given, so that none is missing."""

    __tablename__ = "invoice_series"

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    last_number: Mapped[int]


class InvoiceDetailsRow(Base):
    """Whom a traveller wants a booking's invoices to name, sealed; `None`: nobody any more, or wiped."""

    __tablename__ = "invoice_details"
    __table_args__ = (
        Index("ix_invoice_details_changed_at", "changed_at", postgresql_where=text("details IS NOT NULL")),
    )

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), primary_key=True)
    details: Mapped[bytes | None]
    changes: Mapped[int] = mapped_column(SmallInteger)
    changed_at: Mapped[datetime]


class InvoiceRow(Base):
    """What an operator writes of a sale, or, as a credit note, of what was taken back of it. Never changed.

    `price_revision` is the revision of the booking's prices that it is about, and `buyer_changes` how often the invoice
    details had been changed, so that each is written once; `document` is all that is printed but the `buyer`, which is
    sealed and can be wiped.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        CheckConstraint("kind IN ('invoice', 'credit-note')", name="kind"),
        CheckConstraint("(kind = 'credit-note') = (corrects_id IS NOT NULL)", name="corrects"),
        CheckConstraint("total_minor >= 0 AND tax_minor >= 0", name="amounts"),
        Index("uq_invoice_number", "operator_id", "kind", "year", "number", unique=True),
        Index(
            "uq_invoice_occasion",
            "booking_id",
            "operator_id",
            "price_revision",
            "buyer_changes",
            "kind",
            unique=True,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    kind: Mapped[str]
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    price_revision: Mapped[int] = mapped_column(SmallInteger)
    buyer_changes: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("invoice.id"))
    total_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    buyer: Mapped[bytes | None]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    issued_at: Mapped[datetime]
