"""Tables of bookings.

Money lines and the audit are append-only: triggers made by the migrations refuse to change or delete them.
Document number, phone and e-mail are sealed (AES-256-GCM) and found again by a keyed digest beside them.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base

STATUSES = ("pending", "payment_processing", "confirmed", "completed", "cancelled", "refunded")
ENDINGS = ("cancelled", "changed")
OPEN_RETURN_STATUSES = ("open", "redeemed", "cancelled", "ended")
CHANGE_STATUSES = ("pending", "applied", "failed", "withdrawn")


class BookingRow(Base):
    """A booking.

    `owner` is the credential that made it (`guest:<id>`, later `user:<id>`). `price_revision` says which of the price
    lines count now: their sum is `total_minor`, what the traveller owes for the booking as it stands. `promotion_id` is
    the code that was taken for it. `starts_at` is when the first item begins, `completes_at` when the last is used up.
    """

    __tablename__ = "booking"
    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        CheckConstraint("total_minor >= 0 AND tax_minor >= 0", name="amounts"),
        CheckConstraint("(status IN ('pending', 'payment_processing')) = (expires_at IS NOT NULL)", name="expires"),
        CheckConstraint("(status IN ('cancelled', 'refunded')) = (reason IS NOT NULL)", name="reason"),
        Index(None, "owner", "created_at"),
        Index("ix_booking_expires_at", "expires_at", postgresql_where="expires_at IS NOT NULL"),
        Index("ix_booking_promotion_id", "promotion_id", postgresql_where="promotion_id IS NOT NULL"),
        Index("ix_booking_completes_at", "completes_at", postgresql_where="status = 'confirmed'"),
        Index(None, "contact_email_index"),
        Index(None, "contact_phone_index"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    reason: Mapped[str | None]
    owner: Mapped[str]
    language: Mapped[str]
    currency: Mapped[str]
    total_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    price_revision: Mapped[int] = mapped_column(SmallInteger, default=1)
    promotion_id: Mapped[UUID | None] = mapped_column(ForeignKey("promotion.id"))
    contact_email: Mapped[bytes]
    contact_email_index: Mapped[bytes]
    contact_phone: Mapped[bytes]
    contact_phone_index: Mapped[bytes]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    starts_at: Mapped[datetime]
    completes_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


class BookingItemRow(Base):
    """One thing of a booking: units of one inventory over a stretch of slots, described as it was when it was sold.

    `units` and `labels` are what the booking has of it now. Once all of it was given up while the booking lives on,
    `ended_as` says how, and both stay as they were last. Of a booking that ended as a whole the items stay as they are.
    """

    __tablename__ = "booking_item"
    __table_args__ = (
        CheckConstraint("first_slot >= 0 AND first_slot < end_slot", name="slots"),
        CheckConstraint("cardinality(units) > 0 AND cardinality(units) = cardinality(labels)", name="units"),
        CheckConstraint(f"ended_as IN {ENDINGS}", name="ended_as"),
        CheckConstraint("(ended_as IS NULL) = (ended_at IS NULL)", name="ended"),
        Index("uq_booking_item_booking_id_position", "booking_id", "position", unique=True),
        Index(None, "resource_id"),
        Index(None, "inventory_id"),
        Index(None, "hold_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    hold_id: Mapped[UUID]
    inventory_id: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    labels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    first_slot: Mapped[int]
    end_slot: Mapped[int]
    resource_id: Mapped[UUID]
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    from_id: Mapped[UUID | None]
    to_id: Mapped[UUID | None]
    starts_at: Mapped[datetime]
    completes_at: Mapped[datetime]
    offer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    description: Mapped[dict[str, Any]] = mapped_column(JSONB)
    policy: Mapped[dict[str, Any]] = mapped_column(JSONB)
    ended_as: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class BookingPassengerRow(Base):
    """Who takes which unit of which item: one person a unit. `ended_as`: given up while the booking lives on."""

    __tablename__ = "booking_passenger"
    __table_args__ = (
        CheckConstraint("id_type IN ('citizen_id', 'passport')", name="id_type"),
        CheckConstraint("passenger_type IN ('adult', 'child', 'senior')", name="passenger_type"),
        CheckConstraint(f"ended_as IN {ENDINGS}", name="ended_as"),
        CheckConstraint("(ended_as IS NULL) = (ended_at IS NULL)", name="ended"),
        Index("uq_booking_passenger_item_id_unit", "item_id", "unit", unique=True),
        Index(None, "booking_id"),
        Index(None, "id_number_index"),
        Index(None, "phone_index"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    item_id: Mapped[UUID] = mapped_column(ForeignKey("booking_item.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    unit: Mapped[int]
    seat_number: Mapped[str]
    full_name: Mapped[str]
    id_type: Mapped[str]
    id_number: Mapped[bytes]
    id_number_index: Mapped[bytes]
    phone: Mapped[bytes]
    phone_index: Mapped[bytes]
    email: Mapped[bytes | None]
    email_index: Mapped[bytes | None]
    passenger_type: Mapped[str]
    special_needs: Mapped[bool]
    ended_as: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class BookingPriceLineRow(Base):
    """What a total is made of. Never changed: a new quote writes a new revision."""

    __tablename__ = "booking_price_line"
    __table_args__ = (
        CheckConstraint("kind IN ('fare', 'seat', 'surcharge', 'discount', 'fee', 'tax')", name="kind"),
        CheckConstraint("(kind = 'discount' AND amount_minor <= 0) OR amount_minor >= 0", name="sign"),
        Index("uq_booking_price_line_position", "booking_id", "revision", "position", unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    item_id: Mapped[UUID] = mapped_column(ForeignKey("booking_item.id"))
    revision: Mapped[int] = mapped_column(SmallInteger)
    position: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    label: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    seat_number: Mapped[str | None]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    created_at: Mapped[datetime]


class BookingChangeRow(Base):
    """A change that waits for the money it costs: other seats are held for it, the old are still the booking's.

    `hold_id` is the hold of the new seats, `None` where only names change; `passenger_ids` are whom it is about, in the
    order of the new seats; `quote` is what was agreed (`changes.ChangeQuote`), `owed_minor` what is to be paid for it.
    """

    __tablename__ = "booking_change"
    __table_args__ = (
        CheckConstraint(f"status IN {CHANGE_STATUSES}", name="status"),
        CheckConstraint("owed_minor > 0", name="owed"),
        CheckConstraint("(status = 'pending') = (ended_at IS NULL)", name="ended"),
        Index("uq_booking_change_pending", "booking_id", unique=True, postgresql_where="status = 'pending'"),
        Index(None, "hold_id"),
        Index("ix_booking_change_expires_at", "expires_at", postgresql_where="status = 'pending'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    status: Mapped[str]
    hold_id: Mapped[UUID | None]
    passenger_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    quote: Mapped[dict[str, Any]] = mapped_column(JSONB)
    owed_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    actor: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class OpenReturnRow(Base):
    """Somebody's right to ride back later, on a day that is not chosen yet; paid for with the ride there.

    `passenger_id` is who has it, by their seat on the ride there, and goes along where that is changed; so does
    `valid_until`, which is so many days after it. What it is for and what was paid for it never changes: `amount_minor`
    is the sum of its price lines (`facts.open_return`), which are in the booking's price as long as it is open.
    `refund_bp`: how much is paid back of what is not used of that. `item_id`: the ride that it was redeemed for.
    `reminded_at`: when its end was announced.
    """

    __tablename__ = "open_return"
    __table_args__ = (
        CheckConstraint(f"status IN {OPEN_RETURN_STATUSES}", name="status"),
        CheckConstraint("passenger_type IN ('adult', 'child', 'senior')", name="passenger_type"),
        CheckConstraint("amount_minor >= 0", name="amount"),
        CheckConstraint("refund_bp BETWEEN 0 AND 10000", name="refund"),
        CheckConstraint("(status = 'open') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("(status = 'redeemed') = (item_id IS NOT NULL)", name="redeemed"),
        Index(None, "booking_id"),
        Index("uq_open_return_passenger_id", "passenger_id", unique=True, postgresql_where="status = 'open'"),
        Index("ix_open_return_valid_until", "valid_until", postgresql_where="status = 'open'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    passenger_id: Mapped[UUID] = mapped_column(ForeignKey("booking_passenger.id"))
    passenger_type: Mapped[str]
    kind: Mapped[str]
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    from_id: Mapped[UUID | None]
    to_id: Mapped[UUID | None]
    origin: Mapped[str]
    destination: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    refund_bp: Mapped[int]
    valid_until: Mapped[datetime]
    timezone: Mapped[str]
    status: Mapped[str]
    item_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking_item.id"))
    created_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class BookingAuditRow(Base):
    """What happened to a booking, when, by whom and why. Never changed, but that the `note` among the facts, which
    somebody typed, is forgotten with the people of the booking."""

    __tablename__ = "booking_audit"
    __table_args__ = (Index(None, "booking_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    at: Mapped[datetime]
    actor: Mapped[str]
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    reason: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)


class BookingLookupRow(Base):
    """One request to see a booking without its credential. Written alike whether such a booking exists or not.

    The job that mails the code finds the booking, makes the code and writes its digest; `tries` counts wrong answers.
    """

    __tablename__ = "booking_lookup"
    __table_args__ = (Index(None, "reference", "contact_index", "created_at"), Index(None, "created_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str]
    contact_index: Mapped[bytes]
    created_at: Mapped[datetime]
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"))
    code_digest: Mapped[bytes | None]
    expires_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    used_at: Mapped[datetime | None]


class TypedPeopleRow(Base):
    """What somebody has typed about people before there was a booking, while they choose other seats."""

    __tablename__ = "typed_people"
    __table_args__ = (Index(None, "owner"), Index(None, "expires_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner: Mapped[str]
    typed: Mapped[bytes]
    expires_at: Mapped[datetime]
