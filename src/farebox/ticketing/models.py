"""Tables of tickets."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base
from farebox.ticketing.views import TicketStatus


class TicketRow(Base):
    """One person's right to one seat over one stretch. `token` is what its QR code says (see `tokens`).

    A passenger has at most one ticket that is not void: issuing twice finds the first.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        CheckConstraint(f"status IN {tuple(map(str, TicketStatus))}", name="status"),
        Index("uq_ticket_passenger_id", "passenger_id", unique=True, postgresql_where="status <> 'void'"),
        Index(None, "booking_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"))
    booking_item_id: Mapped[UUID] = mapped_column(ForeignKey("booking_item.id"))
    passenger_id: Mapped[UUID] = mapped_column(ForeignKey("booking_passenger.id"))
    seat: Mapped[str]
    token: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    issued_at: Mapped[datetime]


class TicketDocumentRow(Base):
    """A printed PDF, kept for some days under the digest of all that is printed on it: what changes is printed anew."""

    __tablename__ = "ticket_document"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)
