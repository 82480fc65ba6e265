"""Tables of the companies that sell and of the people without an account."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base


class OperatorRow(Base):
    """A company that sells its own departures."""

    __tablename__ = "operator"
    __table_args__ = (
        CheckConstraint("max_seats > 0", name="max_seats"),
        CheckConstraint("commission_bp BETWEEN 0 AND 10000", name="commission_bp"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    url: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str]
    timezone: Mapped[str]
    currency: Mapped[str]
    language: Mapped[str]
    brand_color: Mapped[str]
    address: Mapped[str]
    max_seats: Mapped[int | None] = mapped_column(SmallInteger)
    legal_name: Mapped[str] = mapped_column(default="", server_default="")
    tax_number: Mapped[str] = mapped_column(default="", server_default="")
    commission_bp: Mapped[int] = mapped_column(default=0, server_default="0")


class GuestSessionRow(Base):
    """A visitor's session; with `booking_id`, one that reaches that booking and nothing else.

    Only the digest of the token is stored. `booking_id` is no foreign key: bookings stand above accounts.
    """

    __tablename__ = "guest_session"
    __table_args__ = (CheckConstraint("ttl_seconds > 0", name="ttl"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    booking_id: Mapped[UUID | None]
    ttl_seconds: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
