"""Tables of those who act for an operator: members, invitations, API keys, devices.

Each row belongs to one operator, and PostgreSQL's row security keeps it to that operator.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base

STAFF_ROLES = ("agent", "driver", "operator_admin")


class MembershipRow(Base):
    """What a person is for an operator."""

    __tablename__ = "membership"
    __table_args__ = (CheckConstraint(f"role IN {STAFF_ROLES}", name="role"), Index(None, "person_id"))

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str]
    created_at: Mapped[datetime]
    invited_by: Mapped[UUID | None]


class OperatorPolicyRow(Base):
    """What an operator asks of those who act for it."""

    __tablename__ = "operator_policy"

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), primary_key=True)
    requires_second_factor: Mapped[bool]
    updated_at: Mapped[datetime]


class InvitationRow(Base):
    """An invitation to act for an operator, mailed to an address. Who accepts it must have verified that address."""

    __tablename__ = "invitation"
    __table_args__ = (CheckConstraint(f"role IN {STAFF_ROLES}", name="role"), Index(None, "operator_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"))
    email: Mapped[bytes]
    email_index: Mapped[bytes]
    role: Mapped[str]
    language: Mapped[str]
    token_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    invited_by: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiKeyRow(Base):
    """A program's key to an operator's data. `hint` is how it begins, for people to know it again."""

    __tablename__ = "api_key"
    __table_args__ = (Index(None, "operator_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"))
    name: Mapped[str]
    hint: Mapped[str]
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class DeviceRow(Base):
    """A driver's phone or a scanner. It is paired by a code that works once and for minutes; then it has its token."""

    __tablename__ = "device"
    __table_args__ = (Index(None, "operator_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"))
    name: Mapped[str]
    pairing_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    pairing_expires_at: Mapped[datetime | None]
    token_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    paired_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
