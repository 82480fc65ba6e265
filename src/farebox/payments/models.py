"""Tables of payments.

Money that came in is a *charge*: it is recorded once, then either applied to its booking or given back by a refund.
The ledger is append-only and balances transaction by transaction; `migrations/extras.sql` makes the database insist.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base

PAYMENT_STATUSES = ("pending", "processing", "completed", "failed", "refunded", "partially_refunded")
REFUND_STATUSES = ("pending", "completed")
DISPOSITIONS = ("applied", "duplicate", "late", "mismatched", "unwanted")


class PaymentRow(Base):
    """One attempt to pay a booking through one provider.

    `external_id` is the provider's own id of the attempt; `amount_minor` what the booking cost when it began.
    """

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint(f"status IN {PAYMENT_STATUSES}", name="status"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index(None, "booking_id", "created_at"),
        Index("uq_payment_provider_external_id", "provider", "external_id", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
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
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]


class ChargeRow(Base):
    """Money that a provider says it took. The unique key is the rule that no charge counts twice.

    `disposition`: `applied` to the booking; or owed back, since it came twice (`duplicate`), after the seats had gone
    (`late`), in another amount or currency (`mismatched`), or for a booking that was cancelled (`unwanted`).
    """

    __tablename__ = "payment_charge"
    __table_args__ = (
        CheckConstraint(f"disposition IN {DISPOSITIONS}", name="disposition"),
        CheckConstraint("amount_minor > 0 AND refunded_minor BETWEEN 0 AND amount_minor", name="amounts"),
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
    received_at: Mapped[datetime]


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


class RefundRow(Base):
    """Money on its way back, made by a job; `external_id` is the provider's id of it."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint(f"status IN {REFUND_STATUSES}", name="status"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index(None, "charge_id"),
        Index(None, "booking_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"))
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
    """One side of a movement of money. Debits are positive, credits negative; each transaction adds up to zero."""

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
